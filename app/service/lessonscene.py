"""What a step of a lesson shows, in words: for the page Learn, and for a lesson in a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from ltviz.lessons import Book, Scene, moved, travelled

from .. import words


def describe_lab(geometry: str) -> list[str]:
    """What a step's address of the geometry lab sets."""
    return [words.learn.lab_picture(parse_qsl(geometry))]


def describe_runs(book: Book, runs: Sequence[str], scene: Scene, *, played: bool) -> list[str]:
    """A sentence or two of each run: measures, and which centres moved where. Nothing of what is still to be played.

    Raises:
        LtvizError: no such run.
    """
    last = max(book.step(run, "last") for run in runs)
    held = last if scene.step is None else scene.step
    first, end = scene.play or (held, held)
    return [_describe(book, run, first, end if played else first) for run in runs]


def _describe(book: Book, run: str, first: int, last: int) -> str:
    number = words.learn.number
    still = book.step(run, first) == book.step(run, last)
    kinds = words.learn.STANDS if still else words.learn.MEASURED
    told = ", ".join(
        kinds[move.key].format(first=number(move.first[1], move.unit), last=number(move.last[1], move.unit))
        for move in moved(book, run, first, last)
    )
    frame = words.learn.PICTURE_STILL if still else words.learn.PICTURE_RUN
    title = book.run(run).info.title or run
    told = frame.format(title=title, first=book.step(run, first), last=book.step(run, last), told=told)
    travel = travelled(book, run, first, last)
    if travel is None:
        return told
    (most, most_by), (least, least_by), (a, b, angle) = travel.farthest, travel.least, travel.nearest
    ways = {
        "most": most,
        "most_by": number(most_by, "degrees"),
        "least": least,
        "least_by": number(least_by, "degrees"),
    }
    frame = words.learn.NEAREST if still else words.learn.TRAVELLED
    return f"{told} {frame.format(**ways, a=a, b=b, angle=number(angle, 'degrees'))}"
