"""Variability of classes against the distances between them (Galanti, György and Hutter 2022), and their lengths."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry.blocks import blocks
from ltviz.metrics.classes import Classes, one_place
from ltviz.metrics.declaration import Measure, Value, declare
from ltviz.metrics.rows import finite_rows
from ltviz.metrics.shots import fewer
from ltviz.metrics.space import Space


def cdnv(z: np.ndarray, y: np.ndarray, *, num_classes: int | None = None) -> float:
    r"""Class-distance normalised variance: mean over unordered pairs of classes present. Lower is more collapsed.

    .. math:: \operatorname{mean}_{a<b} \frac{v_a + v_b}{2 |m_a - m_b|^2}, \qquad v_c = \operatorname{mean}_{i \in c}
              |z_i - m_c|^2

    Args:
        z: (N, D) features, not normalised here.
        y: (N,) integers in 0 ... C-1.
        num_classes: C; default the largest label + 1. Absent classes are left out.

    Returns:
        >= 0; infinite where two means coincide.

    Raises:
        DataError: shapes, labels or values that cannot be used, or fewer than two classes present.

    Source: Galanti et al. 2022, definition 1; code neural-collapse c05a0b8, which leaves an absent class in as a point
    at the origin, and gives float32.

    Example:
        >>> import numpy as np
        >>> cdnv(np.array([[0.0, 1], [0, -1], [4, 1], [4, -1]]), np.array([0, 0, 1, 1]))
        0.0625
    """
    classes = Classes.of(z, y, num_classes)
    if len(classes.present) < 2:
        raise DataError(f"The normalised variance takes two classes with samples or more, got {len(classes.present)}.")
    return _normalised_variance(classes)


def _normalised_variance(classes: Classes) -> float:
    here = classes.present
    square = np.empty(len(classes.y))
    for block in blocks(len(square)):
        apart = classes.z[block] - classes.means[classes.y[block]]
        square[block] = np.square(apart, dtype=np.float64).sum(axis=1)
    variance = classes.average(square)[here]
    means = classes.means[here]
    total = 0.0
    for place in range(len(here) - 1):
        away = means[place + 1 :] - means[place]
        distance = np.einsum("kd,kd->k", away, away)
        if not distance.all():
            return float("inf")
        total += float(((variance[place] + variance[place + 1 :]) / (2 * distance)).sum())
    return total / (len(here) * (len(here) - 1) / 2)


def norm_ratio(rows: np.ndarray, counts: np.ndarray) -> float:
    """Mean length of the rows of the classes with most samples over that of those with fewest.

    Args:
        rows: (C, D): class means, or a classifier's weights.
        counts: (C,) training samples of each class. Of classes that have equally many, all count.

    Returns:
        Above 0; 1 where lengths, or counts, are equal.

    Raises:
        DataError: shapes that do not match, values that are not finite, or rarest rows of length 0.

    Source: derived; that a classifier's weights are longer for head classes is in Kang et al. 2020, figure 2.

    Example:
        >>> import numpy as np
        >>> norm_ratio(np.diag([3.0, 2.0, 1.0]), np.array([100, 10, 10]))
        2.0
    """
    given = finite_rows("The ratio of lengths", rows)
    n = np.asarray(counts)
    if n.shape != given.shape[:1] or n.dtype.kind not in "iuf" or not np.isfinite(n).all():
        raise DataError(f"The ratio of lengths takes one count for each of {len(given)} rows, got shape {n.shape}.")
    lengths = np.linalg.norm(given, axis=1)
    rarest = lengths[n == n.min()].mean()
    if rarest == 0:
        raise DataError("The ratio of lengths needs rows of a length; those of the rarest classes are zero.")
    return float(lengths[n == n.max()].mean() / rarest)


# ---------------------------------------------------------------------- measures


@declare(
    Measure(
        key="cdnv",
        title="Normalised variance (CDNV)",
        low=0,
        better="lower",
        short="How wide two classes are against the distance between their means, over all pairs: 0 is collapsed. Of "
        "the features that the classifier reads where a frame was measured with them, else of the embeddings.",
        formula=r"\operatorname{mean}_{a<b} (v_a + v_b) / (2 \|\mu_a - \mu_b\|^2)",
        source="Galanti et al. 2022",
        caution="One pair of classes that nearly coincide makes it large; a class of one sample has no scatter to add.",
        order=24,
    ),
    Measure(
        key="cdnv_classes",
        title="Classes behind the normalised variance",
        unit="classes",
        low=0,
        short="How many classes have two samples or more and so a scatter, where not all have.",
        formula=r"|\{c : n_c \ge 2\}|",
        source="ltviz",
        behind=True,
        order=113,
    ),
    of_sphere=False,
)
def variance_against_distance(space: Space) -> Mapping[str, Value]:
    """Absent where it would be 0/0: without two classes, without a scatter, or where means coincide."""
    seen = space.seen
    if len(seen.present) < 2 or not seen.several.any() or one_place(seen.means[seen.present]):
        return {}
    return {"cdnv": _normalised_variance(seen), "cdnv_classes": fewer(int(seen.several.sum()), space.num_classes)}


@declare(
    Measure(
        key="norm_ratio",
        title="Lengths of class means, head to tail",
        low=0,
        better=None,
        short="How much longer the mean feature of the largest class is than that of the rarest: 1 is equal.",
        formula=r"|\mu_{\max n}| / |\mu_{\min n}|",
        source="derived; Kang et al. 2020 on weights",
        caution="Where only unit embeddings are known it is of these, and tells how tight classes are instead.",
        order=49,
    ),
    Measure(
        key="norm_ratio_weights",
        title="Lengths of classifier weights, head to tail",
        low=0,
        better=None,
        short="How much longer the classifier's weights of the largest class are than those of the rarest: 1 is equal.",
        formula=r"|w_{\max n}| / |w_{\min n}|",
        source="Kang et al. 2020, fig. 2",
        order=50,
    ),
    full=True,
    of_sphere=False,
)
def lengths_head_to_tail(space: Space) -> Mapping[str, Value]:
    """Nothing where all classes have as many samples."""
    found: dict[str, Value] = {}
    here = space.seen.present
    for key, rows, counts in (
        ("norm_ratio", space.seen.means[here], space.counts[here]),
        ("norm_ratio_weights", space.weights, space.counts),
    ):
        if rows is not None and len(rows) and counts.min() < counts.max():
            shortest = np.linalg.norm(rows[counts == counts.min()], axis=1).max()
            if shortest > 1e-12 * np.abs(rows).max():
                found[key] = norm_ratio(rows, counts)
    return found
