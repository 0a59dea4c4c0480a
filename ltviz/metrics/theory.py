"""How far class means and classifier are from what theory says of their own method, beside how far from the simplex.

Angles between pairs are compared with angles between pairs, so that nothing need be turned onto anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry import fits, ideal_cosine
from ltviz.geometry.predicted import angles_between
from ltviz.metrics.declaration import Measure, Shown, Value, declare
from ltviz.metrics.space import Space


class AngleError(NamedTuple):
    """Degrees between the angle of a pair and the one it is held against, over the pairs of classes that both have."""

    mean: float
    largest: float


def angle_error(rows: np.ndarray, predicted: np.ndarray) -> AngleError | None:
    """How far the angles between rows are from those between the predicted ones.

    Args:
        rows: (C, D) class means or classifier rows of any length; rows of NaN or zeros are absent classes.
        predicted: (C, R) the same as predicted, in coordinates of their own, or (C, C) angles in degrees.

    Returns:
        Mean and largest error over pairs; None where there is no pair.

    Raises:
        DataError: another number of classes.

    Example:
        >>> turned = np.array([[0.0, 1.0], [1.0, 0.0]])
        >>> angle_error(turned, np.array([[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
        AngleError(mean=0.0, largest=0.0)
    """
    here, goal = np.asarray(rows, np.float64), np.asarray(predicted, np.float64)
    if here.ndim != 2 or goal.ndim != 2 or len(here) != len(goal):
        raise DataError(f"Each class needs one predicted direction, got shapes {here.shape} and {goal.shape}.")
    pairs = np.triu_indices(len(here), 1)
    errors = np.abs(angles_between(here) - angles_between(goal))[pairs]
    errors = errors[np.isfinite(errors)]
    return AngleError(float(errors.mean()), float(errors.max())) if errors.size else None


def simplex_error(rows: np.ndarray) -> AngleError | None:
    """How far the angles between rows (C, D) are from those of the regular simplex of the classes that are there, in
    degrees; None where there is no pair, or no simplex fits.

    Example:
        >>> from ltviz.geometry import simplex
        >>> round(simplex_error(simplex(5, 4)).largest, 6)
        0.0
    """
    angles = angles_between(np.asarray(rows, np.float64))
    size = int(np.isfinite(np.diag(angles)).sum())
    if size < 2 or not fits(size, rows.shape[1]):
        return None
    errors = np.abs(angles - np.degrees(np.arccos(ideal_cosine(size))))[np.triu_indices(len(angles), 1)]
    errors = errors[np.isfinite(errors)]
    return AngleError(float(errors.mean()), float(errors.max()))


# ---------------------------------------------------------------------- measures

LIMIT = "Theory is a limit of free features and endless training: a network need not come near, and may turn away."
AT = "Of training samples, where a run tells them apart."
_COMMON = {"unit": "degrees", "low": 0.0, "high": 180.0, "better": "lower", "caution": LIMIT}


@declare(
    Measure(
        key="theory_error_mean",
        title="Distance to its own theory, mean",
        short=f"How far angles between class means are from those that theory predicts for this method, its class "
        f"counts and temperature, on average over pairs. {AT}",
        formula=r"\operatorname{mean}_{a<b} |\angle(m_a, m_b) - \angle(m^*_a, m^*_b)|",
        source="ltviz; predictions of Thrampoulidis et al. 2022, Fang et al. 2021, arXiv 2605.11291",
        shown={"table": Shown(at=23, label="Off theory"), "curves": Shown(at=41), "report": Shown(at=71)},
        order=14,
        **_COMMON,
    ),
    Measure(
        key="theory_error_max",
        title="Distance to its own theory, worst pair",
        short=f"How far the angle of one pair of class means is from the predicted one, at most. {AT}",
        formula=r"\max_{a<b} |\angle(m_a, m_b) - \angle(m^*_a, m^*_b)|",
        source="ltviz",
        order=15,
        **_COMMON,
    ),
    Measure(
        key="theory_simplex_mean",
        title="Distance to the simplex, mean",
        short=f"How far the same angles are from those of a regular simplex: the yardstick beside the distance to its "
        f"own theory. {AT}",
        formula=r"\operatorname{mean}_{a<b} |\angle(m_a, m_b) - \arccos(-1/(C-1))|",
        source="ltviz",
        shown={"table": Shown(at=24, label="Off simplex"), "curves": Shown(at=42), "report": Shown(at=72)},
        order=16,
        **_COMMON,
    ),
    Measure(
        key="theory_simplex_max",
        title="Distance to the simplex, worst pair",
        short=f"How far the angle of one pair is from that of a regular simplex, at most. {AT}",
        formula=r"\max_{a<b} |\angle(m_a, m_b) - \arccos(-1/(C-1))|",
        source="ltviz",
        order=17,
        **_COMMON,
    ),
)
def means_off_theory(space: Space) -> Mapping[str, Value]:
    if space.theory is None:
        return {}
    means = _means(space)
    return _named("theory", means, space.theory)


@declare(
    Measure(
        key="theory_weight_error_mean",
        title="Distance of the classifier to its own theory, mean",
        short="How far angles between the classifier's rows are from those that theory predicts for these class "
        "counts, on average over pairs: rows come to it before means do.",
        formula=r"\operatorname{mean}_{a<b} |\angle(w_a, w_b) - \angle(w^*_a, w^*_b)|",
        source="ltviz; predictions of Thrampoulidis et al. 2022",
        shown={"curves": Shown(at=43), "report": Shown(at=73)},
        order=18,
        **_COMMON,
    ),
    Measure(
        key="theory_weight_error_max",
        title="Distance of the classifier to its own theory, worst pair",
        short="How far the angle of one pair of the classifier's rows is from the predicted one, at most.",
        formula=r"\max_{a<b} |\angle(w_a, w_b) - \angle(w^*_a, w^*_b)|",
        source="ltviz",
        order=19,
        **_COMMON,
    ),
    Measure(
        key="theory_weight_simplex_mean",
        title="Distance of the classifier to the simplex, mean",
        short="How far the same angles are from those of a regular simplex.",
        formula=r"\operatorname{mean}_{a<b} |\angle(w_a, w_b) - \arccos(-1/(C-1))|",
        source="ltviz",
        order=19,
        **_COMMON,
    ),
    Measure(
        key="theory_weight_simplex_max",
        title="Distance of the classifier to the simplex, worst pair",
        short="How far the angle of one pair of the classifier's rows is from that of a regular simplex, at most.",
        formula=r"\max_{a<b} |\angle(w_a, w_b) - \arccos(-1/(C-1))|",
        source="ltviz",
        order=19,
        **_COMMON,
    ),
    of_sphere=False,
)
def classifier_off_theory(space: Space) -> Mapping[str, Value]:
    if space.theory_weights is None or space.weights is None:
        return {}
    return _named("theory_weight", _centred(np.asarray(space.weights, np.float64)), space.theory_weights)


def _named(name: str, rows: np.ndarray, predicted: np.ndarray) -> dict[str, Value]:
    own = angle_error(rows, predicted)
    if own is None:
        return {}
    found: dict[str, Value] = {f"{name}_error_mean": own.mean, f"{name}_error_max": own.largest}
    balanced = simplex_error(rows)
    if balanced is not None:
        found |= {f"{name}_simplex_mean": balanced.mean, f"{name}_simplex_max": balanced.largest}
    return found


def _means(space: Space) -> np.ndarray:
    """(C, D) what a prediction of means speaks of: the centres on the sphere, or the means of the features about their
    common mean where it speaks of a classifier too; rows of NaN for absent classes."""
    trained = space.part("train") or space
    if space.theory_weights is None:
        return trained.centres
    here = trained.seen.count > 0
    return _centred(np.where(here[:, None], trained.seen.means, np.nan))


def _centred(rows: np.ndarray) -> np.ndarray:
    """Rows about the mean of those that are there: free features and classifiers sum to zero over classes, and what
    all classes have in common changes no softmax."""
    return rows - np.nanmean(rows, axis=0)
