"""The numbers of the compare page: at which step, the summary table, and what can be said about differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import streamlit as st
from ltviz_app import forms, words
from ltviz_app.moments import at_step, measured, with_progress
from ltviz_app.studio import Studio
from ltviz_app.style import draw_heading
from ltviz_app.viewer import first_asked

from ltviz.export.results import Arm, Group, Result, best_of, group_results, number, read_results
from ltviz.export.results import shown as mean_and_deviation
from ltviz.metrics import MEASURES
from ltviz.metrics.comparison import Comparison

STEP_MODE, STEP_VALUE = "compare-step-mode", "compare-step"
BEST = "best"
"""Each run at the step at which its validation samples were classified best."""
JUDGE = "validation_all"
BASELINE = "ce"
FINDINGS = ("accuracy_few", "map_few", "centre_sum")
CHARACTER_PIXELS, CELL_PIXELS = 7, 20
"""What a character of the table takes, and the room around a cell's words."""
"""Measures in which every method is held against the baseline, in sentences."""


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
    results, left_out = read_results(studio.hub.recording(run) for run in runs)
    wanted = {id(result): best_step(result) if step == BEST else step for result in results}
    then = [early for result in results if (early := at_step(result, wanted[id(result)])) is not None]
    return Compared(tuple(results), tuple(group_results(then)), tuple(left_out), step)


def best_step(result: Result) -> int | None:
    """The first step with the best accuracy on validation samples; None (the last) where none was measured.

    Test samples have no say in it.
    """
    scores = {step: metrics[JUDGE] for step, metrics in result.frames.items() if JUDGE in metrics}
    return min(scores, key=lambda step: (-scores[step], step)) if scores else None


def pick_step(studio: Studio, runs: Sequence[str]) -> Step:
    """The step at which numbers and pictures are shown; None is the last of each run. The stage holds there too."""
    steps = sorted({step for run in runs for step in studio.hub.recording(run).steps()})
    if len(steps) < 2:
        return None
    asked = first_asked("step", int)
    if STEP_MODE not in st.session_state:
        st.session_state[STEP_MODE] = words.STEP_LAST if asked is None else words.STEP_CHOSEN
    left, middle, right = st.columns([4, 5, 3], vertical_alignment="bottom")
    judged = any(JUDGE in metrics for run in runs for metrics in studio.hub.recording(run).frame_metrics().values())
    modes = [words.STEP_LAST, words.STEP_CHOSEN, *([words.STEP_BEST] if judged else [])]
    if st.session_state[STEP_MODE] not in modes:
        st.session_state[STEP_MODE] = words.STEP_LAST
    mode = left.segmented_control(words.NUMBERS_AT, modes, key=STEP_MODE, help=words.STEP_HELP)
    right.button(
        words.STEP_FROM_STAGE,
        key="compare-step-stage",
        on_click=_take_step,
        args=(steps,),
        help=words.STEP_FROM_STAGE_HELP,
        width="stretch",
    )
    if mode == words.STEP_BEST:
        middle.caption(words.STEP_BEST_NOTE)
        return BEST
    if mode != words.STEP_CHOSEN:
        middle.caption(words.STEP_LAST_NOTE)
        return None
    if st.session_state.get(STEP_VALUE) not in steps:
        wanted = asked if st.session_state.get(STEP_VALUE) is None else st.session_state[STEP_VALUE]
        st.session_state[STEP_VALUE] = nearest(steps, wanted)
    return middle.select_slider(words.STEP, steps, key=STEP_VALUE)


def _take_step(steps: Sequence[int]) -> None:
    """The stage writes the step it holds into the address; there is none while it plays."""
    st.session_state.get("asked", {}).pop("step", None)
    held = first_asked("step", int)
    if held is not None:
        st.session_state[STEP_MODE], st.session_state[STEP_VALUE] = words.STEP_CHOSEN, nearest(steps, held)


