"""Mean average precision, for samples that carry several labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.declaration import Measure, Place, Shown, Value, declare, family
from ltviz.metrics.named_values import NamedValues
from ltviz.metrics.shots import SHOTS, mean_over, shot_groups
from ltviz.metrics.space import Space


@dataclass(frozen=True, eq=False)
class MeanAveragePrecision(NamedValues):
    """Means over classes of the average precision, 0 to 1; None where no class of the group has one."""

    all: float | None
    many: float | None
    medium: float | None
    few: float | None
    per_class: np.ndarray
    """(C,) float64, NaN for classes without a positive sample, and for those without a negative one: there is nothing
    to rank then, and any scores would give 1."""


def mean_average_precision(scores: np.ndarray, labels: np.ndarray, counts: np.ndarray) -> MeanAveragePrecision:
    """Average precision of each class, over all classes and by shot group.

    AP_c is the mean, over the positive samples of class c ranked by score, of the precision at their rank. Samples with
    equal scores are ranked as one, so that the order of samples does not matter.

    Args:
        scores: (N, C) higher is more certain; any monotone scale.
        labels: (N, C) 0 or 1.
        counts: (C,) training counts, which define the groups.

    Raises:
        DataError: shapes that do not match, labels other than 0 and 1, or scores that are not finite.

    Source: Wu et al. 2020 (DB-Loss) report it for VOC-MLT and COCO-MLT; the definition is that of scikit-learn.

    Example:
        >>> import numpy as np
        >>> labels = np.array([[1, 0], [1, 1], [0, 1]])
        >>> scores = np.array([[0.9, 0.2], [0.8, 0.1], [0.1, 0.7]])
        >>> mean_average_precision(scores, labels, counts=np.array([200, 5])).per_class.round(3)
        array([1.   , 0.833])
    """
    s, hit = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if s.ndim != 2 or s.shape != hit.shape or len(s) == 0:
        raise DataError(
            f"Average precision takes scores and labels of one shape (N, C), got {s.shape} and {hit.shape}."
        )
    if not np.isfinite(s).all() or not np.isin(hit, (0, 1)).all():
        raise DataError("Average precision takes finite scores and labels that are 0 or 1; something else was given.")
    groups = shot_groups(counts)
    per_class = np.array([_average_precision(s[:, c], hit[:, c]) for c in range(s.shape[1])])
    return MeanAveragePrecision(
        all=mean_over(np.arange(len(per_class)), per_class),
        many=mean_over(groups.head, per_class),
        medium=mean_over(groups.medium, per_class),
        few=mean_over(groups.tail, per_class),
        per_class=per_class,
    )


def _average_precision(score: np.ndarray, hit: np.ndarray) -> float:
    order = np.argsort(-score, kind="stable")
    found = np.cumsum(hit[order], dtype=np.float64)
    if found[-1] in (0, len(hit)):
        return float("nan")
    last_of_tie = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    recall = found[last_of_tie] / found[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * found[last_of_tie] / (last_of_tie + 1)))


# ---------------------------------------------------------------------- measures

_SHOWN: Mapping[str, Mapping[Place, Shown]] = {
    "many": {"table": Shown(at=13, label="mAP, many"), "summary": Shown(at=13)},
    "medium": {"table": Shown(at=14, label="mAP, medium"), "summary": Shown(at=14)},
    "few": {
        "panel": Shown(at=11),
        "table": Shown(at=15, label="mAP, few"),
        "curves": Shown(at=11),
        "summary": Shown(at=15),
        "findings": Shown(at=11),
    },
}


@declare(
    family(
        Measure(
            key="map_{}",
            title="Mean average precision, {}",
            unit="share",
            low=0,
            high=1,
            better="higher",
            short="How well the scores rank the test points that carry a label before those that do not, {}.",
            formula=r"\operatorname{mean}_{c \in group} \sum_n (R_n - R_{n-1}) P_n",
            source="Wu et al. 2020 (DB-Loss)",
            brief="mAP {}",
            samples="several labels",
            order=35,
        ),
        SHOTS,
        _SHOWN,
    ),
    of_sphere=False,
)
def precision_of_scores(space: Space) -> Mapping[str, Value]:
    if space.scores is None or space.labels is None:
        return {}
    scores, labels = np.asarray(space.scores), np.asarray(space.labels)
    if scores.shape != (len(space.y), space.num_classes) or labels.shape != scores.shape:
        raise DataError(
            f"Scores and labels must be ({len(space.y)}, {space.num_classes}), one row a point and one column a class,"
            f" got {scores.shape} and {labels.shape}."
        )
    test = space.parts.get("test")
    if test is None or not test.any():
        return {}
    result = mean_average_precision(scores[test], labels[test], space.counts)
    return {f"map_{name}": getattr(result, name) for name in SHOTS}
