"""The parts of the compare page: choosing runs, and the table of their last frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st
from ltviz_app import forms, words
from ltviz_app.charts import name_runs, read_title
from ltviz_app.runlist import read_info
from ltviz_app.selection import Selection, choose
from ltviz_app.stream import MAX_RUNS
from ltviz_app.studio import Studio
from ltviz_app.style import draw_heading

from ltviz.metrics import MEASURES, Measure


def pick_runs(studio: Studio, shown: Selection) -> tuple[str, ...]:
    """The chooser; what is chosen goes into the address."""
    if shown.problem:
        st.error(shown.problem)
    every = [recording.run_id for recording in (*studio.recordings(), *studio.demo_recordings())]
    options = list(dict.fromkeys([*shown.runs, *every]))
    titles = {run: f"{read_title(studio, run)} · {run}" for run in options}
    draw_heading(words.RUNS)
    chosen = st.multiselect(
        words.COMPARE_PICK,
        options,
        default=shown.runs,
        format_func=lambda run: titles.get(run, run),
        max_selections=MAX_RUNS,
        label_visibility="collapsed",
    )
    st.caption(words.COMPARE_HELP)
    if tuple(chosen) != shown.runs and chosen:
        choose(chosen)
    return tuple(chosen)


def draw_table(studio: Studio, runs: Sequence[str]) -> None:
    """Every run's measures at its last recorded step, the best of each column in bold."""
    known = {run: info for run in runs if (info := read_info(studio.hub.recording(run))) is not None}
    titles = name_runs(known)
    rows = {titles[run]: last_metrics(studio.hub.recording(run).frame_metrics()) for run in known}
    rows = {title: row for title, row in rows.items() if row}
    measures = [MEASURES[key] for key in words.TABLE if any(key in row for row in rows.values())]
    if not rows or not measures:
        return
    draw_heading(words.LAST_FRAME)
    table = pd.DataFrame(
        [[row.get(measure.key) for measure in measures] for row in rows.values()],
        index=pd.Index(list(rows), name=words.RUN),
        columns=[measure.key for measure in measures],
    )
    table.insert(0, words.STEP, [int(row["step"]) for row in rows.values()])
    best = {measure.key: best_row(table[measure.key], measure) for measure in measures}
    styled = table.style.apply(
        lambda column: ["font-weight: 700" if title == best.get(column.name) else "" for title in column.index]
    )
    st.dataframe(styled, column_config={m.key: _column(m) for m in measures}, key="compare-table")


def last_metrics(frames: Mapping[int, Mapping[str, float]]) -> dict[str, float]:
    """The measures of the last frame and its step; empty where there is no frame."""
    if not frames:
        return {}
    step = max(frames)
    return {**frames[step], "step": step}


def best_row(values: pd.Series, measure: Measure) -> str | None:
    """Index of the best value of a column; None where no way is better, or all are equal."""
    values = values.dropna().astype(float)
    if measure.better is None or values.nunique() < 2:
        return None
    goodness = {"higher": values, "lower": -values, "near": -values.abs()}[measure.better]
    return str(goodness.idxmax())


def _column(measure: Measure):
    percent = measure.unit == "share"
    unit = "" if percent or not measure.unit else f" ({measure.unit})"
    hints = [measure.short, words.BETTER.get(measure.better or "", ""), measure.caution or ""]
    return st.column_config.NumberColumn(
        f"{words.TABLE[measure.key]}{unit}",
        help=" ".join(forms.escape(hint.rstrip(".") + ".") for hint in hints if hint),
        format="percent" if percent else "%.2f",
    )
