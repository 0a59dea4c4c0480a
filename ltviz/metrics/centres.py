"""How close class centres come to a regular simplex."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry import best_angle, fits, ideal_cosine
from ltviz.metrics.declaration import Measure, Shown, Value, declare
from ltviz.metrics.named_values import NamedValues
from ltviz.metrics.shots import fewer
from ltviz.metrics.space import Space

FEW_CENTRES = 1000
"""Up to here all pairs of centres are taken at once in float64; above, in blocks of float32, right to 1e-6."""
BLOCK = 96
"""Rows of such a block: with thousands of columns it stays in the cache."""


@dataclass(frozen=True, eq=False)
class Simplex(NamedValues):
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

    Exact: every pair counts. Float64 up to 1,000 centres; above, cosines are taken in float32 (error below 1e-6), in
    blocks: 8,142 x 128 take 0.2 s of one core, and no memory to speak of.

    Args:
        centres: (C, D) class means; rows are normalised here. Zero or NaN rows stand for absent classes: they count for
            the ideal cosine -1/(C-1), and in nothing else.

    Returns:
        Simplex, all fields float64 except `fits`.

    Raises:
        DataError: not two-dimensional, or fewer than two centres present.

    Source: Papyan et al. 2020, equiangularity to maximal angle; Zhu et al. 2022 (BCL), section 3.

    Example:
        >>> from ltviz import geometry
        >>> found = simplex(geometry.simplex(4, 3))
        >>> round(found.smallest_angle, 2), found.fits
        (109.47, True)
    """
    units = unit_centres(centres)
    here = units[~np.isnan(units[:, 0])]
    if len(here) < 2:
        raise DataError(f"Comparing class centres needs at least 2 classes with samples, got {len(here)}.")
    pairs = _all_pairs if len(here) <= FEW_CENTRES else _pairs_in_blocks
    mean, worst, (a, b) = pairs(here, ideal_cosine(len(units)))
    return Simplex(
        deviation_mean=mean,
        deviation_max=worst,
        centre_sum=float(np.linalg.norm(here.mean(axis=0))),
        smallest_angle=float(np.degrees(angle_between(here[a], here[b]))),
        fits=fits(len(units), units.shape[1]),
    )


def _all_pairs(units: np.ndarray, ideal: float) -> tuple[float, float, tuple[int, int]]:
    """Mean and largest deviation from the ideal cosine over pairs of unit rows (K, D), and the closest pair."""
    cosines = units @ units.T
    deviation = np.abs(cosines - ideal)
    np.fill_diagonal(deviation, 0.0)
    np.fill_diagonal(cosines, -2.0)
    a, b = np.unravel_index(int(cosines.argmax()), cosines.shape)
    return float(deviation.sum() / (len(units) * (len(units) - 1))), float(deviation.max()), (int(a), int(b))


