"""Many, medium and few: the three groups of classes. Head, medium and tail are the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltviz.errors import DataError

MANY_ABOVE = 100
FEW_BELOW = 20
GROUPS = {"head": "head classes", "medium": "medium classes", "tail": "tail classes"}
"""The three groups in words."""
SHOTS = {"all": "all classes", "many": "classes with many samples", "medium": "medium classes", "few": "rare classes"}
"""The same by number of samples, after all together."""


@dataclass(frozen=True, eq=False)
class ShotGroups:
    """Class indices of each group, int64, ascending; together every class once."""

    head: np.ndarray
    medium: np.ndarray
    tail: np.ndarray
    rule: str
    """The rule in force, a phrase for the interface."""

    def items(self) -> tuple[tuple[str, np.ndarray], ...]:
        """("head", classes), ("medium", classes), ("tail", classes)."""
        return ("head", self.head), ("medium", self.medium), ("tail", self.tail)

    def of_classes(self) -> np.ndarray:
        """(C,) int64: 0 head, 1 medium, 2 tail, for each class."""
        group = np.empty(len(self.head) + len(self.medium) + len(self.tail), dtype=np.int64)
        for index, (_, classes) in enumerate(self.items()):
            group[classes] = index
        return group


def shot_groups(counts: np.ndarray) -> ShotGroups:
    """Groups of classes by training count.

    Many shots n_c > 100, few n_c < 20, medium between (Liu et al. 2019, as `shot_acc` of BCL, GML and
    classifier-balancing). Where that leaves a group empty, a third of the classes by count at each end and the rest
    between (one class is head, two are head and tail).

    Args:
        counts: (C,) training samples of each class, C >= 1, >= 0.

    Raises:
        DataError: not one-dimensional, empty, negative or not finite.

    Example:
        >>> import numpy as np
        >>> groups = shot_groups(np.array([500, 120, 40, 5]))
        >>> groups.head.tolist(), groups.medium.tolist(), groups.tail.tolist()
        ([0, 1], [2], [3])
    """
    n = np.asarray(counts)
    if n.ndim != 1 or len(n) == 0 or not (np.isfinite(n).all() and (n >= 0).all()):
        raise DataError(f"Class counts are an array (C,) of numbers >= 0, got shape {n.shape}.")
    head, tail = np.flatnonzero(n > MANY_ABOVE), np.flatnonzero(n < FEW_BELOW)
    medium = np.flatnonzero((n <= MANY_ABOVE) & (n >= FEW_BELOW))
    if len(head) and len(medium) and len(tail):
        return ShotGroups(head, medium, tail, f"many > {MANY_ABOVE} samples, few < {FEW_BELOW}")
    by_count = np.argsort(-n.astype(np.float64), kind="stable")
    end = max(1, len(n) // 3)
    head, tail = by_count[:end], by_count[end:][max(0, len(n) - 2 * end) :]
    medium = by_count[end : len(n) - len(tail)]
    rule = f"thirds of the classes: {len(head)} most frequent, {len(tail)} rarest"
    return ShotGroups(np.sort(head), np.sort(medium), np.sort(tail), rule)


def mean_over(classes: np.ndarray, values: np.ndarray) -> float | None:
    """Mean over `classes` of a per-class array, NaN left out; None where nothing remains."""
    chosen = values[classes]
    chosen = chosen[~np.isnan(chosen)]
    return float(chosen.mean()) if len(chosen) else None


def fewer(number: int, of: int) -> float | None:
    """How many classes are behind a measure: None where all are, so that a frame holds only what needs to be said."""
    return float(number) if 0 < number < of else None
