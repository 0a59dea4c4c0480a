"""The lessons that there are, and the one that the address names."""

from __future__ import annotations

import html
from pathlib import Path

import streamlit as st

from ltviz.errors import DataError
from ltviz.lessons import Lesson, list_lessons, read_lesson

from .. import words
from ..service.studio import Studio
from .forms import escape
from .lesson import draw_lesson, open_lesson
from .preview import draw_preview
from .taught import Taught

FOLDER = Path(__file__).parents[1] / "lessons"

_read: dict[Path, tuple[tuple[int, int], Lesson | str]] = {}
"""Lessons, or why they are none, by file; beside each size and time of the file when it was read."""


def draw_learn(studio: Studio) -> Taught:
    """One lesson where the address names one, or the one that is being written; else all titles. What a class must know
    of it."""
    if studio.draft is not None:
        draw_preview(studio, studio.draft)
        return Taught({})
    lessons, broken = read_all(studio)
    asked = st.query_params.get("lesson")
    if asked in lessons:
        return draw_lesson(studio, lessons[asked])
    st.html(
        f'<div class="ltviz-lead"><h2>{html.escape(words.learn.TITLE)}</h2><p>{html.escape(words.learn.LEAD)}</p></div>'
    )
    if asked:
        st.info(words.learn.UNKNOWN.format(name=escape(asked[:80])))
    if not lessons:
        st.caption(words.learn.EMPTY.format(folder=escape(str(studio.lessons or FOLDER))))
    with st.container(key="lessons"):
        for number, lesson in enumerate(lessons.values(), 1):
            _draw_entry(number, lesson)
    st.page_link("pages/lab.py", label=words.learn.TOUR, query_params={"tour": "1"})
    for name, reason in broken.items():
        st.warning(words.learn.BROKEN.format(name=escape(name), reason=escape(words.shared.sentence(reason) or "")))
    return Taught({})


def read_all(studio: Studio) -> tuple[dict[str, Lesson], dict[str, str]]:
    """Lessons by name, those of the app first; and of files that are none, why. A file is read when it has changed."""
    lessons, broken = {}, {}
    for folder in (FOLDER, *([studio.lessons] if studio.lessons else [])):
        for path in list_lessons(folder):
            found = _read_once(path)
            if isinstance(found, Lesson):
                lessons[found.name] = found
            else:
                # A name that is no UTF-8 cannot be sent to a page as it is.
                broken[path.name.encode("utf-8", "replace").decode()] = found
    return lessons, broken


def _read_once(path: Path) -> Lesson | str:
    try:
        about = path.stat()
        stamp = about.st_size, about.st_mtime_ns
    except OSError:
        stamp = -1, -1
    known = _read.get(path)
    if known is None or known[0] != stamp:
        try:
            known = stamp, read_lesson(path)
        except DataError as error:
            known = stamp, str(error)
        _read[path] = known
    return known[1]


def _draw_entry(number: int, lesson: Lesson) -> None:
    with st.container(key=f"entry-{number}"):
        st.button(
            f"{number}.  {escape(lesson.title)}",
            key=f"open-{lesson.name}",
            type="tertiary",
            on_click=open_lesson,
            args=(lesson.name,),
        )
        minutes = f"<b>{html.escape(words.learn.MINUTES.format(minutes=lesson.minutes))}</b>" if lesson.minutes else ""
        st.html(f'<p class="ltviz-entry">{html.escape(lesson.about)}{minutes}</p>')
