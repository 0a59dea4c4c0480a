"""Training steps as CUDA graphs: captured once, then replayed with the numbers of each step.

A step of a small network is a few hundred operations of a few microseconds each, and the host takes longer to ask for
them than a GPU to do them. A graph asks for all of them at once.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from ltviz.data.batch import Batch
from ltviz.methods.base import UNSAID, Method
from ltviz.methods.parts.captured import Tape
from ltviz.methods.parts.host_count import forget_counts
from ltviz.training.engine import Engine
from ltviz.training.ledger import Entry, Ledger
from ltviz.training.schedules import parse_schedules
from ltviz.training.settings import RunSettings

WARM_STEPS = 3
"""Steps of one kind that are taken one operation at a time before the next of that kind is captured: libraries find out
in them which algorithms they use, and an optimiser makes its state."""

_HELD = "weight_decay"
"""A number of the run that a graph holds, as it holds all of the method; the rate is read anew at each replay."""

log = logging.getLogger(__name__)
T = TypeVar("T")
Work = Callable[[Batch, float | Tensor], None]
"""A step on a batch at a learning rate: a number, or 0-d float32 on the device in a capture."""


def choice(method: Method, run: RunSettings, engine: Engine) -> tuple[bool, list[str]]:
    """Whether steps of the method are captured, and a sentence that says so or why not; none where nobody asks."""
    on_cuda = engine.device.type == "cuda"
    if run.cuda_graphs == "off" or (run.cuda_graphs == "auto" and not on_cuda):
        return False, []
    name = method.card.name
    if not on_cuda:
        why = f"the device is {engine.device}"
    elif engine.precision == "16":
        why = "precision 16 leaves out steps by what it has read on the host"
    elif engine.compiled:
        why = "the encoder is compiled"
    elif engine.ranks is not None:
        why = "ranks wait for one another within a step"
    else:
        why = vars(type(method)).get("on_host", UNSAID)  # what a class inherits says nothing of what it adds
    if why is None:
        told = f"cuda graphs: steps of {name} are captured once their sizes stand still, and replayed"
        held = {*type(method).Settings.model_fields, _HELD}
        moved = [setting for setting in parse_schedules(run.schedules) if setting in held]
        if moved:
            told += f"; while a curve moves {', '.join(moved)}, they are taken one operation at a time"
        return True, [told]
    return False, [f"cuda graphs: steps of {name} are taken one operation at a time, because {why}"]


class Graph(Protocol):
    """Operations of a device."""

    def capture(self, work: Callable[[], T]) -> T:
        """What `work` gives, where nothing has been computed yet."""
        ...

    def replay(self) -> None:
        """Computes it, in the memory of the capture."""
        ...


class CudaGraph:
    """A graph of CUDA, on a side stream of its device."""

    def __init__(self, device: torch.device):
        self._device, self._graph = device, torch.cuda.CUDAGraph()

    def capture(self, work: Callable[[], T]) -> T:
        """As `Graph.capture`."""
        before, collects = torch.cuda.current_stream(self._device), gc.isenabled()
        gc.collect()
        gc.disable()  # to give back an older graph is not allowed meanwhile
        try:
            with torch.cuda.graph(self._graph, stream=_side_stream(self._device), capture_error_mode="thread_local"):
                return work()
        finally:
            torch.cuda.set_stream(before)  # a capture that fails leaves its own
            if collects:
                gc.enable()

    def replay(self) -> None:
        """As `Graph.replay`."""
        self._graph.replay()


@lru_cache(maxsize=16)
def _side_stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)


@contextmanager
def beside(device: torch.device) -> Iterator[None]:
    """On the stream that graphs are captured on, in its turn with the usual one: what autograd and the libraries set up
    for a stream they then have for the capture."""
    if device.type != "cuda":
        yield
        return
    side, usual = _side_stream(device), torch.cuda.current_stream(device)
    side.wait_stream(usual)
    with torch.cuda.stream(side):
        yield
    usual.wait_stream(side)


class Kind(NamedTuple):
    """What decides which operations a step is made of."""

    objects: tuple[object, ...]
    """That must be the same ones: settings, which are never changed in place, and the optimiser."""
    numbers: tuple[Hashable, ...]
    """That must be equal."""

    def is_like(self, other: Kind) -> bool:
        """Whether steps of both are made of the same operations."""
        pairs = zip(self.objects, other.objects, strict=True)
        return self.numbers == other.numbers and all(one is its for one, its in pairs)


class Captured(NamedTuple):
    """A step in a graph."""

    graph: Graph
    batch: Batch
    """Whose memory the graph reads."""
    tape: Tape
    entry: Entry
    """In whose memory the graph leaves the terms."""


class Replays:
    """Takes the steps of one method: one operation at a time until they are alike, then as a graph.

    Args:
        method: whose step `work` is.
        ledger: in which steps are noted.
        make: a graph that nothing has been captured in.

    Attributes:
        given_up: why a capture failed; steps are taken one operation at a time from then on.
    """

    def __init__(self, method: Method, ledger: Ledger, make: Callable[[], Graph]):
        self._method, self._ledger, self._make = method, ledger, make
        self._rate = torch.zeros((), device=ledger.refused.device)
        self._kind: Kind | None = None
        self._alike = 0
        """Steps of this kind so far, up to the capture."""
        self._last: tuple[Batch, Tape] | None = None
        self._captured: Captured | None = None
        self.given_up: str | None = None

    @property
    def is_replaying(self) -> bool:
        """Whether the last step was a replay."""
        return self._captured is not None

    def step(self, batch: Batch, rate: float, work: Work, *same: object, numbers: tuple[Hashable, ...] = ()) -> None:
        """One step on a batch of the method's own.

        Args:
            work: does it. What it does on the host is done once for all replays, but for what
                `ltviz.methods.parts.captured` is told.
            rate: the learning rate.
            same: objects that must be the same for a step to be of the same kind as the one before.
            numbers: that must be equal for it.
        """
        sizes = (self._method.sizes(), self._method.training, len(batch.index), *numbers)
        kind = Kind((self._method.settings, *same), sizes)
        if self._kind is None or not kind.is_like(self._kind):
            self._kind, self._alike, self._last, self._captured = kind, 0, None, None
        if self._last is not None and self.given_up is None:
            (last, tape), self._last = self._last, None
            self._captured = self._capture(last.held(), tape, work)
        if self._captured is not None:
            self._replay(self._captured, batch, rate)
            return
        self._alike += 1
        tape = Tape()
        with beside(batch.y.device), tape.listening():
            work(batch, rate)
        self._last = (batch, tape) if self._alike == WARM_STEPS else None

    def _capture(self, held: Batch, tape: Tape, work: Work) -> Captured | None:
        """The step on the batch `held`, captured and not taken; None where that fails, and all is as before."""
        generator, graph = self._method.setup_.generator, self._make()
        before, noted = generator.get_state(), len(self._ledger)
        try:
            with tape.capturing():
                graph.capture(lambda: work(held, self._rate))
            return Captured(graph, held, tape, self._ledger.take_back())
        except Exception as error:
            self.given_up = f"{type(error).__name__}: {error}".partition("\n")[0]
            name = self._method.card.name
            what = "%s: no CUDA graph, steps are taken one operation at a time: %s"
            log.warning(what, name, self.given_up, exc_info=error)
        while len(self._ledger) > noted:
            self._ledger.take_back()
        generator.set_state(before)
        forget_counts(self._method)
        return None

    def _replay(self, captured: Captured, batch: Batch, rate: float) -> None:
        captured.batch.take(batch)
        captured.tape.before_replay()
        self._rate.fill_(rate)
        captured.graph.replay()
        self._ledger.note_again(batch.step, rate, captured.entry)
