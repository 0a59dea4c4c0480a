"""What stands under the stage of opened files: all measures, and the ways on."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from ltviz.errors import LtvizError
from ltviz.export.results import Result, number, read_results
from ltviz.metrics import described
from ltviz.recording.measured import MOST_MEASURED

from .. import words
from ..service.studio import Studio
from . import forms
from .downloads import maker
from .measured import measured
from .style import draw_heading
from .viewer import theme


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
    with st.spinner(words.embeddings.MEASURING):
        full = [measured(result) for result in results]
    draw_heading(words.embeddings.MEASURES)
    for result in full:
        if (points := len(result.recording.probe.labels)) > MOST_MEASURED:
            told = {"drawn": f"{MOST_MEASURED:,}", "points": f"{points:,}"}
            st.caption(words.embeddings.SAMPLED.format(title=forms.escape(result.info.title), **told))
    st.html(measure_table(full))


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
    return html.escape(words.shared.with_unit(number(key, result.metrics[key]), about.unit))
