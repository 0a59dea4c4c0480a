"""What a step of a lesson shows, for the page Learn and for a lesson in a file of its own."""

from __future__ import annotations

from ltviz.lessons import Book, moved

from .. import words


def tell_picture(book: Book, run: str, first: int, last: int) -> str:
    """What the picture of one run shows, and how it got there, in numbers."""
    moves = moved(book, run, first, last)
    title = book.run(run).info.title or run
    still = book.step(run, first) == book.step(run, last)
    kinds = words.learn.STANDS if still else words.learn.MEASURED
    told = ", ".join(
        kinds[move.key].format(
            first=words.learn.number(move.first[1], move.unit), last=words.learn.number(move.last[1], move.unit)
        )
        for move in moves
    )
    frame = words.learn.PICTURE_STILL if still else words.learn.PICTURE_RUN
    return frame.format(title=title, first=book.step(run, first), last=book.step(run, last), told=told)
