"""What the court of measures has found: which measure of evenness can be trusted where, from clouds of known truth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from ltviz.metrics.declaration import PARTS

RECORDED = Path(__file__).with_name("court.json")
"""What `ltviz bench measures --write` has written."""
Difference = Literal["points", "dimensions", "balance"]
"""In what two clouds differ: how many points, of how many dimensions, and in the shares of classes among them."""


@dataclass(frozen=True)
class Tried:
    """A measure before one charge."""

    passed: bool
    curve: tuple[float, ...]
    """Where each cloud lies on the measure's own way from the first of them, 0, to all points in one place, 1."""


@dataclass(frozen=True)
class Trial:
    """One charge: clouds whose truth is known, and what every measure made of them."""

    name: str
    asks: str
    """What a measure should do, one phrase."""
    grows: bool
    """Whether each cloud is less even than the one before; else all are alike."""
    along: tuple[str, ...]
    """What tells the clouds apart."""
    judges: Difference | None
    """In what two runs may differ where a measure has passed; None: it is not about runs."""
    measures: Mapping[str, Tried]
    """By key."""


@dataclass(frozen=True)
class Court:
    """All trials, when they were held, and by which version."""

    date: str
    version: str
    room: float
    """Share of a measure's way within which two values are the same."""
    trials: tuple[Trial, ...]


@cache
def read_court() -> Court:
    """The trials as they were last written; nothing is computed."""
    found = json.loads(RECORDED.read_text(encoding="utf-8"))
    trials = (
        Trial(
            name,
            one["asks"],
            one["grows"],
            tuple(one["along"]),
            one["judges"],
            {key: Tried(tried["passed"], tuple(tried["curve"])) for key, tried in one["measures"].items()},
        )
        for name, one in found["charges"].items()
    )
    return Court(found["date"], found["version"], found["room"], tuple(trials))


def without_part(key: str) -> str:
    """The key of a measure that is told of a part of the points, without that part."""
    for part in PARTS:
        key = key.removesuffix(f"_{part}")
    return key


def blind_to(key: str) -> frozenset[Difference]:
    """The differences between two clouds that a measure takes for one in evenness; empty where it was never tried.

    Example:
        >>> sorted(blind_to("uniformity_test"))
        ['balance', 'dimensions']
    """
    own = without_part(key)
    return frozenset(
        trial.judges
        for trial in read_court().trials
        if trial.judges and own in trial.measures and not trial.measures[own].passed
    )
