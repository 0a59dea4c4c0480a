"""What a loss says of arguments that it takes, but that are hardly meant.

Two things give a number, or NaN, and no error: rows that are not of unit length, and rows that are not finite. Each is
said once a process for each loss and argument, as a warning. The lengths, which cost a pass over the rows (on CUDA a
wait for the device), are looked at in the 1st, 2nd, 4th, 8th ... call of a loss; on the CPU a value that is not finite
makes it look at once. Nothing is looked at inside `torch.compile`, `torch.func`, the capture of a CUDA graph or the
steps of a training after its first (`steady`).

One thing makes autograd fail with an error that names no argument: rows that are overwritten between the loss and its
backward pass, as by a queue that takes in its keys too early. Here it has a sentence.
"""

from __future__ import annotations

import functools
import inspect
import math
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any, ParamSpec

import torch
from torch import Tensor

from ltviz.methods.parts.tracing import checks_values

P = ParamSpec("P")

TOLERANCE = 0.05
"""Of a unit row's length; 16-bit rows are up to 0.01 off."""
_WITH_EMPTY_SLOTS = ("queue", "keys")  # rows of zeros mean something there

_calls: Counter[str] = Counter()
_said: set[tuple[str, str, str]] = set()


def watched(*unit: str, still: tuple[str, ...] = ()) -> Callable[[Callable[P, Tensor]], Callable[P, Tensor]]:
    """Decorates a loss so that it says what this module's first lines name.

    Args:
        unit: arguments whose rows (..., D) are meant to have length 1.
        still: arguments that the backward pass reads as they were in the forward pass.
    """

    def decorate(loss: Callable[P, Tensor]) -> Callable[P, Tensor]:
        name, positional = loss.__name__, tuple(inspect.signature(loss).parameters)

        @functools.wraps(loss)
        def run(*args: P.args, **kwargs: P.kwargs) -> Tensor:
            value = loss(*args, **kwargs)
            if checks_values():
                arguments: dict[str, Any] = dict(zip(positional, args, strict=False)) | kwargs
                if _is_worth_a_look(name, value):
                    _look(name, value, arguments, unit)
                if still and value.grad_fn is not None:
                    _forbid_changes(name, value, {key: arguments[key] for key in still})
            return value

        return run

    return decorate


def _is_worth_a_look(name: str, value: Tensor) -> bool:
    _calls[name] += 1
    if value.device.type == "cpu":
        odd = not (math.isfinite(value.item()) if value.ndim == 0 else bool(value.isfinite().all()))
        if odd and (name, "", "") not in _said:
            _said.add((name, "", ""))
            return True
    elif value.is_cuda and torch.cuda.is_current_stream_capturing():
        return False
    return _calls[name].bit_count() == 1


@torch.no_grad()
def _look(loss: str, value: Tensor, arguments: dict[str, Any], unit: tuple[str, ...]) -> None:
    for name, rows in arguments.items():
        if not isinstance(rows, Tensor) or not rows.is_floating_point() or not rows.numel():
            continue
        if not bool(rows.isfinite().all()):
            rows_hit = int((~rows.isfinite()).reshape(-1, rows.shape[-1] if rows.ndim else 1).any(1).sum())
            _say(loss, name, "finite", f"{name} holds NaN or infinity in {rows_hit:,} of its rows")
        elif name in unit:
            lengths = rows.norm(dim=-1)
            if name in _WITH_EMPTY_SLOTS:
                lengths = lengths.where(lengths > 0, 1.0)
            shortest, longest = lengths.aminmax()
            if float(shortest) < 1 - TOLERANCE or float(longest) > 1 + TOLERANCE:
                _say(
                    loss,
                    name,
                    "unit",
                    f"{name} should hold unit rows and is taken as given, but they are {float(shortest):.3g} to "
                    f"{float(longest):.3g} long; give torch.nn.functional.normalize({name}, dim=-1)",
                )


def _say(loss: str, argument: str, kind: str, what: str) -> None:
    if (loss, argument, kind) not in _said:
        _said.add((loss, argument, kind))
        warnings.warn(f"{loss}: {what} (said once)", RuntimeWarning, stacklevel=6)


def _forbid_changes(loss: str, value: Tensor, still: dict[str, Tensor]) -> None:
    versions = [(name, rows, rows._version) for name, rows in still.items() if not rows.is_inference()]

    def check(_: Any) -> None:
        for name, rows, version in versions:
            if rows._version != version:
                raise RuntimeError(
                    f"{loss}: {name} was changed in place between the loss and its backward pass, which needs it as it "
                    f"was; enqueue after backward(), or give {name}.clone()"
                )
        versions.clear()  # a loss that is kept for a log must not keep these rows

    node = value.grad_fn
    assert node is not None
    node.register_prehook(check)
