"""`ltviz bench record`: what one frame of `ltviz.record` costs the loop that gives it."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Sequence

import numpy as np

from ltviz.recording import record

CASES = (
    # points, dimension, classes, target of a call in milliseconds
    (500, 128, 10, 2.0),
    (2_000, 128, 10, 2.0),
    (10_000, 128, 8_142, 500.0),
    (100_000, 64, 100, 1_000.0),
)


def run(argv: Sequence[str] = ()) -> None:
    """Prints a table, one row a size: the median call of `frame` in a loop that has other work to do, the copy of the
    array that is part of it, their ratio, how long a frame takes until it is on the disk, and the memory it takes."""
    options = argparse.ArgumentParser("ltviz bench record", description=__doc__)
    options.add_argument("--repeats", type=int, default=9, help="frames of each size")
    repeats = options.parse_args(argv).repeats
    rows = [_measure(*case, repeats) for case in CASES]
    print("".join(f"{name:>15}" for name in rows[0]))
    for row in rows:
        print("".join(f"{value:>15.2f}" if isinstance(value, float) else f"{value:>15}" for value in row.values()))


def _measure(points: int, dim: int, classes: int, target: float, repeats: int) -> dict[str, float | int]:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((points, dim)).astype(np.float32)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    y = np.concatenate([np.arange(classes), rng.integers(0, classes, points - classes)])
    calls, whole, copies = [], [], []
    with tempfile.TemporaryDirectory() as folder, record(f"{folder}/run", labels=y) as recorder:
        tracemalloc.start()
        recorder.frame(0, embeddings=z)
        megabytes = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        for step in range(1, repeats + 1):
            began = time.perf_counter()
            recorder.frame(step, embeddings=z)
            called = time.perf_counter()
            recorder.flush()  # the loop's own work, which takes longer than that of the frame
            calls.append((called - began) * 1e3)
            whole.append((time.perf_counter() - began) * 1e3)
            began = time.perf_counter()
            z.copy()
            copies.append((time.perf_counter() - began) * 1e3)
    call, copy = statistics.median(calls), statistics.median(copies)
    return {
        "points": points,
        "dim": dim,
        "classes": classes,
        "call_ms": call,
        "copy_ms": copy,
        "call/copy": call / copy,
        "on_disk_ms": statistics.median(whole),
        "memory_mb": megabytes,
        "target_ms": target,
    }
