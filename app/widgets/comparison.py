"""The numbers of the compare page: at which step, the summary table, and what can be said about differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import streamlit as st

from ltviz.export import basis, findings, repeats
from ltviz.export.results import Arm, Group, Result, best_of, group_results, number, read_results
from ltviz.export.told import judges_of, told_in
from ltviz.metrics import FINAL, MEASURES, Measure, described
from ltviz.metrics.comparison import Comparison
from ltviz.metrics.judged import COMMON

from .. import words
from ..service.studio import Studio
from . import forms, trust
from .measured import at_step, measured, with_progress
from .style import draw_heading
from .viewer import first_asked

STEP_MODE, STEP_VALUE = "compare-step-mode", "compare-step"
BEST = "best"
"""Each run at the step at which its validation samples were classified best."""
VALIDATION = "validation_all"
JUDGE = "judge"
"""In the address: who judges the accuracies."""
CHARACTER_PIXELS, CELL_PIXELS = 7, 20
"""What a character of the table takes, and the room around a cell's words."""

Step = int | Literal["best"] | None


@dataclass(frozen=True)
class Compared:
    """The chosen runs at the chosen step."""

    results: tuple[Result, ...]
    """At their last recorded step."""
    groups: tuple[Group, ...]
    """At the chosen step; runs of one group can be compared."""
    left_out: tuple[str, ...]
    step: Step
    """None: each run at its last."""


def read_compared(studio: Studio, runs: Sequence[str], step: Step) -> Compared:
    """The runs of the stage that have frames, sorted for comparison."""
    studio.hub.want(runs)
    results, left_out = read_results(studio.hub.recording(run) for run in runs)
    wanted = {id(result): best_step(result) if step == BEST else step for result in results}
    then = [early for result in results if (early := at_step(result, wanted[id(result)])) is not None]
    return Compared(tuple(results), tuple(group_results(then)), tuple(left_out), step)


def best_step(result: Result) -> int | None:
    """The first step with the best accuracy on validation samples; None (the last) where none was measured.

    Test samples have no say in it.
    """
    scores = {step: metrics[VALIDATION] for step, metrics in result.frames.items() if VALIDATION in metrics}
    return min(scores, key=lambda step: (-scores[step], step)) if scores else None


def pick_step(studio: Studio, runs: Sequence[str]) -> Step:
    """The step at which numbers and pictures are shown; None is the last of each run. The stage holds there too."""
    steps = sorted({step for run in runs for step in studio.hub.recording(run).steps()})
    if len(steps) < 2:
        return None
    asked = first_asked("step", int)
    if STEP_MODE not in st.session_state:
        st.session_state[STEP_MODE] = words.compare.STEP_LAST if asked is None else words.compare.STEP_CHOSEN
    left, middle, right = st.columns([4, 5, 3], vertical_alignment="bottom")
    kinds = (names for run in runs for names in studio.hub.recording(run).frame_metrics().kinds())
    judged = any(VALIDATION in names for names in kinds)
    modes = [words.compare.STEP_LAST, words.compare.STEP_CHOSEN, *([words.compare.STEP_BEST] if judged else [])]
    if st.session_state[STEP_MODE] not in modes:
        st.session_state[STEP_MODE] = words.compare.STEP_LAST
    mode = left.segmented_control(words.compare.NUMBERS_AT, modes, key=STEP_MODE, help=words.compare.STEP_HELP)
    right.button(
        words.compare.STEP_FROM_STAGE,
        key="compare-step-stage",
        on_click=_take_step,
        args=(steps,),
        help=words.compare.STEP_FROM_STAGE_HELP,
        width="stretch",
    )
    if mode == words.compare.STEP_BEST:
        middle.caption(words.compare.STEP_BEST_NOTE)
        return BEST
    if mode != words.compare.STEP_CHOSEN:
        middle.caption(words.compare.STEP_LAST_NOTE)
        return None
    if st.session_state.get(STEP_VALUE) not in steps:
        wanted = asked if st.session_state.get(STEP_VALUE) is None else st.session_state[STEP_VALUE]
        st.session_state[STEP_VALUE] = nearest(steps, wanted)
    return middle.select_slider(words.compare.STEP, steps, key=STEP_VALUE)


