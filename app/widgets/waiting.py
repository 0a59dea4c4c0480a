"""What waits to be trained: the order in which it will be, the buttons that change it, and how full each device is."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

import streamlit as st

from ltviz import launch
from ltviz.data import registry as data_registry
from ltviz.errors import LtvizError
from ltviz.figures import palette

from .. import words
from ..service.studio import Studio
from . import forms
from .style import draw_heading

MOST = 20
"""Jobs that are drawn; the others are counted."""
_REFUSED = "waiting-refused"


def draw_waiting(studio: Studio) -> None:
    """The queue, where something waits behind something else, and the devices where there are any."""
    uses, waiting = studio.supervisor.uses(), studio.supervisor.waiting()
    busy = any(place == "claimed" for _, place, _ in launch.jobs(studio.home))
    for number, use in enumerate(uses if busy or waiting else ()):
        st.caption(forms.escape(words.lab.device_line(number, use.device.title, use.taken, use.device.bytes, use.jobs)))
    if not waiting or not busy:
        return  # it is taken in a moment
    draw_heading(words.lab.WAITING)
    if refused := st.session_state.pop(_REFUSED, None):
        st.error(forms.escape(refused))
    with st.container(key="waiting", gap=None):
        for job, need in waiting[:MOST]:
            with st.container(key=f"run-waiting-{job.job_id}", gap=None):
                _draw_job(studio, job, need, [one.job_id for one, _ in waiting])
    if len(waiting) > MOST:
        st.caption(words.lab.more_waiting(len(waiting) - MOST))


def _draw_job(studio: Studio, job: launch.Job, need: int | None, order: Sequence[str]) -> None:
    """A row of the queue; `order` are the ids of the jobs that wait."""
    at = order.index(job.job_id)
    titles = [studio.method(run.method).get("card", {}).get("title") or run.method for run in job.runs]
    dots = "".join(f'<i style="background:{palette.method_colour(run.method)}"></i>' for run in job.runs[:6])
    said = words.lab.waiting_line(at + 1, _data(job), need)
    acts = studio.may_train
    name, *places = st.columns([6, 1, 1, 1, 1] if acts else [1], gap="xxsmall", vertical_alignment="center")
    name.html(
        f'<div class="ltviz-run"><div><b>{html.escape(", ".join(titles))}</b> '
        f'<small><span class="ltviz-dots">{dots}</span>{html.escape(said)}</small></div></div>'
    )
    if not acts:
        return
    # Each says where to as it was seen, so that a press that comes late, or twice, does nothing else.
    move, cancel, last = studio.supervisor.move, studio.supervisor.cancel, len(order) - 1
    buttons: tuple[tuple[str, str, str, Callable[..., object], tuple[str, ...]], ...] = (
        ("first", ":material/vertical_align_top:", words.lab.TO_FRONT, move, (job.job_id, order[0]) if at else ()),
        ("up", ":material/arrow_upward:", words.lab.UP, move, (job.job_id, order[at - 1]) if at else ()),
        (
            "down",
            ":material/arrow_downward:",
            words.lab.DOWN,
            move,
            (order[at + 1], job.job_id) if at < last else (),
        ),
        ("cancel", ":material/close:", words.lab.CANCEL, cancel, (job.job_id,)),
    )
    for place, (act, icon, told, does, asked) in zip(places, buttons, strict=True):
        place.button(
            icon,
            key=f"waiting-{act}-{job.job_id}",
            help=told,
            type="tertiary",
            disabled=not asked,
            on_click=_try,
            args=(does, *asked),
        )


def _data(job: launch.Job) -> str:
    """Title of its data set; nothing for a job that goes on with runs, which say it themselves."""
    name = str(job.run.get("data") or "")
    found = data_registry.sources().get(name)
    return name if found is None else found.title


def _try(act: Callable[..., object], *asked: str) -> None:
    """An act of a button, whose refusal is said when the queue is drawn next."""
    try:
        act(*asked)
    except LtvizError as error:
        st.session_state[_REFUSED] = str(error)
