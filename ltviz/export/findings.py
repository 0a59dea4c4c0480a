"""What can be said about the differences of compared runs: the same words and numbers on pages, in reports, sweeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ltviz.export.cells import aligned, listed, text
from ltviz.export.repeats import listed_at
from ltviz.export.results import Arm, Group, cell_name
from ltviz.export.told import told_in
from ltviz.metrics import MEASURES
from ltviz.metrics.comparison import (
    ENOUGH,
    FEWEST,
    Comparison,
    compare,
    correct,
    count,
    measure_name,
    p_words,
    scale_of,
    share_error,
)
from ltviz.metrics.judged import COMMON, NAMES, SHOT_OF

ACCURACIES = ("accuracy_all", "accuracy_many", "accuracy_medium", "accuracy_few")
HEADS = ("methods", "measure", "difference", "95 % interval", "corrected p", "seeds", "better")
"""Of the rows of `cells`."""


@dataclass(frozen=True)
class Finding:
    """One method minus another in one group of runs that can be compared."""

    group: Group
    comparison: Comparison


def against_baseline(
    groups: Sequence[Group], measures: Sequence[str] | None = None, judge: str = COMMON
) -> list[Finding]:
    """Every method minus the baseline of its group where both have a seed in common, p corrected for all of them. A
    difference that is the same at a smaller d (`ltviz.export.repeats`) is there, and not here once more.

    Args:
        measures: those that `told_in` gives of each group and `judge` where None.
    """

    def keys_of(group: Group) -> Sequence[str]:
        return [one.key for one in told_in("findings", [group], judge)] if measures is None else measures

    def repeated(group: Group, arm: Arm, measure: str) -> bool:
        both = {listed_at(group, one, measure, groups) for one in (arm, group.baseline_in(measure))}
        return None not in both and len(both) == 1

    pairs = [
        (group, compare_arms(group, arm, group.baseline_in(measure), measure))
        for group in groups
        for measure in keys_of(group)
        for arm in group.arms
        if arm is not group.baseline_in(measure) and not repeated(group, arm, measure)
    ]
    pairs = [(group, found) for group, found in pairs if found.difference is not None]
    corrected = correct([found for _, found in pairs])
    return [Finding(group, found) for (group, _), found in zip(pairs, corrected, strict=True)]


def between(group: Group, first: Arm, second: Arm, measures: Iterable[str] = MEASURES) -> list[Comparison]:
    """First minus second in every measure in which they have a seed in common, p corrected for all of them."""
    found = [compare_arms(group, first, second, measure) for measure in measures]
    return correct([one for one in found if one.difference is not None])


def compare_arms(group: Group, first: Arm, second: Arm, measure: str) -> Comparison:
    """First minus second over their seeds, the error pooled over the methods of the group; p is not corrected yet."""
    return compare(
        first.by_seed(measure),
        second.by_seed(measure),
        measure=measure,
        names=(first.label, second.label),
        beside=[arm.by_seed(measure) for arm in group.arms if arm is not first and arm is not second],
        image_error=shared_image_error(first, second, measure),
    )


def shared_image_error(first: Arm, second: Arm, measure: str) -> float:
    """Standard error of the mean difference of two accuracies from the test images that their seeds have in common.

    Images that only one seed was judged on are part of the scatter of seeds. What all seeds share cannot be seen there,
    however many they are: with v the variance of one seed's difference and r the share of its images that another seed
    has too, on average over pairs of seeds, it is r v. For a single seed it is all of v. 0 where nothing is known.
    """
    mine, theirs = first.runs_by_seed(measure), second.runs_by_seed(measure)
    variances, judged = [], []
    for seed in sorted(mine.keys() & theirs.keys()):
        images = mine[seed].images(measure)
        shares = [runs[seed].metrics[measure] for runs in (mine, theirs)]
        if images is None or not all(0 <= share <= 1 for share in shares):
            return 0.0
        variances.append(sum(share_error(share, [len(ids) for ids in images]) ** 2 for share in shares))
        judged.append(np.unique(np.concatenate(images)))
    if not variances:
        return 0.0
    overlaps = [
        len(np.intersect1d(a, b, assume_unique=True)) / np.sqrt(len(a) * len(b)) for a, b in combinations(judged, 2)
    ]
    return float(np.sqrt(np.mean(variances) * (np.mean(overlaps) if overlaps else 1.0)))


# ---------------------------------------------------------------------- words


def sentences(found: Sequence[Finding], where: Callable[[Group], str] = lambda group: "") -> list[str]:
    """What was found, one sentence each; what cannot be told apart, one a measure; what has too few seeds, one for all.

    Args:
        found: of `against_baseline`.
        where: names the setting of a group, "" where there is only one.
    """

    def place(group: Group) -> str:
        name = where(group)
        return f"{name}: " if name else ""

    said = [f"{place(one.group)}{one.comparison.sentence()}." for one in found if one.comparison.differs]
    open_ones: dict[tuple[str, str, str], list[Comparison]] = {}
    few: list[int] = []
    for one in found:
        it = one.comparison
        if it.corrected is None:
            few.append(it.n)
        elif not it.differs:
            open_ones.setdefault((place(one.group), it.measure, it.second), []).append(it)
    for (name, measure, second), them in open_ones.items():
        methods = listed([f"{it.first}'s" for it in them])
        seeds = min(it.n for it in them)
        over = f"{'only ' if seeds < ENOUGH else ''}{count(seeds, 'seed')}"
        said.append(f"{name}{methods} {measure_name(measure)} cannot be told from {second}'s over {over}.")
    if few:
        seeds = f"{min(few)} to {max(few)} seeds" if min(few) < max(few) else count(max(few), "seed")
        them = "the others" if said else "the methods"
        said.append(
            f"Too few seeds to tell {them} apart: {seeds}, and an interval needs {FEWEST}. "
            "The differences that were seen stand in the table."
        )
    return said


def notes(found: Sequence[Comparison]) -> list[str]:
    """How the intervals and p of these comparisons are meant, and what weakens them; sentences."""
    told = [one for one in found if one.p is not None]
    if not told:
        return []
    pooled = max(one.methods for one in told)
    how = "paired over seeds" if pooled == 2 else f"methods and seeds as blocks, error pooled over {pooled} methods"
    alone = "" if told[0].family == 1 else f", corrected (Holm) for the {told[0].family} comparisons shown together"
    said = [
        f"Intervals are 95 % for each difference by itself ({how}); p is the chance of as large a difference where "
        f"there is none{alone}, and one method is called better below 0.05."
    ]
    if any(one.image_error > 0 for one in told):
        said.append("Those of accuracies hold the error of test images that the seeds share, too.")
    if (least := min(one.n for one in told)) < ENOUGH:
        said.append(
            f"{count(least, 'seed').capitalize()} are few: real differences are easily missed, and those that are "
            f"found look larger than they are; {ENOUGH} or more tell more."
        )
    return said


def images_note(groups: Iterable[Group], measures: Iterable[str] = ACCURACIES) -> str:
    """On how many test images a run's accuracies rest and what error that leaves, a sentence; "" if none is known.
    Those of frames rest on the same images, whoever judged: the largest error is told."""
    parts: dict[str, tuple[set[int], float]] = {}
    arms = [arm for group in groups for arm in group.arms]
    for measure in (key for key in measures if key in SHOT_OF or key.startswith("final_accuracy_")):
        for result in (result for arm in arms for result in arm.results):
            share, images = result.metrics.get(measure), result.images(measure)
            if share is None or images is None or not 0 <= share <= 1:
                continue
            sizes = [len(ids) for ids in images]
            seen, most = parts.get(_group_of(measure), (set(), 0.0))
            parts[_group_of(measure)] = seen | {sum(sizes)}, max(most, share_error(share, sizes))
    told = [f"{shot} {_range(seen)} (± {100 * error:.1f})" for shot, (seen, error) in parts.items()]
    if not told:
        return ""
    return (
        f"Test images behind an accuracy of one run, and the standard error in points from them alone: {listed(told)}."
    )


def cells(found: Sequence[Finding]) -> list[tuple[str, ...]]:
    """A row of text for each finding, under `HEADS`."""
    return [
        (
            f"{one.comparison.first} − {one.comparison.second}",
            measure_name(one.comparison.measure),
            *_amounts(one.comparison),
            f"{one.comparison.wins} of {one.comparison.n}",
            one.comparison.better or "–",
        )
        for one in found
    ]


def as_json(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """The findings as JSON values in the measures' own units, one object each, with the settings of their group."""
    names = ("measure", "first", "second", "difference", "low", "high", "p", "corrected", "family", "wins", "n")
    return [
        {**one.group.shown, **{name: getattr(one.comparison, name) for name in (*names, "better", "level")}}
        for one in found
    ]


