"""What theory says of the methods here, so that each names its own in a line; kept, since every frame asks for it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ltviz.geometry import Prediction, fits, predicted_ce, predicted_simplex, predicted_supcon
from ltviz.geometry.predicted.supcon import MOST_UNEQUAL, SHARPEST


def contrast_ends(
    counts: np.ndarray, dim: int, temperature: float, *, average: str = "sample", denominator: str = "samples"
) -> Prediction | None:
    """`predicted_supcon` of class frequencies (C,); None below C - 1 dimensions, where there are several, and where it
    would take too long or is not exact."""
    known = fits(len(counts), dim) and len(np.unique(counts)) <= MOST_UNEQUAL and temperature >= SHARPEST
    return _contrast(tuple(counts.tolist()), float(temperature), average, denominator) if known else None


def features_end(counts: np.ndarray, dim: int) -> Prediction | None:
    """SELI of class frequencies (C,) in features of `dim` dimensions; None where they have too few."""
    return _features(tuple(counts.tolist())) if len(counts) > 1 and fits(len(counts), dim) else None


def simplex_ends(num_classes: int, dim: int, source: str) -> Prediction | None:
    """The regular simplex, where it fits."""
    return predicted_simplex(num_classes, source=source) if num_classes > 1 and fits(num_classes, dim) else None


@lru_cache(maxsize=32)
def _contrast(counts: tuple[float, ...], temperature: float, average: str, denominator: str) -> Prediction:
    return predicted_supcon(counts, temperature=temperature, average=average, denominator=denominator)


@lru_cache(maxsize=8)
def _features(counts: tuple[float, ...]) -> Prediction:
    return predicted_ce(counts)
