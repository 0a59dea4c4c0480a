"""Declares a loss of a paper: a pure function that `ltviz.losses` offers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, ParamSpec

from torch import Tensor

from ltviz.methods.parts.inputs import full_precision
from ltviz.methods.parts.similarities import at_equal_counts
from ltviz.methods.parts.watch import watched

P = ParamSpec("P")


def loss(*unit: str, still: tuple[str, ...] = ()) -> Callable[[Callable[P, Tensor]], Callable[P, Tensor]]:
    """Decorates a paper's loss. It then stands in `ltviz.losses`, takes 16-bit features (`full_precision`), says what
    is hardly meant (`watched`, whose arguments these are), and tells what of its force is due to an argument `counts`
    (`at_equal_counts`)."""

    def decorate(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
        compared = at_equal_counts(function) if "counts" in inspect.signature(function).parameters else function
        declared = full_precision(watched(*unit, still=still)(compared))
        vars(declared)["is_loss"] = True
        return declared

    return decorate


def losses_of(module: ModuleType) -> dict[str, Callable[..., Tensor]]:
    """The losses that a module declares itself, by name."""
    return {
        name: value for name, value in vars(module).items() if _is_loss(value) and value.__module__ == module.__name__
    }


def _is_loss(value: Any) -> bool:
    return getattr(value, "is_loss", False) is True
