"""One lesson on one screen: the stage beside the text, a question, and what the recording answers."""

from __future__ import annotations

import html
import re
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from ltviz.errors import LtvizError
from ltviz.lessons import Answer, Ask, Lesson, Section, coloured

from .. import words
from ..service.lessonscene import describe_lab, describe_runs
from ..service.studio import Studio
from .beside import ask_key, draw_beside, place_of
from .course import Course, Said, course_of, found_answer
from .forms import escape
from .geometry import draw_lab
from .live import draw_live
from .reduced import control
from .taught import Taught, taught
from .told import draw_told
from .verdict import draw_score, draw_verdict
from .viewer import draw_stage, loader

VIEW = "learn"
USUAL_MINUTES = 5
"""Of a lesson that does not say how long it takes."""
_DISPLAY = re.compile(r"^\s*\$\$(.+)\$\$\s*$", re.MULTILINE)
"""A formula on a line of its own is set as one: Streamlit wants its signs on lines of their own for that."""
INLINE = 28
"""So many letters of all options together stand in one line."""


def open_lesson(name: str, step: int = 0) -> None:
    """Puts a step of a lesson into the address; "" is the list of lessons.

    All at once: each change is a place that the browser's Back returns to.
    """
    if name:
        st.query_params.update(lesson=name, step=str(step + 1))
    else:
        kept = {key: value for key, value in st.query_params.to_dict().items() if key not in ("lesson", "step")}
        st.query_params.from_dict(kept)


def draw_lesson(studio: Studio, lesson: Lesson) -> Taught:
    """The step that the address names; what a class must know of it."""
    course = course_of(studio, lesson)
    at = _asked_step(len(lesson.steps))
    _draw_head(lesson, at)
    if _slides():
        clock = {"lesson": lesson.name, "minutes": lesson.minutes or USUAL_MINUTES, "words": words.learn.CLOCK}
        component("ltviz_presenter", js=loader("together/presenter.js"))(key="presenter", data=clock)
    with st.container(key="slides" if _slides() else "page"), st.container(key="lesson"):
        picture, text = st.columns([3, 2], gap="large")
        with picture:
            told = _draw_picture(studio, lesson, course, at)
        with text:
            _draw_text(studio, lesson, course, at, told)
    return taught(lesson, course, at)


def _asked_step(count: int) -> int:
    asked = st.query_params.get("step", "1")
    return min(max(int(asked), 1), count) - 1 if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0


def _slides() -> bool:
    return st.query_params.get("slides") == "1"


def _toggle_slides() -> None:
    if _slides():
        del st.query_params["slides"]
    else:
        st.query_params["slides"] = "1"


def _draw_head(lesson: Lesson, at: int) -> None:
    count = len(lesson.steps)
    progress = words.learn.PROGRESS.format(number=at + 1, count=count)
    ticks = "".join(f"<i{' class=done' if number <= at else ''}></i>" for number in range(count))
    st.html(
        f'<header class="ltviz-lesson"><h2>{html.escape(lesson.title)}</h2>'
        f'<p>{html.escape(progress)}</p><div aria-hidden="true">{ticks}</div></header>'
    )


def _draw_picture(studio: Studio, lesson: Lesson, course: Course, at: int) -> list[str]:
    """The stage; what it shows, in words."""
    step, turn = lesson.steps[at], course.turns.get(at, 0)
    scene: dict[str, Any] = {"look": step.scene.look, "step": None, "play": None, "turn": turn}
    if step.scene.path and (turn or not _plays(step)):
        scene |= {"path": step.scene.path, "seconds": step.scene.seconds}
    pointing = step.ask is not None and step.ask.kind == "class" and at not in course.said
    wait = {"id": place_of(lesson, at), **step.wait.model_dump(exclude={"say"})} if step.wait else None
    if step.scene.geometry:
        told = describe_lab(step.scene.geometry)
        scene |= {"step": None if turn or wait else 0}
        more = {"words": words.learn.LAB_STAGE, "wait": wait, "told": " ".join(told)}
        draw_lab({"search": step.scene.geometry, "scene": scene, **more})
        draw_told(told)
        return told
    try:
        runs = lesson.runs_of(step)
        told = describe_runs(course.book, runs, step.scene, played=turn > 0)
        live = not course.ended and set(runs) <= set(course.live)
        if not live:
            last = max(course.book.step(run, "last") for run in runs)
            scene |= {"step": last if step.scene.step is None else step.scene.step, "play": step.scene.play}
        draw_stage(
            studio,
            [course.live.get(run, run) for run in runs],
            view=VIEW,
            scene=scene,
            lesson={"wait": wait, "pointing": pointing, "told": " ".join(told), "caption": step.title},
        )
    except LtvizError as error:
        st.error(words.learn.NO_ANSWER.format(reason=escape(str(error))))
        return []
    draw_told(told)
    return told