def nearest(steps: Sequence[int], wanted: int | None) -> int:
    """The newest of the steps at or before one, as the stage shows it; the last where none is wanted."""
    return steps[-1] if wanted is None else max((step for step in steps if step <= wanted), default=steps[0])


# ---------------------------------------------------------------------- the table


def draw_table(compared: Compared) -> tuple[Group, ...]:
    """Every method's means over its seeds, or every run; gives the groups, with all measures where they were asked."""
    heads = {None: words.SUMMARY, BEST: words.SUMMARY_BEST}
    draw_heading(heads.get(compared.step) or words.SUMMARY_AT.format(step=compared.step))
    left, right = st.columns([1, 1])
    rows = left.segmented_control(
        words.ROWS, words.ROW_KINDS, default=words.ROW_KINDS[0], key="compare-rows", label_visibility="collapsed"
    )
    scope = right.segmented_control(
        words.MEASURES, words.SCOPES, default=words.SCOPES[0], key="compare-scope", label_visibility="collapsed"
    )
    groups = compared.groups
    if scope == words.SCOPES[1]:
        groups = measure_fully(compared)
    per_run = rows == words.ROW_KINDS[1]
    shown = [_split(group) if per_run else group for group in groups]
    has = {key for group in shown for arm in group.arms for key in MEASURES if arm.mean(key) is not None}
    keys = [key for key in (words.TABLE if scope != words.SCOPES[1] else MEASURES) if key in has]
    if keys:
        table, styled, widths = summarise(shown, keys, per_run)
        st.dataframe(styled, column_config=_columns(table, widths), hide_index=True, key="compare-table")
        st.caption(words.TABLE_NOTE if not per_run else words.TABLE_NOTE_RUNS)
    return groups


def measure_fully(compared: Compared) -> tuple[Group, ...]:
    """The groups with the measures that are too slow for a live frame."""
    then = [result for group in compared.groups for arm in group.arms for result in arm.results]
    return tuple(group_results([measured(result) for result in with_progress(then, words.MEASURING)]))


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
            about = {} if per_run else {words.SEEDS: len(arm.results)}
            about |= {words.STEP: max(steps)}
            rows.append({words.METHOD: arm.label, **fixed, **about, **{key: arm.mean(key) for key in keys}})
            told.append({key: _tell(arm, best[key], key) for key in keys})
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


def _tell(arm: Arm, best: Arm | None, key: str) -> str:
    mean, goal = arm.mean(key), None if best is None else best.mean(key)
    text = mean_and_deviation(arm, key)
    if mean is None or goal is None or best is arm:
        return text
    return f"{text}  ({'+' if mean > goal else '−'}{number(key, abs(mean - goal))})"


def _split(group: Group) -> Group:
    """Every run of a group as an arm of its own."""
    arms = []
    for arm in group.arms:
        for result in arm.results:
            seed = "" if result.info.seed is None else f" · {words.SEED.format(seed=result.info.seed)}"
            arms.append(Arm(arm.cell, f"{arm.label}{seed}", arm.method, (result,)))
    return Group(group.shown, tuple(arms))


def _columns(table: pd.DataFrame, widths: Mapping[str, int]) -> dict[str, Any]:
    config: dict[str, Any] = {words.METHOD: st.column_config.TextColumn(words.METHOD, pinned=True)}
    config |= {name: words.CELLS[name] for name in table.columns if name in words.CELLS}
    for key, characters in widths.items():
        measure = MEASURES[key]
        head = f"{words.TABLE.get(key, measure.title)}{words.UNITS.get(measure.unit, '')}"
        hints = [measure.short, words.BETTER.get(measure.better or "", ""), measure.caution or ""]
        config[key] = st.column_config.NumberColumn(
            head,
            # Streamlit measures the number and not the words that stand for it, and would cut them.
            width=CELL_PIXELS + CHARACTER_PIXELS * max(characters, len(head)),
            help=" ".join(forms.escape(hint.rstrip(".") + ".") for hint in hints if hint),
        )
    return config


# ---------------------------------------------------------------------- differences


