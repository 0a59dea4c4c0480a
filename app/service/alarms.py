"""What went wrong in runs, and what moved in them, found in their frames whoever looks: a stage's timeline has it, and
of what went wrong the compare page too.

Each frame is looked at once in the life of the server. What the hub follows is looked at beside its other work, a slice
of time after the other, so that neither viewers nor trainers wait for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ltviz.errors import LtvizError
from ltviz.metrics.alarms import Alarm, Observation, observe
from ltviz.metrics.loss_watch import LossWatch
from ltviz.metrics.moves import Moves, MoveWatch
from ltviz.recording import Recording
from ltviz.recording.measured import find_alarms_of, observed_of, watch_losses

from .kept import Kept, identify
from .moves import classes_at, looked_at

log = logging.getLogger("ltviz.app")

SLICE_SECONDS = 0.1
"""How long one run is looked at before others have their turn."""
MOST_FRAMES = 4_096
"""Frames of a run that are looked at: of a longer one every second, fourth, ... so that none is looked at in vain."""
MOST_KEPT = 24
"""Runs whose observations, of a few hundred bytes each, are kept: as many as one page shows."""


@dataclass(frozen=True)
class RunAlarms:
    """What was found wrong with a run so far."""

    alarms: tuple[Alarm, ...]
    complete: bool
    """Whether every frame has been looked at."""
    moves: Moves = field(default_factory=Moves)
    """Whose prediction flipped and who crossed a border, in the frames looked at."""


@dataclass
class _Seen:
    """What is known of one run."""

    watch: LossWatch | None
    observations: dict[int, Observation | None] = field(default_factory=dict)
    """By step; None where there is nothing to be seen."""
    moves: MoveWatch = field(default_factory=MoveWatch)
    followed: int = -1
    """The step up to which moves have been looked for."""
    rows: np.ndarray | None = None
    """Samples whose moves are looked for, once any are."""


class Alarms:
    """Finds alarms; any thread may ask."""

    def __init__(self) -> None:
        self._kept = Kept(MOST_KEPT)
        self._guard = threading.Lock()

    def find(
        self, recording: Recording, seconds: float = float("inf"), steps: Sequence[int] | None = None
    ) -> RunAlarms:
        """The alarms of a run in the frames that were looked at before, and as many more as there is time for.

        `steps` are those of its frames, which are looked for where None.

        Raises:
            LtvizError: the recording does not hold what it takes.
        """
        end = time.monotonic() + seconds
        key = recording.path, identify(recording.path)
        seen: _Seen = self._kept.get(key, lambda: _Seen(watch_losses(recording.info)))
        steps = recording.steps() if steps is None else steps
        stride = 1 << max(0, (len(steps) - 1) // MOST_FRAMES).bit_length()
        wanted = steps[::stride]
        # What moved is found in a small part of the time that alarms take, and is not to wait for them.
        complete = _follow_moves(recording, seen, wanted, time.monotonic() + seconds / 2)
        for step in wanted:
            if step in seen.observations:
                continue
            if time.monotonic() > end:
                complete = False
                break
            seen.observations[step] = _look(recording, step)
        found = [there for step in wanted if (there := seen.observations.get(step)) is not None]
        if len(seen.observations) > 2 * MOST_FRAMES:
            seen.observations = {step: seen.observations[step] for step in wanted if step in seen.observations}
        with self._guard:
            return RunAlarms(tuple(find_alarms_of(recording, found, seen.watch)), complete, seen.moves.told())


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


def _follow_moves(recording: Recording, known: _Seen, steps: Sequence[int], end: float) -> bool:
    """Looks for moves in frames later than those of before; whether there was time for all of them."""
    for step in steps:
        if step <= known.followed:
            continue
        if time.monotonic() > end:
            return False
        try:
            probe = recording.probe
            if known.rows is None:
                known.rows = looked_at(probe)
            known.moves.take(step, classes_at(recording.frame(step), probe, recording.info, known.rows))
        except (LtvizError, OSError) as error:
            log.info("Run %s: step %d is not looked at for moves: %s", recording.run_id, step, error)
        known.followed = max(known.followed, step)
    return True
