"""A lesson as one HTML file: its text, its questions with what its recordings answer, and these recordings themselves.

The page plays it without this app and without a network, with the stage's own modules.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ltviz
from ltviz.errors import ConfigError
from ltviz.lessons import KNOTS, TERMS, Answer, Ask, Book, Lesson, Played, Section, judge, terms_in
from ltviz.lessons.markup import to_tree

from .. import words
from . import replaypage
from .clock import union
from .hub import Hub
from .lab import lab_data
from .labpage import WORKER
from .lessonscene import describe_lab, describe_runs
from .packing import stage_without_stream
from .projections import DEFAULT_PROJECTION
from .replay import Packed, collect
from .stagescript import worker_source

SAID = (
    "PROGRESS", "BACK", "NEXT", "PLAY", "AGAIN", "PREDICT", "YOU", "RECORDED", "COMPUTED", "SCORE",
    "PICTURE", "SLIDES", "NO_SLIDES", "SLIDES_HELP", "WAITS", "SKIP", "POINT",
)  # fmt: skip
"""Words of the page Learn that the file says, too."""


@dataclass(frozen=True)
class LessonFile:
    """A finished file and what is in it."""

    html: bytes
    runs: tuple[str, ...]
    moments: int
    """Steps in the file."""
    recorded: int
    """Steps that the runs have."""


async def build_lesson(
    hub: Hub, lesson: Lesson, played: Sequence[Played], book: Book, *, theme: str | None, limit: int
) -> LessonFile:
    """Collects what the steps show and writes the page.

    Args:
        hub: reads the runs of the lesson.
        played: each step with the answer to its question, as `ltviz.lessons.play` gives them.
        theme: "light", "dark", or None for what the reader's system prefers.
        limit: bytes that the file may have; the recordings are thinned evenly to stay within them.

    Raises:
        ConfigError: not even the moments that the lesson names fit.
        LtvizError: a run that cannot be read.
    """
    runs = list(dict.fromkeys(run for step in lesson.steps for run in lesson.runs_of(step)))
    contents = _contents(lesson, played, book, runs, theme)
    kind = replaypage.LESSON
    page = len(replaypage.code(kind.entry)) + len(replaypage.style(kind.styles)) + len(replaypage.as_data(contents))
    tracks: list[Packed] = []
    recorded = 0
    if runs:
        try:
            tracks, recorded = await collect(
                hub, runs, DEFAULT_PROJECTION, limit, page=page, keep=_named_steps(lesson, book), moves=False
            )
        except ConfigError as error:
            too_large = words.learn.FILE_TOO_LARGE.format(title=lesson.title, limit=f"{limit / 1e6:g}")
            raise ConfigError(f"{too_large} {error}") from error
    moments = union([track.steps for track in tracks])
    html = replaypage.write_page(
        title=lesson.title,
        note=_note(len(moments), recorded, limit),
        contents=contents | {"runs": [track.as_json() for track in tracks]},
        theme=theme,
        kind=kind,
    )
    return LessonFile(html, tuple(track.run for track in tracks), len(moments), recorded)


def _named_steps(lesson: Lesson, book: Book) -> set[int]:
    """The moments that a step holds, begins with or ends at."""
    named: set[int] = set()
    for step in lesson.steps:
        asked = [*(step.scene.play or ()), *([] if step.scene.step is None else [step.scene.step])]
        named |= {book.step(run, one) for run in lesson.runs_of(step) for one in asked}
    return named


def _note(kept: int, recorded: int, limit: int) -> str:
    note = words.learn.FILE_NOTE.format(date=time.strftime("%Y-%m-%d %H:%M"), version=ltviz.__version__)
    if kept == recorded:
        return note
    return f"{note} {words.learn.FILE_THINNED.format(kept=kept, all=recorded, limit=f'{limit / 1e6:g}')}"


def _contents(
    lesson: Lesson, played: Sequence[Played], book: Book, runs: Sequence[str], theme: str | None
) -> dict[str, Any]:
    """All but the recordings."""
    stage = stage_without_stream(runs, DEFAULT_PROJECTION, "learn") | {"theme": theme, "guest": True}
    stage["words"] |= words.learn.STAGE
    contents: dict[str, Any] = {
        "lesson": {
            "title": lesson.title,
            "language": lesson.language,
            "rtl": lesson.right_to_left,
            "shapes": words.learn.SHAPES,
            "steps": [_step(lesson, at, step, book) for at, step in enumerate(played)],
        },
        "words": {
            **{name: getattr(words.learn, name) for name in SAID},
            "TO_BEGIN": words.learn.TO_BEGIN,
            "SOURCE": words.learn.source(True),
            "GEOMETRY": words.learn.source(False),
            "RIGHT": words.learn.VERDICT_NUMBER[True],
            "WRONG": words.learn.VERDICT_NUMBER[False],
            "CURVE_RIGHT": words.learn.VERDICT_CURVE[True],
            "CURVE_WRONG": words.learn.VERDICT_CURVE[False],
        },
        "stage": stage,
    }
    if any(step.scene.geometry for step in lesson.steps):
        contents["lab"] = {"data": lab_data(theme), "worker": worker_source(WORKER), "words": words.learn.LAB_STAGE}
    return contents


def _step(lesson: Lesson, at: int, played: Played, book: Book) -> dict[str, Any]:
    step = played.step
    deed = {"id": str(at), **step.wait.model_dump(exclude={"say"})} if step.wait else None
    return {
        "title": step.title,
        "text": to_tree(step.text),
        "terms": [{"name": name, "colour": TERMS[name][0], "parts": TERMS[name][1]} for name in terms_in(step.text)],
        "ask": _ask(at, step.ask, played.answer) if step.ask and played.answer else None,
        "wait": deed,
        "say": step.wait.say if step.wait else "",
        **_scene(lesson, step, book),
    }


def _scene(lesson: Lesson, step: Section, book: Book) -> dict[str, Any]:
    """What the stage shows, and that in words before Play and after it."""
    scene = step.scene
    shown: dict[str, Any] = {"look": scene.look, "path": scene.path, "seconds": scene.seconds}
    if scene.geometry:
        told = describe_lab(scene.geometry)
        return shown | {"geometry": scene.geometry, "runs": [], "told": [told, told]}
    runs = lesson.runs_of(step)
    last = max(book.step(run, "last") for run in runs)
    held = last if scene.step is None else scene.step
    told = [describe_runs(book, runs, scene, played=played) for played in (False, True)]
    return shown | {"runs": list(runs), "step": held, "play": scene.play, "told": told}


def _ask(at: int, ask: Ask, found: Answer) -> dict[str, Any]:
    """A question with what its answers are worth. Of options every verdict is known here; of numbers none is."""
    number = words.learn.number
    asked: dict[str, Any] = {
        "kind": ask.kind,
        "question": ask.question,
        "options": list(found.options),
        "shown": [number(value, found.unit) if value == value else "–" for value in found.numbers],
        "sizes": [abs(value) if value == value else 0.0 for value in found.numbers],
        "recorded": found.recorded,
        "right": found.right,
        "what": found.what,
    }
    if isinstance(found.right, tuple):
        curve = {
            "id": str(at),
            "question": ask.question,
            "span": found.span,
            "steps": (found.steps[0], found.steps[-1]),
            "begins": found.numbers[0],
            "unit": found.unit,
            "knots": KNOTS,
        }
        values = {"steps": found.steps, "numbers": found.numbers, "tolerance": found.tolerance, "unit": found.unit}
        return asked | values | {"span": found.span, "curve": curve}
    if not isinstance(found.right, str):
        unit = words.learn.UNITS.get(found.unit, "")
        bounds = words.learn.NUMBER.format(low=f"{found.span[0]:g}", high=f"{found.span[1]:g}", unit=unit)
        start = ask.start
        return asked | {
            "unit": found.unit,
            "tolerance": found.tolerance,
            "span": found.span,
            "start": start,
            "bounds": bounds,
        }
    right, verdicts = found.right, []
    for option in found.options:
        verdict = judge(found, option)
        text = words.learn.verdict(verdict.right, option, right, found.what, recorded=found.recorded)
        verdicts.append({"right": verdict.right, "score": verdict.score, "text": text})
    return asked | {"verdicts": verdicts}
