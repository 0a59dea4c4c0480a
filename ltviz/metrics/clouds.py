"""How far the samples of a class spread around their centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltviz.geometry import kappa
from ltviz.metrics.centres import angle_between
from ltviz.metrics.classes import Classes
from ltviz.metrics.record import Record

# Closest that a mean of float32 unit vectors can be told from length 1; caps kappa of samples that coincide.
LONGEST_RESULTANT = 1.0 - 2.0**-23


@dataclass(frozen=True, eq=False)
class Spread(Record):
    """One entry a class, float64 except `count`; NaN where the class cannot show it."""

    mean_angle: np.ndarray
    """(C,) mean angle of a sample to the class centre, degrees, 0 to 180. NaN for a class without samples."""
    kappa: np.ndarray
    """(C,) von Mises-Fisher concentration, maximum likelihood. NaN for a class with fewer than two samples."""
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
        Spread. A class whose samples cancel out has no centre and counts as kappa 0, angles NaN. Where all samples
        coincide kappa is about (D-1)/2 2^23, the most that float32 can tell.

    Raises:
        DataError: shapes, labels or values that cannot be used.
    """
    return spread_of(Classes.of(z, y, num_classes).normalised())


def spread_of(classes: Classes, *, caps: bool = True) -> Spread:
    """`spread` of samples already grouped; rows must be unit. Without `caps` the sort that they need is saved."""
    angles = np.degrees(centre_angles(classes))
    concentration = np.full(classes.num_classes, np.nan)
    several = classes.count >= 2
    length = np.minimum(classes.resultant[several], LONGEST_RESULTANT)
    concentration[several] = kappa(length, max(2, classes.z.shape[1]))
    cap95 = grouped_quantile(classes, angles, 0.95) if caps else np.full(classes.num_classes, np.nan)
    return Spread(classes.average(angles), concentration, cap95, classes.count)


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
