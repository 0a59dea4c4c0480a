"""Plays a lesson without a browser: every run is there, every answer can be computed, every claim holds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltviz.errors import DataError, LtvizError
from ltviz.lessons.answers import Answer, answer
from ltviz.lessons.lesson import Claim, Lesson, Scene, Section
from ltviz.lessons.quantities import Book, Quantity
from ltviz.lessons.shown import check_colour, check_layers
from ltviz.recording import Recording

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
        DataError: a run, step or class that is not there, an answer that cannot be computed, a claim that does not
            hold; with the line.
    """
    where = f" of {path}" if path else ""
    return [_play(lesson, step, book, where) for step in lesson.steps]


def _play(lesson: Lesson, step: Section, book: Book, where: str) -> Played:
    line = step.scene_line
    try:
        runs = [book.run(run) for run in lesson.runs_of(step)]
        _check_scene(step.scene, runs)
        if step.wait and step.wait.layer:
            line = step.wait_line
            check_layers([step.wait.layer], runs)
        line = step.ask_line
        found = answer(step.ask, book) if step.ask else None
        sides = []
        for claim in step.claims:
            line = claim.line
            sides.append(_hold(claim, book))
    except LtvizError as error:
        raise DataError(f"line {line}{where}: {error}") from error
    return Played(step, found, tuple(sides))


def _check_scene(scene: Scene, runs: Sequence[Recording]) -> None:
    """A stage asked for what no run has would show its nearest frame, or nothing, without a word."""
    check_layers(scene.layers, runs)
    if scene.colour is not None:
        check_colour(scene.colour, runs)
    if not runs:
        return
    last = max(run.steps()[-1] for run in runs)
    for asked in (*([scene.step] if scene.step is not None else ()), *(scene.play or ())):
        if asked > last:
            raise DataError(f"the stage shall show step {asked}, and the last one recorded is {last}")
    classes = max(run.info.num_classes for run in runs)
    if scene.classes and max(scene.classes) >= classes:
        raise DataError(f"classes go from 0 to {classes - 1} in these runs, got {max(scene.classes)}")


def _hold(claim: Claim, book: Book) -> tuple[float, float]:
    left, right = (book.value(side) if isinstance(side, Quantity) else side for side in (claim.left, claim.right))
    if not SIGNS[claim.sign](left, right):
        raise DataError(f"the recording does not show {claim.text!r}: it has {left:.4g} and {right:.4g}")
    return left, right
