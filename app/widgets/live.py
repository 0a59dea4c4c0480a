"""A lesson's runs trained anew, by whoever may train: the same settings, seen as they grow, then asked as they are."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from ltviz import launch
from ltviz.errors import LtvizError
from ltviz.lessons import Lesson
from ltviz.recording import new_run_id
from ltviz.recording.names import slug

from .. import words
from ..service.studio import Studio
from .course import Course, open_book
from .forms import escape

LOOK_SECONDS = 2.0
ENDED = ("finished", "failed", "lost")


def draw_live(studio: Studio, lesson: Lesson, course: Course, runs: tuple[str, ...]) -> None:
    """The button that trains a step's runs; while they train how far they are; then the way back."""
    if not runs or not studio.serving or not studio.may_train:
        return
    if not set(runs) <= set(course.live):
        st.button(
            words.learn.LIVE,
            key="lesson-live",
            type="tertiary",
            icon=":material/play_circle:",
            help=words.learn.LIVE_HELP,
            on_click=_start,
            args=(studio, lesson, course, runs),
        )
        return
    if course.ended:
        st.caption(words.learn.LIVE_DONE)
    else:
        st.fragment(_watch, run_every=LOOK_SECONDS)(studio, course, runs)
    st.button(words.learn.LIVE_BACK, key="lesson-recorded", type="tertiary", on_click=_leave, args=(studio, course))


def _start(studio: Studio, lesson: Lesson, course: Course, runs: tuple[str, ...]) -> None:
    """Queues a job for each set of run settings: methods that were raced are raced again."""
    every = tuple(dict.fromkeys((*runs, *lesson.runs)))
    races: dict[str, list[str]] = {}
    for run in every:
        races.setdefault(json.dumps(_settings(course.book.run(run).config, "run"), sort_keys=True), []).append(run)
    try:
        for settings, members in races.items():
            given = json.loads(settings)
            race = new_run_id(str(given.get("data", "lesson"))[:20])
            ids = {run: slug(f"{race}-{run}") for run in members}
            jobs = tuple(_job_run(course, run, ids[run]) for run in members)
            studio.supervisor.submit(launch.Job(job_id=race, runs=jobs, run=given))
            course.live |= ids
    except LtvizError as error:
        st.session_state["lesson-live-failed"] = str(error)
    course.ended = False


def _job_run(course: Course, run: str, run_id: str) -> launch.JobRun:
    recording = course.book.run(run)
    method = str(recording.info.method)
    return launch.JobRun(run_id=run_id, method=method, settings=_settings(recording.config, "method"))


def _settings(config: Any, kind: str) -> dict[str, Any]:
    """What run.json says was set; what was left to its default stays so."""
    given = config.get(kind) if isinstance(config, dict) else None
    return {key: value for key, value in (given or {}).items() if value not in (None, "", {})}


def _watch(studio: Studio, course: Course, runs: tuple[str, ...]) -> None:
    """How far the runs are; where all have ended, the page is drawn again."""
    states = [studio.hub.recording(course.live[run]) for run in runs]
    told = [recording.status() if recording.exists else None for recording in states]
    if all(status is not None and status.state in ENDED for status in told):
        bad = next((status for status in told if status and status.state != "finished"), None)
        course.ended = bad is None
        if bad is None:
            course.book = open_book(studio, course.live)
            st.rerun(scope="app")
        st.caption(words.learn.LIVE_FAILED.format(reason=escape(words.shared.sentence(bad.reason) or "")))
        return
    done = min((status.step or 0) if status else 0 for status in told)
    steps = max(course.book.step(run, "last") for run in runs)
    st.caption(words.learn.LIVE_RUNNING.format(step=done, steps=steps))


def _leave(studio: Studio, course: Course) -> None:
    course.live.clear()
    course.ended = False
    course.book = open_book(studio, {})
