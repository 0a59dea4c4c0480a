"""The museum: published and derived results, what was found of each, and a button that finds it again."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from ltviz.museum import EXHIBITS, REPRODUCED, Exhibit, read_found

from .. import words
from ..service.reproductions import Reproduction
from ..service.studio import Studio
from .forms import escape

LOOK_SECONDS = 1.0


def draw_museum(studio: Studio) -> None:
    """Follows by itself while one is computed."""
    busy = studio.reproductions.busy
    st.fragment(_draw_museum, run_every=LOOK_SECONDS if busy else None)(studio, busy)


def _draw_museum(studio: Studio, busy: frozenset[str]) -> None:
    if studio.reproductions.busy != busy:
        st.rerun(scope="app")
    last = read_found()
    st.html(
        f'<div class="ltviz-lead"><h2>{html.escape(words.evidence.MUSEUM_TITLE)}</h2>'
        f"<p>{html.escape(words.evidence.MUSEUM_LEAD)}</p></div>"
    )
    with st.container(key="museum"):
        for exhibit in EXHIBITS.values():
            with st.container(key=f"exhibit-{exhibit.name}"):
                _draw_exhibit(studio, exhibit, last["found"].get(exhibit.name))
    st.caption(words.evidence.MUSEUM_NOTE.format(date=last["date"], version=last["version"]))


def _draw_exhibit(studio: Studio, exhibit: Exhibit, found: dict[str, Any] | None) -> None:
    here, note = studio.reproductions.of(exhibit.name), ""
    if here is not None and here.found.done():
        error = here.found.exception()
        if error is None:
            found = here.found.result()
            note = words.evidence.COMPUTED_HERE.format(seconds=found["seconds"])
        else:
            note = str(error)
    st.html(_told(exhibit, found))
    with st.container(horizontal=True, vertical_alignment="center"):
        _draw_buttons(studio, exhibit, here)
        if note:
            st.caption(escape(note))


def _draw_buttons(studio: Studio, exhibit: Exhibit, here: Reproduction | None) -> None:
    if here is not None and not here.found.done():
        st.button(words.evidence.CANCEL, key=f"cancel-{exhibit.name}", on_click=_cancel, args=(studio, here))
        st.caption(words.evidence.COMPUTING)
    elif studio.may_train:
        label = words.evidence.COMPUTE_AND_FILM if exhibit.filmed else words.evidence.COMPUTE
        st.button(label, key=f"compute-{exhibit.name}", on_click=_start, args=(studio, exhibit))
    if exhibit.moves:
        settings = dict(part.split("=") for part in exhibit.moves.split("&"))
        st.page_link("pages/geometry.py", label=words.evidence.MOVE, query_params=settings)
    elif studio.hub.recording(_film(exhibit)).exists:
        st.page_link("pages/lab.py", label=words.evidence.MOVE, query_params={"runs": _film(exhibit)})


def _film(exhibit: Exhibit) -> str:
    """The run that is an exhibit's film."""
    return f"museum-{exhibit.name}"


def _start(studio: Studio, exhibit: Exhibit) -> None:
    studio.check_trainer()
    studio.reproductions.start(exhibit.name, studio.home / _film(exhibit) if exhibit.filmed else None)


def _cancel(studio: Studio, one: Reproduction) -> None:
    studio.check_trainer()
    one.cancel()


def _told(exhibit: Exhibit, found: dict[str, Any] | None) -> str:
    """The claim, and its numbers."""
    facts = {
        words.evidence.EXPECTED: words.evidence.EXPECTED_IS.format(
            expected=f"{exhibit.expected:.4g}", tolerance=exhibit.tolerance
        )
    }
    kept = found is None or found["verdict"] == REPRODUCED
    if found is not None:
        verdict = (
            found["verdict"] if kept else words.evidence.OFF_BY.format(verdict=found["verdict"], off=found["off_by"])
        )
        value = words.shared.with_unit(_number(found["value"], exhibit.tolerance), exhibit.unit)
        facts = {words.evidence.VALUE: value, **facts, words.evidence.VERDICT: verdict}
    told = "".join(f"<div><dt>{name}</dt><dd>{html.escape(text)}</dd></div>" for name, text in facts.items())
    seen = words.evidence.FILMED.format(film=exhibit.filmed) if exhibit.filmed else ""
    note = "".join(f"<p>{html.escape(text)}</p>" for text in (exhibit.note, seen) if text)
    return (
        f'<section class="ltviz-exhibit ltviz-{"kept" if kept else "lost"}"><h3>{html.escape(exhibit.claim)}</h3>'
        f"<small>{html.escape(exhibit.source)}</small><dl>{told}</dl>{note}</section>"
    )


def _number(value: float, room: float) -> str:
    """Four digits; what is nothing beside the tolerance is 0."""
    return "0" if abs(value) < room / 100 else f"{value:.4g}"
