"""What the geometry lab must find of information: `ltviz.metrics` on explicitly repeated samples. Python is the truth;
tests/stage_js/lab.test.mjs compares.

    python tests/stage_js/information_cases.py     writes information_cases.json anew
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ltviz.metrics import information_with_labels, information_with_views

FILE = Path(__file__).with_suffix(".json")
PROBLEMS = (([8, 4, 3, 2], 1, 3, 0.0), ([12, 6, 3], 3, 4, 0.3), ([5, 1, 7], 1, 2, 0.0), ([30, 20, 10], 5, 8, 1.5))
"""Samples of each class, points a class, dimensions, noise."""


def judge(counts: list[int], points: int, dim: int, noise: float, seed: int) -> dict[str, Any]:
    """Unit rows (M, dim) that stand for `mass` samples each, and what all samples say."""
    random = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(counts)), points)
    mass = np.array(counts)[y] // points
    centres = random.normal(size=(len(counts), dim))
    rows = centres[y] + noise * random.normal(size=(len(y), dim))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    means = np.zeros_like(centres)
    np.add.at(means, y, mass[:, None] * rows)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    everyone = np.repeat(np.arange(len(y)), mass)
    labels = information_with_labels(rows[everyone], y[everyone], means)
    inputs = information_with_views(rows[everyone], rows[everyone])
    return {
        "rows": rows.ravel().tolist(), "y": y.tolist(), "mass": mass.tolist(), "means": means.ravel().tolist(),
        "counts": np.bincount(y, mass).astype(int).tolist(), "dim": dim, "labels": list(labels), "inputs": list(inputs),
    }  # fmt: skip


def cases() -> list[dict[str, Any]]:
    return [judge(*problem, seed) for seed, problem in enumerate(PROBLEMS)]


if __name__ == "__main__":
    FILE.write_text(json.dumps(cases(), separators=(",", ":")) + "\n", encoding="utf-8")
