"""A lesson while it is written: its file is followed, and what is wrong in it stands above what was last right."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from ltviz.errors import LtvizError
from ltviz.lessons import Lesson, Section, play, read_lesson

from .. import words
from ..service.studio import Studio
from .course import forget_answers, open_book
from .lesson import draw_lesson, open_lesson

LOOK_SECONDS = 0.25
Stamp = tuple[int, int]


@dataclass
class Draft:
    """What a session knows of the file."""

    stamp: Stamp | None = None
    good: Lesson | None = None
    """The last version that is a lesson."""
    trouble: str = ""
    """Why the file, as it is now, is none, or what its recordings do not bear out."""


def draw_preview(studio: Studio, path: Path) -> None:
    """The lesson of a file as it is now, or as it last was right; it follows the file by itself."""
    draft: Draft = st.session_state.setdefault("draft", Draft())
    if (stamp := _stamp(path)) != draft.stamp:
        _read(studio, draft, path, stamp)
    st.fragment(_look_again, run_every=LOOK_SECONDS)(path)
    st.html(f'<p class="ltviz-entry">{html.escape(words.learn.PREVIEW.format(path=path))}</p>')
    # Always there: what stands below must not be another element of the page for being lower.
    with st.container(key="draft-trouble"):
        if draft.trouble:
            told = html.escape(words.shared.sentence(draft.trouble) or "")
            st.html(f'<div class="ltviz-trouble" role="alert">{told}</div>')
            if draft.good is not None:
                st.caption(words.learn.PREVIEW_LAST)
    if draft.good is not None:
        draw_lesson(studio, draft.good)


def _stamp(path: Path) -> Stamp:
    try:
        about = path.stat()
    except OSError:
        return -1, -1
    return about.st_size, about.st_mtime_ns


def _look_again(path: Path) -> None:
    if _stamp(path) != st.session_state["draft"].stamp:
        st.rerun(scope="app")


def _read(studio: Studio, draft: Draft, path: Path, stamp: Stamp) -> None:
    """Reads the file and computes its answers; who writes is taken to the step that has changed."""
    before, draft.stamp, draft.trouble = draft.good, stamp, ""
    try:
        draft.good = read_lesson(path)
        if before is not None:
            forget_answers(draft.good)
            open_lesson(draft.good.name, _changed_step(before, draft.good))
        play(draft.good, open_book(studio, {}))
    except LtvizError as error:
        draft.trouble = str(error).removesuffix(f": {path}")


def _changed_step(before: Lesson, now: Lesson) -> int:
    """The first step that is another one than before; the one that is shown where none is."""
    told = [_told(step) for step in before.steps]
    for at, step in enumerate(now.steps):
        if at >= len(told) or told[at] != _told(step):
            return at
    asked = st.query_params.get("step", "1")
    return int(asked) - 1 if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0


def _told(step: Section) -> Section:
    """A step wherever it stands in the file."""
    claims = tuple(replace(claim, line=0) for claim in step.claims)
    return replace(step, line=0, scene_line=0, ask_line=0, claims=claims)
