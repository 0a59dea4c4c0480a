"""The side of the compare page: which runs are compared, by method, data, seed, tag or a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ltviz.recording.index import Summary, summarise
from ltviz.recording.notes import Notes

from .. import words
from ..service.stream import MAX_RUNS
from ..service.studio import Studio
from .runlist import draw_unlisted
from .selection import Selection, choose
from .style import draw_heading

FILTERS: dict[str, Callable[[Entry], Sequence[Any]]] = {
    "method": lambda entry: [entry.info.title or entry.info.method or entry.run] if entry.info else [],
    "data": lambda entry: [entry.info.data] if entry.info and entry.info.data else [],
    "factor": lambda entry: (
        [entry.info.imbalance_factor] if entry.info and entry.info.imbalance_factor is not None else []
    ),
    "dim": lambda entry: [entry.info.dim] if entry.info and entry.info.dim else [],
    "seed": lambda entry: [entry.info.seed] if entry.info and entry.info.seed is not None else [],
    "tag": lambda entry: entry.notes.tags,
}
"""What runs can be chosen by: each gives the values that a run has."""
PICK, FOLLOW, SEARCH = "compare-runs", "compare-follow", "compare-search"


@dataclass(frozen=True)
class Entry:
    """A run that may be chosen."""

    run: str
    info: Summary | None
    """None where run.json cannot be read."""
    notes: Notes
    own: bool
    """Whether it lies in the person's own folder; the others came with the package."""

    @property
    def text(self) -> str:
        """What a search looks into."""
        given = [self.run, *self.notes.tags, self.notes.note]
        if self.info:
            given += [self.info.title, self.info.method or "", self.info.data or "", f"seed {self.info.seed}"]
        return "\n".join(given).lower()


def read_entries(studio: Studio) -> list[Entry]:
    """All runs of the home, newest first, then the demos."""
    own = [_entry(run, own=True) for run in studio.summaries()]
    known = {entry.run for entry in own}
    demos = [demo for demo in studio.demo_recordings() if demo.run_id not in known]
    return own + [_entry(summarise(demo, demo.run_id), own=False) for demo in demos]


def draw_chooser(studio: Studio, shown: Selection, entries: Sequence[Entry]) -> tuple[str, ...]:
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
    with st.expander(words.compare.NARROW, expanded=_is_narrowed()):
        for name in FILTERS:
            _draw_filter(name, entries)
    fitting = in_order([entry for entry in entries if _fits(entry)])
    own = [entry for entry in fitting if entry.own] or fitting
    wanted = [entry.run for entry in own][:MAX_RUNS]
    if fitting != entries or len(wanted) > len(shown.runs):
        st.caption(words.compare.fitting(len(fitting), len(entries), MAX_RUNS))
    following = bool(st.session_state.get(FOLLOW))
    pressed = st.button(words.compare.SHOW_THESE, key="compare-all", width="stretch", disabled=following or not wanted)
    st.toggle(words.compare.FOLLOW_NEW, key=FOLLOW, help=words.compare.FOLLOW_NEW_HELP)
    if (pressed or following) and tuple(wanted) != shown.runs and wanted:
        choose(wanted)
        st.rerun()
    chosen = _draw_list(shown, entries, fitting, following)
    draw_unlisted(studio)
    return chosen


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    """Methods together, in the order in which they first came, and their seeds side by side."""
    oldest = sorted(entries, key=lambda entry: (entry.info.created if entry.info else 0.0, entry.run))
    place: dict[tuple[Any, ...], int] = {}
    for entry in oldest:
        place.setdefault(_kind(entry), len(place))
    return sorted(
        oldest, key=lambda e: (place[_kind(e)], e.info.seed if e.info and e.info.seed is not None else -1, e.run)
    )


def _draw_list(
    shown: Selection, entries: Sequence[Entry], fitting: Sequence[Entry], following: bool
) -> tuple[str, ...]:
    titles = run_titles(entries)
    if st.session_state.get("compare-address") != shown.runs:
        st.session_state["compare-address"], st.session_state[PICK] = shown.runs, list(shown.runs)
    options = list(dict.fromkeys([*shown.runs, *st.session_state.get(PICK, []), *(entry.run for entry in fitting)]))
    chosen = tuple(
        st.multiselect(
            words.compare.COMPARE_PICK,
            options,
            key=PICK,
            format_func=lambda run: titles.get(run, str(run)),
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


def run_titles(entries: Sequence[Entry]) -> dict[str, str]:
    """Run -> title, seed where it has one, and its settings where there is more than one kind of run; plain text."""
    known = {entry.run: entry.info for entry in entries if entry.info is not None}
    demos = {entry.run for entry in entries if not entry.own}
    cells = {(info.data, info.imbalance_factor, info.dim) for info in known.values()}
    titles = {}
    for run, info in known.items():
        parts = [info.title or run]
        if info.seed is not None:
            parts.append(words.shared.SEED.format(seed=info.seed))
        if len(cells) > 1:
            factor = (
                [] if info.imbalance_factor is None else [words.compare.FACTOR.format(factor=info.imbalance_factor)]
            )
            cell = [info.data or "", *factor, words.compare.DIMENSIONS.format(dim=info.dim or "?")]
            parts.append(" ".join(filter(None, cell)))
        titles[run] = " · ".join(
            [*parts, words.compare.DEMO_RUN] if run in demos and len(demos) < len(known) else parts
        )
    times = Counter(titles.values())
    return {run: f"{title} · {run}" if times[title] > 1 else title for run, title in titles.items()}


def _draw_filter(name: str, entries: Sequence[Entry]) -> None:
    values = sorted({value for entry in entries for value in FILTERS[name](entry)})
    key = f"compare-{name}"
    values = [*values, *(value for value in st.session_state.get(key, []) if value not in values)]
    st.multiselect(
        words.compare.FILTERS[name],
        values,
        key=key,
        format_func=lambda value: f"{value:g}" if isinstance(value, float) else str(value),
        placeholder=words.compare.ANY,
        disabled=not values,
    )


def _is_narrowed() -> bool:
    return any(st.session_state.get(f"compare-{name}") for name in FILTERS)


def _fits(entry: Entry) -> bool:
    for name, values in FILTERS.items():
        asked = st.session_state.get(f"compare-{name}")
        if asked and not set(values(entry)) & set(asked):
            return False
    return (st.session_state.get(SEARCH) or "").strip().lower() in entry.text


def _kind(entry: Entry) -> tuple[Any, ...]:
    info = entry.info
    return (entry.run,) if info is None else (info.data, info.imbalance_factor, info.dim, info.method, info.title)


def _entry(run: Summary, *, own: bool) -> Entry:
    # What is wrong with notes is said where a person edits them.
    return Entry(run.run_id, run if run.problem is None else None, Notes(tags=run.tags, note=run.note), own)