def _take_step(steps: Sequence[int]) -> None:
    """The stage writes the step it holds into the address; there is none while it plays."""
    st.session_state.get("asked", {}).pop("step", None)
    held = first_asked("step", int)
    if held is not None:
        st.session_state[STEP_MODE], st.session_state[STEP_VALUE] = words.compare.STEP_CHOSEN, nearest(steps, held)


def nearest(steps: Sequence[int], wanted: int | None) -> int:
    """The newest of the steps at or before one, as the stage shows it; the last where none is wanted."""
    return steps[-1] if wanted is None else max((step for step in steps if step <= wanted), default=steps[0])


# ---------------------------------------------------------------------- the table


@dataclass(frozen=True)
class TableChoice:
    """What the table shows, which the sentences and numbers below it follow."""

    judge: str
    keys: tuple[str, ...]
    """The measures, in order."""


def draw_table(compared: Compared) -> tuple[tuple[Group, ...], TableChoice]:
    """Every method's means over its seeds, or every run; gives the groups, with all measures where they were asked."""
    heads = {None: words.compare.SUMMARY, BEST: words.compare.SUMMARY_BEST}
    draw_heading(heads.get(compared.step) or words.compare.SUMMARY_AT.format(step=compared.step))
    left, middle, right = st.columns([3, 4, 4], vertical_alignment="bottom")
    rows = left.segmented_control(
        words.compare.ROWS,
        words.compare.ROW_KINDS,
        default=words.compare.ROW_KINDS[0],
        key="compare-rows",
        label_visibility="collapsed",
    )
    scope = middle.segmented_control(
        words.compare.MEASURES,
        words.compare.SCOPES,
        default=words.compare.SCOPES[0],
        key="compare-scope",
        label_visibility="collapsed",
    )
    groups = compared.groups
    with right:
        judge = pick_judge(judges_of(groups))
    keys = [one.key for one in told_in("table", groups, judge)]
    if scope == words.compare.SCOPES[1]:
        groups = measure_fully(compared)
        has = {
            key for group in groups for arm in group.arms for key in (*FINAL, *MEASURES) if arm.mean(key) is not None
        }
        keys = list(dict.fromkeys([*keys, *(key for key in (*FINAL, *MEASURES) if key in has)]))
    per_run = rows == words.compare.ROW_KINDS[1]
    shown = [_split(group) if per_run else group for group in groups]
    if keys:
        table, styled, widths = summarise(shown, keys, per_run)
        st.dataframe(styled, column_config=_columns(table, widths), hide_index=True, key="compare-table")
        _draw_notes(groups, keys, judge, per_run)
        for sentence in trust.sentences(groups, keys):
            st.text(sentence)
        st.page_link("pages/evidence.py", label=words.evidence.COURT_TITLE)
    return groups, TableChoice(judge, tuple(keys))


def pick_judge(judges: Sequence[str]) -> str:
    """Who judges the accuracies; the common judge where the address names no other. Drawn where there is a choice."""
    if len(judges) < 2:
        return judges[0] if judges else COMMON
    asked = st.query_params.get(JUDGE)
    judge = st.selectbox(
        words.compare.JUDGED_BY,
        judges,
        index=judges.index(asked) if asked in judges else 0,
        format_func=words.compare.JUDGES.__getitem__,
        key="compare-judge",
        help=words.compare.JUDGED_BY_HELP,
    )
    if judge == judges[0]:
        st.query_params.pop(JUDGE, None)
    elif judge != asked:
        st.query_params[JUDGE] = judge
    return judge


def _draw_notes(groups: Sequence[Group], keys: Sequence[str], judge: str, per_run: bool) -> None:
    """What one must know to read the table: what its numbers are, who judged, on what, and what is not alike."""
    said = [
        words.compare.TABLE_NOTE_RUNS if per_run else words.compare.TABLE_NOTE,
        basis.judge_note(groups, judge),
        findings.images_note(groups, keys),
        basis.readout_note(groups),
        repeats.repeats_note(groups, keys),
    ]
    st.caption(forms.escape(" ".join(filter(None, said))))
    for note in dict.fromkeys(basis.images_seen_note(basis.images_a_step(group)) for group in groups):
        if note:
            st.text(note)


def _of(key: str) -> Measure:
    """What is declared of a measure that a table shows."""
    found = described(key)
    assert found is not None, key
    return found


