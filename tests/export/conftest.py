"""Recorded runs to export: two methods, three seeds, names that a page must not trust."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltviz.recording import Recording, RunInfo, RunWriter

NASTY = "</script><script>alert(1)</script>"
COUNTS = [120, 60, 30, 8, 4]
LABELS = np.repeat(np.arange(5), [12, 10, 8, 6, 6])

MakeRun = Callable[..., Recording]


@pytest.fixture
def make_run(home: Path) -> MakeRun:
    """make_run("bcl", seed=1, centre_sum=.3, ...) -> a finished recording of three frames."""

    def make(
        method: str,
        seed: int | None = 0,
        *,
        centre_sum: float = 0.5,
        few: float = 0.5,
        title: str | None = None,
        settings: dict[str, Any] | None = None,
        frames: int = 3,
        dim: int = 3,
        metrics: dict[str, float] | None = None,
        **run: Any,
    ) -> Recording:
        number = sum(1 for _ in home.iterdir())
        recipe = {"data": "digits-lt", "imbalance_factor": 50.0, "dim": dim, "steps": 20, "batch_size": 64, **run}
        info = RunInfo(
            run_id=f"{method}-{number:03d}".replace("_", "-"),
            method=method,
            title=method.upper() if title is None else title,
            created=1e9 + number,
            dim=dim,
            num_classes=5,
            class_names=["zero", NASTY, "=1+1", "$x$", "four"],
            counts=COUNTS,
            total_steps=20,
            seed=seed,
            data=str(recipe["data"]),
            imbalance_factor=float(recipe["imbalance_factor"]),
            config={"run": recipe | {"seed": seed}, "method": settings or {}},
            versions={"ltviz": "0.1.0", "torch": "2.13.0"},
            fingerprints={"weights": "ab" * 32, "batches": f"{seed or 0:064x}"},  # type: ignore[arg-type]
        )
        rng = np.random.default_rng(number)
        with RunWriter.create(home / info.run_id, info, labels=LABELS, split=np.arange(len(LABELS)) % 2) as writer:
            for step in range(0, 10 * frames, 10):
                z = rng.normal(size=(len(LABELS), dim)) + np.eye(5, dim)[LABELS]
                writer.log(step + 1, {"contrast": 3.0 - step / 10, "total": 3.5 - step / 10})
                writer.frame(
                    step,
                    embeddings=z / np.linalg.norm(z, axis=1, keepdims=True),
                    samples={"prediction": rng.integers(0, 5, len(LABELS))},
                    metrics=metrics
                    or {"centre_sum": centre_sum, "accuracy_few": few, "accuracy_many": 0.9, "own": step / 3},
                )
        return Recording(writer.path)

    return make


@pytest.fixture
def six(make_run: MakeRun) -> list[Recording]:
    """SupCon and BCL on seeds 0, 1, 2; BCL's centre sum is lower by 0.15, 0.12 and 0.09."""
    runs = [make_run("supcon", s, centre_sum=v, few=0.5) for s, v in enumerate((0.46, 0.42, 0.37))]
    return runs + [make_run("bcl", s, centre_sum=v, few=0.7) for s, v in enumerate((0.31, 0.30, 0.28))]
