"""Small recordings of more than three dimensions for the tests of projections."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ltviz.recording import Recording, RunInfo, RunWriter


def embeddings(step: int, n: int, dim: int, num_classes: int, seed: int) -> np.ndarray:
    """(n, dim) float32 unit rows: clusters that drift with the step."""
    rng = np.random.default_rng(seed)
    start, drift = rng.standard_normal((2, num_classes, dim))
    noise = 0.4 * rng.standard_normal((n, dim)) / np.sqrt(dim)
    centres = start + 0.02 * step * drift
    z = (centres / np.linalg.norm(centres, axis=1, keepdims=True))[np.arange(n) % num_classes] + noise
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def make_run(tmp_path: Path):
    """A finished recording under a temporary folder; the same arguments give the same frames."""

    def make(
        name: str = "run-one", *, steps: int = 12, n: int = 60, dim: int = 8, num_classes: int = 5, seed: int = 0
    ) -> Recording:
        info = RunInfo(
            run_id="run-one",
            created=0.0,
            num_classes=num_classes,
            class_names=[str(c) for c in range(num_classes)],
            counts=[50, 10, 30, 5, 2][:num_classes],
            dim=dim,
            title="CE",
            method="ce",
        )
        with RunWriter.create(tmp_path / name, info, labels=np.arange(n) % num_classes) as writer:
            for step in range(steps):
                writer.frame(step, embeddings=embeddings(step, n, dim, num_classes, seed))
        return Recording(tmp_path / name)

    return make
