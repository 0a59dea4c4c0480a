"""Sweeps that run under this home: how far each is, and its runs on the page as they come."""

from __future__ import annotations

import streamlit as st

from ltviz import launch

from .. import words
from ..service.studio import Studio
from .chooser import FOLLOW
from .style import draw_heading

BEAT_SECONDS, RESTING_SECONDS = 1.5, 5.0


def draw_sweeps(studio: Studio) -> None:
    """A line with a bar for each running sweep; follows by itself, and starts the page anew when a run has ended."""
    told = launch.sweeps(studio.home)
    st.session_state["sweep-pulse"] = _pulse(told)
    st.fragment(_draw_sweeps, run_every=BEAT_SECONDS if told else RESTING_SECONDS)(studio)


def _draw_sweeps(studio: Studio) -> None:
    told = launch.sweeps(studio.home)
    if _pulse(told) != st.session_state.get("sweep-pulse"):
        studio.relist()
        st.rerun(scope="app")
    if not told:
        return
    draw_heading(words.compare.SWEEPS)
    for sweep in told:
        said = words.compare.sweep_line(sweep.name, sweep.finished, sweep.failed, sweep.runs, sweep.seconds_left)
        st.progress(sweep.share)
        st.text(said)
        pressed = st.button(
            words.compare.WATCH_SWEEP,
            key=f"sweep-{sweep.pid}-{sweep.name}",
            on_click=_watch,
            args=(sweep.name,),
            help=words.compare.WATCH_SWEEP_HELP,
            width="stretch",
        )
        if pressed:
            # By itself the button would only draw this part again.
            st.rerun(scope="app")


def _watch(name: str) -> None:
    st.session_state["compare-tag"], st.session_state[FOLLOW] = [name], True


def _pulse(told: list[launch.SweepProgress]) -> tuple[tuple[str, int, int], ...]:
    """What the rest of the page depends on."""
    return tuple((sweep.name, sweep.finished, sweep.failed) for sweep in told)
