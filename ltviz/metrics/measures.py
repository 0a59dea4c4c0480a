"""The one function that trainer, upload page and command line call."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry.threads import may_start_threads, one_blas_thread
from ltviz.metrics.classes import UNLABELLED, Classes
from ltviz.metrics.declaration import Measurement, Value
from ltviz.metrics.pairwise import MANY_POINTS
from ltviz.metrics.registry import MEASUREMENTS
from ltviz.metrics.shots import shot_groups
from ltviz.metrics.space import Space, space_of

PARTS = {"train": 0, "test": 1, "validation": 2}
"""Part of the points, and the value of `split` there."""


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
    theory: np.ndarray | None = None,
    theory_weights: np.ndarray | None = None,
    scores: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    images: np.ndarray | None = None,
    full: bool = False,
    also: Collection[str] = (),
    progress: Callable[[float], None] = lambda share: None,
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
        theory: (C, R) class means that theory predicts (`Prediction.means`), in any coordinates: how far the angles
            between the centres of training samples are from theirs.
        theory_weights: (C, R) the classifier's rows likewise; the means are those of the features then.
        scores, labels: (N, C) scores and 0/1 labels of samples that carry several labels, for average precision.
        images: (N,) integers, the image that each sample is a part of, where several may be of one: what is judged of
            one image is not independent, so errors are those of as many judgements as there are images.
        full: also the measures that are too slow for a live frame.
        also: keys of single ones of those that are taken all the same.
        progress: is told the share of the measures that is done, 0 to 1; what it raises ends the measuring.

    Returns:
        dict of finite Python floats; angles in degrees, accuracies 0 to 1.

    Raises:
        DataError: shapes, labels or values that cannot be used.

    Example:
        >>> import numpy as np
        >>> from ltviz.geometry import simplex
        >>> y = np.arange(40) % 4
        >>> found = measure(simplex(4, 3)[y], y)
        >>> round(found["min_centre_angle"], 2), abs(round(found["centre_sum"], 6))
        (109.47, 0.0)
    """
    if num_classes is None and counts is not None:
        num_classes = len(counts)
    labelled = np.asarray(y) != UNLABELLED
    if labelled.shape == np.shape(z)[:1] and labelled.size and not labelled.any():
        return _measured(space_of(z, np.zeros(len(z), np.int64), full=full), progress, labelled=False, also=also)
    if labelled.ndim == 1 and not labelled.all():
        split, predictions, confidence, scores, labels, images = (
            values if values is None or len(values) != len(labelled) else np.asarray(values)[labelled]
            for values in (split, predictions, confidence, scores, labels, images)
        )
    raw = Classes.of_labelled(z, y, num_classes)
    unit = raw.normalised()
    counts = raw.count if counts is None else np.asarray(counts)
    if counts.shape != (raw.num_classes,):
        raise DataError(f"Class counts must be ({raw.num_classes},), one for each class, got {counts.shape}.")
    space = Space(
        unit=unit,
        seen=raw if features is None else Classes.of_labelled(features, y, raw.num_classes),
        counts=counts,
        groups=shot_groups(counts),
        full=full,
        own_features=features is not None,
        parts={} if split is None else _parts(split, unit),
        predictions=predictions,
        confidence=confidence,
        views=views,
        weights=weights,
        bias=bias,
        targets=targets,
        theory=theory,
        theory_weights=theory_weights,
        scores=scores,
        labels=labels,
        images=images,
    )
    return _measured(space, progress, labelled=True, also=also)


def _measured(
    space: Space, progress: Callable[[float], None], *, labelled: bool, also: Collection[str]
) -> dict[str, float]:
    """All that is declared and can be measured of a space, in the order of the registry."""
    wanted = [
        one
        for one in MEASUREMENTS.values()
        if (space.full or not one.full or any(key in one.measures for key in also))
        and (labelled or not one.needs_labels)
    ]
    # For many points the slow ones take most of the time: others are measured beside them. For few a thread costs.
    many = len(space.y) >= MANY_POINTS and may_start_threads()
    with ThreadPoolExecutor(1) if many else nullcontext() as beside:
        waiting = {one: beside.submit(_of, one, space) for one in wanted if one.slow} if beside else {}
        here = {}
        for one in wanted:
            if one not in waiting:
                here[one] = _of(one, space)
                progress(len(here) / len(wanted))
        found = [here[one] if one in here else waiting[one].result() for one in wanted]
    values = {key: value for one in found for key, value in one.items()}
    return {key: float(value) for key, value in values.items() if value is not None and np.isfinite(value)}


def _of(measurement: Measurement, space: Space) -> dict[str, Value]:
    """What a measurement finds. One of another package that fails is left out with a warning: no run ends by it."""
    if measurement.__module__.startswith("ltviz."):
        return measurement.everywhere(space)
    try:
        return {key: None if value is None else float(value) for key, value in measurement.everywhere(space).items()}
    except Exception as error:  # whatever a stranger's function raises
        about = (
            f"measure {measurement.keys[0]} of {measurement.__module__} is left out: {type(error).__name__}: {error}"
        )
        warnings.warn(about, stacklevel=2)
        return {}


def _parts(split: np.ndarray, unit: Classes) -> dict[str, np.ndarray]:
    part = np.asarray(split)
    if part.shape != unit.y.shape:
        raise DataError(f"The split must be ({len(unit.y)},), 0 train, 1 test and 2 validation, got {part.shape}.")
    return {name: part == value for name, value in PARTS.items()}
