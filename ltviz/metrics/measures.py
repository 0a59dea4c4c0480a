"""The one function that trainer, upload page and command line call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry.threads import one_blas_thread
from ltviz.metrics.calibration import expected_calibration_error
from ltviz.metrics.classes import UNLABELLED, Classes, one_place
from ltviz.metrics.collapse import collapse_of
from ltviz.metrics.further import further_measures, norms_and_angles
from ltviz.metrics.neighbours import nearest_centre, nearest_samples
from ltviz.metrics.pairwise import MANY_POINTS, alignment, uniformity
from ltviz.metrics.precision import mean_average_precision
from ltviz.metrics.probe import balanced_probe
from ltviz.metrics.shape import FEWEST_POINTS, PARTS, Found, fewer, part_shape, shape
from ltviz.metrics.shots import Groups, accuracy_by_group, binomial_error, shot_groups
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
    features: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    targets: np.ndarray | None = None,
    scores: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    full: bool = False,
) -> dict[str, float]:
    """All measures of one moment, under the keys of `MEASURES`; what cannot be measured is absent, and so is a number
    that would be 0/0, such as the neural collapse of points that all lie in one place. Beside them stands, under the
    keys of `BEHIND`, what a number rests on: test points and binomial error of an accuracy, and how many classes a
    geometric measure could see, where those are not all.

    Geometry is taken over all labelled points; where no point is labelled, only what needs no classes is measured, over
    all. Where `split` is given, geometry is taken once more over the training points alone and over the test points
    alone, under the same keys with `_train` and `_test`. Accuracies are those of test points. Validation points are
    neither test nor train: they have an accuracy of their own, by which a step may be chosen.

    Args:
        z: (N, D) embeddings, float32 or float64, N >= 1, finite, no zero row.
        y: (N,) integers in 0 ... C-1, or -1 for a sample without a label: no measure sees it.
        num_classes: C; default the length of `counts`, else the largest label + 1.
        counts: (C,) training samples of each class, which define head, medium and tail; default: counted in y.
        split: (N,) 0 train, 1 test, 2 validation; default: unknown, and what is said of test points is absent.
        predictions: (N,) classes that the method's own classifier predicts.
        confidence: (N,) probability of the predicted class, for calibration.
        views: two (M, D) arrays of unit rows, two views of the same samples, for alignment.
        features: (N, F) what the classifier reads, with lengths of their own, for neural collapse, equal norms and
            equal angles; default z as given. Every other measure sees the rows of z normalised.
        weights, bias: (C, F) and (C,) of a linear classifier on the features, for NC2 to NC4.
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
    seen = raw if features is None else Classes.of_labelled(features, y, raw.num_classes)
    parts = {} if split is None else _parts(split, unit)

    # For many points uniformity takes most of the time: the rest is measured beside it. For few a thread costs more.
    with ThreadPoolExecutor(1) as beside:
        evenness = beside.submit(uniformity, unit.z) if len(unit.y) >= MANY_POINTS else None
        found = shape(unit, groups, full=full) | _collapse(seen, full, weights, bias)
        if len(unit.y) > 1 and (full or min(raw.z.shape) <= LARGEST_LIVE_SPECTRUM):
            found["effective_rank"] = effective_rank(unit.z)
        known = {name: _rows(unit, here) for name, here in parts.items() if here.any()}
        for name in PARTS:
            if name in known:
                part = known[name] if seen is unit else _rows(seen, parts[name])
                apart = part_shape(known[name], groups, full=full) | _collapse(part, full)
                found |= {f"{key}_{name}": value for key, value in apart.items()}
        if full or features is not None:
            found |= norms_and_angles(seen)
        if views is not None:
            found |= _alignment(*views)
        if predictions is not None:
            found |= _answers(unit, parts, groups, predictions, confidence if full else None)
        if scores is not None and labels is not None:
            found |= _precision(np.asarray(scores), np.asarray(labels), parts, unit, counts)
        if "train" in known and "test" in known:
            found |= _fitted_accuracies(known["train"], known["test"], groups, full)
        if full:
            found |= further_measures(unit, groups, targets)
        if evenness is not None:
            found["uniformity"] = evenness.result()
        elif len(unit.y) >= FEWEST_POINTS:
            found["uniformity"] = uniformity(unit.z)
    return {key: float(value) for key, value in found.items() if value is not None and np.isfinite(value)}


def _parts(split: np.ndarray, unit: Classes) -> dict[str, np.ndarray]:
    """Name -> (N,) bool: training, test and validation points."""
    part = np.asarray(split)
    if part.shape != unit.y.shape:
        raise DataError(f"The split must be ({len(unit.y)},), 0 train, 1 test and 2 validation, got {part.shape}.")
    return {name: part == value for name, value in {**PARTS, "validation": 2}.items()}


