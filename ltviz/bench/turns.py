"""What the bench of training measures with, and what it prints."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from ltviz.training.race import Race


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        ratio: our steps a second over those of the plain loop; of a race, its time over the mean of its methods' alone;
            of a race of so many methods, "eager" or as CUDA "graphs", over that of its first method alone, eager.
        shares: of our time, by part, with sum 1; empty of a race, and of graphs, which have no parts.
    """

    network: str
    data: str
    batch: int
    method: str
    device: str
    torch: str
    threads: int
    clock: str
    steps: int
    steps_per_second: float
    images_per_second: float
    plain_steps_per_second: float | None
    ratio: float
    shares: dict[str, float]

    def __str__(self) -> str:
        plain = "" if self.plain_steps_per_second is None else f"{self.plain_steps_per_second:9.1f}"
        shares = "".join(f"{self.shares.get(part, float('nan')):10.1%}" for part in PARTS) if self.shares else ""
        return (
            f"{self.network:9} {self.batch:5} {self.method:13} {self.steps_per_second:8.1f} {plain:9} "
            f"{self.ratio:6.2f}x {self.images_per_second:9.0f}{shares}"
        )


PARTS = ("data", "encoder", "loss", "optimizer", "frames")
HEADER = "network   batch method         steps/s   plain/s   ratio  images/s" + "".join(f"{part:>10}" for part in PARTS)


@dataclass(frozen=True)
class Clock:
    """Seconds on a device: what was asked for before is done when it is read."""

    device: torch.device
    threads: int

    @property
    def name(self) -> str:
        return "process" if self.device.type == "cpu" and self.threads == 1 else "wall"

    def __call__(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()
        return time.process_time() if self.name == "process" else time.perf_counter()


class Turns:
    """A race and a plain loop that take turns.

    Attributes:
        ours, plain: seconds so far.
    """

    def __init__(self, clock: Clock, plain: Callable[[], None] | None, block: int):
        self.clock, self._plain, self._block = clock, plain, block
        self.ours = self.plain = 0.0

    def run(self, race: Race) -> list[Any]:
        """Trains the race, and as many steps of the plain loop in between."""
        self._race, self._began = race, self.clock()
        outcomes = race.run()
        self.ours += self.clock() - self._began
        return outcomes

    def progress(self, step: int) -> None:
        """To be called after each step of the race."""
        if self._plain is None or step % self._block:
            return
        begin = self.clock()
        self.ours += begin - self._began
        with self._race.pacer.idle():
            for _ in range(self._block):
                self._plain()
            self._began = self.clock()
        self.plain += self._began - begin
