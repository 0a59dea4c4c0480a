"""Angles between class centres, split by how often the two classes occur."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry import ideal_cosine
from ltviz.metrics.centres import NO_SIMPLEX, angle_between, unit_centres
from ltviz.metrics.classes import SMALLEST_ANGLE
from ltviz.metrics.declaration import Measure, Value, declare, family
from ltviz.metrics.named_values import NamedValues
from ltviz.metrics.shots import ShotGroups
from ltviz.metrics.space import Space

PAIRS = {
    "head_head": "two head classes",
    "head_tail": "a head and a tail class",
    "tail_tail": "two tail classes",
}
"""Pairs of groups that are measured, in words."""


@dataclass(frozen=True, eq=False)
class PairSplit(NamedValues):
    """Pairs of centres, one class from each of two groups; None where there is no such pair of present classes."""

    mean_angle: float | None
    """Degrees."""
    smallest_angle: float | None
    """Degrees."""
    deviation_mean: float | None
    """Mean of |m_a . m_b + 1/(C-1)|."""


def pair_split(centres: np.ndarray, groups: ShotGroups) -> dict[str, PairSplit]:
    """Angles of head-head, head-medium, head-tail, medium-medium, medium-tail and tail-tail pairs of centres.

    Args:
        centres: (C, D) class means, normalised here; zero or NaN rows are absent classes.
        groups: of the same C classes.

    Returns:
        {"head_head": PairSplit, "head_medium": ..., ...}, six entries.

    Raises:
        DataError: the number of classes differs or is below two.

    Example:
        >>> import numpy as np
        >>> from ltviz.metrics import shot_groups
        >>> centres = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0.1, 1]])
        >>> split = pair_split(centres, shot_groups(np.array([500, 200, 10, 5])))
        >>> round(split["medium_tail"].smallest_angle, 1), split["head_head"].smallest_angle
        (5.7, None)
    """
    units = unit_centres(centres)
    if len(units) != len(groups.of_classes()) or len(units) < 2:
        raise DataError(f"Pairs take centres of 2 classes or more, as many as the groups have, got {len(units)}.")
    return {
        f"{first}_{second}": _split(units, a, b, ideal_cosine(len(units)))
        for (first, a), (second, b) in combinations_with_replacement(groups.items(), 2)
    }


def _split(units: np.ndarray, a: np.ndarray, b: np.ndarray, ideal: float) -> PairSplit:
    left, right = units[a], units[b]
    pairs = np.triu(np.ones((len(a), len(b)), bool), 1) if a is b else np.ones((len(a), len(b)), bool)
    pairs &= ~np.isnan(left[:, :1]) & ~np.isnan(right[:, 0])
    if not pairs.any():
        return PairSplit(None, None, None)
    cosines = (left @ right.T)[pairs]
    rows, columns = np.nonzero(pairs)
    closest = int(cosines.argmax())
    smallest = angle_between(left[rows[closest]], right[columns[closest]])
    return PairSplit(
        mean_angle=float(np.degrees(np.arccos(np.clip(cosines, -1, 1)).mean())),
        smallest_angle=float(np.degrees(smallest)),
        deviation_mean=float(np.abs(cosines - ideal).mean()),
    )


def minority_collapse(centres: np.ndarray, groups: ShotGroups) -> float | None:
    """Smallest tail-tail angle over smallest head-head angle: 0 where the tail has collapsed, 1 with equal room.

    None where head or tail has fewer than two present classes, or two head centres coincide as far as float32 can tell:
    where the head has collapsed too, nothing is said of the tail. After Fang et al. 2021,
    "Exploring deep neural networks via layer-peeled model", who look at the angles of minority classifiers.

    Example:
        >>> import numpy as np
        >>> from ltviz.metrics import ShotGroups
        >>> groups = ShotGroups(np.array([0, 1]), np.array([], int), np.array([2, 3]), "two and two")
        >>> centres = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0.1, 1]])
        >>> round(minority_collapse(centres, groups), 3)
        0.063
    """
    return tail_room(pair_split(centres, groups))


def tail_room(split: dict[str, PairSplit]) -> float | None:
    """`minority_collapse` of pairs already split."""
    tail, head = split["tail_tail"].smallest_angle, split["head_head"].smallest_angle
    return None if tail is None or head is None or head < SMALLEST_ANGLE else tail / head


# ---------------------------------------------------------------------- measures


@declare(
    Measure(
        key="minority_collapse",
        title="Room of the tail against the head",
        low=0,
        better="higher",
        short="Smallest angle between tail classes over smallest angle between head classes: 0 is minority collapse.",
        formula=r"\min_{tail} \theta_{ab} / \min_{head} \theta_{ab}",
        source="after Fang et al. 2021",
        order=57,
    ),
    full=True,
    apart="always",
)
def room_of_tail(space: Space) -> Value:
    split = space.once(_pairs)
    return None if split is None else tail_room(split)


@declare(
    family(
        Measure(
            key="simplex_deviation_{}",
            title="Simplex deviation, {}",
            low=0,
            high=2,
            better="lower",
            short="How far the angles are from a regular simplex between {}, on average.",
            formula=r"\operatorname{mean} |m_a \cdot m_b + 1/(C-1)|",
            source="Papyan et al. 2020",
            caution=NO_SIMPLEX,
            needs_simplex=True,
            order=60,
        ),
        PAIRS,
    ),
    family(
        Measure(
            key="min_centre_angle_{}",
            title="Smallest angle, {}",
            unit="degrees",
            low=0,
            high=180,
            better="higher",
            short="The smallest angle between {}.",
            formula=r"\min \arccos(m_a \cdot m_b)",
            source="spherical codes; Fang et al. 2021",
            order=61,
        ),
        PAIRS,
    ),
    full=True,
)
def pairs_of_groups(space: Space) -> Mapping[str, Value]:
    split = space.once(_pairs)
    found: dict[str, Value] = {}
    if split is None:
        return found
    for pair in PAIRS:
        found[f"simplex_deviation_{pair}"] = split[pair].deviation_mean
        found[f"min_centre_angle_{pair}"] = split[pair].smallest_angle
    return found


def _pairs(space: Space) -> dict[str, PairSplit] | None:
    """None where two centres are not there."""
    return pair_split(space.centres, space.groups) if space.present.sum() > 1 else None
