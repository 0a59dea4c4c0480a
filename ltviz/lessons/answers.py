"""The right answer to a question, as the recordings have it, and what a learner's answer is worth beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ltviz.errors import DataError
from ltviz.lessons.lesson import KNOTS, Ask
from ltviz.lessons.quantities import Book, Quantity, name_of, unit_of

LEAST_APART = 0.02
"""Two numbers nearer than this share of the larger one are not told apart by looking: such a question is refused."""


@dataclass(frozen=True)
class Answer:
    """What is in the recording."""

    right: str | float | tuple[float, ...]
    """The option or the class, as the learner reads it; the number of a question for a value; of a curve its values at
    `KNOTS` places, evenly apart."""
    options: tuple[str, ...]
    """What there is to choose from; empty where a number is asked for."""
    numbers: tuple[float, ...]
    """The quantity of each option, of each class, or the one number; NaN where a class cannot show it. Of a curve the
    number at each of `steps`."""
    unit: str
    what: str
    """What the numbers are, in words."""
    recorded: bool
    """Whether a recording says so; else geometry alone does."""
    tolerance: float = 0.0
    span: tuple[float, float] = (0.0, 0.0)
    """Lowest and highest number that can be given."""
    steps: tuple[int, ...] = ()
    """Of a curve."""


@dataclass(frozen=True)
class Verdict:
    """A learner's answer beside the recording's."""

    right: bool
    score: float
    """0 to 1: 1 where it is right; of a number the less the farther it is, 0 at the other end of the scale; of an
    option the place of its quantity among the others."""
    off: float = 0.0
    """Distance to the number in the recording, in its unit; of a curve the mean distance."""


def answer(ask: Ask, book: Book) -> Answer:
    """Computes what is right.

    Raises:
        LtvizError: a run that is not there, a quantity that it cannot show, or one that decides nothing.
    """
    if ask.kind == "choose":
        quantities = [Quantity.parse(text) for text in ask.values]
        numbers = tuple(book.value(quantity) for quantity in quantities)
        if len(units := {unit_of(quantity) for quantity in quantities}) > 1:
            raise DataError(f"the values of a question must have one unit, got {', '.join(sorted(units))}")
        what = dict.fromkeys(name_of(quantity) for quantity in quantities)
        at = _extreme(numbers, ask)
        recorded = any(quantity.run for quantity in quantities)
        return Answer(ask.options[at], tuple(ask.options), numbers, unit_of(quantities[0]), " / ".join(what), recorded)
    quantity = Quantity.parse(ask.of or "")
    if ask.kind == "class":
        numbers = tuple(float(number) for number in book.values(quantity))
        names = tuple(book.class_names(quantity.run or ""))
        return Answer(names[_extreme(numbers, ask)], names, numbers, unit_of(quantity), name_of(quantity), True)
    low, high = float(ask.low or 0.0), float(ask.high or 0.0)
    if ask.kind == "curve":
        return _curve(ask, book, quantity, (low, high))
    found = book.value(quantity)
    if not low <= found <= high:
        raise DataError(f"the answer is {found:.4g}, and the question allows numbers from {low:g} to {high:g}")
    unit, recorded = unit_of(quantity), quantity.run is not None
    return Answer(found, (), (found,), unit, name_of(quantity), recorded, ask.tolerance or 0.0, (low, high))


def _curve(ask: Ask, book: Book, quantity: Quantity, span: tuple[float, float]) -> Answer:
    steps, numbers = book.curve(quantity)
    if not (span[0] <= numbers.min() and numbers.max() <= span[1]):
        raise DataError(
            f"the curve goes from {numbers.min():.4g} to {numbers.max():.4g}, and the question allows numbers from "
            f"{span[0]:g} to {span[1]:g}"
        )
    right = np.interp(np.linspace(steps[0], steps[-1], KNOTS), steps, numbers)
    unit, name = unit_of(quantity), name_of(quantity)
    tolerance = ask.tolerance or 0.0
    return Answer(tuple(right.tolist()), (), tuple(numbers.tolist()), unit, name, True, tolerance, span, steps)


Shape = Literal["stays", "rises", "falls", "rises_falls", "falls_rises", "wanders"]
FLAT = 0.1
"""A way up or down shorter than this share of the scale does not count in a curve's shape."""


