"""Settings that follow a curve while a run trains: the curves as text and as numbers, nothing more. No torch.

    schedules  = NAME ":" curve { ";" NAME ":" curve }
    curve      = "constant" VALUE
               | "linear" VALUE VALUE [ "from" PLACE ] [ "over" PLACE ]
               | "cosine" VALUE VALUE [ "from" PLACE ] [ "over" PLACE | "every" PLACE ]
               | "step" point { point }           holds each value until the next point
               | "drawn" point { point }          straight lines from point to point
    point      = PLACE "=" VALUE
    PLACE      = steps that were taken before, as the timeline counts them: 200; or a share of all steps: 50%

Before its first point a curve leaves the setting alone; after its last one it holds the last value. `every` is the
cosine that comes back, as of temperature schedules (Kukleva et al., 2023): from the first value to the second and back
within each period.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from ltviz.errors import shorten
from ltviz.text import plain

MOST_CURVES = 16
"""Settings of one run that follow a curve."""
MOST_POINTS = 64
"""Points of one curve."""
_EXAMPLE = "such as temperature: cosine 1 0.1 every 200; beta: drawn 0=0 50%=0.9"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,79}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)


class Place(NamedTuple):
    """Where on the way: steps taken, or a share of all steps."""

    number: float
    is_share: bool

    def after(self, total_steps: int) -> float:
        """Steps taken before it, of a run of so many."""
        return self.number * total_steps if self.is_share else self.number

    def __str__(self) -> str:
        return f"{_written(self.number * 100)}%" if self.is_share else _written(self.number)


@dataclass(frozen=True)
class Curve:
    """What a setting is after so many steps.

    Attributes:
        kind: how it goes from point to point; "wave" comes back to the first value within each period.
        values: at its points; a linear curve, a cosine and a wave have two.
        places: of the points. Of a linear curve, a cosine and a wave: where it begins, and how long it takes.
    """

    kind: Literal["constant", "linear", "cosine", "wave", "step", "drawn"]
    values: tuple[float, ...]
    places: tuple[Place, ...]

    def at(self, taken: float, total_steps: int) -> float | None:
        """The value of the step that comes after `taken` steps; None before the first point.

        >>> curve = parse_schedules("temperature: cosine 1 0.1 every 400")["temperature"]
        >>> [round(curve.at(taken, 1000), 3) for taken in (0, 100, 200, 400)]
        [1.0, 0.55, 0.1, 1.0]
        """
        begin = self.places[0].after(total_steps)
        if taken < begin:
            return None
        if self.kind in ("linear", "cosine", "wave"):
            first, last = self.values
            done = (taken - begin) / self.places[1].after(total_steps)
            if self.kind == "wave":
                return _between(first, last, (1 - math.cos(2 * math.pi * done)) / 2)
            done = min(done, 1.0)
            return _between(first, last, done if self.kind == "linear" else (1 - math.cos(math.pi * done)) / 2)
        places = [place.after(total_steps) for place in self.places]
        last_begun = bisect_right(places, taken) - 1
        if self.kind != "drawn" or last_begun + 1 == len(places):
            return self.values[last_begun]
        begun, coming = places[last_begun], places[last_begun + 1]
        return _between(self.values[last_begun], self.values[last_begun + 1], (taken - begun) / (coming - begun))

    def points_end(self, total_steps: int) -> float:
        """Steps taken before its last point; a curve that only takes long may end where the run is over."""
        return self.places[-1].after(total_steps) if self.kind in ("step", "drawn") else 0.0

    def __str__(self) -> str:
        values = [_written(value) for value in self.values]
        if self.kind == "constant":
            return f"constant {values[0]}"
        if self.kind in ("step", "drawn"):
            return " ".join(
                [self.kind, *(f"{place}={value}" for place, value in zip(self.places, values, strict=True))]
            )
        name, word = ("cosine", "every") if self.kind == "wave" else (self.kind, "over")
        return f"{name} {values[0]} {values[1]} from {self.places[0]} {word} {self.places[1]}"


@lru_cache(maxsize=64)
def parse_schedules(text: str) -> Mapping[str, Curve]:
    """Setting -> its curve, from text in the grammar above.

    Raises:
        ValueError: another form; the sentence is pydantic's to complete.

    >>> str(parse_schedules("beta: linear 0 0.9 over 50%")["beta"])
    'linear 0 0.9 from 0 over 50%'
    """
    found: dict[str, Curve] = {}
    for entry in text.split(";") if text.strip() else ():
        name, given, curve = (part.strip() for part in entry.partition(":"))
        if not given or not _NAME.fullmatch(name) or name in found:
            raise ValueError(f"must say NAME: CURVE, each name once, {_EXAMPLE}, and not {_part(entry.strip())}")
        found[name] = _curve(curve.split())
    if len(found) > MOST_CURVES:
        raise ValueError(f"must name at most {MOST_CURVES} settings, {_EXAMPLE}, and not {len(found)}")
    return found


def with_curve(text: str, name: str, curve: Curve) -> str:
    """The schedules with another curve for one setting; those of the others as they are.

    >>> with_curve("beta: step 8=0.9", "tau", parse_schedules("tau: constant 1")["tau"])
    'beta: step 8=0.9; tau: constant 1'
    """
    return write_schedules({**parse_schedules(text), name: curve})


def drawn_curve(values: Sequence[float], begin: float, end: float, *, shares: bool = False) -> Curve:
    """A curve by hand: numbers at places evenly apart. What lies on the line between its neighbours is left out.

    Args:
        values: 2 to `MOST_POINTS` finite numbers; they are kept to five digits.
        begin, end: the first and the last place, steps taken before; or shares of all steps.
        shares: which of both.

    >>> str(drawn_curve([0, 0.5, 1, 1], 100, 400))
    'drawn 100=0 300=1 400=1'
    """
    kept = [float(f"{value:.5g}") for value in values]
    digits = 6 if shares else 2
    places = [round(begin + (end - begin) * i / (len(kept) - 1), digits) for i in range(len(kept))]
    near = 2e-4 * (max(kept) - min(kept))
    chosen = [0]
    for i in range(1, len(kept) - 1):
        first, rise = chosen[-1], (kept[i + 1] - kept[chosen[-1]]) / (i + 1 - chosen[-1])
        if any(abs(kept[first] + rise * (j - first) - kept[j]) > near for j in range(first + 1, i + 1)):
            chosen.append(i)
    chosen.append(len(kept) - 1)
    return Curve("drawn", tuple(kept[i] for i in chosen), tuple(Place(places[i], shares) for i in chosen))


def write_schedules(curves: Mapping[str, Curve]) -> str:
    """The text that `parse_schedules` reads."""
    return "; ".join(f"{name}: {curve}" for name, curve in curves.items())


def scheduled(text: str, taken: int, total_steps: int) -> dict[str, float]:
    """Setting -> value, of the step that comes after `taken` steps; only what a curve says something of.

    >>> scheduled("temperature: linear 1 0 over 10; beta: step 8=0.9", 5, 40)
    {'temperature': 0.5}
    """
    curves = parse_schedules(text)
    found = ((name, curve.at(taken, total_steps)) for name, curve in curves.items())
    return {name: value for name, value in found if value is not None}


def without(text: str, names: Iterable[str]) -> str:
    """The schedules of all other settings; the same text where none of these has one.

    >>> without("temperature: constant 0.2; beta: step 8=0.9", ["temperature"])
    'beta: step 8=0.9'
    """
    curves, gone = parse_schedules(text), set(names)
    return write_schedules({name: curves[name] for name in curves if name not in gone}) if gone & {*curves} else text


def _between(first: float, last: float, share: float) -> float:
    """At a share of the way, never beyond the ends."""
    low, high = min(first, last), max(first, last)
    return min(max(first + (last - first) * share, low), high)


def _curve(words: list[str]) -> Curve:
    kind, *rest = words or [""]
    if kind == "constant" and len(rest) == 1:
        return Curve("constant", (_value(rest[0]),), (Place(0, is_share=False),))
    if kind in ("step", "drawn") and 0 < len(rest) <= MOST_POINTS:
        places, values = zip(*(_point(word) for word in rest), strict=True)
        if any(one.is_share != its.is_share or one.number >= its.number for one, its in pairwise(places)):
            raise ValueError("must name places that grow within a curve, all in steps or all in %, such as 0=1 200=0.1")
        return Curve("step" if kind == "step" else "drawn", values, places)
    if kind in ("linear", "cosine") and len(rest) >= 2:
        said = _said(rest[2:])
        if said is not None and not ("every" in said and (kind == "linear" or "over" in said)):
            length = said.get("every", said.get("over", Place(1, is_share=True)))
            if length.number <= 0:
                raise ValueError("must let a curve last longer than 0 steps, such as over 50% or every 200")
            shape = "wave" if "every" in said else "linear" if kind == "linear" else "cosine"
            places = (said.get("from", Place(0, is_share=False)), length)
            return Curve(shape, (_value(rest[0]), _value(rest[1])), places)
    raise ValueError(
        "must have curves constant A, linear A B [from P] [over P], cosine A B [from P] [over P or every P], "
        f"step P=A ... or drawn P=A ..., with at most {MOST_POINTS} points, and not {_part(' '.join(words))}"
    )


def _said(words: list[str]) -> dict[str, Place] | None:
    """What stands after from, over and every; None where it is something else, or twice the same."""
    names, places = words[::2], words[1::2]
    if len(names) != len(places) or len({*names}) != len(names) or not {*names} <= {"from", "over", "every"}:
        return None
    return {name: _place(place) for name, place in zip(names, places, strict=True)}


def _point(word: str) -> tuple[Place, float]:
    place, given, value = word.partition("=")
    if not given:
        raise ValueError(f"must have points PLACE=VALUE, such as 200=0.1 or 50%=0.1, and not {_part(word)}")
    return _place(place), _value(value)


def _place(word: str) -> Place:
    is_share = word.endswith("%")
    number = _number(word.removesuffix("%"))
    if number is None or not 0 <= number <= (100 if is_share else 1e9):
        raise ValueError(f"must name places in steps or in % of all steps, such as 200 or 50%, and not {_part(word)}")
    return Place(number / 100 if is_share else number, is_share)


def _value(word: str) -> float:
    number = _number(word)
    if number is None:
        raise ValueError(f"must have finite numbers for values, such as 0.1, and not {_part(word)}")
    return number


def _part(text: str) -> str:
    """What of the text is wrong, as a message repeats it."""
    return plain(shorten(text))


def _number(word: str) -> float | None:
    number = float(word) if _NUMBER.fullmatch(word) else math.inf
    return number if math.isfinite(number) else None


def _written(number: float) -> str:
    return f"{number:.0f}" if number == int(number) and abs(number) < 1e15 else repr(number)
