"""What went wrong in runs, found in their frames whoever looks: a stage's timeline has it, and so has the compare page.

Each frame is looked at once in the life of the server. What the hub follows is looked at beside its other work, a slice
of time after the other, so that neither viewers nor trainers wait for it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import numpy as np

from ltviz.errors import LtvizError
from ltviz.metrics.alarms import Alarm, Observation, observe
from ltviz.recording import Recording
from ltviz.recording.measured import find_alarms_of, observed_of

from .kept import Kept, identify

log = logging.getLogger("ltviz.app")

SLICE_SECONDS = 0.1
"""How long one run is looked at before others have their turn."""
MOST_FRAMES = 4_096
"""Frames of a run that are looked at: of a longer one every second, fourth, ... so that none is looked at in vain."""
MOST_KEPT = 24 * MOST_FRAMES
"""Observations of a few hundred bytes each: those of as many runs as one page shows."""


@dataclass(frozen=True)
class RunAlarms:
    """What was found wrong with a run so far."""

    alarms: tuple[Alarm, ...]
    complete: bool
    """Whether every frame has been looked at."""


class Alarms:
    """Finds alarms; any thread may ask."""

    def __init__(self) -> None:
        self._kept = Kept(MOST_KEPT)

    def find(self, recording: Recording, seconds: float = float("inf")) -> RunAlarms:
        """The alarms of a run in the frames that were looked at before, and as many more as there is time for.

        Raises:
            LtvizError: the recording does not hold what it takes.
        """
        folder = identify(recording.path)
        end = time.monotonic() + seconds
        seen, complete = [], True
        steps = recording.steps()
        stride = 1 << max(0, (len(steps) - 1) // MOST_FRAMES).bit_length()
        for step in steps[::stride]:
            if time.monotonic() > end:
                complete = False
                break
            observation = self._kept.get((recording.path, folder, step), lambda step=step: _look(recording, step))
            seen += [] if observation is None else [observation]
        return RunAlarms(tuple(find_alarms_of(recording, seen)), complete)


def _look(recording: Recording, step: int) -> Observation | None:
    try:
        frame = recording.frame(step)
        # Of samples without a label only their places are known, and of a run without classes not how many it should.
        if not (frame.labels >= 0).any():
            return None
        seen, split = observed_of(frame, recording.probe.known_split)
        return observe(seen, np.array(recording.info.counts), split)
    except (LtvizError, OSError) as error:
        # Removed, damaged, or not to be measured: the run's other frames still are.
        log.info("Run %s: step %d is not looked at for alarms: %s", recording.run_id, step, error)
        return None
