"""How close class centres come to a regular simplex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry import fits, ideal_cosine
from ltviz.metrics.record import Record


@dataclass(frozen=True, eq=False)
class Simplex(Record):
    """Distance of C class centres from a regular simplex."""

    deviation_mean: float
    """Mean over pairs of |m_a . m_b + 1/(C-1)|, 0 (simplex) to about 2."""
    deviation_max: float
    """The same for the worst pair. Where no simplex fits it is large for every arrangement."""
    centre_sum: float
    """Length of the mean of the centres, 0 (balanced around the origin) to 1."""
    smallest_angle: float
    """Smallest angle between two centres, degrees, 0 to 180."""
    fits: bool
    """Whether a regular simplex of C classes exists in this dimension, D >= C - 1."""


def simplex(centres: np.ndarray) -> Simplex:
    """Deviation of class centres from the regular simplex, their sum, and the smallest angle between two.

    Args:
        centres: (C, D) class means; rows are normalised here. Zero or NaN rows stand for absent classes: they count for
            the ideal cosine -1/(C-1), and in nothing else.

    Returns:
        Simplex, all fields float64 except `fits`.

    Raises:
        DataError: not two-dimensional, or fewer than two centres present.

    Source: Papyan et al. 2020, equiangularity to maximal angle; Zhu et al. 2022 (BCL), section 3.
    """
    units = unit_centres(centres)
    here = units[~np.isnan(units[:, 0])]
    if len(here) < 2:
        raise DataError(f"Comparing class centres needs at least 2 classes with samples, got {len(here)}.")
    cosines = here @ here.T
    deviation = np.abs(cosines - ideal_cosine(len(units)))
    np.fill_diagonal(deviation, 0.0)
    np.fill_diagonal(cosines, -2.0)
    return Simplex(
        deviation_mean=float(deviation.sum() / (len(here) * (len(here) - 1))),
        deviation_max=float(deviation.max()),
        centre_sum=float(np.linalg.norm(here.mean(axis=0))),
        smallest_angle=_smallest_angle(here, cosines),
        fits=fits(len(units), units.shape[1]),
    )


def unit_centres(centres: np.ndarray) -> np.ndarray:
    """(C, D) float64 unit rows; zero and NaN rows become NaN rows.

    Raises:
        DataError: not two-dimensional, or empty.
    """
    rows = np.asarray(centres, dtype=np.float64)
    if rows.ndim != 2 or rows.size == 0:
        raise DataError(f"Class centres are an array (C, D), got shape {rows.shape}.")
    length = np.sqrt(np.einsum("cd,cd->c", rows, rows))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((length > 0)[:, None], rows / length[:, None], np.nan)


def _smallest_angle(units: np.ndarray, cosines: np.ndarray) -> float:
    """Degrees."""
    a, b = np.unravel_index(int(cosines.argmax()), cosines.shape)
    return float(np.degrees(angle_between(units[a], units[b])))


def angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(...,) angle in radians between unit vectors (..., D), to full precision near 0 and near 180 degrees too.

    2 atan2(|a - b|, |a + b|) after Kahan; the arc cosine loses half the digits at both ends.
    """
    apart, along = a - b, a + b
    apart, along = np.einsum("...d,...d->...", apart, apart), np.einsum("...d,...d->...", along, along)
    return 2.0 * np.arctan2(np.sqrt(apart, dtype=np.float64), np.sqrt(along, dtype=np.float64))
