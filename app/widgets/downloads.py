"""Files to take away: the report of a comparison, and every number of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from ltviz.export import report, table
from ltviz.export.results import Result
from ltviz.metrics.judged import COMMON

from .. import words
from .comparison import Compared
from .style import draw_heading
from .viewer import theme

PLACES = {"report": "text/html", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
SUFFIXES = {"report": "html", "csv": "csv", "parquet": "parquet"}


def draw_downloads(compared: Compared, judge: str) -> None:
    """Three buttons; a file is made when its button is pressed, not before."""
    if not compared.results:
        return
    draw_heading(words.compare.TAKE_AWAY)
    st.caption(words.compare.TAKE_AWAY_NOTE)
    shade = theme() or "light"
    for place, kind in zip(st.columns(len(SUFFIXES)), SUFFIXES, strict=True):
        place.download_button(
            words.compare.DOWNLOADS[kind],
            maker(kind, compared.results, shade, judge),
            file_name=f"ltviz-comparison.{SUFFIXES[kind]}",
            mime=PLACES[kind],
            key=f"download-{kind}",
            on_click="ignore",
            width="stretch",
            icon=":material/download:",
        )


def maker(kind: str, results: Sequence[Result], shade: str, judge: str = COMMON) -> Callable[[], bytes]:
    """Gives the bytes of a file when called.

    Args:
        kind: "report", "csv" or "parquet".
        results: of the runs in it, at their last steps.
        shade: "light" or "dark", of a report.
        judge: of a report's accuracies.
    """

    def make() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"file.{SUFFIXES[kind]}"
            if kind == "report":
                report.write_report(path, [result.recording for result in results], theme=shade, judge=judge)
            elif kind == "csv":
                table.write_csv(path, results)
            else:
                table.write_parquet(path, results)
            return path.read_bytes()

    return make
