"""Declares a loss of a paper, or what belongs to one: a pure function that `ltviz.losses` offers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

from torch import Tensor

from ltviz.methods.parts.inputs import full_precision
from ltviz.methods.parts.similarities import at_equal_counts
from ltviz.methods.parts.watch import watched

P = ParamSpec("P")
R = TypeVar("R")


def loss(*unit: str, still: tuple[str, ...] = ()) -> Callable[[Callable[P, Tensor]], Callable[P, Tensor]]:
    """Decorates a paper's loss. It then stands in `ltviz.losses`, takes 16-bit features (`full_precision`), says what
    is hardly meant (`watched`, whose arguments these are), and tells what of its force is due to an argument `counts`
    (`at_equal_counts`)."""

    def decorate(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
        compared = at_equal_counts(function) if "counts" in inspect.signature(function).parameters else function
        declared = full_precision(watched(*unit, still=still)(compared))
        vars(declared)["offered_as"] = "loss"
        return declared

    return decorate


def offered(function: Callable[P, R]) -> Callable[P, R]:
    """Decorates a function of numbers that belongs to a paper's loss, such as a schedule: it stands in `ltviz.losses`,
    and is none."""
    vars(function)["offered_as"] = "number"
    return function


def offered_by(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The losses that a module declares itself, and what it offers beside them, by name."""
    return {
        name: value
        for name, value in vars(module).items()
        if _offered_as(value) and value.__module__ == module.__name__
    }


def is_loss(value: Any) -> bool:
    """Whether this was declared as a loss."""
    return _offered_as(value) == "loss"


def _offered_as(value: Any) -> str | None:
    return vars(value).get("offered_as") if inspect.isfunction(value) else None