def draw_findings(groups: Sequence[Group]) -> None:
    """In plain sentences: every method against the baseline, over the seeds that both have."""
    said: list[str] = []
    cautions: dict[str, None] = {}
    for group in groups:
        for found in findings(group):
            where = f"{cell_name(group, groups)}: " if len(groups) > 1 else ""
            said.append(f"{where}{found.sentence()}.")
            cautions |= dict.fromkeys([found.caution] if found.caution else [])
    if not said:
        return
    draw_heading(words.FINDINGS)
    for sentence in said:
        st.text(sentence)
    st.caption(forms.escape(" ".join([words.INTERVAL_NOTE, *cautions])))


def findings(group: Group) -> list[Comparison]:
    """Every other arm minus the baseline, in the measures that both have."""
    baseline = next((arm for arm in group.arms if arm.method == BASELINE), group.arms[0])
    others = [arm for arm in group.arms if arm is not baseline]
    found = [arm.against(baseline, key) for key in FINDINGS for arm in others]
    return [one for one in found if one.difference is not None]


def draw_difference(groups: Sequence[Group]) -> None:
    """One method minus another, measure by measure, with intervals over the seeds that both have."""
    pairs = {
        (number, arm.label): (group, arm)
        for number, group in enumerate(groups)
        for arm in group.arms
        if len(group.arms) > 1
    }
    if not pairs:
        return
    draw_heading(words.DIFFERENCE)
    options = list(pairs)

    def name(key: tuple[int, str]) -> str:
        return key[1] + (f" · {cell_name(pairs[key][0], groups)}" if len(groups) > 1 else "")

    left, right = st.columns(2)
    first = left.selectbox(words.FIRST, options, index=len(options) - 1, format_func=name, key="compare-first")
    others = [key for key in options if key[0] == first[0] and key != first]
    second = right.selectbox(words.SECOND, others, format_func=name, key="compare-second")
    if second is None:
        return
    table = difference_table(pairs[first][1], pairs[second][1])
    if table.empty:
        st.caption(words.NO_COMMON_SEED)
        return
    st.dataframe(table, column_config=_difference_columns(), hide_index=True, key="compare-difference")
    st.caption(words.DIFFERENCE_NOTE)


def difference_table(first: Arm, second: Arm) -> pd.DataFrame:
    """A row a measure: both means, the paired difference with its interval, in how many seeds, and who is better."""
    rows = []
    for key, measure in MEASURES.items():
        found = first.against(second, key)
        if found.difference is None:
            continue
        factor = 100 if measure.unit == "share" else 1
        values = [first.mean(key), second.mean(key), found.difference, found.low, found.high]
        rows.append(
            [
                f"{measure.title}{words.UNITS.get(measure.unit, '')}",
                *(None if value is None else factor * value for value in values),
                words.OF.format(some=found.wins, all=found.n),
                words.clearly(found.better, found.is_clear),
            ]
        )
    return pd.DataFrame(rows, columns=list(words.DIFFERENCE_COLUMNS))


def _difference_columns() -> dict[str, Any]:
    heads = words.DIFFERENCE_COLUMNS
    names = list(heads)
    numbers = {name: st.column_config.NumberColumn(heads[name], format="%.3g") for name in names[1:6]}
    return {name: st.column_config.TextColumn(heads[name]) for name in (*names[:1], *names[6:])} | numbers


def telling(groups: Sequence[Group]) -> list[str]:
    """The settings that tell groups apart."""
    return [name for name in groups[0].shown if len({str(group.shown[name]) for group in groups}) > 1]


def cell_name(group: Group, groups: Sequence[Group]) -> str:
    """What tells the runs of a group from those of the others, in a few words."""
    said = {name: _plain(group.shown[name]) for name in telling(groups)}
    return ", ".join(
        value if name == "data" else f"{words.CELLS.get(name, name.replace('_', ' ')).lower()} {value}"
        for name, value in said.items()
    )


def _plain(value: Any) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, int | float) else str(value)
