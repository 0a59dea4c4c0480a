"""How far a sweep is, read from the recordings of its runs, wherever these are trained. No torch here."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ltviz.errors import LtvizError, RecordingError
from ltviz.launch.sweep import Cell
from ltviz.recording import Recording, run_path
from ltviz.recording.info import ACTIVE
from ltviz.recording.notes import tag_run
from ltviz.training.settings import RunSettings

State = Literal["waiting", "training", "finished", "stopped", "failed"]
OVER: frozenset[State] = frozenset({"finished", "stopped", "failed"})


@dataclass(frozen=True)
class SweepStatus:
    """How far a sweep is.

    Attributes:
        states: run id -> state; "stopped" was ended early by a person, "failed" also covers runs whose worker died.
        skipped: runs that were finished when this sweep started.
        steps, total_steps: of all runs together; a run counts as far as its newest frame.
        seconds_left: None while nothing can be said.
    """

    states: dict[str, State]
    skipped: int
    steps: int
    total_steps: int
    seconds_left: float | None

    def count(self, state: State) -> int:
        return sum(found == state for found in self.states.values())


class Tally:
    """The runs of a sweep and where each stands.

    Args:
        home: folder of run folders.
        cells: of the plan.
        tag: put on every run of the sweep.

    Attributes:
        states: run id -> state, in the order of the plan. What failed before is "waiting": the cause may be gone, and
            a failed run is no finished one.
    """

    def __init__(self, home: Path, cells: Sequence[Cell], tag: str):
        self.home, self.tag = home, tag
        self.states: dict[str, State] = {
            run: "waiting" if state == "failed" else state for run, state in states_of(home, cells).items()
        }
        self._total = {run.run_id: cell.planned_steps for cell in cells for run in cell.job.runs}
        self._steps = {run: self._total[run] if state == "finished" else 0 for run, state in self.states.items()}
        self._skipped, self._steps_before = self._count("finished"), sum(self._steps.values())
        self._began = time.monotonic()

    def begin(self) -> None:
        """The clock starts; what is finished already gets the tag."""
        for run, state in self.states.items():
            if state == "finished":
                self._mark(run)
        self._began = time.monotonic()

    def close(self, run: str, state: State) -> None:
        """A run is over."""
        self.states[run] = state
        self._steps[run] = self._total[run] if state == "finished" else self._steps[run]
        self._mark(run)

    def status(self) -> SweepStatus:
        """How far it is now."""
        for run, state in self.states.items():
            if state == "training":
                step = Recording(run_path(self.home, run)).status().step or 0
                self._steps[run] = max(self._steps[run], min(step, self._total[run]))
        steps, total = sum(self._steps.values()), sum(self._total.values())
        # What has failed or was stopped will not be trained here, so nobody waits for it.
        over = sum(
            self._total[run] - self._steps[run] for run, state in self.states.items() if state in ("failed", "stopped")
        )
        done, seconds = steps - self._steps_before, time.monotonic() - self._began
        left = (total - steps - over) * seconds / done if done > 0 else None
        return SweepStatus(dict(self.states), self._skipped, steps, total, left)

    def _count(self, state: State) -> int:
        return sum(found == state for found in self.states.values())

    def _mark(self, run: str) -> None:
        with contextlib.suppress(LtvizError):  # a run without a folder, or damaged notes, is no reason to stop
            tag_run(run_path(self.home, run), [self.tag])


def states_of(home: Path, cells: Sequence[Cell]) -> dict[str, State]:
    """Every run of these cells as its recording stands, in the order of the plan."""
    return {run.run_id: state_of(home, run.run_id, cell.run) for cell in cells for run in cell.job.runs}


def state_of(home: Path, run_id: str, run: RunSettings) -> State:
    """A run as its recording stands. One that was left half-way, by whatever end, is "waiting"."""
    recording = Recording(run_path(home, run_id))
    status = recording.status()
    if status.state == "finished":
        return "finished" if (status.step or 0) >= _steps_of(recording, run) else "waiting"
    if status.state == "failed":
        return "failed"
    return "training" if status.state in ACTIVE else "waiting"


def _steps_of(recording: Recording, run: RunSettings) -> float:
    """Steps that a run was to have; where they follow from epochs its recording alone knows."""
    if run.epochs is None:
        return run.steps
    try:
        return recording.info.total_steps or math.inf
    except RecordingError:
        return math.inf
