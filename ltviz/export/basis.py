"""What compared numbers rest on, in words: who judged, whose sphere is a read-out, how many images each method saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ltviz.errors import RecordingError
from ltviz.export.cells import listed
from ltviz.export.results import Arm, Group, Result
from ltviz.export.told import are_evaluated, judges_of
from ltviz.metrics.judged import COMMON, IN_FRAMES, JUDGES, NAMES, OWN, beside, judged_alike, judged_by
from ltviz.training.settings import EQUAL_VIEWS

UNEQUAL = 1.02
"""Numbers of images within this factor of one another are equal: of batches only whole rows are taken."""


def judge_note(groups: Sequence[Group], judge: str = COMMON) -> str:
    """Who judged the accuracies that `told_in` gives of these groups, and on what; "" where there are none."""
    arms = [arm for group in groups for arm in group.arms]
    if are_evaluated(groups):
        if not any(arm.mean(judged_by(judge, "all")) is not None for arm in arms):
            return "On the whole test set, at the end of training, by each method's own scores."
        second = beside(judge)
        return (
            f"Accuracies are of the whole test set, at the end of training, by {JUDGES[judge]} ({NAMES[judge]}); "
            f"beside it stands that of rare classes by {JUDGES[second]} ({NAMES[second]}).{_pixels_note(arms)}"
        )
    results = [result for arm in arms for result in arm.results]
    if judge in judges_of(groups) and judges_of(groups) != [OWN]:
        return _judge_of_frames_note(groups, judge, results)
    if not any(arm.mean("accuracy_all") is not None or arm.mean("accuracy_few") is not None for arm in arms):
        return ""
    left = sum(result.evaluation is None for result in results)
    return (
        "Accuracies are of the test points that the frames show, by each method's own classifier (own): some of these "
        "are corrected for the class counts, others, as CE's, are not. One judge can be asked once all runs have been "
        f"judged at their last step; {left} of {len(results)} {'was' if left == 1 else 'were'} not."
    )


def _pixels_note(arms: Iterable[Arm]) -> str:
    """Of which pixels the accuracies are, where samples are pixels; "" where they are none."""
    found = (result.evaluation for arm in arms for result in arm.results)
    judged = next((one.judged for one in found if one is not None and one.judged is not None), None)
    if judged is None:
        return ""
    return (
        f" Samples are pixels: accuracies are of {sum(judged.pixels):,} of them, as many of each of {judged.images:,} "
        "test images, and mIoU of all labelled ones. Pixels of one image are not independent, so errors count images."
    )


def _judge_of_frames_note(groups: Sequence[Group], judge: str, results: Sequence[Result]) -> str:
    """As `judge_note`, of frames: by whom, what taught the judge, and who stands beside."""

    def said(by: str) -> str:
        kind = judged_alike(by, [[r.metrics for r in arm.results] for group in groups for arm in group.arms])
        return "" if kind is None else f"{IN_FRAMES[by][kind]} ({NAMES[by]})"

    second = beside(judge)
    points = sorted({n for result in results if (n := _training_points(result)) is not None})
    taught = f"{points[0]:,} to {points[-1]:,}" if len(points) > 1 else f"{points[0]:,}" if points else "unknown"
    also = f"; beside it stands that of rare classes by {said(second)}" if said(second) else ""
    return (
        f"Accuracies are of the test points that the frames show, by {said(judge)}{also}. Training points there: "
        f"{taught}."
    )


def _training_points(result: Result) -> int | None:
    """Labelled training points that a run's frames show."""
    try:
        probe = result.recording.probe
    except RecordingError:
        return None
    return int(((probe.split == 0) & (probe.labels >= 0)).sum())


def readout_note(groups: Iterable[Group]) -> str:
    """Whose sphere is a read-out, and what follows, a sentence; "" where nobody's is."""
    arms = (arm for group in groups for arm in group.arms)
    names = list(dict.fromkeys(arm.label for arm in arms if all(result.sphere_is_readout for result in arm.results)))
    if not names:
        return ""
    spheres, them = ("spheres", "are read-outs") if len(names) > 1 else ("sphere", "is a read-out")
    return (
        f"The {spheres} of {listed(names)} {them} beside the encoder, trained on detached features: measures of the "
        "sphere are left out there, and those of features can be compared."
    )


def images_seen_note(seen: Mapping[str, float]) -> str:
    """That methods of a race saw different numbers of images, and what to do, sentences; "" where they did not.

    Args:
        seen: method -> images a step.

    Example:
        >>> images_seen_note({"CE": 64.0, "SupCon": 128.0})[:73]
        'Unequal images: at each step CE saw 64 and SupCon 128, each view counted.'
        >>> images_seen_note({"CE": 192.0, "SupCon": 192.0})
        ''
    """
    if len(seen) < 2 or max(seen.values()) <= UNEQUAL * min(seen.values()):
        return ""
    by_number: dict[int, list[str]] = {}
    for name, number in sorted(seen.items(), key=lambda item: item[1]):
        by_number.setdefault(round(number), []).append(name)
    first, *others = by_number.items()
    told = listed([f"{listed(first[1])} saw {first[0]:,}", *(f"{listed(names)} {n:,}" for n, names in others)])
    return (
        f"Unequal images: at each step {told}, each view counted. A difference may come from that alone; train with "
        f"{EQUAL_VIEWS} views of each sample for every method (setting views) to compare losses."
    )


def images_a_step(group: Group) -> dict[str, float]:
    """Method -> images that it saw a step, views counted, where that was recorded."""
    found = {}
    for arm in group.arms:
        rates = [r.metrics["images_seen"] / r.step for r in arm.results if r.step and "images_seen" in r.metrics]
        if rates:
            found[arm.label] = float(np.mean(rates))
    return found
