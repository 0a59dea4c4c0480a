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
from typing import Any, Literal

Mode = Literal["follow", "play", "hold"]

REST_SECONDS = 1.2
"""How long the last frame stays before a recording starts again."""
MAX_TICKS = 30.0
"""Ticks a second; a faster replay skips frames instead."""
SPEEDS = (1 / 16, 16.0)
MOMENT = 1e-6
"""Seconds that sums of intervals may be off by."""


@dataclass(frozen=True)
class Track:
    """What the clock must know of one run."""

    steps: Sequence[int]
    """Steps that can be shown, increasing."""
    live: bool
    """Whether more frames are to come."""


class Clock:
    """One viewer's clock. `tests/clock_cases.json` says how it goes, and a replay's (replayclock.js) like it.

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
        self._rested = 0.0
        self._fresh = False
        """Whether the step is still to be shown, for a beat, before the clock moves on."""
        self._saw_live = False

    def obey(self, request: Mapping[str, Any]) -> None:
        """Does what a viewer's message asks: `step` (hold it), `speed` (a factor), `play` (`from` a step), `live`.

        Raises:
            ValueError, TypeError, OverflowError: a number that is none.
        """
        if "step" in request:
            self.hold(int(request["step"]))
        if "speed" in request:
            self.set_speed(float(request["speed"]))
        if request.get("play"):
            start = request.get("from")
            self.play(None if start is None else int(start))
        if request.get("live"):
            self.follow()

    def follow(self) -> None:
        """Live runs at their newest frame, the others from their first."""
        self.mode, self.step, self._rested, self._due, self._fresh = "follow", None, 0.0, 0.0, False

    def hold(self, step: int) -> None:
        self.mode, self.step = "hold", int(step)

    def play(self, start: int | None = None) -> None:
        """From a step on, which is shown first; None goes on from where the clock stands, which is shown already."""
        self.mode, self._rested, self._due, self._fresh = "play", 0.0, 0.0, start is not None
        self.step = self.step if start is None else int(start)

    def set_speed(self, speed: float) -> None:
        """Sets the factor on hz; beyond 1/16 to 16 it is clipped, and what is no number is ignored."""
        if math.isfinite(speed):
            before = self.interval
            self.speed = min(max(float(speed), SPEEDS[0]), SPEEDS[1])
            # The tick that is under way comes as the new speed would have it.
            self._due += self.interval - before if self._due else 0.0

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
        if self._fresh:
            self._fresh = False
            return
        at = bisect_right(timeline, self.step) - 1
        # A replay faster than the ticks leaves frames out.
        stride = max(1, math.floor(self.hz * self.speed * self.interval + 0.5))
        if at + 1 < len(timeline):
            self.step, self._rested = timeline[min(at + stride, len(timeline) - 1)], 0.0
        elif self.mode == "play" and any(track.live for track in tracks.values()):
            self.follow()
        elif self._rested < REST_SECONDS - MOMENT:
            self.step, self._rested = timeline[-1], self._rested + self.interval
        else:
            self.step, self._rested = timeline[0], 0.0

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
