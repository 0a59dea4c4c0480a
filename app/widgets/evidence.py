"""Everything under the stage of the compare page: alarms, numbers, sentences, charts, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from .. import words
from ..service.studio import Studio
from ..service.tail import LIVE
from .alarms import draw_alarms
from .comparison import Step, draw_difference, draw_findings, draw_table, read_compared
from .downloads import draw_downloads
from .gallery import draw_gallery
from .spaces import draw_spaces

LIVE_SECONDS = 4.0


def draw_evidence(studio: Studio, runs: Sequence[str], step: Step, titles: Mapping[str, str]) -> None:
    """Follows while one of the runs is live, and by itself: the stage above is never disturbed by it."""
    live = _live(studio, runs)
    st.fragment(_draw_evidence, run_every=LIVE_SECONDS if live else None)(studio, tuple(runs), step, dict(titles), live)


def _draw_evidence(
    studio: Studio, runs: Sequence[str], step: Step, titles: Mapping[str, str], live: frozenset[str]
) -> None:
    if _live(studio, runs) != live:
        st.rerun(scope="app")
    compared = read_compared(studio, runs, step)
    for reason in compared.left_out:
        st.text(words.compare.LEFT_OUT.format(reason=reason))
    if not compared.groups:
        st.caption(words.shared.CHARTS_EMPTY if live else words.shared.CHARTS_NONE)
        return
    draw_alarms(studio, compared, titles)
    groups, shown = draw_table(compared)
    draw_findings(groups, shown.judge)
    draw_difference(groups, shown)
    draw_spaces(compared)
    draw_gallery(compared, shown.judge)
    draw_downloads(compared, shown.judge)


def _live(studio: Studio, runs: Sequence[str]) -> frozenset[str]:
    return frozenset(run for run in runs if studio.hub.recording(run).status().state in LIVE)
