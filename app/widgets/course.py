"""How far a person has come with a lesson: what they have said, drawn and played, and which runs are theirs."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from ltviz.errors import LtvizError
from ltviz.lessons import Answer, Ask, Book, Lesson, answer
from ltviz.recording import Recording

from .. import words
from ..service.studio import Studio
from .forms import escape

Said = str | float | tuple[float, ...]
"""An answer: an option or a class, a number, or the knots of a curve."""


@dataclass
class Course:
    """Steps are counted from 0."""

    book: Book
    said: dict[int, Said] = field(default_factory=dict)
    """Answers that were played: they stay as they are."""
    drawn: dict[int, tuple[float, ...]] = field(default_factory=dict)
    """Curves, before and after they were played."""
    turns: dict[int, int] = field(default_factory=dict)
    """How often Play was pressed."""
    live: dict[str, str] = field(default_factory=dict)
    """Recorded run -> the run that was trained in its place."""
    ended: bool = False
    """Whether those have been trained to their end, so that answers come from them."""


def course_of(studio: Studio, lesson: Lesson) -> Course:
    """The session's course of a lesson."""
    key = f"course-{lesson.name}"
    if key not in st.session_state:
        st.session_state[key] = Course(open_book(studio, {}))
    return st.session_state[key]


def forget_answers(lesson: Lesson) -> None:
    """A lesson begins afresh: what was said of it was said of another version."""
    st.session_state.pop(f"course-{lesson.name}", None)


def open_book(studio: Studio, instead: dict[str, str]) -> Book:
    """A book over all runs that the studio knows. `instead`: recorded run -> the one that is asked in its place."""

    def find(run: str) -> Recording | None:
        recording = studio.hub.recording(instead.get(run, run))
        return recording if recording.exists else None

    return Book(find)


def found_answer(ask: Ask, course: Course) -> Answer | None:
    """The right answer; None where it cannot be computed, which is said."""
    try:
        return answer(ask, course.book)
    except LtvizError as error:
        st.error(words.learn.NO_ANSWER.format(reason=escape(str(error))))
        return None
