"""The one function that trainer, upload page and command line call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry.threads import one_blas_thread
from ltviz.metrics.calibration import expected_calibration_error
from ltviz.metrics.centres import simplex
from ltviz.metrics.classes import UNLABELLED, Classes
from ltviz.metrics.clouds import spread_of
from ltviz.metrics.collapse import collapse_of
from ltviz.metrics.further import further_measures
from ltviz.metrics.neighbours import nearest_centre, nearest_samples
from ltviz.metrics.pairwise import MANY_POINTS, alignment, uniformity
from ltviz.metrics.precision import mean_average_precision
from ltviz.metrics.probe import balanced_probe
from ltviz.metrics.shots import Groups, accuracy_by_group, mean_over, shot_groups
from ltviz.metrics.spectrum import effective_rank

# Above this size an eigenvalue problem takes longer than a live frame may; `full` asks for it all the same.
LARGEST_LIVE_SPECTRUM = 512
SHOTS = ("all", "many", "medium", "few")


@one_blas_thread()
def measure(
    z: np.ndarray,
    y: np.ndarray,
    *,
    num_classes: int | None = None,
    counts: np.ndarray | None = None,
    split: np.ndarray | None = None,
    predictions: np.ndarray | None = None,
    confidence: np.ndarray | None = None,
    views: tuple[np.ndarray, np.ndarray] | None = None,
    weights: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    targets: np.ndarray | None = None,
    scores: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    full: bool = False,
) -> dict[str, float]:
    """All measures of one moment, under the keys of `MEASURES`. What cannot be measured is absent.

    Geometry is taken over all labelled points; where no point is labelled, only what needs no classes is measured, over
    all. Neural collapse sees the rows as given; every other measure sees them normalised. Accuracies are those of test
    points. Validation points are neither test nor train: they have an accuracy of their own, by which a step may be
    chosen.

    Args:
        z: (N, D) embeddings, float32 or float64, N >= 1, finite, no zero row.
        y: (N,) integers in 0 ... C-1, or -1 for a sample without a label: no measure sees it.
        num_classes: C; default the length of `counts`, else the largest label + 1.
        counts: (C,) training samples of each class, which define head, medium and tail; default: counted in y.
        split: (N,) 0 train, 1 test, 2 validation; default: every point is a test point and no accuracy_ncm is given.
        predictions: (N,) classes that the method's own classifier predicts.
        confidence: (N,) probability of the predicted class, for calibration.
        views: two (M, D) arrays of unit rows, two views of the same samples, for alignment.
        weights, bias: (C, D) and (C,) of a linear classifier on z, for NC2 to NC4.
        targets: (C, D), row c is class c's target.
        scores, labels: (N, C) scores and 0/1 labels of samples that carry several labels, for average precision.
        full: also the measures that are too slow for a live frame.

    Returns:
        dict of finite Python floats; angles in degrees, accuracies 0 to 1.

    Raises:
        DataError: shapes, labels or values that cannot be used.
    """
    if num_classes is None and counts is not None:
        num_classes = len(counts)
    labelled = np.asarray(y) != UNLABELLED
    if labelled.shape == np.shape(z)[:1] and labelled.size and not labelled.any():
        return _without_classes(np.asarray(z))
    if labelled.ndim == 1 and not labelled.all():
        split, predictions, confidence, scores, labels = (
            values if values is None or len(values) != len(labelled) else np.asarray(values)[labelled]
            for values in (split, predictions, confidence, scores, labels)
        )
    raw = Classes.of_labelled(z, y, num_classes)
    unit = raw.normalised()
    counts = raw.count if counts is None else np.asarray(counts)
    if counts.shape != (raw.num_classes,):
        raise DataError(f"Class counts must be ({raw.num_classes},), one for each class, got {counts.shape}.")
    groups = shot_groups(counts)
    test = _test_points(split, len(raw.y))

    # For many points uniformity takes most of the time: the rest is measured beside it. For few a thread costs more.
    with ThreadPoolExecutor(1) as beside:
        evenness = beside.submit(uniformity, unit.z) if len(unit.y) >= MANY_POINTS else None
        found = _geometry(raw, unit, groups, full, weights, bias)
        if views is not None:
            found["alignment"] = alignment(*views)
        if predictions is not None and test.any():
            answers = _one_each("predictions", predictions, raw)[test]
            found |= _accuracy("accuracy", answers, raw.y[test], groups)
            if full and confidence is not None:
                sure = _one_each("confidence", confidence, raw)[test]
                found["calibration_error"] = expected_calibration_error(sure, answers == raw.y[test])
        if predictions is not None and split is not None and (held := np.asarray(split) == 2).any():
            answers = _one_each("predictions", predictions, raw)[held]
            found |= _accuracy("validation", answers, raw.y[held], groups)
        if scores is not None and labels is not None and test.any():
            found |= _precision(np.asarray(scores), np.asarray(labels), test, counts)
        if split is not None and (train := np.asarray(split) == 0).any():
            found |= _fitted_accuracies(unit, train, test, groups, full)
        if full:
            found |= further_measures(raw, unit, groups, targets)
        if evenness is not None:
            found["uniformity"] = evenness.result()
        elif len(unit.y) > 1:
            found["uniformity"] = uniformity(unit.z)
    return {key: float(value) for key, value in found.items() if value is not None and np.isfinite(value)}


def _without_classes(z: np.ndarray) -> dict[str, float]:
    """What can be measured of points (N, D) that have no labels."""
    unit = Classes.of(z, np.zeros(len(z), np.int64)).normalised().z
    found = {"effective_rank": effective_rank(unit)} if min(unit.shape) <= LARGEST_LIVE_SPECTRUM else {}
    if len(unit) > 1:
        found["uniformity"] = uniformity(unit)
    return {key: float(value) for key, value in found.items() if value is not None and np.isfinite(value)}


def _geometry(
    raw: Classes, unit: Classes, groups: Groups, full: bool, weights: np.ndarray | None, bias: np.ndarray | None
) -> dict[str, float | None]:
    found = _between_centres(unit) | _spread(unit, groups, full)
    if full or min(raw.means.shape) <= LARGEST_LIVE_SPECTRUM:
        found |= dict(collapse_of(raw, weights, bias))
    if full or min(raw.z.shape) <= LARGEST_LIVE_SPECTRUM:
        found["effective_rank"] = effective_rank(unit.z)
    return found


def _between_centres(unit: Classes) -> dict[str, float | None]:
    if np.isfinite(unit.centres[:, 0]).sum() < 2:
        return {}
    shape = simplex(unit.centres)
    return {
        "simplex_deviation_mean": shape.deviation_mean,
        "simplex_deviation_max": shape.deviation_max,
        "centre_sum": shape.centre_sum,
        "min_centre_angle": shape.smallest_angle,
    }


def _test_points(split: np.ndarray | None, n: int) -> np.ndarray:
    if split is None:
        return np.ones(n, dtype=bool)
    test = np.asarray(split) == 1
    if test.shape != (n,):
        raise DataError(f"The split must be ({n},), 0 train, 1 test and 2 validation, got {np.shape(split)}.")
    return test


def _one_each(name: str, values: np.ndarray, classes: Classes) -> np.ndarray:
    array = np.asarray(values)
    if array.shape != classes.y.shape:
        raise DataError(f"{name} must hold one value for each of the {len(classes.y)} points, got {array.shape}.")
    return array


def _spread(unit: Classes, groups: Groups, full: bool) -> dict[str, float | None]:
    cloud = spread_of(unit, caps=full)
    # a single sample is its own centre: its spread of 0 says nothing about the class
    several = np.where(cloud.count >= 2, 1.0, np.nan)
    found: dict[str, float | None] = {}
    for name, members in groups.items():
        found[f"spread_{name}"] = mean_over(members, cloud.mean_angle * several)
        found[f"kappa_{name}"] = mean_over(members, cloud.kappa)
        if full:
            found[f"cap95_{name}"] = mean_over(members, cloud.cap95 * several)
    return found


def _accuracy(prefix: str, predictions: np.ndarray, y: np.ndarray, groups: Groups) -> dict[str, float | None]:
    result = accuracy_by_group(predictions, y, groups)
    return {f"{prefix}_{name}": getattr(result, name) for name in SHOTS}


def _precision(scores: np.ndarray, labels: np.ndarray, test: np.ndarray, counts: np.ndarray) -> dict[str, float | None]:
    if scores.shape != (len(test), len(counts)) or labels.shape != scores.shape:
        raise DataError(
            f"Scores and labels must be ({len(test)}, {len(counts)}), one row a point and one column a class,"
            f" got {scores.shape} and {labels.shape}."
        )
    result = mean_average_precision(scores[test], labels[test], counts)
    return {f"map_{name}": getattr(result, name) for name in SHOTS}


def _fitted_accuracies(
    unit: Classes, train_points: np.ndarray, test: np.ndarray, groups: Groups, full: bool
) -> dict[str, float | None]:
    """Classifiers fitted on the train points among the embeddings and judged on the test points."""
    if not test.any():
        return {}
    train = Classes.of(unit.z[train_points], unit.y[train_points], unit.num_classes)
    z, y = unit.z[test], unit.y[test]
    found = _accuracy("accuracy_ncm", nearest_centre(z, train.centres), y, groups)
    if full:
        found |= _accuracy("accuracy_knn", nearest_samples(train, z), y, groups)
        found |= _accuracy("accuracy_probe", balanced_probe(train, z), y, groups)
    return found
