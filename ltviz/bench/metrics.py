"""`ltviz bench metrics`: how long one call of `measure` takes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ltviz.metrics import measure, uniformity

CASES = (
    # points, dimension, classes, target in milliseconds
    (870, 3, 10, 3.0),
    (2000, 3, 10, None),
    (5000, 128, 10, 30.0),
    (5000, 128, 1000, 300.0),
)


def embeddings(n: int, dim: int, num_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Long-tailed clouds on the sphere: (n, dim) float32 unit rows, (n,) labels, (n,) split, a third of it test."""
    rng = np.random.default_rng(seed)
    weight = 100.0 ** (-np.arange(num_classes) / (num_classes - 1))
    y = np.sort(rng.choice(num_classes, n, p=weight / weight.sum()))
    centres = rng.standard_normal((num_classes, dim))
    z = centres[y] / np.linalg.norm(centres[y], axis=1, keepdims=True) + 0.5 * rng.standard_normal((n, dim)) / dim**0.5
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    return z.astype(np.float32), y, (rng.random(n) < 1 / 3).astype(np.uint8)


def run(argv: Sequence[str] = ()) -> None:
    """Prints a table, one row a size: `measure` as every frame pays for it, uniformity alone, and the full set."""
    options = argparse.ArgumentParser("ltviz bench metrics", description=__doc__)
    options.add_argument("--repeats", type=int, default=9, help="calls of each measurement; the full set has one")
    repeats = options.parse_args(argv).repeats
    rows: list[dict[str, float | int | None]] = []
    for n, dim, num_classes, target in CASES:
        z, y, split = embeddings(n, dim, num_classes)
        live = _milliseconds(partial(measure, z, y, num_classes=num_classes, split=split, predictions=y), repeats)
        rows.append(
            {
                "points": n,
                "dim": dim,
                "classes": num_classes,
                "best_ms": live[0],
                "median_ms": live[len(live) // 2],
                "uniformity_ms": _milliseconds(partial(uniformity, z), repeats)[0],
                "full_ms": _milliseconds(partial(measure, z, y, num_classes=num_classes, split=split, full=True), 1)[0],
                "target_ms": target,
            }
        )
    print("".join(f"{name:>15}" for name in rows[0]))
    for row in rows:
        print("".join(f"{_cell(value):>15}" for value in row.values()))


def _cell(value: float | int | None) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def _milliseconds(call: Callable[[], object], repeats: int) -> list[float]:
    """Times of each of `repeats` calls after one warm-up, ascending."""
    call()
    out = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        out.append((time.perf_counter() - start) * 1e3)
    return sorted(out)
