"""Accuracy, over all samples and by shot group: the method's own classifier, and classifiers of the embeddings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.calibration import expected_calibration_error
from ltviz.metrics.classes import Classes, images_of_classes, one_place
from ltviz.metrics.declaration import Measure, Place, Shown, Value, declare, family
from ltviz.metrics.judged import COMMON, NAMES, OWN
from ltviz.metrics.linear_probe import LARGEST_LIVE_PROBE, balanced_probe
from ltviz.metrics.named_values import NamedValues
from ltviz.metrics.neighbours import nearest_centre, nearest_samples
from ltviz.metrics.shots import SHOTS, ShotGroups, mean_over, shot_groups
from ltviz.metrics.space import Space


@dataclass(frozen=True, eq=False)
class ShotAccuracy(NamedValues):
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

    Example:
        >>> import numpy as np
        >>> found = shot_accuracy(np.array([0, 0, 1, 0]), np.array([0, 0, 1, 1]), counts=np.array([200, 5]))
        >>> found.all, found.many, found.few
        (0.75, 1.0, 0.5)
    """
    return accuracy_by_group(predictions, y, shot_groups(counts))


def accuracy_by_group(predictions: np.ndarray, y: np.ndarray, groups: ShotGroups) -> ShotAccuracy:
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
    """Standard error of the mean of K shares of right predictions, by the binomial distribution of each.

    A share p of n predictions counts as (p n + 1) / (n + 2) here (Laplace): nine of nine right leave a doubt that
    sqrt(p (1 - p) / n) = 0 would deny.

    Args:
        shares: (K,) 0 to 1.
        judged: (K,) predictions behind each; where there are none the share is left out.

    Returns:
        Above 0; None where no prediction was judged.
    """
    shares, judged = shares[judged > 0], judged[judged > 0]
    if len(judged) == 0:
        return None
    doubtful = (shares * judged + 1) / (judged + 2)
    return float(np.sqrt((doubtful * (1 - doubtful) / judged).sum()) / len(judged))


# ---------------------------------------------------------------------- measures

ACCURACY = Measure(
    key="accuracy_{}",
    title="Accuracy, {}",
    unit="share",
    low=0,
    high=1,
    better="higher",
    short="Share of test points that the method's own classifier gets right, {}.",
    formula=r"\operatorname{mean}_{c \in group} P[\hat y = c \mid y = c]",
    source="Liu et al. 2019 (many, medium, few)",
    samples="one label",
    order=30,
)
_PLACES: Mapping[str, Mapping[Place, Shown]] = {
    "all": {"report": Shown(at=10), "report_curves": Shown(at=20)},
    "many": {"table": Shown(at=10, label="Many, {}"), "report": Shown(at=20), "summary": Shown(at=10)},
    "medium": {"table": Shown(at=11, label="Medium, {}"), "report": Shown(at=30), "summary": Shown(at=11)},
    "few": {
        "panel": Shown(at=10),
        "table": Shown(at=12, label="Few, {}"),
        "curves": Shown(at=10),
        "report": Shown(at=40),
        "report_curves": Shown(at=10),
        "summary": Shown(at=12),
        "findings": Shown(at=10),
    },
}
"""Where accuracies of a shot are shown, by every judge alike; a place shows those of the judge that it asks."""


def _shown_by(judge: str, where: str = "") -> dict[str, dict[Place, Shown]]:
    """`_PLACES` with the judge named, and of what it reads."""
    name = f"{NAMES[judge]}{where}"
    return {
        shot: {place: replace(shown, label=shown.label.format(name)) for place, shown in places.items()}
        for shot, places in _PLACES.items()
    }


def _accuracies(
    entry: Measure, behind: int, shown: Mapping[str, Mapping[Place, Shown]] = {}, stands_for: str = ""
) -> list[Measure]:
    """An accuracy of all shots, and what each rests on: the number of samples, and its standard error."""
    judged = replace(
        entry,
        key=f"{entry.key}_n",
        title=f"{entry.title}: samples",
        unit="samples",
        high=None,
        better=None,
        short="How many samples were judged, {}.",
        formula=r"n",
        caution=None,
        brief="",
        behind=True,
        order=behind,
    )
    error = replace(
        entry,
        key=f"{entry.key}_error",
        title=f"{entry.title}: standard error",
        better=None,
        short="Binomial standard error that the number of judged samples leaves, {}; of pixels, the number of images.",
        formula=r"\sqrt{\sum_c \tilde p_c (1 - \tilde p_c) / n_c} / C, \; \tilde p = (n p + 1) / (n + 2)",
        source="Laplace's rule of succession: all right on few samples leaves a doubt",
        caution=None,
        brief="",
        behind=True,
        order=behind + 1,
    )
    shots = zip(SHOTS, family(entry, SHOTS, shown), strict=True)
    told = [replace(one, stands_for=stands_for.format(shot)) for shot, one in shots]
    return [*told, *family(judged, SHOTS), *family(error, SHOTS)]


