"""Tables of compared runs for terminals and programs: means over seeds, a row for each method of each cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ltviz.export.cells import aligned, text
from ltviz.export.repeats import shown_once
from ltviz.export.results import Group, best_of, head
from ltviz.export.told import told_in
from ltviz.metrics import shown_at_end, shown_in
from ltviz.metrics.judged import COMMON, JUDGES


def markdown(groups: Sequence[Group], measures: Sequence[str] | None = None, judge: str = COMMON) -> str:
    """A table: a row for each method of each cell, mean and standard deviation over seeds, the best mean in bold.

    Without `measures` it has the columns of a summary, accuracies by `judge` (`told_in`); a second table follows where
    some samples have several labels.
    """
    if not groups:
        return "no finished runs\n"
    if measures is None:
        return "\n".join(markdown(kind, columns) for kind, columns in summaries(groups, judge))
    names = list(groups[0].shown)
    heads = [*(name.replace("_", " ") for name in names), "method", "seeds", *(head(key) for key in measures)]
    rows = []
    for group in groups:
        best = {key: best_of(group.arms, key) for key in measures}
        for arm in group.arms:
            cells = [text(group.shown[name]) for name in names]
            told = {key: shown_once(group, arm, key, groups) for key in measures}
            values = [f"**{told[key]}**" if best[key] is arm else told[key] for key in measures]
            rows.append([*cells, text(arm.label), str(len(arm.results)), *values])
    return aligned(heads, rows, len(names) + 1)  # seeds and measures stand to the right


def as_json(groups: Sequence[Group], measures: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The same table as JSON values: one object a row, {"mean", "sd", "values": {seed: value}} for each measure; for
    those of a summary, by every judge, where `measures` is None."""
    if measures is None:
        told = (one for judge in JUDGES for one in (*shown_in("summary", judge), *shown_at_end("summary", judge)))
        measures = list(dict.fromkeys(one.key for one in told))
    return [
        {
            **group.shown,
            "method": arm.method,
            "label": arm.label,
            "seeds": arm.seeds,
            **{
                key: {"mean": arm.mean(key), "sd": arm.deviation(key), "values": arm.by_seed(key)}
                for key in measures
                if arm.mean(key) is not None
            },
        }
        for group in groups
        for arm in group.arms
    ]


def summaries(groups: Sequence[Group], judge: str = COMMON) -> list[tuple[list[Group], tuple[str, ...]]]:
    """The groups whose samples have one label, and those with several, each with its columns; empty kinds left out."""
    telling = [one.key for one in shown_in("summary") if one.samples == "several labels"]
    several = [g for g in groups if any(arm.mean(key) is not None for key in telling for arm in g.arms)]
    single = [g for g in groups if g not in several]
    return [
        (found, tuple(one.key for one in told_in("summary", found, judge) if one.samples in ("any", samples)))
        for found, samples in ((single, "one label"), (several, "several labels"))
        if found
    ]
