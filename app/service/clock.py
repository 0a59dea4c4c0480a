"""Which step each panel should show now: follows live runs, plays recordings, holds still. Pure, no input or output.

    follow  live runs show their newest frame; the finished ones play, over and over
    play    all runs play from a chosen step on; at the end the live ones are followed again
    hold    every run shows its newest frame at or before the held step

Runs that play share one timeline, the union of their steps, so that all panels show the same moment.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Mode = Literal["follow", "play", "hold"]

REST_SECONDS = 1.2
"""How long the last frame stays before a recording starts again."""
MAX_TICKS = 30.0
"""Ticks a second; a faster replay skips frames instead."""
SPEEDS = (1 / 16, 16.0)


@dataclass(frozen=True)
class Track:
    """What the clock must know of one run."""

    steps: Sequence[int]
    """Steps that can be shown, increasing."""
    live: bool
    """Whether more frames are to come."""


class Clock:
    """One viewer's clock.

    Args:
        hz: frames a second of a replay at speed 1, 0.1 to 60.
        step: hold at this step from the start; None follows.
    """

    def __init__(self, hz: float = 10.0, step: int | None = None):
        self.hz = min(max(hz, 0.1), 60.0)
        self.speed = 1.0
        self.mode: Mode = "follow" if step is None else "hold"
        self.step = step
        self.beat = 0
        """Counts ticks; a resting clock asks for its last frame again with every beat, so that the rate stays."""
        self._due = 0.0
        self._rested = 0
        self._saw_live = False

    def follow(self) -> None:
        self.mode, self.step, self._rested, self._due = "follow", None, 0, 0.0

    def hold(self, step: int) -> None:
        self.mode, self.step = "hold", int(step)

    def play(self, start: int | None = None) -> None:
        self.mode, self._rested, self._due = "play", 0, 0.0
        self.step = self.step if start is None else int(start)

    def set_speed(self, speed: float) -> None:
        """Sets the factor on hz; beyond 1/16 to 16 it is clipped, and what is no number is ignored."""
        if math.isfinite(speed):
            self.speed = min(max(float(speed), SPEEDS[0]), SPEEDS[1])

    @property
    def interval(self) -> float:
        """Seconds between ticks."""
        return 1.0 / min(self.hz * self.speed, MAX_TICKS)

    def wait(self, now: float) -> float | None:
        """Seconds until `tick` has something to do, None where nothing moves by itself."""
        return None if self.mode == "hold" else max(0.0, self._due - now)

    def tick(self, tracks: Mapping[str, Track], now: float) -> None:
        """Moves the playing runs on if it is time; `now` is monotonic seconds."""
        if self.mode == "hold" or now < self._due:
            return
        # A late tick moves the schedule instead of hurrying after it.
        self._due = max(self._due + self.interval, now) if self._due else now + self.interval
        timeline = union(track.steps for track in self._playing(tracks))
        self._saw_live |= any(track.live and track.steps for track in tracks.values())
        if not timeline:
            return
        self.beat += 1
        if self.step is None:
            # A run that was watched to its end rests there before it starts again.
            self.step = timeline[-1 if self._saw_live else 0]
            return
        at = bisect_right(timeline, self.step) - 1
        stride = max(1, round(self.hz * self.speed * self.interval))
        if at + 1 < len(timeline):
            self.step, self._rested = timeline[min(at + stride, len(timeline) - 1)], 0
        elif self.mode == "play" and any(track.live for track in tracks.values()):
            self.follow()
        elif self._rested < REST_SECONDS / self.interval:
            self.step, self._rested = timeline[-1], self._rested + 1
        else:
            self.step, self._rested = timeline[0], 0

    def targets(self, tracks: Mapping[str, Track]) -> dict[str, int]:
        """Run -> the step it should show now; runs that have nothing to show are left out."""
        wanted = {}
        for run, track in tracks.items():
            if not track.steps:
                continue
            if self.mode == "follow" and track.live:
                wanted[run] = track.steps[-1]
            elif self.step is not None and (at := bisect_right(track.steps, self.step)):
                wanted[run] = track.steps[at - 1]
        return wanted

    def _playing(self, tracks: Mapping[str, Track]) -> list[Track]:
        return [track for track in tracks.values() if self.mode == "play" or not track.live]


def union(steps: Iterable[Sequence[int]]) -> Sequence[int]:
    """All steps of several runs, increasing; runs of a race share theirs, and then this costs nothing."""
    distinct = {id(s): s for s in steps if s}
    parts = list(distinct.values())
    if not parts:
        return ()
    if all(part == parts[0] for part in parts[1:]):
        return parts[0]
    return sorted(set().union(*parts))