def _plays(step: Section) -> bool:
    """Whether there is something for Play to begin."""
    return step.wait is None and bool(step.ask or step.scene.play or step.scene.geometry)


def _draw_text(studio: Studio, lesson: Lesson, course: Course, at: int, told: list[str]) -> None:
    step = lesson.steps[at]
    found = found_answer(step.ask, course) if step.ask else None
    with st.container(key="lesson-text"):
        st.html(f'<h3 class="ltviz-step">{html.escape(step.title)}</h3>')
        # A lesson's text has been read strictly: Markdown and formulas, no HTML, no pictures.
        st.markdown(_DISPLAY.sub(r"\n$$\n\1\n$$\n", coloured(step.text)))
        draw_beside(lesson, at, course, found, told)
        given = _draw_question(lesson, step.ask, course, at, found) if step.ask and found else None
    said = course.said.get(at)
    with st.container(key="lesson-own"):
        if step.wait:
            _draw_wait(lesson, at, step.wait.say)
        if _plays(step):
            turn = course.turns.get(at, 0)
            unsaid = step.ask is not None and given is None and said is None
            st.button(
                words.learn.AGAIN if turn else words.learn.PLAY,
                key=f"play-{lesson.name}-{at}",
                type="secondary" if turn else "primary",
                disabled=unsaid,
                help=words.learn.PREDICT if unsaid else None,
                on_click=_play,
                args=(course, at, given),
            )
        if found and said is not None:
            draw_verdict(found, said)
            draw_score(lesson, course)
        draw_live(studio, lesson, course, lesson.runs_of(step))
        _draw_ways(lesson, at)


def _draw_wait(lesson: Lesson, at: int, say: str) -> None:
    """What is to be done before the lesson goes on by itself, and the way around it."""
    st.html(
        f'<div class="ltviz-wait" role="status"><b>{html.escape(words.learn.WAITS)}</b>'
        f'<p lang="{html.escape(lesson.language)}">{html.escape(say)}</p></div>'
    )
    last = at + 1 == len(lesson.steps)
    st.button(
        words.learn.SKIP,
        key="lesson-skip",
        type="tertiary",
        on_click=open_lesson,
        args=("", 0) if last else (lesson.name, at + 1),
    )


def _play(course: Course, at: int, given: Said | None) -> None:
    if given is not None:
        course.said[at] = given
    course.turns[at] = course.turns.get(at, 0) + 1


def _draw_question(lesson: Lesson, ask: Ask, course: Course, at: int, found: Answer) -> Said | None:
    """The question; what is answered, None before that. Once played, an answer stays as it is."""
    said, key, label = course.said.get(at), ask_key(lesson, at), ask.question
    if ask.kind == "curve":
        return course.drawn.get(at)
    if ask.kind == "value":
        unit = words.learn.UNITS.get(found.unit, "")
        number = st.number_input(
            label,
            ask.low,
            ask.high,
            said if isinstance(said, float) else ask.start,
            step=(ask.tolerance or 0.1) / 2,
            key=key,
            placeholder=words.learn.NUMBER.format(low=f"{ask.low:g}", high=f"{ask.high:g}", unit=unit),
            disabled=said is not None,
        )
        return None if number is None else float(number)
    options = list(found.options)
    if said in options:
        st.session_state[key] = said
    chosen = st.radio(
        label,
        options,
        index=None,
        key=key,
        format_func=escape if ask.kind == "class" else str,
        horizontal=sum(map(len, options)) <= INLINE,
        disabled=said is not None,
    )
    if ask.kind == "class" and said is None:
        st.caption(words.learn.POINT)
    return None if chosen is None else str(chosen)


def _draw_ways(lesson: Lesson, at: int) -> None:
    last = at + 1 == len(lesson.steps)
    with control("ways"), st.container(key="ways", horizontal=True):
        back = (lesson.name, at - 1) if at else ("", 0)
        st.button(
            words.learn.BACK if at else words.learn.ALL,
            key="lesson-back",
            on_click=open_lesson,
            args=back,
            shortcut="Left",
        )
        st.button(
            words.learn.DONE if last else words.learn.NEXT,
            key="lesson-next",
            on_click=open_lesson,
            args=("", 0) if last else (lesson.name, at + 1),
            shortcut="Right",
        )
        with control("slides"):
            st.button(
                words.learn.NO_SLIDES if _slides() else words.learn.SLIDES,
                key="lesson-slides",
                type="tertiary",
                help=words.learn.SLIDES_HELP,
                on_click=_toggle_slides,
            )