@declare(_accuracies(replace(ACCURACY, brief="{}"), 120, _shown_by(OWN)), of_sphere=False)
def accuracy(space: Space) -> Mapping[str, Value]:
    """What the method's own classifier says of test points."""
    return _own("accuracy", "test", space)


@declare(
    _accuracies(
        replace(
            ACCURACY,
            key="validation_{}",
            title="Validation accuracy, {}",
            short="Share of validation points that the method's own classifier gets right, {}.",
            caution="A step may be chosen by it; results are those of the test points.",
            order=31,
        ),
        122,
    ),
    of_sphere=False,
)
def validation_accuracy(space: Space) -> Mapping[str, Value]:
    """What it says of validation points."""
    return _own("validation", "validation", space)


@declare(
    _accuracies(
        replace(
            ACCURACY,
            key="accuracy_ncm_{}",
            title="Nearest-mean accuracy, {}",
            short="Share of test points that lie nearest to the train centre of their own class, {}.",
            source="Kang et al. 2020 (NCM)",
            brief="{}, ncm on sphere",
            order=32,
        ),
        124,
        _shown_by(COMMON, " on the sphere"),
        stands_for="accuracy_ncm_{}_features",
    )
)
def nearest_mean_accuracy(space: Space) -> Mapping[str, Value]:
    return _fitted("accuracy_ncm", lambda train, test: nearest_centre(test.z, train.centres), space)


@declare(
    family(
        replace(
            ACCURACY,
            key="accuracy_ncm_{}_features",
            title="Nearest-mean accuracy of features, {}",
            short="Share of test points whose features are nearest to the mean of their class's training points, {}.",
            formula=r"P[\arg\max_c h \cdot m_c = y \mid y \in group], \; h, m_c \text{ of length 1}",
            source="Kang et al. 2020 (NCM)",
            caution="It is of the points that the frame shows; at the end of a run the whole test set is judged.",
            brief="{}, ncm",
            order=32,
        ),
        SHOTS,
        _shown_by(COMMON),
    ),
    of_sphere=False,
)
def nearest_mean_accuracy_of_features(space: Space) -> Mapping[str, Value]:
    """What the common judge says of the encoder, whatever the sphere beside it is. As many points are behind it as
    behind the method's own accuracy."""
    return _read_from_features("accuracy_ncm", lambda train, z: nearest_centre(z, train.centres), space)


@declare(
    family(
        replace(
            ACCURACY,
            key="accuracy_probe_{}_features",
            title="Balanced-probe accuracy of features, {}",
            short="Share of test points that a class-balanced linear read-out of the features gets right, {}.",
            source="ridge regression, classes weighted equally, solved in closed form",
            caution="It is of the points that the frame shows, and by squared error; at the end of a run logistic "
            f"regression judges the whole test set. Live frames know it of {LARGEST_LIVE_PROBE} features at most.",
            brief="{}, linear",
            order=34,
        ),
        SHOTS,
        _shown_by("linear", " by least squares"),
    ),
    of_sphere=False,
)
def linear_probe_accuracy_of_features(space: Space) -> Mapping[str, Value]:
    if not space.full and space.seen.z.shape[1] > LARGEST_LIVE_PROBE:
        return {}
    return _read_from_features("accuracy_probe", balanced_probe, space)


@declare(
    _accuracies(
        replace(
            ACCURACY,
            key="accuracy_knn_{}",
            title="Nearest-neighbour accuracy, {}",
            short="Share of test points that the 20 nearest train points classify correctly, {}.",
            source="Wu et al. 2018",
            caution="Head classes may outvote rare ones among the neighbours.",
            order=33,
        ),
        126,
    ),
    full=True,
)
def nearest_neighbour_accuracy(space: Space) -> Mapping[str, Value]:
    return _fitted("accuracy_knn", lambda train, test: nearest_samples(train.unit, test.z), space)


