"""The side of the compare page: which runs are compared, by method, data, seed, tag or a word."""

from __future__ import annotations

import streamlit as st

from .. import words
from ..service.listing import FILTERS, MOST_LISTED, Listing
from ..service.stream import MAX_RUNS
from ..service.studio import Studio
from .runlist import draw_unlisted
from .selection import Selection, choose
from .style import draw_heading

PICK, FOLLOW, SEARCH = "compare-runs", "compare-follow", "compare-search"


def draw_chooser(studio: Studio, shown: Selection, listing: Listing) -> tuple[str, ...]:
    """The filters and the list; what is chosen goes into the address, so that a link shows the same."""
    if shown.problem:
        st.error(shown.problem)
    draw_heading(words.lab.RUNS)
    st.text_input(
        words.compare.SEARCH,
        key=SEARCH,
        placeholder=words.compare.SEARCH,
        icon=":material/search:",
        label_visibility="collapsed",
    )
    asked = {name: st.session_state.get(f"compare-{name}") or [] for name in FILTERS}
    with st.expander(words.compare.NARROW, expanded=any(asked.values())):
        for name in FILTERS:
            asked[name] = _draw_filter(name, listing)
    newest, fitting = listing.fitting(asked, (st.session_state.get(SEARCH) or "").strip().lower())
    wanted = [entry.run for entry in fitting if entry.own][:MAX_RUNS] or [entry.run for entry in fitting][:MAX_RUNS]
    if len(fitting) < len(listing.entries) or len(wanted) > len(shown.runs):
        st.caption(words.compare.fitting(len(fitting), len(listing.entries), MAX_RUNS))
    following = bool(st.session_state.get(FOLLOW))
    pressed = st.button(words.compare.SHOW_THESE, key="compare-all", width="stretch", disabled=following or not wanted)
    st.toggle(words.compare.FOLLOW_NEW, key=FOLLOW, help=words.compare.FOLLOW_NEW_HELP)
    if (pressed or following) and tuple(wanted) != shown.runs and wanted:
        choose(wanted)
        st.rerun()
    near = {entry.run for entry in newest[:MOST_LISTED]} if len(newest) > MOST_LISTED else None
    chosen = _draw_list(shown, listing, [e.run for e in fitting if near is None or e.run in near], following)
    if near is not None:
        st.caption(words.compare.not_listed(MOST_LISTED, len(fitting)))
    draw_unlisted(studio)
    return chosen


def _draw_list(shown: Selection, listing: Listing, offered: list[str], following: bool) -> tuple[str, ...]:
    if st.session_state.get("compare-address") != shown.runs:
        st.session_state["compare-address"], st.session_state[PICK] = shown.runs, list(shown.runs)
    options = list(dict.fromkeys([*shown.runs, *st.session_state.get(PICK, []), *offered]))
    chosen = tuple(
        st.multiselect(
            words.compare.COMPARE_PICK,
            options,
            key=PICK,
            format_func=lambda run: listing.titles.get(run, str(run)),
            max_selections=MAX_RUNS,
            label_visibility="collapsed",
            placeholder=words.compare.COMPARE_PICK,
            disabled=following,
        )
    )
    st.caption(words.compare.COMPARE_HELP)
    if chosen != shown.runs and chosen:
        choose(chosen)
        st.session_state["compare-address"] = chosen
    return chosen


def _draw_filter(name: str, listing: Listing) -> list[object]:
    values, key = listing.values[name], f"compare-{name}"
    values = [*values, *(value for value in st.session_state.get(key, []) if value not in values)]
    return st.multiselect(
        words.compare.FILTERS[name],
        values,
        key=key,
        format_func=lambda value: f"{value:g}" if isinstance(value, float) else str(value),
        placeholder=words.compare.ANY,
        disabled=not values,
    )
