"""The measures by which TSC compares feature spaces (Li et al. 2022, section 3.1)."""

from __future__ import annotations

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.centres import unit_centres
from ltviz.metrics.classes import Classes


def intra_class_alignment(classes: Classes) -> float:
    """A: mean over classes of the mean distance between two samples of the class, over all |F_c|^2 ordered pairs.

    Lower is tighter, 0 to 2 for unit rows. Classes without samples are left out. The pairs (i, i) count, as |F_c|^2
    says, and so a class of one sample counts as 0, which `measure` leaves out; the official code does not compute this
    measure.
    """
    ordered = classes.z[classes.order].astype(np.float64)
    total = 0.0
    for start, size in zip(classes.starts, classes.count[classes.present], strict=True):
        total += _mean_distance(ordered[start : start + size])
    return total / len(classes.present)


def inter_class_uniformity(centres: np.ndarray) -> float:
    """U: mean distance between two class centres, over ordered pairs. Higher is more uniform, 0 to 2.

    Args:
        centres: (C, D), normalised here; zero or NaN rows are left out.

    Raises:
        DataError: fewer than two centres present.
    """
    distances = _centre_distances(centres)
    return float(distances.sum() / (len(distances) * (len(distances) - 1)))


def neighbourhood_uniformity(centres: np.ndarray, k: int | None = None) -> float:
    """U_k: mean distance from a class centre to the k nearest others. Higher is more uniform, 0 to 2.

    Unlike U it sees two classes that collapse while all others are far apart.

    Args:
        centres: (C, D), normalised here; zero or NaN rows are left out.
        k: 1 ... C-1; default 10, or half of the other classes where there are fewer than 20 (over all, U_k is U).

    Raises:
        DataError: fewer than two centres present, or k out of range.
    """
    distances = _centre_distances(centres)
    most = len(distances) - 1
    k = max(1, min(10, most // 2)) if k is None else k
    if not 1 <= k <= most:
        raise DataError(f"U_k takes k from 1 to C - 1 = {most}, got {k}.")
    np.fill_diagonal(distances, np.inf)
    return float(np.partition(distances, k - 1, axis=1)[:, :k].mean())


def _centre_distances(centres: np.ndarray) -> np.ndarray:
    units = unit_centres(centres)
    units = units[~np.isnan(units[:, 0])]
    if len(units) < 2:
        raise DataError(f"Uniformity between classes needs at least 2 centres, got {len(units)}.")
    return _distances(units)


def _distances(rows: np.ndarray) -> np.ndarray:
    square = np.einsum("nd,nd->n", rows, rows)
    distances = np.sqrt(np.maximum(square[:, None] + square - 2 * rows @ rows.T, 0.0))
    np.fill_diagonal(distances, 0.0)
    return distances


def _mean_distance(rows: np.ndarray) -> float:
    """Mean over all ordered pairs, 1,000 rows at a time."""
    blocks = [rows[i : i + 1000] for i in range(0, len(rows), 1000)]
    square = np.einsum("nd,nd->n", rows, rows)
    total = 0.0
    for block in blocks:
        distances = np.einsum("nd,nd->n", block, block)[:, None] + square - 2 * block @ rows.T
        total += float(np.sqrt(np.maximum(distances, 0.0)).sum())
    return total / len(rows) ** 2