def shape_of(values: Sequence[float], span: tuple[float, float]) -> Shape:
    """How a curve goes, in one word.

    Args:
        span: lowest and highest number of the scale.

    Example:
        >>> shape_of([0.1, 0.9, 0.5], (0, 1)), shape_of([0.5, 0.52], (0, 1))
        ('rises_falls', 'stays')
    """
    least = FLAT * (span[1] - span[0])
    ways: list[int] = []
    low = high = values[0]
    for value in values:
        low, high = min(low, value), max(high, value)
        way = 1 if value - low > least else -1 if high - value > least else 0
        if way:
            # From here the next turn is looked for.
            low = high = value
            if not ways or ways[-1] != way:
                ways.append(way)
    known: dict[tuple[int, ...], Shape] = {
        (): "stays",
        (1,): "rises",
        (-1,): "falls",
        (1, -1): "rises_falls",
        (-1, 1): "falls_rises",
    }
    return known.get(tuple(ways), "wanders")


def _extreme(numbers: tuple[float, ...], ask: Ask) -> int:
    sign = 1 if ask.right == "largest" else -1
    order = sorted((i for i, number in enumerate(numbers) if np.isfinite(number)), key=lambda i: -sign * numbers[i])
    if not order:
        raise DataError("no class can show what is asked for")
    if len(order) > 1:
        first, second = numbers[order[0]], numbers[order[1]]
        if abs(first - second) < LEAST_APART * max(abs(first), abs(second)):
            raise DataError(f"the question decides nothing: the two that lead are {first:.4g} and {second:.4g}")
    return order[0]


def judge(found: Answer, said: str | float | Sequence[float]) -> Verdict:
    """What a learner's answer is worth.

    Args:
        said: an option or a class as `found.options` has it, or a number; of a curve its `KNOTS` values.

    Raises:
        DataError: it is none of what there is to choose from.
    """
    if isinstance(found.right, tuple):
        return _judge_curve(found, said)
    if isinstance(said, str) or found.options:
        if said not in found.options:
            raise DataError(f"the answer must be one of {', '.join(found.options)}, got {str(said)[:40]!r}")
        known = [i for i, number in enumerate(found.numbers) if np.isfinite(number)]
        best, mine = found.options.index(str(found.right)), found.options.index(str(said))
        if mine not in known:
            return Verdict(False, 0.0)
        reach = max(abs(found.numbers[i] - found.numbers[best]) for i in known)
        near = 1.0 - abs(found.numbers[mine] - found.numbers[best]) / reach if reach else 1.0
        return Verdict(mine == best, near)
    off = abs(_number(said) - float(found.right))
    low, high = found.span
    reach = max(float(found.right) - low, high - float(found.right))
    score = 1.0 if off <= found.tolerance else max(0.0, 1.0 - off / reach if reach else 0.0)
    return Verdict(off <= found.tolerance, score, off)


def _judge_curve(found: Answer, said: str | float | Sequence[float]) -> Verdict:
    drawn = () if isinstance(said, str | int | float) else tuple(_number(value) for value in said)
    if len(drawn) != KNOTS:
        raise DataError(f"the answer must be a curve of {KNOTS} numbers, got {len(drawn)}")
    there = np.interp(found.steps, np.linspace(found.steps[0], found.steps[-1], KNOTS), drawn)
    off = float(np.mean(np.abs(there - np.array(found.numbers))))
    reach = found.span[1] - found.span[0]
    score = 1.0 if off <= found.tolerance else max(0.0, 1.0 - 2 * off / reach)
    return Verdict(off <= found.tolerance, score, off)


def _number(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not np.isfinite(given):
        raise DataError(f"the answer must be a number, got {str(given)[:40]!r}")
    return float(given)
