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
    """What the host does in a step, to do it again with each replay of the step.

    A step is taken twice while the tape is written: first as usual, so that there is memory for all that is drawn
    before a graph is captured (memory that is asked for in a capture has held other numbers of it before), then in the
    capture.
    """

    def __init__(self) -> None:
        self._memory: list[Tensor] = []
        self._draws: list[Callable[[], Tensor]] = []
        self._first: list[Tensor] = []
        self._counted: list[Callable[[], None]] = []
        self._captures = self._replayed = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Inside a step is taken as usual."""
        with self._current():
            yield

    @contextmanager
    def capturing(self) -> Iterator[None]:
        """Inside the same step is captured."""
        self._captures = True
        with self._current():
            yield

    @contextmanager
    def _current(self) -> Iterator[None]:
        token = _tape.set(self)
        try:
            yield
        finally:
            _tape.reset(token)

    def hold(self, draw: Callable[[], Tensor], device: torch.device) -> Tensor:
        """The numbers of `draw`, in memory where there will be others with every replay."""
        numbers = draw()
        if not self._captures:
            self._memory.append(send(numbers, device).clone())
            return self._memory[-1]
        memory = self._memory[len(self._draws)]
        if memory.shape != numbers.shape:
            raise ValueError(f"a step draws numbers of shape {tuple(numbers.shape)} instead of {tuple(memory.shape)}")
        self._draws.append(draw)
        self._first.append(numbers)
        return memory

    def count(self, add: Callable[[], None]) -> None:
        """Lets `add` be called with every replay after the first: what is captured has been counted."""
        if self._captures:
            self._counted.append(add)

    def before_replay(self) -> None:
        """Draws anew, in the order of the step, and counts; the first time with what the capture has drawn."""
        numbers = [draw() for draw in self._draws] if self._replayed else self._first
        for memory, drawn in zip(self._memory, numbers, strict=True):
            memory.copy_(send(drawn, memory.device), non_blocking=True)
        if self._replayed:
            for add in self._counted:
                add()
        self._first, self._replayed = [], True


_tape: ContextVar[Tape | None] = ContextVar("tape", default=None)


def drawn(draw: Callable[[], Tensor], device: torch.device) -> Tensor:
    """The numbers of `draw`, a tensor on the host whose shape is always the same, on the device."""
    tape = _tape.get()
    return send(draw(), device) if tape is None else tape.hold(draw, device)


def counted(add: Callable[[], None]) -> None:
    """To be called where the host has counted something in a step that a replay must count again, by `add`."""
    tape = _tape.get()
    if tape is not None:
        tape.count(add)
