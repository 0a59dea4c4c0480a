"""How far apart C directions can be at best."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from ltviz.errors import ConfigError
from ltviz.geometry.regular_simplex import fits, ideal_cosine

# Smallest angles in degrees of the best known arrangements of C points on the sphere in 3-D (the Tammes problem).
# Proven for C <= 14 and 24 (Fejes Toth, Schuette and van der Waerden, Danzer, Robinson, Musin and Tarasov); the others
# are best known (Sloane, Hardin and Smith, "Tables of spherical codes"); our own descent comes within .05 degrees of
# each.
TAMMES_DEGREES = {
    7: 77.8695421,
    8: 74.8584922,
    9: 70.5287794,
    10: 66.1468220,
    11: 63.4349488,
    12: 63.4349488,
    13: 57.1367031,
    14: 55.6705700,
    15: 53.6578501,
    16: 52.2443957,
    17: 51.0903285,
    18: 49.5566548,
    19: 47.6919141,
    20: 47.4310362,
    21: 45.6132231,
    22: 44.7401612,
    23: 43.7099642,
    24: 43.6907671,
}

Source = Literal["simplex", "exact", "best known", "upper bound"]


def best_angle(num_classes: int, dim: int) -> float:
    """Largest smallest angle, in degrees, that C unit vectors in D dimensions can have.

    The regular simplex where it fits; 360/C on the circle; 90 where D + 2 <= C <= 2D (Rankin 1955); a table of the
    best known arrangements for D = 3 and C <= 24; else the upper bound of Levenshtein (1979), for D = 3 the smaller of
    it and Fejes Toth's (1943). `angle_source` says which. No arrangement exceeds a bound; not every bound is reached.

    Raises:
        ConfigError: fewer than two classes, or dim < 1, or more than two classes on a line.

    Example:
        >>> round(best_angle(10, 3), 2)
        66.15
    """
    return _best(num_classes, dim)[0]


def angle_source(num_classes: int, dim: int) -> Source:
    """What `best_angle` rests on: "simplex", "exact", "best known" or "upper bound".

    Example:
        >>> angle_source(10, 3), angle_source(4, 3), angle_source(30, 3)
        ('exact', 'simplex', 'upper bound')
    """
    return _best(num_classes, dim)[1]


@lru_cache(maxsize=256)
def _best(num_classes: int, dim: int) -> tuple[float, Source]:
    if num_classes < 2 or dim < 1 or (dim == 1 and num_classes > 2):
        raise ConfigError(
            f"A smallest angle needs 2 classes or more and room for them, got num_classes={num_classes}, dim={dim}."
        )
    if fits(num_classes, dim):
        return _degrees(ideal_cosine(num_classes)), "simplex"
    if dim == 2:
        return 360.0 / num_classes, "exact"
    if num_classes <= 2 * dim:
        return 90.0, "exact"
    if dim == 3 and num_classes in TAMMES_DEGREES:
        return TAMMES_DEGREES[num_classes], "exact" if num_classes <= 14 or num_classes == 24 else "best known"
    bound = _degrees(_levenshtein_cosine(num_classes, dim))
    if dim == 3:
        cotangent = 1.0 / np.tan(num_classes * np.pi / (6.0 * (num_classes - 2)))
        bound = min(bound, _degrees(0.5 * (cotangent**2 - 1.0)))
    return bound, "upper bound"


def _degrees(cosine: float) -> float:
    return float(np.degrees(np.arccos(cosine)))


def _levenshtein_cosine(num_points: int, dim: int) -> float:
    """The cosine s at which Levenshtein's bound L(dim, s) on the size of a code equals `num_points`."""
    from scipy.special import roots_jacobi  # slow to import, and needed for bounds alone

    shape = (dim - 3) / 2
    low, degree = -1.0, 1
    while True:  # L grows from interval to interval without bound, one polynomial degree each
        half = (degree + 1) // 2
        high = float(roots_jacobi(half, shape + 1, shape + (degree + 1) % 2)[0].max())
        if _levenshtein_size(high, degree, dim) >= num_points:
            break
        low, degree = high, degree + 1
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _levenshtein_size(middle, degree, dim) < num_points else (low, middle)
    return low


def _levenshtein_size(s: float, degree: int, n: int) -> float:
    """L_degree(n, s): no code of largest cosine s in n dimensions has more points (Levenshtein 1979, 1998)."""
    from scipy.special import binom

    k = (degree + 1) // 2
    here = _gegenbauer(k, n, s)
    if degree % 2:
        fraction = (_gegenbauer(k - 1, n, s) - here) / ((1 - s) * here)
        return float(binom(k + n - 3, k - 1) * ((2 * k + n - 3) / (n - 1) - fraction))
    after = _gegenbauer(k + 1, n, s)
    fraction = (1 + s) * (here - after) / ((1 - s) * (here + after))
    return float(binom(k + n - 2, k) * ((2 * k + n - 1) / (n - 1) - fraction))


def _gegenbauer(degree: int, n: int, s: float) -> float:
    """Gegenbauer polynomial of the sphere in n dimensions, 1 at s = 1."""
    from scipy.special import eval_gegenbauer

    weight = (n - 2) / 2
    return float(eval_gegenbauer(degree, weight, s) / eval_gegenbauer(degree, weight, 1.0))
