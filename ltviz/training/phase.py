"""Lanes that train in lock-step, on the same batches and with frames of the same steps."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from ltviz.data.batch import Batch
from ltviz.data.tensors import Batches
from ltviz.errors import DiskFull, LtvizError
from ltviz.recording import State
from ltviz.training.engine import device_lost, let_go, out_of_memory
from ltviz.training.lane import Lane
from ltviz.training.pace import FramePacer
from ltviz.training.sampled import turns_of
from ltviz.training.stop import Interrupted, Stop

SAVE_STEPS = 1000
"""Weights are written at least this often."""
SAVE_SECONDS = 60.0
"""And this often, where steps are slow."""
STOPPED = "stopped"
"""Reason of a run that a person ended early."""
_RETRY = 1.0  # seconds between tries while the disk is full
_STATUS = 1.0  # seconds between notes of the pace in status.json

log = logging.getLogger(__name__)


class Phase:
    """Some lanes of a race on their way from where they are to the last step. What breaks in one ends it alone.

    Args:
        lanes: open lanes; all share the number of steps. A lane may begin later than others (after a resume).
        batches: of the training set.
        stop: whether all are to stop; looked at while a full disk holds the phase.
        hear: takes in requests, then too, and while a method is judged.
        say: called with what is being done at the end, where it may take minutes.

    Attributes:
        pacer: says when a frame is due; knows the time that the phase has taken.
        state: what status.json says of the lanes, and why.
        lost: whose device is lost to this process, and what it said; all lanes have ended with it. None while it works.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        batches: Batches,
        *,
        stop: Stop,
        hear: Callable[[], None],
        say: Callable[[str], None] = lambda doing: None,
    ):
        self.lanes, self.batches = list(lanes), batches
        self._stop, self._hear, self._say = stop, hear, say
        run = self.lanes[0].run
        self.total_steps = run.steps
        self.first_step = min(lane.step for lane in self.lanes)
        """Last step that the lanes have in common."""
        self.pacer = FramePacer(run.steps, run.watch_share, run.max_fps, run.least_frames)
        self.state: tuple[State, str | None] = ("starting", None)
        self.lost: tuple[Lane, str] | None = None
        self._upcoming: Batch | None = None
        self._turns = turns_of(run)
        self._last_save = self._last_status = time.perf_counter()

    @property
    def active(self) -> list[Lane]:
        return [lane for lane in self.lanes if lane.active]

    def _going(self) -> Iterator[Lane]:
        """One active lane after another; those that end on the way, with another one's device, are left out."""
        return (lane for lane in self.lanes if lane.active)

    # ------------------------------------------------------------------ steps

    def advance(self, step: int) -> None:
        """Trains step `step` in every lane that is before it; frames and weights follow where they are due."""
        batch = self._batch(step)
        for lane in self._going():
            if lane.step < step:
                with self.contained(lane):
                    self._tell(lane, step)
                    lane.train(batch)
        if self.pacer.due(step):
            self.record(step)
        if step % SAVE_STEPS == 0 or time.perf_counter() - self._last_save > SAVE_SECONDS:
            self._save(step)

    def _tell(self, lane: Lane, step: int) -> None:
        """Events that follow from the step alone; what a frame tells of is not told again."""
        if step <= lane.progress.last_frame:
            return
        if step in self._turns:
            lane.note("sampling", step=step, exponent=self._turns[step])
        if happens := lane.method.happens(step):
            lane.note("method", step=step, text=happens)

    def record(self, step: int) -> None:
        """A frame of every lane that is at this step, in one reckoning of the pacer."""
        self.look()  # what is waited for here is training, no cost of watching
        with self.pacer.frame():
            for lane in self._going():
                if lane.step == step:
                    self._write(lane, partial(lane.record, self.pacer.elapsed, self._batch(step + 1)))
        self.refresh(*self.state)

    def look(self) -> None:
        """Takes in what the steps so far have brought; a lane whose last ones were not finite ends."""
        for lane in self._going():
            with self.contained(lane):
                lane.look()

    def finish(self, lane: Lane, reason: str | None = None) -> None:
        """The frame and weights of the last step, then the end. One who stops is not kept waiting by a full disk."""
        patient = reason is None
        if reason is not None:
            lane.note(reason)
        batch = self._batch(lane.step + 1)
        self._write(lane, partial(lane.record, self.pacer.elapsed, batch), patient=patient)
        self._write(lane, lane.save, patient=patient)
        if patient:
            self._write(lane, partial(lane.evaluate, partial(self._attend, lane, lane.method.card.title)))
            self._write(lane, partial(lane.writer.set_state, "finished"))  # on a full disk it would read as lost
        if lane.active:
            lane.end("finished", reason, **self._pace(lane))

    def _attend(self, lane: Lane, title: str, doing: str) -> None:
        """Says what the judges of a lane are at, and obeys who asks for its end meanwhile.

        Raises:
            Interrupted: the lane has ended.
        """
        doing = f"judging {title}: {doing}"
        self._say(doing)
        self.refresh("running", doing)
        self._hear()
        if self._stop.asked and lane.active:
            self.finish(lane, STOPPED)
        if not lane.active:
            raise Interrupted

    def _batch(self, step: int) -> Batch:
        """The batch of a step; the last one asked for is kept, for a frame looks at it before the step does."""
        if self._upcoming is None or self._upcoming.step != step:
            self._upcoming = self.batches.at(step)
        return self._upcoming

    def _save(self, step: int) -> None:
        self._last_save = time.perf_counter()
        for lane in self._going():
            if lane.step == step:
                self._write(lane, lane.save)

    # ------------------------------------------------------------------ what goes wrong

    def _write(self, lane: Lane, write: Callable[[], None], *, patient: bool = True) -> None:
        """Does `write`; while the disk is full the phase stands still, says so, and tries again each second."""
        while lane.active:
            with self.contained(lane):
                try:
                    write()
                except DiskFull as full:
                    log.warning("%s: %s", lane.name, full)
                    if not patient:
                        return
                    with self.pacer.idle():
                        self.tell("paused", str(full))
                        time.sleep(_RETRY)
                        self._hear()
                    if self._stop.asked and lane.active:
                        self.finish(lane, STOPPED)
                    continue
                if self.state[0] == "paused":
                    self.tell("running")
                return

    @contextmanager
    def contained(self, lane: Lane) -> Iterator[None]:
        """What goes wrong inside ends this lane and no other."""
        try:
            yield
        except LtvizError as error:
            self.fail(lane, str(error))
        except Exception as error:
            if (memory := out_of_memory(error)) is not None:
                let_go(error)
                self.fail(lane, self._exhausted(lane, memory))
            elif (said := device_lost(error)) is not None:
                log.exception("%s lost its device", lane.name)
                self.lose(lane, said)
            else:
                log.exception("%s failed", lane.name)
                self.fail(lane, f"{lane.name} failed at step {lane.step + 1} with {type(error).__name__}: {error}")

    def _exhausted(self, lane: Lane, memory: str) -> str:
        """What a lane that ran out of memory says, with a batch size that its own steps have been measured for."""
        size = self.batches.batch_size
        try:
            fits, each = lane.fitting_batch(size)
        except Exception as error:  # a guess is better than the failure of a measurement
            log.warning(
                "%s: memory of a step could not be measured: %s: %s", lane.name, type(error).__name__, str(error)
            )
            fits, each = max(2, size // 2), None
        measured = "" if each is None else f", since a sample takes {each / 2**20:.3g} MiB"
        advice = f"try batch size {fits} instead of {size}{measured}" if fits < size else "try a smaller encoder"
        return f"{lane.name} ran out of memory on {lane.engine.device} at step {lane.step + 1} ({memory}); {advice}"

    def lose(self, by: Lane, said: str) -> None:
        """Ends all lanes, for a device that is lost is lost to the whole process; what is on it cannot be saved.

        Args:
            by: the lane that met it, of this phase or another one of the race.
            said: by the device, in one line.
        """
        self.lost = by, said
        for lane in self.active:
            whose = "" if lane is by else f" in {by.name}'s part of the race"
            reason = (
                f"the device {lane.engine.device} was lost at step {by.step + 1}{whose} ({said}), and no run of this "
                "process can use it again; resume the run, in a new process"
            )
            self.fail(lane, reason, rescue=False)

    def fail(self, lane: Lane, reason: str, *, rescue: bool = True) -> None:
        """Ends a lane that cannot go on; the reason says which weights are on the disk."""
        kept = lane.rescue() if rescue else lane.progress.saved
        told = "no weights have been saved yet" if kept < 0 else f"the weights of step {kept} are kept"
        lane.end("failed", f"{reason}; {told}", **self._pace(lane))

    # ------------------------------------------------------------------ status

    def tell(self, state: State, reason: str | None = None) -> None:
        """Says in status.json how the lanes are doing."""
        self.state = state, reason
        for lane in self.active:
            lane.tell(state, reason, **self._pace(lane))

    def refresh(self, state: State, reason: str | None = None) -> None:
        """As `tell`, once a second at most."""
        now = time.perf_counter()
        if now - self._last_status >= _STATUS:
            self._last_status = now
            self.tell(state, reason)

    def _pace(self, lane: Lane) -> dict[str, Any]:
        """What status.json tells besides the state."""
        progress = lane.progress
        seconds_per_step = self.pacer.elapsed / progress.steps_here if progress.steps_here else 0.0
        return {
            "watch_share": round(self.pacer.share, 4),
            "ms_per_step": round(progress.ms_per_step, 3),
            "seconds_left": round((self.total_steps - lane.step) * seconds_per_step, 1),
            "total_steps": self.total_steps,
            "device": lane.engine.why,
            "memory": lane.engine.memory(),
        }
