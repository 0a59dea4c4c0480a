"""What is to happen when, as the settings say it: milestones of the rate, and switches of the training. No torch."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

MOST_ENTRIES = 32
"""Milestones, or switches, of one run."""
RENEW = "renew"
"""A switch that says this begins with a fresh optimiser and runs the schedule anew."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Switch:
    """What changes once a share of the steps is done.

    Attributes:
        at: share of all steps that lie before it, between 0 and 1.
        renew: whether the optimiser is made afresh and warm-up and schedule begin again.
        values: setting -> new value, of the method or of the run, as text.
    """

    at: float
    renew: bool = False
    values: Mapping[str, str] = field(default_factory=dict)

    def first_step(self, total_steps: int) -> int:
        """The first step that feels it."""
        return math.floor(self.at * total_steps) + 1


@lru_cache(maxsize=64)
def parse_milestones(text: str) -> tuple[float, ...]:
    """Epochs from text such as "160,180".

    Raises:
        ValueError: not positive numbers that grow; the sentence is pydantic's to complete.
    """
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    numbers = tuple(_number(word) for word in words)
    if len(numbers) > MOST_ENTRIES or any(x is None or not 0 < x <= 1e6 for x in numbers):
        raise ValueError("must be epochs above 0, separated by commas, such as 160,180")
    found = tuple(x for x in numbers if x is not None)
    if any(a >= b for a, b in pairwise(found)):
        raise ValueError("must name epochs that grow, such as 160,180")
    return found


@lru_cache(maxsize=64)
def parse_switches(text: str) -> tuple[Switch, ...]:
    """Switches from text such as "0.5: renew; 0.8: beta=0.9999, weight_decay=0".

    Raises:
        ValueError: another form; the sentence is pydantic's to complete.
    """
    found = tuple(_switch(entry) for entry in text.split(";")) if text.strip() else ()
    if len(found) > MOST_ENTRIES or any(a.at >= b.at for a, b in pairwise(found)):
        raise ValueError(f"must name shares that grow, {MOST_ENTRIES} at most, such as 0.5: renew; 0.8: beta=0.9999")
    return found


def write_switches(switches: Iterable[Switch]) -> str:
    """The text that `parse_switches` reads."""
    parts = []
    for switch in switches:
        changes = [RENEW] * switch.renew + [f"{name}={value}" for name, value in switch.values.items()]
        parts.append(f"{switch.at:g}: {', '.join(changes)}")
    return "; ".join(parts)


def _switch(entry: str) -> Switch:
    share, _, rest = entry.partition(":")
    at = _number(share.strip())
    if at is None or not 0 < at < 1:
        raise ValueError("must begin each switch with a share of the steps between 0 and 1, such as 0.5: renew")
    renew, values = False, {}
    for change in rest.split(","):
        name, given, value = (part.strip() for part in change.partition("="))
        if name == RENEW and not given:
            renew = True
        elif _NAME.fullmatch(name) and given and value and name not in values:
            values[name] = value
        else:
            raise ValueError(f"must say {RENEW} or NAME=VALUE, each once, after a share, such as 0.5: renew, tau=1")
    return Switch(at, renew, values)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
