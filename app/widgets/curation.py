"""Tags, notes and deletion of the runs that are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from ltviz.errors import LtvizError
from ltviz.recording.info import ACTIVE
from ltviz.recording.notes import MAX_NOTE, delete_run, note_run, read_notes, tag_run

from .. import words
from ..service.listing import Entry, Listing
from ..service.studio import Studio
from . import forms
from .selection import choose
from .style import draw_heading

ASKED = "curate-asked"


def draw_curation(studio: Studio, chosen: Sequence[str], listing: Listing) -> None:
    """For one of the chosen runs or all of them. Demos belong to the package and stay as they are."""
    own = [entry.run for entry in _known(chosen, listing) if entry.own]
    if not own or not studio.may_train:
        return
    with st.expander(words.compare.CURATE):
        names = {
            "": words.compare.ALL_CHOSEN.format(count=len(own)),
            **{run: listing.titles.get(run, run) for run in own},
        }
        options = ["", *own] if len(own) > 1 else own
        run = st.selectbox(
            words.compare.RUN, options, format_func=lambda run: names.get(run, str(run)), key="curate-run"
        )
        runs = [run] if run else own
        _draw_tags(studio, runs)
        if run:
            _draw_note(studio, run)
        _draw_deletion(studio, runs, chosen)


def draw_notes(chosen: Sequence[str], listing: Listing) -> None:
    """The notes of the chosen runs, as plain text."""
    noted = [entry for entry in _known(chosen, listing) if entry.summary.note]
    if noted:
        draw_heading(words.compare.NOTES)
        for entry in noted:
            st.text(f"{listing.titles.get(entry.run, entry.run)}: {entry.summary.note}")


def _draw_tags(studio: Studio, runs: Sequence[str]) -> None:
    try:
        tagged = [set(read_notes(studio.hub.runs.folder(run)).tags) for run in runs]
    except LtvizError as error:
        st.error(forms.escape(str(error)))
        return
    here = sorted(set.union(*tagged))
    st.text(words.compare.tags_line(here))
    given = st.text_input(
        words.compare.TAG_ADD, key="curate-tag", placeholder=words.compare.TAG_EXAMPLE, help=words.compare.TAG_HELP
    )
    left, right = st.columns(2)
    if left.button(words.compare.ADD, key="curate-add", width="stretch", disabled=not given.strip()):
        _change(studio, lambda: [tag_run(studio.hub.runs.folder(run), _split(given)) for run in runs])
    if right.button(words.compare.REMOVE, key="curate-remove", width="stretch", disabled=not given.strip()):
        _change(studio, lambda: [tag_run(studio.hub.runs.folder(run), remove=_split(given)) for run in runs])


def _draw_note(studio: Studio, run: str) -> None:
    try:
        before = read_notes(studio.hub.runs.folder(run)).note
    except LtvizError:  # which the tags above it say
        return
    note = st.text_area(words.compare.NOTE, before, key=f"curate-note-{run}", max_chars=MAX_NOTE, height=90)
    if st.button(words.compare.SAVE_NOTE, key="curate-save", width="stretch", disabled=note == before):
        _change(studio, lambda: note_run(studio.hub.runs.folder(run), note))


def _draw_deletion(studio: Studio, runs: Sequence[str], chosen: Sequence[str]) -> None:
    if any(studio.hub.recording(run).status().state in ACTIVE for run in runs):
        st.caption(words.compare.DELETE_LIVE)
        return
    if st.session_state.get(ASKED) != tuple(runs):
        if st.button(words.compare.DELETE, key="curate-delete", width="stretch"):
            st.session_state[ASKED] = tuple(runs)
            st.rerun()
        return
    st.warning(words.compare.delete_question(len(runs)))
    left, right = st.columns(2)
    if right.button(words.compare.KEEP, key="curate-keep", width="stretch"):
        st.session_state.pop(ASKED)
        st.rerun()
    if left.button(words.compare.DELETE_NOW, key="curate-delete-now", width="stretch"):
        st.session_state.pop(ASKED)
        if _try(studio, lambda: [delete_run(studio.hub.runs.folder(run)) for run in runs]):
            choose([run for run in chosen if run not in runs])
            st.rerun()


def _known(chosen: Sequence[str], listing: Listing) -> list[Entry]:
    """What the listing knows of the chosen runs, newest first."""
    known = [listing.by_run[run] for run in chosen if run in listing.by_run]
    return sorted(known, key=lambda entry: (entry.own, entry.summary.created, entry.run), reverse=True)


def _change(studio: Studio, act: Callable[[], object]) -> None:
    if _try(studio, act):
        st.rerun()


def _try(studio: Studio, act: Callable[[], object]) -> bool:
    try:
        studio.check_trainer()
        act()
    except LtvizError as error:
        st.error(forms.escape(str(error)))
        return False
    finally:
        studio.relist()
    return True


def _split(text: str) -> list[str]:
    return [tag.strip().lower() for tag in text.split(",") if tag.strip()]
