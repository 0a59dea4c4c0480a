"""What a learner said beside what is in the recording, and how much of a lesson they knew."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from ltviz.errors import LtvizError
from ltviz.lessons import Answer, Lesson, Verdict, answer, judge, shape_of

from .. import words
from .course import Course, Said

SHORT, LONGEST_BAR = 18, 55
"""Letters of a name that stands in one line with its bar; the longest bar, in percent of the room for it."""


def draw_verdict(found: Answer, said: Said) -> None:
    """The sentence, and unless a curve shows it beside, a bar for each thing that could be said."""
    verdict = judge(found, said)
    bars = "" if isinstance(found.right, tuple) else _bars(found, said)
    mark = "right" if verdict.right else "wrong"
    text = html.escape(_tell(found, said, verdict))
    st.html(f'<div class="ltviz-verdict" data-verdict="{mark}" role="status"><p>{text}</p>{bars}</div>')


def _tell(found: Answer, said: Said, verdict: Verdict) -> str:
    number, unit = words.learn.number, found.unit
    if isinstance(found.right, tuple) and isinstance(said, tuple):
        shapes = shape_of(said, found.span), shape_of(found.numbers, found.span)
        return words.learn.verdict_curve(verdict.right, *shapes, found.what, number(verdict.off, unit))
    if isinstance(found.right, str):
        return words.learn.verdict(verdict.right, str(said), found.right, found.what, recorded=found.recorded)
    mine, right = number(_one(said), unit), number(_one(found.right), unit)
    off = number(verdict.off, unit)
    return words.learn.verdict_number(verdict.right, mine, right, found.what, off, recorded=found.recorded)


def _one(given: Said) -> float:
    """The number of a question for a value."""
    if isinstance(given, tuple):
        raise TypeError("a curve is no single number")
    return float(given)


def _bars(found: Answer, said: Said) -> str:
    """Every option with its number in the recording; the learner's own stays marked beside it."""
    known = words.learn.RECORDED if found.recorded else words.learn.COMPUTED
    rows: list[tuple[str, float, str]] = []
    if isinstance(found.right, str):
        for name, value in zip(found.options, found.numbers, strict=True):
            notes = [words.learn.YOU] * (name == said) + [known] * (name == found.right)
            rows.append((name, value, ", ".join(notes)))
    else:
        rows = [(words.learn.YOU, _one(said), ""), (known, _one(found.right), "")]
    most = max((abs(value) for _, value, _ in rows if value == value), default=0.0) or 1.0
    cells = "".join(
        f"<dt>{html.escape(name)}</dt>"
        f'<dd><i style="width:{LONGEST_BAR * abs(value) / most if value == value else 0:.1f}%"></i>'
        f"<span>{html.escape(words.learn.number(value, found.unit)) if value == value else '–'}</span>"
        f"{f'<em>{html.escape(note)}</em>' if note else ''}</dd>"
        for name, value, note in rows
    )
    short = all(len(name) <= SHORT for name, _, _ in rows)
    return f'<dl class="ltviz-answers{" ltviz-short" if short else ""}">{cells}</dl>'


def draw_score(lesson: Lesson, course: Course) -> None:
    """How much of what was asked so far the learner knew."""
    verdicts: list[Any] = []
    for at, said in course.said.items():
        ask = lesson.steps[at].ask
        if ask is None:
            continue
        try:
            verdicts.append(judge(answer(ask, course.book), said))
        except LtvizError:  # said where the question stands
            continue
    if verdicts:
        share = round(100 * sum(verdict.score for verdict in verdicts) / len(verdicts))
        right = sum(verdict.right for verdict in verdicts)
        st.caption(words.learn.SCORE.format(right=right, asked=len(verdicts), share=share))
