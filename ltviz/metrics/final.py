"""Measures of the end of a run: accuracies on the whole test set by several judges, geometry by split and by space.

They are taken once, with all samples, where frames show a probe set; `ltviz.recording.evaluation` holds them. Each is
declared after the measure of frames that it is the final one of, and takes its place where runs have both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from ltviz.metrics.accuracy import accuracy
from ltviz.metrics.centres import between_centres
from ltviz.metrics.clouds import concentration_of_groups, spread_of_groups
from ltviz.metrics.declaration import PARTS, Measure, Place, Shown
from ltviz.metrics.judged import BESIDE, COMMON, JUDGES, NAMES, OWN, beside, judged_by
from ltviz.metrics.overlap import OVERLAPS
from ltviz.metrics.precision import precision_of_scores
from ltviz.metrics.registry import MEASURES, shown_in
from ltviz.metrics.shots import SHOTS
from ltviz.metrics.space import space_of

SPACES = {"": "", "_features": " of the encoder's features, each put to length 1, instead of the sphere's points"}
"""Suffix of a key, and what geometry is of there."""
_SHAPES = (between_centres, spread_of_groups, concentration_of_groups)
GEOMETRY = tuple(key for one in _SHAPES for key in one.keys if not one.measures[key].behind)
"""Keys of what is measured of centres and clouds."""
_DECLARED = {key: entry for one in (accuracy, precision_of_scores, *_SHAPES) for key, entry in one.declared.items()}
IMAGES_SEEN = Measure(
    key="images_seen",
    title="Images seen",
    short="How many images the steps so far have asked for; each view of a sample is an image.",
    low=0,
    brief="images seen",
    shown={"summary": Shown(at=1)},
)
"""Of frames, like no other here: what makes a comparison of the ends of runs a fair one."""
BY_SHOT: Mapping[str, Mapping[Place, Shown]] = {
    "all": {"report": Shown(at=10)},
    "many": {"table": Shown(at=10, label="Many, {}"), "report": Shown(at=20), "summary": Shown(at=10)},
    "medium": {"table": Shown(at=11, label="Medium, {}"), "report": Shown(at=30), "summary": Shown(at=11)},
    BESIDE: {
        "table": Shown(at=12, label="Few, {}"),
        "report": Shown(at=40),
        "summary": Shown(at=12),
        "findings": Shown(at=10),
    },
}
"""Where accuracies of a shot are shown, by every judge alike; a place shows those of the judge that it asks."""
_SHOWN: Mapping[str, Mapping[Place, Shown]] = {
    f"final_map_many_{OWN}": {"table": Shown(at=14, label="mAP, many"), "summary": Shown(at=14)},
    f"final_map_medium_{OWN}": {"table": Shown(at=15, label="mAP, medium"), "summary": Shown(at=15)},
    f"final_map_few_{OWN}": {
        "table": Shown(at=16, label="mAP, few"),
        "summary": Shown(at=16),
        "findings": Shown(at=11),
    },
    "final_centre_sum_test": {
        "table": Shown(at=20, label="Centre sum, test"),
        "report": Shown(at=50),
        "summary": Shown(at=20),
    },
    "final_centre_sum_test_features": {
        "table": Shown(at=21, label="Centre sum of features, test"),
        "report": Shown(at=51),
        "summary": Shown(at=21),
        "findings": Shown(at=20),
    },
    "final_min_centre_angle_test": {"table": Shown(at=22, label="Smallest angle, test"), "report": Shown(at=60)},
    "final_simplex_deviation_mean_train": {"table": Shown(at=23, label="Deviation, train"), "report": Shown(at=70)},
    "final_spread_head_test": {"table": Shown(at=30, label="Spread, head, test"), "report": Shown(at=90)},
    "final_spread_tail_test": {"table": Shown(at=31, label="Spread, tail, test"), "report": Shown(at=91)},
}


def geometry(z: np.ndarray, y: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    """Centres and clouds of labelled points under the keys of `GEOMETRY`, without those that cannot be measured.

    Args:
        z: (N, D) points; rows are put to length 1.
        y: (N,) labels in 0 ... C-1.
        counts: (C,) training samples of each class, which make the groups.

    Example:
        >>> import numpy as np
        >>> round(geometry(np.eye(3), np.arange(3), np.array([9, 5, 1]))["min_centre_angle"])
        90
    """
    space = space_of(z, y, counts=counts, full=False)
    found = {key: value for one in _SHAPES for key, value in one.of(space).items()}
    return {key: float(value) for key in GEOMETRY if (value := found.get(key)) is not None and np.isfinite(value)}


def _judged() -> Iterator[tuple[tuple[str, ...], Measure]]:
    """Accuracies by every judge; the average precision of the method's own scores, and the overlap of its regions."""
    for judge, words in JUDGES.items():
        for kind in ("accuracy", "map") if judge == OWN else ("accuracy",):
            by = f"{NAMES[judge]} classifier" if judge == OWN else NAMES[judge]
            for shot in SHOTS:
                entry = _DECLARED[f"{kind}_{shot}"]
                name, _, classes = entry.title.partition(", ")
                yield (
                    (entry.key,),
                    replace(
                        entry,
                        key=f"final_{kind}_{shot}_{judge}",
                        title=f"Final {name[0].lower()}{name[1:]} by {by}, {classes}",
                        short=f"{entry.short} On the whole test set, of pixels on as many of each image, at the end of "
                        f"the run, by {words}.",
                        brief=f"{shot}, {judge}" if kind == "accuracy" else f"mAP {shot}",
                        shown=_by(judge, shot)
                        if kind == "accuracy"
                        else _SHOWN.get(f"final_{kind}_{shot}_{judge}", {}),
                    ),
                )
    for entry in OVERLAPS.values():
        name, _, classes = entry.title.partition(", ")
        told = f"{entry.short} On all labelled pixels of the test set, at the end of the run, by {JUDGES[OWN]}."
        title = f"Final {name[0].lower()}{name[1:]} by {NAMES[OWN]} classifier, {classes}"
        yield (), replace(entry, key=f"final_{entry.key}_{OWN}", title=title, short=told)


