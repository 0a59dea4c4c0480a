"""Which runs the page shows: those of the address, else the newest race, else the demos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from ltviz.errors import LtvizError
from ltviz.export.cells import listed

from .. import words
from ..service.stream import MAX_RUNS
from ..service.studio import Studio
from . import forms

RACE_SECONDS = 3600.0
"""The runs of a race begin together: further back none is looked for."""


@dataclass(frozen=True)
class Selection:
    """What is on the stage."""

    runs: tuple[str, ...]
    sentence: str = ""
    """The first sentence above the stage, true however long the page stays open."""
    problem: str | None = None
    """What was wrong with the address, as Markdown."""


def choose(runs: Sequence[str]) -> None:
    """Puts runs on the stage and into the address, so that a reload or a link shows the same."""
    # All at once: each change of the address is a place that the browser's Back returns to.
    kept = {key: value for key, value in st.query_params.to_dict().items() if key != "step"}
    st.query_params.from_dict({**kept, "runs": ",".join(runs)})
    st.session_state.pop("asked", None)


def read_selection(studio: Studio) -> Selection:
    """What the address asks for; one bad id is said and shows nothing, as the stream would refuse it."""
    asked = tuple(dict.fromkeys(filter(None, st.query_params.get("runs", "").split(","))))
    if not asked:
        return _unasked(studio)
    try:
        for run in asked:
            studio.hub.folder(run)
    except LtvizError as error:
        return Selection((), problem=words.shared.BAD_RUNS.format(reason=forms.escape(str(error))))
    if len(asked) > MAX_RUNS:
        return Selection((), problem=words.shared.TOO_MANY_RUNS.format(most=MAX_RUNS, given=len(asked)))
    queued = studio.supervisor.queued_runs()
    unknown = [run for run in asked if run not in queued and not studio.hub.recording(run).exists]
    if unknown and studio.hub.runs.read_only:
        studio.summaries()  # of a home elsewhere nothing is known before it is listed
        unknown = [run for run in unknown if not studio.hub.recording(run).exists]
    if unknown:
        return Selection(asked, words.shared.UNKNOWN_RUNS.format(names=listed(unknown)))
    return Selection(asked, _sentence(studio, asked))


def _unasked(studio: Studio) -> Selection:
    newest = newest_race(studio)
    if newest:
        shown = newest[:MAX_RUNS]
        more = "" if len(newest) == len(shown) else f" {words.shared.first_of(len(shown), len(newest))}"
        return Selection(shown, _sentence(studio, shown) + more)
    return Selection(tuple(recording.run_id for recording in studio.demo_recordings()), words.shared.DEMO)


def newest_race(studio: Studio) -> tuple[str, ...]:
    """The runs of the race that began last, in the order they were given; a run without a race stands alone."""
    race, begun, members = None, 0.0, []
    for run in studio.summaries():
        if run.problem is not None:
            continue
        if not members:
            race, begun = run.race, run.created
        elif race is None or run.created < begun - RACE_SECONDS:
            break
        if not members or run.race == race:
            members.append((run.created, run.run_id))
    return tuple(name for _, name in sorted(members))


def _sentence(studio: Studio, runs: Sequence[str]) -> str:
    """What is to be seen in the demos; other runs speak for themselves, and the stage says what they do."""
    demos = {recording.run_id for recording in studio.demo_recordings()}
    return words.shared.DEMO if demos.issuperset(runs) else ""
