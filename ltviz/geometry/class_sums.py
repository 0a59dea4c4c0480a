"""Sums over the samples of each class, for two thousand samples of a live frame and for a million of a file alike."""

from __future__ import annotations

import numpy as np

RUN_LENGTH = 8
"""Samples of a class from which on a sum of its own is faster than numpy's `reduceat`, which takes them one by one."""
KEYS = 1 << 16
"""Classes whose numbers numpy sorts by radix, five times faster than larger ones."""


def class_sums(rows: np.ndarray, labels: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """(C, D) float64 sums of the rows (N, D) of each class, and (C,) int64 how many they are.

    Args:
        rows: (N, D) float.
        labels: (N,) whole numbers; samples of other labels than 0 ... C-1 count nowhere.

    Example:
        >>> sums, counts = class_sums(np.array([[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]]), np.array([1, 1, -1]), 2)
        >>> sums.tolist(), counts.tolist()
        ([[0.0, 0.0], [4.0, 6.0]], [0, 2])
    """
    order, counts = sorted_by_class(labels, num_classes)
    sums = np.zeros((num_classes, rows.shape[1]))
    present = np.flatnonzero(counts)
    ends = np.cumsum(counts)[present]
    starts = ends - counts[present]
    if len(order) < RUN_LENGTH * len(present):
        sums[present] = np.add.reduceat(rows[order], starts, axis=0, dtype=np.float64)
        return sums, counts
    for label, start, end in zip(present.tolist(), starts.tolist(), ends.tolist(), strict=True):
        rows[order[start:end]].sum(axis=0, dtype=np.float64, out=sums[label])
    return sums, counts


def sorted_by_class(labels: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (M,) of the samples whose label is in 0 ... C-1, sorted by class and then as they came, and (C,) how many
    each class has."""
    inside = (labels >= 0) & (labels < num_classes)
    here = None if inside.all() else np.flatnonzero(inside)
    known = labels if here is None else labels[here]
    order = np.argsort(known.astype(np.uint16) if num_classes <= KEYS else known, kind="stable")
    return order if here is None else here[order], np.bincount(known, minlength=num_classes)
