"""Many rows, some at a time: an array as large as a million rows costs more to have than to compute with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

BLOCK = 16_384
"""Rows; fewer are one block."""


def blocks(count: int) -> Iterator[slice]:
    """Slices that cover `count` rows in their order.

    Example:
        >>> [(one.start, one.stop) for one in blocks(20_000)]
        [(0, 16384), (16384, 20000)]
    """
    for start in range(0, count, BLOCK):
        yield slice(start, min(count, start + BLOCK))


def gram_of(rows: np.ndarray) -> np.ndarray:
    """(D, D) float64 `rows.T @ rows` of rows (N, D)."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for block in blocks(len(rows)):
        part = rows[block].astype(np.float64, copy=False)
        total += part.T @ part
    return total


def total_variance(rows: np.ndarray) -> float:
    """The variances of the columns of rows (N, D), N >= 1, summed; float64."""
    # About the first row: of numbers that are all far from zero too little would be left.
    middle = rows[0].astype(np.float64)
    sums, square = np.zeros(rows.shape[1]), 0.0
    for block in blocks(len(rows)):
        part = rows[block] - middle
        sums += part.sum(axis=0)
        square += float(np.vdot(part, part))
    return max(0.0, square / len(rows) - float((sums / len(rows)) @ (sums / len(rows))))
