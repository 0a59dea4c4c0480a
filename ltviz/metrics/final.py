"""Measures of the end of a run: accuracies on the whole test set by several judges, geometry by split and by space.

They are taken once, with all samples, where frames show a probe set; `ltviz.recording.evaluation` holds them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ltviz.metrics.classes import Classes
from ltviz.metrics.described import Measure
from ltviz.metrics.registry import MEASURES
from ltviz.metrics.shape import shape
from ltviz.metrics.shots import shot_groups

OWN, COMMON = "own", "ncm"
"""Judges: a method's own classifier, and the one that tables judge all methods by where nobody names another. Nearest
class mean has nothing to train and nothing to set, so no method can be favoured by how it was tuned."""
JUDGES = {
    OWN: "the method's own classifier",
    "ncm": "the nearest class mean of the frozen features",
    "linear": "a class-balanced linear probe of the frozen features, trained to convergence",
}
SPACES = {"": "", "_features": " of the encoder's features, each put to length 1, instead of the sphere's points"}
"""Suffix of a key, and what geometry is of there."""
PARTS = {"train": "training", "test": "test"}
SHOTS = ("all", "many", "medium", "few")
GEOMETRY = (
    *("simplex_deviation_mean", "simplex_deviation_max", "centre_sum", "min_centre_angle"),
    *(f"{key}_{group}" for key in ("spread", "kappa") for group in ("head", "medium", "tail")),
)


def geometry(z: np.ndarray, y: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    """Centres and clouds of labelled points under the keys of `GEOMETRY`, without those that cannot be measured.

    Args:
        z: (N, D) points; rows are put to length 1.
        y: (N,) labels in 0 ... C-1.
        counts: (C,) training samples of each class, which make the groups.
    """
    found = shape(Classes.of(z, y, len(counts)).normalised(), shot_groups(counts), full=False)
    return {key: float(value) for key in GEOMETRY if (value := found.get(key)) is not None and np.isfinite(value)}


def _final() -> dict[str, Measure]:
    entries = []
    for judge, words in JUDGES.items():
        for kind in ("accuracy", "map") if judge == OWN else ("accuracy",):
            for shot in SHOTS:
                entry = MEASURES[f"{kind}_{shot}"]
                name, _, classes = entry.title.partition(", ")
                entries.append(
                    replace(
                        entry,
                        key=f"final_{kind}_{shot}_{judge}",
                        title=f"Final {name[0].lower()}{name[1:]} by {judge}, {classes}",
                        short=f"{entry.short} On the whole test set, at the end of the run, by {words}.",
                    )
                )
    for key in GEOMETRY:
        entry = MEASURES[key]
        for part, kind in PARTS.items():
            for suffix, of in SPACES.items():
                name, *aside = entry.title.split(", ")
                title = ", ".join([f"{name} of features" if suffix else name, *aside, f"all {kind} samples"])
                entries.append(
                    replace(
                        entry,
                        key=f"final_{key}_{part}{suffix}",
                        title=title,
                        short=f"{MEASURES[f'{key}_{part}'].short} All of them, at the end of the run{of}.",
                    )
                )
    return {entry.key: entry for entry in entries}


FINAL: dict[str, Measure] = _final()
"""Every measure of `Evaluation.measures`, in the order of tables."""


def described(key: str) -> Measure | None:
    """The words of a measure, of a frame or of the end of a run; None for a key that is none of ours."""
    return MEASURES.get(key) or FINAL.get(key)