def _by(judge: str, shot: str) -> dict[Place, Shown]:
    """`BY_SHOT` with the judge named."""
    return {
        place: replace(shown, label=shown.label.format(NAMES[judge])) for place, shown in BY_SHOT.get(shot, {}).items()
    }


def _shaped() -> Iterator[tuple[tuple[str, ...], Measure]]:
    """Geometry of training and of test samples, on the sphere and of features."""
    for key in GEOMETRY:
        entry = _DECLARED[key]
        for part, kind in PARTS.items():
            for suffix, of in SPACES.items():
                name, *aside = entry.title.split(", ")
                title = ", ".join([f"{name} of features" if suffix else name, *aside, f"all {kind} samples"])
                plain = f"{entry.title[0].lower()}{entry.title[1:]}"
                named = f"final_{key}_{part}{suffix}"
                yield (
                    (key, *(f"{key}_{other}" for other in PARTS)),
                    replace(
                        entry,
                        key=named,
                        title=title,
                        short=f"{entry.short} Of all {kind} samples, of pixels a part, at the end of the run{of}.",
                        brief=f"{plain}, {part}{' features' if suffix else ''}",
                        shown=_SHOWN.get(named, {}),
                    ),
                )


_LISTED = [*_judged(), *_shaped()]
_JUDGE_OF = {judged_by(judge, shot): judge for judge in JUDGES for shot in SHOTS}
FINAL: Mapping[str, Measure] = {entry.key: entry for entry in (IMAGES_SEEN, *(entry for _, entry in _LISTED))}
"""Every measure of `Evaluation.measures`, in the order of tables, after the images that a run has seen."""


def described(key: str) -> Measure | None:
    """What is declared of a measure, of a frame or of the end of a run; None for a key that is none of ours.

    Example:
        >>> described("final_accuracy_few_ncm").title
        'Final accuracy by nearest mean, rare classes'
    """
    return MEASURES.get(key) or FINAL.get(key)


def shown_at_end(place: Place, judge: str = COMMON) -> list[Measure]:
    """The measures that a place shows of runs that were evaluated at their end: the final ones, and those of the last
    frame of which it shows none. Accuracies are those by one judge; where a place shows several of them, the one of
    rare classes by the judge `beside` it follows.

    Example:
        >>> [measure.key for measure in shown_at_end("findings")]
        ['final_accuracy_few_ncm', 'final_map_few_own', 'final_miou_few_own', 'final_centre_sum_test_features']
        >>> [measure.key for measure in shown_at_end("table", "linear")][2:4]
        ['final_accuracy_few_linear', 'final_accuracy_few_own']
    """
    replaced = {live for keys, entry in _LISTED if place in entry.shown for live in keys}
    asked = {judged_by(judge, shot) for shot in SHOTS}
    if place != "findings":
        asked.add(judged_by(beside(judge), BESIDE))
    found = [entry for key, entry in FINAL.items() if place in entry.shown and (key not in _JUDGE_OF or key in asked)]
    found += [entry for entry in shown_in(place) if entry.key not in replaced]
    return sorted(found, key=lambda one: (one.shown[place].at, _JUDGE_OF.get(one.key, judge) != judge))
