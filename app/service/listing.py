"""What the pages say of all runs at once, from one look at the home: which there are, how they are called, which of
them fit. With a hundred thousand runs a look takes a second or two, so a page works with what the last one found."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from ltviz.recording import Recording
from ltviz.recording.index import Summary, summarise

from .. import words
from .tail import LIVE

MANY = 2_000
"""Runs from which on a look costs so much that what it found is kept for a while."""
REST = 10.0
"""For how many times as long as the look took."""
MOST_LISTED = 500
"""Runs, and values of a filter, that a page offers in one list: a browser draws no more of them in good time."""
_KEPT_SEARCHES = 8


class Entry(NamedTuple):
    """A run that may be chosen."""

    summary: Summary
    own: bool
    """Whether it lies in the person's own folder; the others came with the package."""

    @property
    def run(self) -> str:
        return self.summary.run_id

    @property
    def info(self) -> Summary | None:
        """None where run.json cannot be read."""
        return self.summary if self.summary.problem is None else None

    @property
    def text(self) -> str:
        """What a search looks into."""
        run = self.summary
        given = [run.run_id, *run.tags, run.note]
        if run.problem is None:
            given += [run.title, run.method or "", run.data or "", f"seed {run.seed}"]
        return "\n".join(given).lower()


FILTERS: dict[str, Callable[[Summary], Sequence[Any]]] = {
    "method": lambda run: [run.title or run.method or run.run_id],
    "data": lambda run: [run.data] if run.data else [],
    "factor": lambda run: [] if run.imbalance_factor is None else [run.imbalance_factor],
    "dim": lambda run: [run.dim] if run.dim else [],
    "seed": lambda run: [] if run.seed is None else [run.seed],
    "tag": lambda run: run.tags,
}
"""What runs can be chosen by: each gives the values that a run has, whose run.json can be read but for its tags."""


def values_of(name: str, entry: Entry) -> Sequence[Any]:
    """What a run has of one of `FILTERS`."""
    return FILTERS[name](entry.summary) if entry.info or name == "tag" else ()


class Listing:
    """The runs of one look, newest first, then the demos. What is made of them is made once, when it is asked for."""

    def __init__(self, own: Sequence[Summary], demos: Callable[[], Iterable[Recording]] = lambda: ()) -> None:
        self.own, self._demos = own, demos
        self._guard = threading.Lock()
        self._found: dict[Any, tuple[list[Entry], list[Entry]]] = {}

    @cached_property
    def entries(self) -> list[Entry]:
        """All runs of the home, newest first, then the demos."""
        known = {run.run_id for run in self.own}
        demos = [summarise(demo, demo.run_id) for demo in self._demos() if demo.run_id not in known]
        return [Entry(run, True) for run in self.own] + [Entry(demo, False) for demo in demos]

    @cached_property
    def by_run(self) -> dict[str, Entry]:
        """Run -> its entry."""
        return {entry.run: entry for entry in self.entries}

    @cached_property
    def live(self) -> tuple[str, ...]:
        """The person's own runs that trained when the look was taken, newest first."""
        return tuple(run.run_id for run in self.own if run.state in LIVE)

    @cached_property
    def titles(self) -> dict[str, str]:
        """As `run_titles` of all runs."""
        return run_titles(self.entries)

    @cached_property
    def values(self) -> dict[str, list[Any]]:
        """What each of `FILTERS` can be set to, in order; of more than `MOST_LISTED` values the most frequent."""
        found = {}
        for name in FILTERS:
            times = Counter(value for entry in self.entries for value in values_of(name, entry))
            found[name] = sorted(value for value, _ in times.most_common(MOST_LISTED))
        return found

    @cached_property
    def _texts(self) -> list[str]:
        return [entry.text for entry in self.entries]

    def fitting(self, asked: Mapping[str, Sequence[Any]], search: str) -> tuple[list[Entry], list[Entry]]:
        """The runs that have one of the values that are asked of each filter, and the words: newest first, and in the
        order of `in_order`."""
        wanted = {name: frozenset(values) for name, values in asked.items() if values}
        key = frozenset(wanted.items()), search
        with self._guard:
            if key not in self._found:
                while len(self._found) >= _KEPT_SEARCHES:
                    self._found.pop(next(iter(self._found)))
                newest = self._search(wanted, search)
                self._found[key] = newest, in_order(newest)
            return self._found[key]

    def _search(self, wanted: Mapping[str, frozenset[Any]], search: str) -> list[Entry]:
        found = self.entries
        if search:
            found = [entry for entry, text in zip(found, self._texts, strict=True) if search in text]
        for name, values in wanted.items():
            found = [entry for entry in found if not values.isdisjoint(values_of(name, entry))]
        return found


class Listings:
    """The newest `Listing`: of many runs a new one is made only now and then, of few each time."""

    def __init__(self, look: Callable[[], Listing]) -> None:
        self._look = look
        self._guard = threading.Lock()
        self._kept: tuple[Listing, Any, frozenset[str], float] | None = None

    def get(self, pulse: Any = None, wanted: Iterable[str] = ()) -> Listing:
        """What is known of the home.

        Args:
            pulse: what makes it look anew at once where it is another than last time.
            wanted: runs that exist; it looks anew, once, where one is not known.
        """
        asked = frozenset(wanted)
        with self._guard:
            if self._kept is not None:
                listing, before, sought, until = self._kept
                if time.monotonic() < until and before == pulse and listing.by_run.keys() >= asked - sought:
                    return listing
            begun = time.monotonic()
            listing = self._look()
            now = time.monotonic()
            rest = REST * (now - begun) if len(listing.own) >= MANY else 0.0
            self._kept = listing, pulse, asked, now + rest
            return listing

    def forget(self) -> None:
        """The home has been changed here: the next one looks anew."""
        with self._guard:
            self._kept = None


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    """Methods together, in the order in which they first came, and their seeds side by side."""
    oldest = sorted(entries, key=lambda entry: (entry.info.created if entry.info else 0.0, entry.run))
    place: dict[tuple[Any, ...], int] = {}
    for entry in oldest:
        place.setdefault(_kind(entry), len(place))
    return sorted(
        oldest, key=lambda e: (place[_kind(e)], e.info.seed if e.info and e.info.seed is not None else -1, e.run)
    )


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


def _kind(entry: Entry) -> tuple[Any, ...]:
    info = entry.info
    return (entry.run,) if info is None else (info.data, info.imbalance_factor, info.dim, info.method, info.title)