@declare(
    _accuracies(
        replace(
            ACCURACY,
            key="accuracy_probe_{}",
            title="Balanced-probe accuracy, {}",
            short="Share of test points that a class-balanced linear read-out of the embeddings gets right, {}.",
            source="ridge regression, classes weighted equally",
            order=34,
        ),
        128,
    ),
    full=True,
)
def linear_probe_accuracy(space: Space) -> Mapping[str, Value]:
    return _fitted("accuracy_probe", lambda train, test: balanced_probe(train.unit, test.z), space)


@declare(
    Measure(
        key="calibration_error",
        title="Calibration error",
        unit="share",
        low=0,
        high=1,
        better="lower",
        short="How far the classifier's confidence is from its accuracy, test points, 15 bins.",
        formula=r"\sum_b \frac{|B_b|}{N} |acc_b - conf_b|",
        source="Guo et al. 2017, eq. (3)",
        order=59,
    ),
    full=True,
    of_sphere=False,
)
def calibration(space: Space) -> Value:
    predictions = space.one_each("predictions")
    if predictions is None or (sure := space.one_each("confidence")) is None:
        return None
    if "accuracy_all" not in accuracy.of(space):
        return None
    test = space.parts["test"]
    return expected_calibration_error(sure[test], predictions[test] == space.y[test])


def _own(prefix: str, part: str, space: Space) -> Mapping[str, Value]:
    predictions, here = space.one_each("predictions"), space.parts.get(part)
    if predictions is None or here is None:
        return {}
    images = space.one_each("images")
    of = None if images is None else images[here]
    return _judged(prefix, predictions[here], space.y[here], space.groups, of)


def _fitted(prefix: str, classify: Callable[[Space, Space], np.ndarray], space: Space) -> Mapping[str, Value]:
    """A classifier fitted on the train points among the embeddings and judged on the test points. Nothing without two
    train centres that differ: every point is as near to one as to the other."""
    train, test = space.part("train"), space.part("test")
    if train is None or test is None or train.present.sum() < 2 or one_place(train.centres[train.present]):
        return {}
    return _judged(prefix, classify(train, test), test.y, space.groups, test.images)


def _read_from_features(
    prefix: str, classify: Callable[[Classes, np.ndarray], np.ndarray], space: Space
) -> Mapping[str, Value]:
    """As `_fitted`, of features at length 1 that were given beside the points, where samples have one label each."""
    if not space.own_features or space.labels is not None:
        return {}

    found = _fitted(prefix, lambda train, test: classify(train.once(_directions), test.once(_directions).z), space)
    return {f"{prefix}_{shot}_features": found[key] for shot in SHOTS if (key := f"{prefix}_{shot}") in found}


def _directions(space: Space) -> Classes:
    """Features at length 1; a row of zeros, as a rectifier may give, stays as it is."""
    rows = space.seen.z
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return Classes.of(unit, space.y, space.num_classes)


def _judged(
    prefix: str, predictions: np.ndarray, y: np.ndarray, groups: ShotGroups, images: np.ndarray | None
) -> Mapping[str, Value]:
    """Accuracies with the number of points and the binomial error of each, which counts points of one image and class
    as one. None at all for a single class, which no classifier can miss, or without points."""
    result = accuracy_by_group(predictions, y, groups)
    judged = np.bincount(y, minlength=len(result.per_class))
    if len(judged) < 2 or result.all is None:
        return {}
    apart, in_all = judged, len(y)
    if images is not None:
        apart, in_all = images_of_classes(images, y, len(judged)), len(np.unique(images))
    found: dict[str, Value] = {
        f"{prefix}_all": result.all,
        f"{prefix}_all_n": float(len(y)),
        f"{prefix}_all_error": binomial_error(np.array([result.all]), np.array([in_all])),
    }
    for shot, (_, classes) in zip([*SHOTS][1:], groups.items(), strict=True):
        if judged[classes].any():
            found[f"{prefix}_{shot}"] = getattr(result, shot)
            found[f"{prefix}_{shot}_n"] = float(judged[classes].sum())
            found[f"{prefix}_{shot}_error"] = binomial_error(result.per_class[classes], apart[classes])
    return found
