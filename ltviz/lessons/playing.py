"""Plays a lesson without a browser: every run is there, every answer can be computed, every claim holds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ltviz.errors import DataError, LtvizError
from ltviz.lessons.answers import Answer, answer
from ltviz.lessons.lesson import Claim, Lesson, Section
from ltviz.lessons.quantities import Book, Quantity

SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Played:
    """A step, as it was played."""

    step: Section
    answer: Answer | None
    claims: tuple[tuple[float, float], ...]
    """Both sides of each claim."""


def play(lesson: Lesson, book: Book, path: Path | None = None) -> list[Played]:
    """Plays every step.

    Args:
        path: of the file, for the message.

    Raises:
        DataError: a run that is not there, an answer that cannot be computed, a claim that does not hold; with
            the line.
    """
    where = f" of {path}" if path else ""
    return [_play(lesson, step, book, where) for step in lesson.steps]


def _play(lesson: Lesson, step: Section, book: Book, where: str) -> Played:
    line = step.scene_line
    try:
        for run in lesson.runs_of(step):
            book.run(run)
        line = step.ask_line
        found = answer(step.ask, book) if step.ask else None
        sides = []
        for claim in step.claims:
            line = claim.line
            sides.append(_hold(claim, book))
    except LtvizError as error:
        raise DataError(f"line {line}{where}: {error}") from error
    return Played(step, found, tuple(sides))


def _hold(claim: Claim, book: Book) -> tuple[float, float]:
    left, right = (book.value(side) if isinstance(side, Quantity) else side for side in (claim.left, claim.right))
    if not SIGNS[claim.sign](left, right):
        raise DataError(f"the recording does not show {claim.text!r}: it has {left:.4g} and {right:.4g}")
    return left, right
