from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltviz.recording import RunInfo, RunWriter

LABELS = np.array([0, 0, 0, 1, 1, 2])


def unit(step: int, rows: int = 6, dim: int = 3) -> np.ndarray:
    """(rows, dim) unit rows that only `step` decides."""
    z = np.random.default_rng(step).normal(size=(rows, dim))
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def embeddings() -> Callable[..., np.ndarray]:
    return unit


@pytest.fixture
def info() -> RunInfo:
    return RunInfo(
        run_id="test-run",
        method="supcon",
        created=1.0e9,
        dim=3,
        num_classes=3,
        class_names=["ant", "bee", "cat"],
        counts=[300, 50, 5],
        config={"run": {"seed": 0}, "method": {"temperature": 0.1}},
    )


@pytest.fixture
def create(tmp_path: Path, info: RunInfo) -> Callable[..., RunWriter]:
    """Begins a run of three classes and six samples under the test's own folder."""

    def create(name: str = "test-run", **given: Any) -> RunWriter:
        return RunWriter.create(tmp_path / name, info, **({"labels": LABELS} | given))

    return create


@pytest.fixture
def run(create: Callable[..., RunWriter]) -> Path:
    """The folder of a finished run with frames 0, 10, 20."""
    with create() as writer:
        for step in (0, 10, 20):
            writer.frame(step, embeddings=unit(step), metrics={"loss": step / 10})
            writer.log(step, {"loss": step / 10})
    return writer.path