def measure_fully(compared: Compared) -> tuple[Group, ...]:
    """The groups with the measures that are too slow for a live frame."""
    then = [result for group in compared.groups for arm in group.arms for result in arm.results]
    return tuple(group_results([measured(result) for result in with_progress(then, words.compare.MEASURING)]))


def summarise(groups: Sequence[Group], keys: Sequence[str], per_run: bool) -> tuple[pd.DataFrame, Any, dict[str, int]]:
    """A table to sort, the same with words (mean, spread over seeds, distance to the best, which is bold), and how many
    characters the words of each measure need."""
    cells = telling(groups)
    rows, told, bold = [], [], []
    for group in groups:
        best = {key: best_of(group.arms, key) for key in keys}
        for arm in group.arms:
            fixed = {name: group.shown[name] for name in cells}
            steps = [result.step for result in arm.results if result.step is not None]
            about = {} if per_run else {words.compare.SEEDS: len(arm.results)}
            about |= {words.compare.STEP: max(steps)}
            rows.append({words.compare.METHOD: arm.label, **fixed, **about, **{key: arm.mean(key) for key in keys}})
            told.append({key: _tell(group, arm, best[key], key, groups) for key in keys})
            bold.append({key: best[key] is arm for key in keys})
    table = pd.DataFrame(rows)
    styled = table.style.apply(
        lambda column: ["font-weight: 700" if marks.get(column.name) else "" for marks in bold], axis=0
    )
    styled = styled.format(_plain, subset=cells)
    for row, line in enumerate(told):
        for key in keys:
            styled = styled.format(lambda _, text=line[key]: text, subset=pd.IndexSlice[[row], [key]])
    return table, styled, {key: max(len(line[key]) for line in told) for key in keys}


def _tell(group: Group, arm: Arm, best: Arm | None, key: str, groups: Sequence[Group]) -> str:
    mean, goal = arm.mean(key), None if best is None else best.mean(key)
    text = repeats.shown_once(group, arm, key, groups)
    if mean is None or goal is None or best is arm or repeats.listed_at(group, arm, key, groups) is not None:
        return text
    away = number(key, abs(mean - goal))
    return f"{text}  ({'+' if mean > goal else '−'}{away})" if away.strip("0.") else text


def _split(group: Group) -> Group:
    """Every run of a group as an arm of its own."""
    arms = []
    for arm in group.arms:
        for result in arm.results:
            seed = "" if result.info.seed is None else f" · {words.shared.SEED.format(seed=result.info.seed)}"
            arms.append(Arm(arm.cell, f"{arm.label}{seed}", arm.method, (result,)))
    return Group(group.shown, tuple(arms))


def _columns(table: pd.DataFrame, widths: Mapping[str, int]) -> dict[str, Any]:
    config: dict[str, Any] = {words.compare.METHOD: st.column_config.TextColumn(words.compare.METHOD, pinned=True)}
    config |= {name: words.compare.CELLS[name] for name in table.columns if name in words.compare.CELLS}
    for key, characters in widths.items():
        measure = _of(key)
        head = f"{measure.label_in('table')}{words.compare.UNITS.get(measure.unit, '')} {measure.arrow}".rstrip()
        hints = [measure.short, words.compare.BETTER.get(measure.better or "", ""), measure.caution or ""]
        config[key] = st.column_config.NumberColumn(
            head,
            # Streamlit measures the number and not the words that stand for it, and would cut them.
            width=CELL_PIXELS + CHARACTER_PIXELS * max(characters, len(head)),
            help=" ".join(forms.escape(hint.rstrip(".") + ".") for hint in hints if hint),
        )
    return config


# ---------------------------------------------------------------------- differences


def draw_findings(groups: Sequence[Group], judge: str) -> None:
    """Every method against the baseline, over the seeds that both have: in plain sentences, and in numbers."""
    found = findings.against_baseline(groups, judge=judge)
    if not found:
        return
    draw_heading(words.compare.FINDINGS)
    for sentence in findings.sentences(found, lambda group: cell_name(group, groups) if len(groups) > 1 else ""):
        st.text(sentence)
    heads = {"setting": words.compare.GROUP} if len(groups) > 1 else {}
    heads |= {"method": words.compare.METHOD}
    rows = [
        {"setting": cell_name(one.group, groups), "method": f"{one.comparison.first} − {one.comparison.second}"}
        for one in found
    ]
    comparisons = [one.comparison for one in found]
    _draw_comparisons(comparisons, [{name: row[name] for name in heads} for row in rows], heads, "compare-findings")
    st.caption(forms.escape(" ".join([words.compare.COMPARED_NOTE, *findings.notes(comparisons)])))


