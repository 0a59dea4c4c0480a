"""How well predicted regions cover the true ones: intersection over union, of sets with a label for each pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.declaration import Measure, Place, Shown, family
from ltviz.metrics.named_values import NamedValues
from ltviz.metrics.shots import SHOTS, mean_over, shot_groups


@dataclass(frozen=True, eq=False)
class MeanOverlap(NamedValues):
    """Means over classes of intersection over union, 0 to 1; None where no class of the group was seen."""

    all: float | None
    many: float | None
    medium: float | None
    few: float | None
    per_class: np.ndarray
    """(C,) float64, NaN for classes that are neither there nor predicted anywhere."""


def confusion(predictions: np.ndarray, y: np.ndarray, num_classes: int) -> np.ndarray:
    """(C, C) int64: how many pixels of class a were taken for class b. Those of several images add up.

    Args:
        predictions: (N,) classes.
        y: (N,) true classes; pixels without a label, which are -1, count nowhere.

    Raises:
        DataError: shapes that do not match, or classes outside 0 ... C-1.

    Example:
        >>> import numpy as np
        >>> confusion(np.array([0, 1, 1, 0]), np.array([0, 0, 1, -1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    predictions, y = np.asarray(predictions), np.asarray(y)
    if y.ndim != 1 or predictions.shape != y.shape:
        raise DataError(f"overlap takes one prediction (N,) for each label (N,), got {predictions.shape} and {y.shape}")
    known = y != -1
    predictions, y = predictions[known], y[known]
    for name, classes in (("labels", y), ("predictions", predictions)):
        if len(classes) and not 0 <= classes.min() <= classes.max() < num_classes:
            raise DataError(f"{name} must lie in 0 ... {num_classes - 1}, got {classes.min()} to {classes.max()}")
    pairs = y.astype(np.int64) * num_classes + predictions
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def mean_overlap(confused: np.ndarray, counts: np.ndarray) -> MeanOverlap:
    """Mean intersection over union (mIoU, the mean Jaccard index) of all classes and by shot group.

    Of a class: pixels that are of it and taken for it, over pixels that are of it or taken for it.

    Args:
        confused: (C, C) of `confusion`, all pixels that are judged together.
        counts: (C,) training counts, which define the groups.

    Raises:
        DataError: shapes that do not match.

    Example:
        >>> import numpy as np
        >>> found = mean_overlap(np.array([[6, 2], [1, 1]]), counts=np.array([200, 5]))
        >>> found.many, found.few
        (0.6666666666666666, 0.25)

    Source: Everingham et al. 2015 (PASCAL VOC), section 4.3; classes that are nowhere are left out, as
    mmsegmentation does.
    """
    confused, counts = np.asarray(confused, np.float64), np.asarray(counts)
    if counts.ndim != 1 or confused.shape != (len(counts), len(counts)):
        raise DataError(
            f"overlap takes (C, C) confused pixels and (C,) counts, got {confused.shape} and {counts.shape}"
        )
    both = confused.diagonal()
    either = confused.sum(0) + confused.sum(1) - both
    per_class = np.divide(both, either, out=np.full(len(both), np.nan), where=either > 0)
    groups = shot_groups(counts)
    return MeanOverlap(
        all=mean_over(np.arange(len(per_class)), per_class),
        many=mean_over(groups.head, per_class),
        medium=mean_over(groups.medium, per_class),
        few=mean_over(groups.tail, per_class),
        per_class=per_class,
    )


_SHOWN: Mapping[str, Mapping[Place, Shown]] = {
    "all": {"table": Shown(at=17, label="mIoU"), "summary": Shown(at=17)},
    "many": {"table": Shown(at=17, label="mIoU, many"), "summary": Shown(at=17)},
    "medium": {"table": Shown(at=18, label="mIoU, medium"), "summary": Shown(at=18)},
    "few": {"table": Shown(at=19, label="mIoU, few"), "summary": Shown(at=19), "findings": Shown(at=12)},
}
OVERLAPS = {
    entry.key: entry
    for entry in family(
        Measure(
            key="miou_{}",
            title="Mean intersection over union, {}",
            unit="share",
            low=0,
            high=1,
            better="higher",
            short="How well the regions that the classifier finds cover the true ones, pixel by pixel, {}.",
            formula=r"\operatorname{mean}_{c \in group} \frac{|P_c \cap T_c|}{|P_c \cup T_c|}",
            source="Everingham et al. 2015 (PASCAL VOC)",
            samples="one label",
            brief="mIoU {}",
        ),
        SHOTS,
        _SHOWN,
    )
}
"""What is declared of mIoU. It is measured at the end of a run alone, of all labelled pixels of the test set: a frame
shows some of them, as many of a rare class as of the background, which says nothing of overlaps."""
