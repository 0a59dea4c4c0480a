"""Whether somebody looks at the operations of a loss instead of at its numbers, and what that leaves to look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch.autograd import forward_ad

_steady: ContextVar[str | None] = ContextVar("steady", default=None)


def is_transformed() -> bool:
    """Inside a transform of `torch.func`, or forward-mode differentiation: only plain operations have rules for it."""
    stack = torch._C._functorch.peek_interpreter_stack()  # pyright: ignore[reportAttributeAccessIssue]
    return stack is not None or forward_ad._current_level >= 0


def is_traced() -> bool:
    """Inside `torch.compile` or a transform of `torch.func`: values cannot be read, and so are not checked."""
    return torch.compiler.is_compiling() or is_transformed()


@contextmanager
def steady(*, checked: bool) -> Iterator[None]:
    """The steps of a training: no size inside hangs on a value, for to read a value is to wait for a GPU.

    Args:
        checked: whether arguments are looked at nevertheless, as in a first step; they are of one kind in all others.
    """
    token = _steady.set("checked" if checked else "trusted")
    try:
        yield
    finally:
        _steady.reset(token)


def sizes_are_fixed() -> bool:
    """Whether sizes may not hang on values: what is left out gets the weight 0 instead then."""
    return is_traced() or _steady.get() is not None


def checks_values() -> bool:
    """Whether the values of arguments may be read, and so are checked."""
    return not is_traced() and _steady.get() != "trusted"
