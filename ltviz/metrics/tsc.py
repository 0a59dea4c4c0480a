"""The measures by which TSC compares feature spaces (Li et al. 2022, section 3.1)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.centres import unit_centres
from ltviz.metrics.classes import Classes
from ltviz.metrics.declaration import Measure, Value, declare
from ltviz.metrics.space import Space


def intra_class_alignment(classes: Classes) -> float:
    """A: mean over classes of the mean distance between two samples of the class, over all |F_c|^2 ordered pairs.

    Lower is tighter, 0 to 2 for unit rows. Classes without samples are left out. The pairs (i, i) count, as |F_c|^2
    says, and so a class of one sample counts as 0, which `measure` leaves out; the official code does not compute this
    measure.

    Example:
        >>> import numpy as np
        >>> round(intra_class_alignment(Classes.of(np.eye(4), np.array([0, 0, 1, 1]))), 3)
        0.707
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

    Example:
        >>> from ltviz.geometry import simplex
        >>> round(inter_class_uniformity(simplex(4, 3)), 3)
        1.633
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

    Example:
        >>> import numpy as np
        >>> centres = np.array([[1.0, 0.0], [1.0, 0.01], [-1.0, 0.0]])
        >>> round(neighbourhood_uniformity(centres, k=1), 3)
        0.673
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


# ---------------------------------------------------------------------- measures


def distance_within(unit: Classes) -> float | None:
    """TSC's A over the classes with two samples or more; None without one, and where all points lie in one place: that
    samples of a class are close is worth something only if others are not.

    Example:
        >>> import numpy as np
        >>> z = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        >>> round(distance_within(Classes.of(z, np.array([0, 0, 1]))), 3)
        0.707
    """
    here = unit.several[unit.y]
    if unit.one_place or not here.any():
        return None
    return intra_class_alignment(unit if here.all() else Classes.of(unit.z[here], unit.y[here], unit.num_classes))


@declare(
    Measure(
        key="tsc_alignment",
        title="Distance within classes (A)",
        low=0,
        high=2,
        better="lower",
        short="Mean distance between two samples of a class, every class with two or more counting the same.",
        formula=r"\frac1C \sum_c \frac1{|F_c|^2} \sum_{j,k \in F_c} \|z_j - z_k\|",
        source="Li et al. 2022 (TSC), section 3.1",
        order=54,
    ),
    full=True,
    apart="always",
)
def tsc_alignment(space: Space) -> Value:
    return distance_within(space.unit)


@declare(
    Measure(
        key="tsc_uniformity",
        title="Distance between classes (U)",
        low=0,
        high=2,
        better="higher",
        short="Mean distance between two class centres.",
        formula=r"\frac1{C(C-1)} \sum_{a \ne b} \|m_a - m_b\|",
        source="Li et al. 2022 (TSC), section 3.1",
        order=55,
    ),
    Measure(
        key="tsc_neighbour_uniformity",
        title="Distance to neighbouring classes (U_k)",
        low=0,
        high=2,
        better="higher",
        short="Mean distance from a class centre to its nearest ones: ten, or half of them all.",
        formula=r"\frac1{Ck} \sum_a \min_{b_1 \ldots b_k} \sum_l \|m_a - m_{b_l}\|, "
        r"\; k = \min(10, \lfloor (C-1)/2 \rfloor)",
        source="Li et al. 2022 (TSC), section 3.1",
        order=56,
    ),
    full=True,
)
def tsc_uniformities(space: Space) -> Mapping[str, Value]:
    if space.present.sum() < 2:
        return {}
    return {
        "tsc_uniformity": inter_class_uniformity(space.centres),
        "tsc_neighbour_uniformity": neighbourhood_uniformity(space.centres),
    }
