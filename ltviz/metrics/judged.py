"""Who judges accuracies: a method's own classifier, or one that reads the features of every method in the same way.

A run is judged at its end on its whole test set (`ltviz.metrics.final`), and in every frame on the test points that the
frame shows, by what the training points of the same frame teach: so any two frames can be compared by one judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ltviz.metrics.shots import SHOTS

OWN, COMMON = "own", "ncm"
"""Judges: a method's own classifier, and the one that tables judge all methods by where nobody names another. Nearest
class mean has nothing to train and nothing to set, so no method can be favoured by how it was tuned."""
JUDGES = {
    OWN: "the method's own classifier",
    COMMON: "the nearest class mean of the frozen features",
    "linear": "a class-balanced linear probe of the frozen features, trained to convergence",
}
NAMES = {OWN: "own", COMMON: "nearest mean", "linear": "linear probe"}
"""Judges in heads of columns."""
BESIDE = "few"
"""The shot whose accuracy by a second judge stands beside that of the judge who is asked."""
IN_FRAMES: Mapping[str, Mapping[str, str]] = {
    OWN: {"accuracy_{}": JUDGES[OWN]},
    COMMON: {
        "accuracy_ncm_{}_features": "the nearest class mean of the features of the training points there",
        "accuracy_ncm_{}": "the nearest class mean of the training points there, on the sphere",
    },
    "linear": {
        "accuracy_probe_{}_features": "a class-balanced linear probe of the features of the training points there, "
        "solved to its minimum by least squares, where the end of a run takes logistic regression"
    },
}
"""Judge -> keys of its accuracies in frames, `{}` for the shot, and how it judges. Nearest mean reads the points on the
sphere only where frames were measured without features, as those of other programs and of earlier versions."""
JUDGE_OF = {kind.format(shot): judge for judge, kinds in IN_FRAMES.items() for kind in kinds for shot in SHOTS}
"""Accuracy of frames -> its judge."""
SHOT_OF = {kind.format(shot): shot for kinds in IN_FRAMES.values() for kind in kinds for shot in SHOTS}
"""Accuracy of frames -> its shot."""


def beside(judge: str) -> str:
    """The judge whose word on rare classes stands beside another's: the method's own classifier, which is where a gain
    may come from; beside that itself the common judge.

    Example:
        >>> beside("linear"), beside("own")
        ('own', 'ncm')
    """
    return COMMON if judge == OWN else OWN


def judged_by(judge: str, shot: str) -> str:
    """Key of an accuracy on the whole test set.

    Example:
        >>> judged_by("ncm", "few")
        'final_accuracy_few_ncm'
    """
    return f"final_accuracy_{shot}_{judge}"


def judged_alike(judge: str, arms: Sequence[Iterable[Mapping[str, float]]]) -> str | None:
    """The first kind of accuracy, a key of `IN_FRAMES`, by which a judge has judged every arm in some frame.

    Args:
        arms: of each, what was measured in its frames.

    Example:
        >>> new = {"accuracy_ncm_all_features": 0.8, "accuracy_ncm_all": 0.7}
        >>> judged_alike("ncm", [[new], [new, {}]]), judged_alike("ncm", [[new], [{"accuracy_ncm_all": 0.6}]])
        ('accuracy_ncm_{}_features', 'accuracy_ncm_{}')
    """
    keys = {kind: kind.format("all") for kind in IN_FRAMES[judge]}
    known = [list(arm) for arm in arms]
    return next((k for k, key in keys.items() if all(any(key in found for found in arm) for arm in known)), None)