def _without_classes(z: np.ndarray) -> dict[str, float]:
    """What can be measured of points (N, D) that have no labels."""
    unit = Classes.of(z, np.zeros(len(z), np.int64)).normalised().z
    found = {"effective_rank": effective_rank(unit)} if min(unit.shape) <= LARGEST_LIVE_SPECTRUM else {}
    if len(unit) >= FEWEST_POINTS:
        found["uniformity"] = uniformity(unit)
    return {key: float(value) for key, value in found.items() if value is not None and np.isfinite(value)}


def _rows(classes: Classes, here: np.ndarray) -> Classes:
    return Classes.of(classes.z[here], classes.y[here], classes.num_classes)


def _one_each(name: str, values: np.ndarray, classes: Classes) -> np.ndarray:
    array = np.asarray(values)
    if array.shape != classes.y.shape:
        raise DataError(f"{name} must hold one value for each of the {len(classes.y)} points, got {array.shape}.")
    return array


def _collapse(seen: Classes, full: bool, weights: np.ndarray | None = None, bias: np.ndarray | None = None) -> Found:
    if not full and min(seen.means.shape) > LARGEST_LIVE_SPECTRUM:
        return {}
    found: Found = dict(collapse_of(seen, weights, bias))
    if "nc1" in found:
        found["nc1_classes"] = fewer(int(seen.several.sum()), seen.num_classes)
    return found


def _alignment(first: np.ndarray, second: np.ndarray) -> Found:
    """Absent where both views of every sample lie in one place: then all samples are aligned with all others."""
    distance = alignment(first, second)
    apart = not one_place(np.concatenate([first, second]))
    return {"alignment": distance, "alignment_n": float(len(first))} if apart else {}


def _answers(
    unit: Classes,
    parts: dict[str, np.ndarray],
    groups: Groups,
    predictions: np.ndarray,
    confidence: np.ndarray | None,
) -> Found:
    """What the method's own classifier says of test and of validation points."""
    predictions = _one_each("predictions", predictions, unit)
    found: Found = {}
    for prefix, part in {"accuracy": "test", "validation": "validation"}.items():
        if part in parts:
            here = parts[part]
            found |= _accuracy(prefix, predictions[here], unit.y[here], groups)
    if confidence is not None:
        sure = _one_each("confidence", confidence, unit)
        if "accuracy_all" in found:
            test = parts["test"]
            found["calibration_error"] = expected_calibration_error(sure[test], predictions[test] == unit.y[test])
    return found


def _accuracy(prefix: str, predictions: np.ndarray, y: np.ndarray, groups: Groups) -> Found:
    """Accuracies with the number of points and the binomial error of each. None at all for a single class, which no
    classifier can miss, or without points."""
    result = accuracy_by_group(predictions, y, groups)
    judged = np.bincount(y, minlength=len(result.per_class))
    if len(judged) < 2 or result.all is None:
        return {}
    found: Found = {
        f"{prefix}_all": result.all,
        f"{prefix}_all_n": float(len(y)),
        f"{prefix}_all_error": binomial_error(np.array([result.all]), np.array([len(y)])),
    }
    for shot, (_, classes) in zip(SHOTS[1:], groups.items(), strict=True):
        if judged[classes].any():
            found[f"{prefix}_{shot}"] = getattr(result, shot)
            found[f"{prefix}_{shot}_n"] = float(judged[classes].sum())
            found[f"{prefix}_{shot}_error"] = binomial_error(result.per_class[classes], judged[classes])
    return found


def _precision(
    scores: np.ndarray, labels: np.ndarray, parts: dict[str, np.ndarray], unit: Classes, counts: np.ndarray
) -> Found:
    if scores.shape != (len(unit.y), len(counts)) or labels.shape != scores.shape:
        raise DataError(
            f"Scores and labels must be ({len(unit.y)}, {len(counts)}), one row a point and one column a class,"
            f" got {scores.shape} and {labels.shape}."
        )
    if "test" not in parts or not parts["test"].any():
        return {}
    result = mean_average_precision(scores[parts["test"]], labels[parts["test"]], counts)
    return {f"map_{name}": getattr(result, name) for name in SHOTS}


def _fitted_accuracies(train: Classes, test: Classes, groups: Groups, full: bool) -> Found:
    """Classifiers fitted on the train points among the embeddings and judged on the test points. None without two
    train centres that differ: every point is as near to one as to the other."""
    centres = train.centres[np.isfinite(train.centres[:, 0])]
    if len(centres) < 2 or one_place(centres):
        return {}
    z, y = test.z, test.y
    found = _accuracy("accuracy_ncm", nearest_centre(z, train.centres), y, groups)
    if full:
        found |= _accuracy("accuracy_knn", nearest_samples(train, z), y, groups)
        found |= _accuracy("accuracy_probe", balanced_probe(train, z), y, groups)
    return found
