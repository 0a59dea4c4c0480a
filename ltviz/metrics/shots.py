"""Many, medium and few: the three groups of classes, and accuracy in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.record import Record

MANY_ABOVE = 100
FEW_BELOW = 20


@dataclass(frozen=True, eq=False)
class Groups:
    """Class indices of each group, int64, ascending; together every class once. Head, medium and tail are the same."""

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


def shot_groups(counts: np.ndarray) -> Groups:
    """Groups of classes by training count.

    Many shots n_c > 100, few n_c < 20, medium between (Liu et al. 2019, as `shot_acc` of BCL, GML and
    classifier-balancing). Where that leaves a group empty, a third of the classes by count at each end and the rest
    between (one class is head, two are head and tail).

    Args:
        counts: (C,) training samples of each class, C >= 1, >= 0.

    Raises:
        DataError: not one-dimensional, empty, negative or not finite.
    """
    n = np.asarray(counts)
    if n.ndim != 1 or len(n) == 0 or not (np.isfinite(n).all() and (n >= 0).all()):
        raise DataError(f"Class counts are an array (C,) of numbers >= 0, got shape {n.shape}.")
    head, tail = np.flatnonzero(n > MANY_ABOVE), np.flatnonzero(n < FEW_BELOW)
    medium = np.flatnonzero((n <= MANY_ABOVE) & (n >= FEW_BELOW))
    if len(head) and len(medium) and len(tail):
        return Groups(head, medium, tail, f"many > {MANY_ABOVE} samples, few < {FEW_BELOW}")
    by_count = np.argsort(-n.astype(np.float64), kind="stable")
    end = max(1, len(n) // 3)
    head, tail = by_count[:end], by_count[end:][max(0, len(n) - 2 * end) :]
    medium = by_count[end : len(n) - len(tail)]
    rule = f"thirds of the classes: {len(head)} most frequent, {len(tail)} rarest"
    return Groups(np.sort(head), np.sort(medium), np.sort(tail), rule)


@dataclass(frozen=True, eq=False)
class ShotAccuracy(Record):
    """Shares of right predictions, 0 to 1; None where no sample was judged."""

    all: float | None
    """Over all judged samples."""
    many: float | None
    """Mean of the class accuracies of the group, as in the official codes; classes without samples are left out."""
    medium: float | None
    few: float | None
    per_class: np.ndarray
    """(C,) float64, NaN for classes without samples."""


def shot_accuracy(predictions: np.ndarray, y: np.ndarray, counts: np.ndarray) -> ShotAccuracy:
    """Accuracy over all samples and by shot group.

    Args:
        predictions: (N,) predicted classes.
        y: (N,) true classes in 0 ... C-1.
        counts: (C,) training counts, which define the groups.

    Raises:
        DataError: shapes that do not match, or labels outside 0 ... C-1.
    """
    return accuracy_by_group(predictions, y, shot_groups(counts))


def accuracy_by_group(predictions: np.ndarray, y: np.ndarray, groups: Groups) -> ShotAccuracy:
    """`shot_accuracy` with groups already known."""
    predictions, y = np.asarray(predictions), np.asarray(y)
    group = groups.of_classes()
    if y.ndim != 1 or predictions.shape != y.shape:
        raise DataError(
            f"Accuracy takes one prediction (N,) for each label (N,), got {predictions.shape} and {y.shape}."
        )
    if len(y) and (y.min() < 0 or y.max() >= len(group)):
        raise DataError(f"Labels must lie in 0 ... {len(group) - 1}, got {int(y.min())} to {int(y.max())}.")
    right = predictions == y
    judged = np.bincount(y, minlength=len(group))
    with np.errstate(divide="ignore", invalid="ignore"):
        per_class = np.bincount(y, weights=right, minlength=len(group)) / judged
    return ShotAccuracy(
        all=float(right.mean()) if len(y) else None,
        many=mean_over(groups.head, per_class),
        medium=mean_over(groups.medium, per_class),
        few=mean_over(groups.tail, per_class),
        per_class=per_class,
    )


def binomial_error(shares: np.ndarray, judged: np.ndarray) -> float | None:
    """Standard error of the mean of K shares of right answers, by the binomial distribution of each.

    A share p of n answers counts as (p n + 1) / (n + 2) here (Laplace): nine of nine right leave a doubt that
    sqrt(p (1 - p) / n) = 0 would deny.

    Args:
        shares: (K,) 0 to 1.
        judged: (K,) answers behind each; where there are none the share is left out.

    Returns:
        Above 0; None where no answer was judged.
    """
    shares, judged = shares[judged > 0], judged[judged > 0]
    if len(judged) == 0:
        return None
    doubtful = (shares * judged + 1) / (judged + 2)
    return float(np.sqrt((doubtful * (1 - doubtful) / judged).sum()) / len(judged))


def mean_over(classes: np.ndarray, values: np.ndarray) -> float | None:
    """Mean over `classes` of a per-class array, NaN left out; None where nothing remains."""
    chosen = values[classes]
    chosen = chosen[~np.isnan(chosen)]
    return float(chosen.mean()) if len(chosen) else None
