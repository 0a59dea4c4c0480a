"""What stands under the stage of opened files: all measures, and the ways on."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import streamlit as st

from ltviz.errors import LtvizError
from ltviz.export.results import Result, number, read_results
from ltviz.metrics import described
from ltviz.recording.estimate import MOST_MEASURED

from .. import words
from ..service.studio import Studio
from . import forms
from .downloads import maker
from .measured import errors_of, is_measured, measured
from .style import draw_heading
from .viewer import theme

STOPPED = "emb-stopped"


def read_runs(studio: Studio) -> list[str]:
    """The runs of the address that are there; a bad id is said."""
    asked = list(dict.fromkeys(filter(None, st.query_params.get("runs", "").split(","))))
    try:
        return [run for run in asked if studio.hub.recording(run).exists]
    except LtvizError as error:
        st.error(words.shared.BAD_RUNS.format(reason=forms.escape(str(error))))
        return []


def draw_opened(studio: Studio, runs: Sequence[str]) -> None:
    """The measures of each run's last step, and links to comparison and report."""
    studio.hub.want(runs)
    results, left_out = read_results(studio.hub.recording(run) for run in runs)
    for sentence in left_out:
        st.caption(forms.escape(sentence))
    left, right = st.columns([1, 1])
    left.page_link(
        "pages/compare.py",
        label=words.embeddings.COMPARE,
        icon=":material/compare:",
        query_params={"runs": ",".join(runs)},
    )
    right.download_button(
        words.embeddings.REPORT,
        maker("report", results, theme() or "light"),
        file_name=words.embeddings.REPORT_FILE,
        mime="text/html",
        key="emb-report",
        on_click="ignore",
        icon=":material/download:",
    )
    if (full := _all_measured(results)) is None:
        return
    draw_heading(words.embeddings.MEASURES)
    for result in full:
        if (points := _points(result)) > MOST_MEASURED:
            told = {"drawn": f"{MOST_MEASURED:,}", "points": f"{points:,}"}
            st.caption(words.embeddings.SAMPLED.format(title=forms.escape(result.info.title), **told))
    st.html(measure_table(full))


def _all_measured(results: Sequence[Result]) -> list[Result] | None:
    """All measures of the runs; None where a person has stopped the measuring of many points, which takes seconds."""
    if all(is_measured(result) or _points(result) <= MOST_MEASURED for result in results):
        with st.spinner(words.embeddings.MEASURING):
            return [measured(result) for result in results]
    if st.session_state.get(STOPPED):
        st.caption(words.embeddings.STOPPED)
        st.button(words.embeddings.MEASURE, key="emb-measure", on_click=_stop, args=(False,))
        return None
    # A press ends this run of the page at the next word to the bar.
    bar, button = st.empty(), st.empty()
    button.button(words.embeddings.STOP, key="emb-stop", on_click=_stop, args=(True,))
    full = []
    for done, result in enumerate(results):
        full.append(measured(result, lambda share, done=done: _tell(bar, (done + share) / len(results))))
    bar.empty()
    button.empty()
    return full


def _tell(bar: Any, share: float) -> None:
    bar.progress(min(1.0, share), words.embeddings.MEASURING)


def _stop(stopped: bool) -> None:
    st.session_state[STOPPED] = stopped


def _points(result: Result) -> int:
    return len(result.recording.probe.labels)


def measure_table(results: Sequence[Result]) -> str:
    """HTML of all measures: of one run a list, else a row each and a column a run. Names of runs are text."""
    keys = dict.fromkeys(key for result in results for key in result.metrics)
    known = [(key, about) for key in keys if (about := described(key)) is not None]
    if len(results) == 1:
        (result,) = results
        rows = "".join(
            f'<div><dt title="{html.escape(about.short, quote=True)}">{html.escape(about.title)}</dt>'
            f"<dd>{_value(result, key)}</dd></div>"
            for key, about in known
        )
        return f'<dl class="ltviz-measured">{rows}</dl>'
    heads = "".join(f"<th>{html.escape(result.info.title or result.recording.run_id)}</th>" for result in results)
    rows = "".join(
        f'<tr><th title="{html.escape(about.short, quote=True)}">{html.escape(about.title)}</th>'
        f"{''.join(f'<td>{_value(result, key)}</td>' for result in results)}</tr>"
        for key, about in known
    )
    head = f"<thead><tr><th></th>{heads}</tr></thead>"
    return f'<div class="ltviz-measures"><table>{head}<tbody>{rows}</tbody></table></div>'


def _value(result: Result, key: str) -> str:
    about = described(key)
    if about is None or key not in result.metrics:
        return ""
    # The error that drawing points leaves, here or in the frame as it was written.
    error = errors_of(result).get(key, result.metrics.get(f"{key}_error"))
    value = number(key, result.metrics[key])
    return html.escape(
        words.shared.with_unit(value if error is None else f"{value} ± {error_text(key, error)}", about.unit)
    )


def error_text(key: str, error: float) -> str:
    """An error in the unit of tables, to two digits."""
    about = described(key)
    return f"{error * (100 if about and about.unit == 'share' else 1):.2g}"
