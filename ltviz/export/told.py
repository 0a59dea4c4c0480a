"""Which measures are told of compared runs, and by whom their accuracies are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ltviz.export.results import Group, Result
from ltviz.metrics import known_of, shown_at_end, shown_in
from ltviz.metrics.declaration import Measure, Place
from ltviz.metrics.judged import COMMON, JUDGES, OWN, judged_alike, judged_by


def told_in(place: Place, groups: Sequence[Group], judge: str = COMMON) -> list[Measure]:
    """The measures that a place shows of these groups and that some run knows. Accuracies are by one judge: on the
    whole test set, where every run has been evaluated at its step; else on the test points of its frame, by each
    method's own classifier where the judge has not judged all frames."""
    if are_evaluated(groups):
        measures = shown_at_end(place, judge)
    else:
        judges = judges_of(groups)
        measures = shown_in(place, judge if judge in judges and judges != [OWN] else None)
    return known_of(measures, [result.metrics for result in _every(groups)])


def told_over_training(place: Place, groups: Sequence[Group], judge: str = COMMON) -> list[Measure]:
    """The measures of frames that a place of curves shows of these groups and that some frame knows; accuracies are by
    the judge where it has judged frames of each method, else by each method's own classifier."""
    arms = [[found for r in arm.results for found in r.comparable.values()] for group in groups for arm in group.arms]
    measures = shown_in(place, judge if judge in _judges_in_frames(arms) else OWN)
    return known_of(measures, [found for arm in arms for found in arm])


def are_evaluated(groups: Sequence[Group]) -> bool:
    """Whether every run has been judged on its whole test set, so that one judge can be asked about all."""
    return all(result.evaluation is not None for result in _every(groups))


def judges_of(groups: Sequence[Group]) -> list[str]:
    """The judges that can be asked about all methods, the common one first: those that have judged some run of each on
    its whole test set; where not every run was, on the test points of its frame. None where samples have several
    labels, which only a method's own scores are judged by."""
    arms = [arm for group in groups for arm in group.arms]
    if are_evaluated(groups):
        known = [judge for judge in JUDGES if all(arm.mean(judged_by(judge, "all")) is not None for arm in arms)]
    else:
        known = _judges_in_frames([[result.metrics for result in arm.results] for arm in arms])
    return sorted(known, key=lambda judge: judge != COMMON)


def accuracy_key(groups: Sequence[Group], judge: str, shot: str) -> str | None:
    """Key of an accuracy by a judge of `judges_of`, as `told_in` takes it; None where another judge is asked."""
    if judge not in judges_of(groups):
        return None
    if are_evaluated(groups):
        return judged_by(judge, shot)
    kind = judged_alike(judge, [[r.metrics for r in arm.results] for group in groups for arm in group.arms])
    return None if kind is None else kind.format(shot)


def _judges_in_frames(arms: Sequence[Sequence[Mapping[str, float]]]) -> list[str]:
    """As `judges_of`, of what was measured in frames of each arm."""
    if any("map_all" in found for arm in arms for found in arm):
        return []
    return [judge for judge in JUDGES if judged_alike(judge, arms) is not None]


def _every(groups: Sequence[Group]) -> list[Result]:
    return [result for group in groups for arm in group.arms for result in arm.results]
