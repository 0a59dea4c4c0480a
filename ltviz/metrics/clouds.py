"""How far the samples of a class spread around their centre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ltviz.geometry import kappa
from ltviz.metrics.centres import angle_between
from ltviz.metrics.classes import Classes
from ltviz.metrics.record import Record

# Closest that a mean of float32 unit vectors can be told from length 1: from here on samples coincide.
LONGEST_RESULTANT = 1.0 - 2.0**-23


@dataclass(frozen=True, eq=False)
class Spread(Record):
    """One entry a class, float64 except `count`; NaN where the class cannot show it."""

    mean_angle: np.ndarray
    """(C,) mean angle of a sample to the class centre, degrees, 0 to 180. NaN for a class without samples."""
    kappa: np.ndarray
    """(C,) von Mises-Fisher concentration, maximum likelihood. NaN for a class with fewer than two samples, or whose
    samples coincide: no concentration is the likeliest then."""
    cap95: np.ndarray
    """(C,) angle around the centre that holds 95 % of the samples, degrees. NaN for a class without samples."""
    count: np.ndarray
    """(C,) int64 samples."""


def spread(z: np.ndarray, y: np.ndarray, num_classes: int | None = None) -> Spread:
    """Spread of each class around its centre (the normalised mean).

    Args:
        z: (N, D) embeddings, D >= 2; rows are normalised where they are not unit.
        y: (N,) integers in 0 ... C-1.
        num_classes: C; default the largest label + 1.

    Returns:
        Spread. A class whose samples cancel out has no centre and counts as kappa 0, angles NaN.

    Raises:
        DataError: shapes, labels or values that cannot be used.
    """
    return spread_of(Classes.of(z, y, num_classes).normalised())


def spread_of(classes: Classes) -> Spread:
    """`spread` of samples already grouped; rows must be unit."""
    angles = np.degrees(centre_angles(classes))
    concentration = np.full(classes.num_classes, np.nan)
    apart = classes.several & (classes.resultant < LONGEST_RESULTANT)
    concentration[apart] = kappa(classes.resultant[apart], max(2, classes.z.shape[1]))
    return Spread(classes.average(angles), concentration, grouped_quantile(classes, angles, 0.95), classes.count)


def common_kappas(classes: Classes, groups: Sequence[np.ndarray]) -> np.ndarray:
    """(G,) for each group of classes the concentration that fits best if they all share one, each around its centre.

    Every class counts the same, so the likeliest one solves A_D(kappa) = mean of the classes' resultant lengths. Unlike
    a mean of concentrations, which have no upper end, a single tight class does not decide it: classes of 1249, 7, 9
    and 6 in 3-D have 9.4 in common, and 318 on average.

    Args:
        classes: unit rows.
        groups: class indices of each; those with fewer than two samples are left out.

    Returns:
        float64 >= 0; NaN where no class is left, or the samples of every class coincide.

    Source: the mixture of Banerjee et al. 2005 with one kappa and equal weights.
    """
    lengths = np.full(len(groups), np.nan)
    for index, members in enumerate(groups):
        chosen = classes.resultant[members][classes.several[members]]
        if len(chosen) and (length := float(np.minimum(chosen, 1.0).mean())) < LONGEST_RESULTANT:
            lengths[index] = length
    return kappa(lengths, max(2, classes.z.shape[1]))


def centre_angles(classes: Classes) -> np.ndarray:
    """(N,) angle of each sample to the centre of its class, radians; NaN where the class has no centre."""
    centres = classes.centres.astype(classes.z.dtype, copy=False)
    return angle_between(classes.z, centres[classes.y])


def grouped_quantile(classes: Classes, values: np.ndarray, share: float) -> np.ndarray:
    """(C,) quantile of one value a sample, (N,), within each class, linear between samples; NaN where there is none."""
    ordered = values[np.lexsort((values, classes.y))]
    place = share * (classes.count[classes.present] - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, classes.count[classes.present] - 1)
    out = np.full(classes.num_classes, np.nan)
    low, high = ordered[classes.starts + below], ordered[classes.starts + above]
    out[classes.present] = low + (place - below) * (high - low)
    return out
