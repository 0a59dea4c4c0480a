"""What a step has of the host, and leaves there, which a step that was captured as a CUDA graph would not do again.

A graph holds the operations of the device alone. Numbers that the host draws for each step would be those of the step
that was captured, and what the host counts would be counted once. Both say here that they come again with each step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from ltviz.data.transfer import send


class Tape:
    """What the host did in a step while it was captured, to do it again with each replay."""

    def __init__(self) -> None:
        self._drawn: list[tuple[Tensor, Callable[[], Tensor]]] = []
        self._first: list[Tensor] | None = []
        self._counted: list[Callable[[], None]] = []

    def hold(self, draw: Callable[[], Tensor], device: torch.device) -> Tensor:
        """Memory for the numbers of `draw`, which are there with every replay."""
        assert self._first is not None, "a tape is written once"
        numbers = draw()
        self._first.append(numbers)
        self._drawn.append((torch.empty(numbers.shape, dtype=numbers.dtype, device=device), draw))
        return self._drawn[-1][0]

    def count(self, add: Callable[[], None]) -> None:
        """Lets `add` be called with every replay after the first: what is captured has been counted."""
        self._counted.append(add)

    def before_replay(self) -> None:
        """Draws anew, in the order of the step, and counts; the first time with what the capture has drawn."""
        first, self._first = self._first, None
        for place, (memory, draw) in enumerate(self._drawn):
            numbers = draw() if first is None else first[place]
            memory.copy_(send(numbers, memory.device), non_blocking=True)
        if first is None:
            for add in self._counted:
                add()


_tape: ContextVar[Tape | None] = ContextVar("tape", default=None)


@contextmanager
def recording() -> Iterator[Tape]:
    """What the host does inside is written on the tape."""
    tape = Tape()
    token = _tape.set(tape)
    try:
        yield tape
    finally:
        _tape.reset(token)


def drawn(draw: Callable[[], Tensor], device: torch.device) -> Tensor:
    """The numbers of `draw`, a tensor on the host whose shape is always the same, on the device."""
    tape = _tape.get()
    return send(draw(), device) if tape is None else tape.hold(draw, device)


def counted(add: Callable[[], None]) -> None:
    """To be called where the host has counted something in a step that a replay must count again, by `add`."""
    tape = _tape.get()
    if tape is not None:
        tape.count(add)