def _pairs_in_blocks(units: np.ndarray, ideal: float) -> tuple[float, float, tuple[int, int]]:
    """As `_all_pairs`, for so many rows that all their cosines would fill the memory; each pair is taken once."""
    count, rows = len(units), units.astype(np.float32)
    room = np.empty((BLOCK, count), np.float32)
    total, lowest, highest, pair = 0.0, 2.0, -2.0, (0, 1)
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        cosines = np.matmul(rows[start : start + size], rows[start:].T, out=room[:size, : count - start])
        below = np.tril_indices(size)
        cosines[below] = ideal  # of the diagonal, and of pairs that stand above it
        lowest = min(lowest, float(cosines.min()))
        cosines[below] = -2.0
        at = int(cosines.argmax())
        if cosines.flat[at] > highest:
            highest, pair = float(cosines.flat[at]), (start + at // (count - start), start + at % (count - start))
        cosines[below] = ideal
        cosines -= np.float32(ideal)
        total += float(np.abs(cosines, out=cosines).sum())
    worst = max(abs(highest - ideal), abs(lowest - ideal))
    return 2.0 * total / (count * (count - 1)), worst, pair


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


def angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(...,) angle in radians between unit vectors (..., D), to full precision near 0 and near 180 degrees too.

    2 atan2(|a - b|, |a + b|) after Kahan; the arc cosine loses half the digits at both ends.
    """
    apart, along = a - b, a + b
    apart, along = np.einsum("...d,...d->...", apart, apart), np.einsum("...d,...d->...", along, along)
    return 2.0 * np.arctan2(np.sqrt(apart, dtype=np.float64), np.sqrt(along, dtype=np.float64))


# ---------------------------------------------------------------------- measures

NO_SIMPLEX = "Where C > D + 1 no simplex fits, and even the best arrangement deviates."


@declare(
    Measure(
        key="simplex_deviation_mean",
        title="Simplex deviation, mean",
        low=0,
        high=2,
        better="lower",
        short="How far the angles between class centres are from a regular simplex, on average: 0 is a simplex.",
        formula=r"\operatorname{mean}_{a<b} |m_a \cdot m_b + 1/(C-1)|",
        source="Papyan et al. 2020",
        caution=NO_SIMPLEX,
        shown={"table": Shown(at=22, label="Deviation"), "curves": Shown(at=40), "report": Shown(at=70)},
        shown_of="train",
        needs_simplex=True,
        order=10,
    ),
    Measure(
        key="simplex_deviation_max",
        title="Simplex deviation, worst pair",
        low=0,
        high=2,
        better="lower",
        short="How far the worst pair of class centres is from the angle of a regular simplex.",
        formula=r"\max_{a<b} |m_a \cdot m_b + 1/(C-1)|",
        source="Papyan et al. 2020",
        caution="A single pair decides it; in 3 dimensions it is large with many classes, however they lie. "
        + NO_SIMPLEX,
        needs_simplex=True,
        order=11,
    ),
    Measure(
        key="centre_sum",
        title="Centre sum",
        low=0,
        high=1,
        better="lower",
        short="How far the classes are from balancing around the origin: 0 is balanced.",
        formula=r"\|\sum_c m_c\| / C",
        source="ltviz",
        caution="It is of class centres alone: how wide the classes are does not enter.",
        shown={
            "panel": Shown(at=20, label="sum"),
            "table": Shown(at=20),
            "curves": Shown(at=20),
            "report": Shown(at=50),
            "report_curves": Shown(at=30),
            "summary": Shown(at=20),
            "findings": Shown(at=20),
        },
        order=12,
    ),
    Measure(
        key="min_centre_angle",
        title="Smallest angle between centres",
        unit="degrees",
        low=0,
        high=180,
        better="higher",
        short="The angle between the two classes that lie closest together.",
        formula=r"\min_{a<b} \arccos(m_a \cdot m_b)",
        source="spherical codes; Tammes 1930",
        shown={
            "panel": Shown(at=21, label="angle"),
            "table": Shown(at=21, label="Smallest angle"),
            "curves": Shown(at=21),
            "report": Shown(at=60),
            "report_curves": Shown(at=40),
        },
        order=13,
    ),
    Measure(
        key="centre_classes",
        title="Classes with a centre",
        unit="classes",
        low=0,
        short="How many classes have a centre, where not all have: measures of centres are of these alone.",
        formula=r"|\{c : m_c \text{ exists}\}|",
        source="ltviz",
        behind=True,
        order=110,
    ),
    Measure(
        key="centre_singles",
        title="Centres of one sample",
        unit="classes",
        low=0,
        short="How many class centres are a single sample, where there are any.",
        formula=r"|\{c : n_c = 1\}|",
        source="ltviz",
        behind=True,
        order=111,
    ),
    apart="always",
)
def between_centres(space: Space) -> Mapping[str, Value]:
    if space.present.sum() < 2:
        return {}
    found = simplex(space.centres)
    return {
        "simplex_deviation_mean": found.deviation_mean,
        "simplex_deviation_max": found.deviation_max,
        "centre_sum": found.centre_sum,
        "min_centre_angle": found.smallest_angle,
        "centre_classes": fewer(int(space.present.sum()), space.num_classes),
        "centre_singles": float((space.unit.count == 1).sum()) or None,
    }


@declare(
    Measure(
        key="packing_gap",
        title="Gap to the best packing",
        unit="degrees",
        low=0,
        high=180,
        better="lower",
        short="How much larger the smallest angle between centres could be.",
        formula=r"\theta^*(C, D) - \min_{a<b} \arccos(m_a \cdot m_b)",
        source="Tammes problem; Levenshtein 1979",
        caution="Where the best packing is not known, an upper bound stands for it, which nobody may reach.",
        order=50,
    ),
    full=True,
)
def packing_gap(space: Space) -> Value:
    num_classes, dim = space.centres.shape
    # with classes absent, the others may lie further apart than all of them could
    if num_classes < 2 or not space.present.all() or (dim == 1 and num_classes > 2):
        return None
    return best_angle(num_classes, dim) - simplex(space.centres).smallest_angle
