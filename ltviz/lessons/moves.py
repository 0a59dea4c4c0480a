"""What moved where, in numbers: a picture for those who do not see it."""

from __future__ import annotations

from dataclasses import dataclass

from ltviz.lessons.quantities import Book
from ltviz.metrics import MEASURES

TOLD = ("centre_sum", "spread_head", "spread_tail", "min_centre_angle")
"""Measures that say how a picture has changed: how far the centres lean to one side, how wide the clouds of common and
of rare classes are, and how near the two nearest centres are."""


@dataclass(frozen=True)
class Move:
    """One measure of one run, from one step to another."""

    run: str
    key: str
    unit: str
    first: tuple[int, float]
    """Step, value."""
    last: tuple[int, float]


def moved(book: Book, run: str, first: int | str, last: int | str) -> list[Move]:
    """What `TOLD` was at one step and is at another, as the run's frames note it; what they do not is left out.

    Raises:
        LtvizError: no such run.
    """
    steps = book.step(run, first), book.step(run, last)
    noted = book.run(run).frame_metrics()
    before, after = (noted.get(step, {}) for step in steps)
    return [
        Move(run, key, MEASURES[key].unit, (steps[0], before[key]), (steps[1], after[key]))
        for key in TOLD
        if key in before and key in after
    ]
