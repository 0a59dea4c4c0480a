"""The part of a lesson's text that lives in the page: formulas that light arrows, and a curve to draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from ltviz.lessons import KNOTS, TERMS, Answer, Lesson, terms_in

from .course import Course
from .viewer import loader

KEY = "lesson-beside"
ENTRY = "lesson/lesson.js"
TEXT, OWN = ".st-key-lesson-text", ".st-key-lesson-own"
"""Where a lesson's own words stand, and those of the page among them."""


def place_of(lesson: Lesson, at: int) -> str:
    """What a step is called between the page and Python."""
    return f"{lesson.name}:{at}"


def draw_beside(lesson: Lesson, at: int, course: Course, found: Answer | None, told: Sequence[str]) -> None:
    """The component of a step.

    Args:
        found: the answer, where the step asks for a curve or a class.
        told: what the picture shows.
    """
    step = lesson.steps[at]
    asks = step.ask.kind if step.ask else ""
    data = {
        "id": place_of(lesson, at),
        "language": lesson.language,
        "rtl": lesson.right_to_left,
        "place": TEXT,
        "own": OWN,
        "terms": [{"name": name, "colour": TERMS[name][0], "parts": TERMS[name][1]} for name in terms_in(step.text)],
        "curve": _curve(lesson, at, course, found) if asks == "curve" and found else None,
        "picked": {"rank": _picked(lesson, at, course, found)} if asks == "class" and found else None,
        "told": " ".join(told),
    }
    component("ltviz_lesson", js=loader(ENTRY))(
        key=KEY,
        data=data,
        on_pointed_change=lambda: _pointed(lesson, at, course, found),
        on_drawn_change=lambda: _drawn(lesson, at, course, found),
        on_done_change=lambda: _done(lesson, at),
    )


def ask_key(lesson: Lesson, at: int) -> str:
    """Key of the widget that holds a step's answer."""
    return f"ask-{lesson.name}-{at}"


def _curve(lesson: Lesson, at: int, course: Course, found: Answer) -> dict[str, Any]:
    ask = lesson.steps[at].ask
    played = at in course.said
    drawn = course.said[at] if played else course.drawn.get(at)
    return {
        "id": place_of(lesson, at),
        "question": ask.question if ask else "",
        "span": found.span,
        "steps": (found.steps[0], found.steps[-1]),
        "begins": found.numbers[0],
        "unit": found.unit,
        "knots": KNOTS,
        "drawn": drawn if isinstance(drawn, tuple) else None,
        "found": list(zip(found.steps, found.numbers, strict=True)) if played else None,
    }


def _picked(lesson: Lesson, at: int, course: Course, found: Answer) -> int | None:
    chosen = course.said.get(at, st.session_state.get(ask_key(lesson, at)))
    return found.options.index(str(chosen)) if chosen in found.options else None


def _given(name: str) -> Any:
    return getattr(st.session_state.get(KEY), name, None)


def _pointed(lesson: Lesson, at: int, course: Course, found: Answer | None) -> None:
    """A class was pointed at on the sphere: it is chosen in the list."""
    given = _given("pointed")
    name = given.get("name") if isinstance(given, dict) else None
    if found is not None and at not in course.said and name in found.options:
        st.session_state[ask_key(lesson, at)] = name


def _drawn(lesson: Lesson, at: int, course: Course, found: Answer | None) -> None:
    """A curve was drawn; one that is none is left alone."""
    given = _given("drawn")
    if not isinstance(given, dict) or given.get("id") != place_of(lesson, at) or found is None or at in course.said:
        return
    knots = given.get("knots")
    if not isinstance(knots, list) or len(knots) != KNOTS:
        return
    if not all(isinstance(knot, int | float) and math.isfinite(knot) for knot in knots):
        return
    low, high = found.span
    course.drawn[at] = tuple(min(max(float(knot), low), high) for knot in knots)


def _done(lesson: Lesson, at: int) -> None:
    """What was waited for has been done: the lesson goes on by itself."""
    given = _given("done")
    if isinstance(given, dict) and given.get("id") == place_of(lesson, at) and at + 1 < len(lesson.steps):
        st.query_params["step"] = str(at + 2)