def draw_difference(groups: Sequence[Group], shown: TableChoice) -> None:
    """One method minus another in the measures of the table, with intervals over the seeds that both have."""
    pairs = {
        (number, arm.label): (group, arm)
        for number, group in enumerate(groups)
        for arm in group.arms
        if len(group.arms) > 1
    }
    if not pairs:
        return
    draw_heading(words.compare.DIFFERENCE)
    options = list(pairs)

    def name(key: tuple[int, str]) -> str:
        return key[1] + (f" · {cell_name(pairs[key][0], groups)}" if len(groups) > 1 else "")

    left, right = st.columns(2)
    first = left.selectbox(words.compare.FIRST, options, index=len(options) - 1, format_func=name, key="compare-first")
    others = [key for key in options if key[0] == first[0] and key != first]
    second = right.selectbox(words.compare.SECOND, others, format_func=name, key="compare-second")
    if second is None:
        return
    group, one, other = pairs[first][0], pairs[first][1], pairs[second][1]
    found = findings.between(group, one, other, shown.keys)
    if not found:
        st.caption(words.compare.NO_COMMON_SEED)
        return
    means = [{"first": _scaled(one, it.measure), "second": _scaled(other, it.measure)} for it in found]
    _draw_comparisons(found, means, {"first": one.label, "second": other.label}, "compare-difference")
    family = max(one.family for one in found)
    told = any(one.p is not None for one in found)
    st.caption(
        f"{words.compare.DIFFERENCE_NOTE} {words.compare.corrected_here(family) if told else words.compare.NO_INTERVAL}"
    )


def _scaled(arm: Arm, key: str) -> float | None:
    mean = arm.mean(key)
    return None if mean is None else _factor(key) * mean


def _factor(key: str) -> int:
    return 100 if _of(key).unit == "share" else 1


def _draw_comparisons(
    found: Sequence[Comparison], fixed: Sequence[Mapping[str, Any]], heads: Mapping[str, str], key: str
) -> None:
    """A table of comparisons, a row each, with columns of its own between measure and difference."""
    table = comparison_table(found, fixed)
    names = {**words.compare.COMPARED, **heads}
    config: dict[str, Any] = {
        name: st.column_config.TextColumn(names[name])
        if name in ("measure", "setting", "method", "seeds", "better")
        else st.column_config.NumberColumn(names[name], format="%.2g" if name == "p" else "%.3g")
        for name in table.columns
    }
    st.dataframe(table, column_config=config, hide_index=True, placeholder="", key=key)


def comparison_table(found: Sequence[Comparison], fixed: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A row a comparison: its measure, what is `fixed`, difference, interval, corrected p, in how many seeds, and who
    is better. Columns in which no row has anything are left out; a number that is missing is shown as nothing."""
    rows = []
    for one, own in zip(found, fixed, strict=True):
        measure, factor = _of(one.measure), _factor(one.measure)
        title = f"{measure.title}{words.compare.UNITS.get(measure.unit, '')} {measure.arrow}".rstrip()
        numbers = {"difference": one.difference, "low": one.low, "high": one.high}
        rows.append(
            {"measure": title, **own}
            | {name: None if value is None else factor * value for name, value in numbers.items()}
            | {"p": one.corrected, "seeds": words.compare.OF.format(some=one.wins, all=one.n) if one.n > 1 else None}
            | {"better": one.better or (words.compare.DIFFERS if one.differs else None)}
        )
    return pd.DataFrame(rows).dropna(axis="columns", how="all")


def telling(groups: Sequence[Group]) -> list[str]:
    """The settings that tell groups apart."""
    return [name for name in groups[0].shown if len({str(group.shown[name]) for group in groups}) > 1]


def cell_name(group: Group, groups: Sequence[Group]) -> str:
    """What tells the runs of a group from those of the others, in a few words."""
    said = {name: _plain(group.shown[name]) for name in telling(groups)}
    return ", ".join(
        value if name == "data" else f"{words.compare.CELLS.get(name, name.replace('_', ' ')).lower()} {value}"
        for name, value in said.items()
    )


def _plain(value: Any) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, int | float) else str(value)
