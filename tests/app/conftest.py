"""What the tests of the app share: the app under its name, and small recordings."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ltviz.launch.app import load_app
from ltviz.recording import RunInfo, RunWriter, run_path

load_app()

COUNTS = (40, 12, 5)


def points(step: int, n: int = 30, dim: int = 3, seed: int = 0) -> np.ndarray:
    """(n, dim) unit rows that depend on the step."""
    z = np.random.default_rng(seed + step).normal(size=(n, dim)).astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def begin(
    home: Path,
    run: str,
    *,
    method: str = "ce",
    title: str = "CE",
    dim: int = 3,
    n: int = 30,
    race: str | None = None,
    names: tuple[str, ...] = ("seven", "two", "nine"),
    counts: tuple[int, ...] = COUNTS,
    steps: int = 20,
) -> RunWriter:
    """A writer of a run with three classes; close it to finish the run."""
    info = RunInfo(
        run_id=run,
        method=method,
        title=title,
        created=time.time(),
        race=race,
        dim=dim,
        num_classes=len(counts),
        class_names=list(names),
        counts=list(counts),
        total_steps=steps,
        seed=0,
        data="digits-lt",
        imbalance_factor=8.0,
        config={"run": {"steps": steps}, "method": {"temperature": 0.1}},
    )
    labels = np.arange(n) % len(counts)
    return RunWriter.create(run_path(home, run), info, labels=labels, split=(np.arange(n) % 2).astype(np.uint8))


def frame(writer: RunWriter, step: int, *, dim: int = 3, n: int = 30, **more: Any) -> None:
    """One frame with a few measures."""
    metrics = {"accuracy_few": 0.4 + 0.01 * step, "centre_sum": 0.5, **more.pop("metrics", {})}
    writer.frame(step, embeddings=points(step, n, dim), metrics=metrics, seconds=0.1 * step, **more)


def finished(home: Path, run: str, *, steps: tuple[int, ...] = (0, 5, 10), **more: Any) -> Path:
    """A finished run."""
    with begin(home, run, **more) as writer:
        for step in steps:
            frame(writer, step, dim=more.get("dim", 3), n=more.get("n", 30))
    return run_path(home, run)


@pytest.fixture
def runs() -> SimpleNamespace:
    """`begin`, `frame`, `finished` and `points`: recordings of three classes."""
    return SimpleNamespace(begin=begin, frame=frame, finished=finished, points=points)
