"""What is wrong with a run's loss terms, found as they come: terms that are not finite, terms that stand still."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

STUCK_WITHIN = 0.01
"""Relative distance from log(2N - 1) within which a loss term is stuck there."""
_STUCK_SHARE, _STUCK_STEPS = 0.05, 20  # of all steps, and at least; how long a loss must stand still


class LossWatch:
    """What the alarms need of a run's loss terms, taken in as they come: of a long run no line is looked at twice.

    Args:
        batch_size: samples of a training step, for log(2N - 1); that alarm is left out where None.
        views: of each sample in a batch.
        window: steps in a row that a stuck loss takes, as `stuck_window` gives them.
    """

    def __init__(self, batch_size: int | None, views: int, window: int) -> None:
        self.level = None if batch_size is None or views * batch_size < 3 else math.log(views * batch_size - 1)
        self.window = window
        self._forget()

    def _forget(self) -> None:
        self.lines = 0
        self.last = 0
        """The latest step."""
        self.bad: tuple[int, str] | None = None
        """Step and name of the first term that was not finite."""
        self.stuck: dict[str, int] = {}
        """Name -> first step of the first row of steps in which it stood still at the level."""
        self._rows: dict[str, tuple[int, int]] = {}

    def take(self, losses: Sequence[Mapping[str, Any]]) -> None:
        """Takes in the lines that are new, of all {"step", term: value or None, ...} so far. Where there are fewer than
        before, the run went back, and all are new."""
        if len(losses) < self.lines:
            self._forget()
        for place in range(self.lines, len(losses)):  # no list of them all, of which a long run has millions
            line = losses[place]
            step = int(line["step"])
            self.last = max(self.last, step)
            if self.bad is None and (bad := [name for name, value in line.items() if value is None]):
                self.bad = step, bad[0]
            if self.level is not None:
                self._follow(step, line, self.level)
        self.lines = len(losses)

    def _follow(self, step: int, line: Mapping[str, Any], level: float) -> None:
        rows = {}
        for name, value in line.items():
            if name in ("step", "learning_rate") or name in self.stuck:
                continue
            if isinstance(value, int | float) and abs(value - level) <= STUCK_WITHIN * level:
                began, length = self._rows.get(name, (step, 0))
                rows[name] = began, length + 1
                if length + 1 == self.window:
                    self.stuck[name] = began
        self._rows = rows


def stuck_window(total_steps: int) -> int:
    """Steps in a row for which a loss must stand still to be stuck."""
    return max(_STUCK_STEPS, math.ceil(_STUCK_SHARE * total_steps))
