"""What moved where, in numbers: a picture for those who do not see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True)
class Travel:
    """How the centres of a run's classes went from one step to another. Angles in degrees, classes by name."""

    farthest: tuple[str, float]
    """The class whose centre moved most, and how far."""
    least: tuple[str, float]
    nearest: tuple[str, str, float]
    """At the end: the two classes whose centres are nearest, and the angle between them."""


def travelled(book: Book, run: str, first: int | str, last: int | str) -> Travel | None:
    """What moved where; None where fewer than two classes have a centre at both steps.

    Raises:
        LtvizError: no such run.
    """
    before, after = book.centres(run, first), book.centres(run, last)
    names = book.class_names(run)
    known = np.flatnonzero(np.isfinite(before).all(1) & np.isfinite(after).all(1))
    if len(known) < 2:
        return None
    ways = np.degrees(np.arccos(np.clip((before[known] * after[known]).sum(1), -1, 1)))
    cosines = np.clip(after[known] @ after[known].T, -1, 1)
    np.fill_diagonal(cosines, -2)
    a, b = (int(at) for at in np.unravel_index(cosines.argmax(), cosines.shape))
    most, least = int(ways.argmax()), int(ways.argmin())
    return Travel(
        (names[known[most]], float(ways[most])),
        (names[known[least]], float(ways[least])),
        (names[known[a]], names[known[b]], float(np.degrees(np.arccos(cosines[a, b])))),
    )
