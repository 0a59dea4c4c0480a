"""When the next frame is due: watching costs time, and the user says how much."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MIN_FRAMES = 20
"""Frames of any run of at least as many steps, whatever they cost, where its settings say nothing."""


class FramePacer:
    """Spreads frames so that recording them takes at most a given share of the time.

    The first step (0, before training), the last and `least` evenly spread ones always get a frame, even where that
    exceeds the share; `share` tells what was reached. All others wait until the budget allows what a frame has cost
    lately, now and beside those that are still to come by the end, and 1 / max_fps seconds have passed since the last
    one began. Pauses do not count.

    Args:
        total_steps: last step of the run.
        share: of the time, in (0, 1); may be changed at any time.
        max_fps: frames a second.
        least: frames whatever they cost, where there are as many steps.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        total_steps: int,
        share: float,
        max_fps: float,
        least: int = MIN_FRAMES,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ):
        self.allowed = share
        self._interval, self._clock, self._total = 1 / max_fps, clock, total_steps
        self._started = clock()
        self._spent = self._idle = 0.0
        self._idle_since: float | None = None
        self._cost: float | None = None
        self._last_begin = float("-inf")
        self._wanted = {round(i * total_steps / least) for i in range(least + 1)}
        self._steps = sorted(self._wanted)

    def due(self, step: int) -> bool:
        """Whether step `step` gets a frame."""
        if step in self._wanted or step >= self._total:
            return True
        if self._clock() - self._last_begin < self._interval:
            return False
        cost, elapsed = self._cost or 0.0, self.elapsed
        if self._spent + cost > self.allowed * (elapsed + cost):
            return False
        # and by the end, when the frames will have come that come whatever they cost
        ahead = len(self._steps) - bisect_right(self._steps, step)
        return self._spent + cost * (1 + ahead) <= self.allowed * elapsed * self._total / max(step, 1)

    @contextmanager
    def frame(self) -> Iterator[None]:
        """Counts the time inside, but not what is idle of it, as the cost of one frame of all lanes together."""
        begin, self._last_begin = self.elapsed, self._clock()
        try:
            yield
        finally:
            took = self.elapsed - begin
            self._spent += took
            self._cost = took if self._cost is None else 0.7 * self._cost + 0.3 * took

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Time inside is neither training nor watching: a pause, a full disk, a teacher that trains first."""
        self._idle_since = self._clock()
        try:
            yield
        finally:
            self._idle += self._clock() - self._idle_since
            self._idle_since = None

    @property
    def elapsed(self) -> float:
        """Seconds since the start without idle ones."""
        now = self._clock() if self._idle_since is None else self._idle_since
        return now - self._started - self._idle

    @property
    def share(self) -> float:
        """Share of the time that frames have taken so far."""
        return self._spent / self.elapsed if self.elapsed > 0 else 0.0