def markdown(groups: Sequence[Group], measures: Sequence[str] | None = None, judge: str = COMMON) -> str:
    """What differs in these groups, for a terminal: a table, the sentences and their notes; "" where nothing is held
    against a baseline. `measures` and `judge` as in `against_baseline`."""
    found = against_baseline(groups, measures, judge)
    if not found:
        return ""

    def where(group: Group) -> str:
        return cell_name(group) if len(groups) > 1 else ""

    heads = [*(["setting"] if len(groups) > 1 else []), *HEADS]
    rows = []
    for one, (method, *numbers, better) in zip(found, cells(found), strict=True):
        named = [text(name) for name in (*filter(None, [where(one.group)]), method)]
        rows.append([*named, *numbers, text(better)])
    said = [
        *sentences(found, where),
        *notes([one.comparison for one in found]),
        *filter(None, [images_note(groups, _accuracies_of(found))]),
    ]
    return "\n".join([aligned(heads, rows, len(heads) - 5), *said]) + "\n"


def _accuracies_of(found: Sequence[Finding]) -> list[str]:
    """The accuracies among the measures; the methods' own in frames where those are among them, or none is."""
    named = dict.fromkeys(one.comparison.measure for one in found if "accuracy" in one.comparison.measure)
    return [key for key in named if key not in ACCURACIES] or list(ACCURACIES)


def _amounts(found: Comparison) -> tuple[str, str, str]:
    """Difference, interval and p as text; a dash where there is none."""
    assert found.difference is not None
    factor, suffix, digits = scale_of(found.measure, found.difference)
    difference = f"{factor * found.difference:+.{digits}f}{suffix}"
    if found.low is None or found.high is None or found.corrected is None:
        return difference, "–", "–"
    interval = f"[{factor * found.low:+.{digits}f}, {factor * found.high:+.{digits}f}]"
    return difference, interval, p_words(found.corrected).removeprefix("p ").removeprefix("= ")


def _group_of(accuracy: str) -> str:
    """ "few" of accuracy_few and of accuracy_ncm_few_features, "few by nearest mean" of final_accuracy_few_ncm."""
    if accuracy in SHOT_OF:
        return SHOT_OF[accuracy]
    group, *judge = accuracy.removeprefix("final_").split("_")[1:]
    return " by ".join([group, *(NAMES[name] for name in judge)])


def _range(numbers: set[int]) -> str:
    return f"{min(numbers)}" if len(numbers) == 1 else f"{min(numbers)} to {max(numbers)}"
