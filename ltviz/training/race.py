"""The loop over steps: all methods of a race in lock-step, on the same batches, with frames of the same steps."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

from ltviz.data.tensors import Batches
from ltviz.errors import DiskFull, LtvizError
from ltviz.methods.base import Batch
from ltviz.recording import State
from ltviz.training.engine import out_of_memory
from ltviz.training.lane import Lane, Outcome
from ltviz.training.pace import FramePacer
from ltviz.training.stop import Stop
from ltviz.training.teachers import Lesson

SAVE_STEPS = 1000
"""Weights are written at least this often."""
SAVE_SECONDS = 60.0
"""And this often, where steps are slow."""
STOPPED = "stopped"
"""Reason of a run that a person ended early."""
_POLL = 0.02  # seconds between looks at the requests while paused
_RETRY = 1.0  # seconds between tries while the disk is full
_STATUS = 1.0  # seconds between notes of the pace in status.json

log = logging.getLogger(__name__)


class Race:
    """Trains its lanes to the last step, obeying requests on the way.

    Args:
        lanes: open lanes; all share the number of steps. A lane may begin later than others (after a resume).
        batches: of the training set.
        lessons: teachers that are trained before the first step, and the lanes that learn from them.
        stop: ends all lanes as if a person had stopped them.
        progress: called after every step with its number.
    """

    def __init__(
        self,
        lanes: list[Lane],
        batches: Batches,
        *,
        lessons: Sequence[Lesson] = (),
        stop: Stop | None = None,
        progress: Callable[[int], None] = lambda step: None,
    ):
        self.lanes, self.batches, self.lessons = lanes, batches, lessons
        self._stop, self._progress = stop or Stop(), progress
        run = lanes[0].run
        self.total_steps = run.steps
        self.pacer = FramePacer(run.steps, run.watch_share, run.max_fps)
        self._paused_by: str | None = None
        self._upcoming: Batch | None = None
        self._told: tuple[State, str | None] = ("starting", None)
        self._last_save = self._last_status = time.perf_counter()

    @property
    def active(self) -> list[Lane]:
        return [lane for lane in self.lanes if lane.active]

    def run(self) -> list[Outcome]:
        """Trains until every lane has ended; a lane that fails leaves the others alone."""
        try:
            self._run()
        except BaseException as error:  # a second Ctrl-C, or a fault of this loop: no lane is left "running"
            for lane in (*self.active, *(x.teacher for x in self.lessons if x.teacher.active)):
                lane.end("failed", f"{lane.name} was cut off at step {lane.step} by {type(error).__name__}")
            raise
        return [lane.outcome(self.pacer.share) for lane in self.lanes]

    def _run(self) -> None:
        first = min(lane.step for lane in self.lanes)
        if self.lessons:
            self._tell("starting", "training the teacher")
            self._record(first)  # there is something to see meanwhile
            with self.pacer.idle():
                for lesson in self.lessons:
                    self._teach(lesson)
        self._tell("running")
        self._record(first)
        for step in range(first + 1, self.total_steps + 1):
            self._obey()
            if not self.active:
                return
            self._advance(step)
            if self.pacer.due(step):
                self._record(step)
            if step % SAVE_STEPS == 0 or time.perf_counter() - self._last_save > SAVE_SECONDS:
                self._save(step)
            self._progress(step)
        for lane in self.active:
            self._finish(lane)

    # ------------------------------------------------------------------ before the first step

    def _teach(self, lesson: Lesson) -> None:
        """Trains a teacher while its students wait; those that get none end here."""
        stop = Stop()

        def watch(step: int) -> None:
            self._hear()
            if self._paused_by is not None:
                with school.pacer.idle():
                    school._tell("paused", "its student is paused")
                    self._pause()
                    school._tell("running")
            if self._stop.asked or not lesson.waiting:
                stop.ask()
            if time.perf_counter() - self._last_status >= _STATUS:
                self._last_status = time.perf_counter()
                self._tell("starting", f"training the teacher, step {step} of {school.total_steps}")

        school = Race([lesson.teacher], self.batches, stop=stop, progress=watch)
        if self._stop.asked or not lesson.waiting:
            stop.ask()
        (outcome,) = school.run()
        if self._stop.asked:
            return  # the students are stopped as well
        for lane in lesson.waiting:
            if (outcome.state, outcome.reason) == ("finished", None):
                with self._contained(lane):
                    lane.learn_from(lesson.teacher.path)
            else:
                why = f"{outcome.state} at step {outcome.step}: {outcome.reason}"
                lane.end("failed", f"{lane.name} needs its teacher, which {why}; resume {outcome.path.name} first")

    # ------------------------------------------------------------------ one step

    def _batch(self, step: int) -> Batch:
        """The batch of a step; the last one asked for is kept, for a frame looks at it before the step does."""
        if self._upcoming is None or self._upcoming.step != step:
            self._upcoming = self.batches.at(step)
        return self._upcoming

    def _advance(self, step: int) -> None:
        batch = self._batch(step)
        for lane in self.active:
            if lane.step < step:
                with self._contained(lane):
                    lane.train(batch)

    def _record(self, step: int) -> None:
        """A frame of every lane that is at this step, in one reckoning of the pacer."""
        with self.pacer.frame():
            for lane in self.active:
                if lane.step == step:
                    self._write(lane, partial(lane.record, self.pacer.elapsed, self._batch(step + 1)))
        now = time.perf_counter()
        if now - self._last_status >= _STATUS:
            self._last_status = now
            self._tell(*self._told)

    def _save(self, step: int) -> None:
        self._last_save = time.perf_counter()
        for lane in self.active:
            if lane.step == step:
                self._write(lane, lane.save)

    def _write(self, lane: Lane, write: Callable[[], None], *, patient: bool = True) -> None:
        """Does `write`; while the disk is full the race stands still, says so, and tries again each second."""
        while lane.active:
            with self._contained(lane):
                try:
                    write()
                except DiskFull as full:
                    log.warning("%s: %s", lane.name, full)
                    if not patient:
                        return
                    with self.pacer.idle():
                        self._tell("paused", str(full))
                        time.sleep(_RETRY)
                        self._hear()
                    if self._stop.asked and lane.active:
                        self._finish(lane, STOPPED)
                    continue
                if self._told[0] == "paused":
                    self._tell("running")
                return

    @contextmanager
    def _contained(self, lane: Lane) -> Iterator[None]:
        """What goes wrong inside ends this lane and no other."""
        memory = None
        try:
            yield
        except LtvizError as error:
            lane.end("failed", str(error), **self._pace(lane))
        except Exception as error:
            if (memory := out_of_memory(error)) is not None:
                size = self.batches.batch_size
                reason = (
                    f"{lane.name} ran out of memory on {lane.engine.device} at step {lane.step + 1} ({memory}); "
                    f"try batch size {max(2, size // 2)} instead of {size}"
                )
            else:
                log.exception("%s failed", lane.name)
                reason = f"{lane.name} failed at step {lane.step + 1} with {type(error).__name__}: {error}"
            lane.end("failed", reason, **self._pace(lane))
        if memory is not None:  # outside of the handler, whose traceback still holds the tensors
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    # ------------------------------------------------------------------ requests

    def _obey(self) -> None:
        """Carries out what has been asked for; stays inside while the race is paused."""
        self._hear()
        if self._paused_by is not None:
            self._pause()
        if self._stop.asked:
            for lane in self.active:
                self._finish(lane, STOPPED)

    def _pause(self) -> None:
        before = self._told
        for lane in self.active:
            lane.note("pause")
        self._tell("paused", f"by request to {self._paused_by}" if len(self.lanes) > 1 else None)
        with self.pacer.idle():
            while self._paused_by is not None and self.active and not self._stop.asked:
                time.sleep(_POLL)
                self._hear()
        self._paused_by = None
        for lane in self.active:
            lane.note("resume")
        self._tell(*before)

    def _hear(self) -> None:
        """Takes in all requests; pause and resume speak for the whole race, stop and set for one run."""
        for lane in self.active:
            for request in lane.hear():
                if request.kind == "pause":
                    self._paused_by = lane.name
                elif request.kind == "resume":
                    self._paused_by = None
                elif request.kind == "stop" and lane.active:
                    self._finish(lane, STOPPED)
                elif request.kind == "set" and lane.active:
                    lane.set(request.values, lane.step + 1)
                    self.pacer.allowed = lane.run.watch_share

    def _finish(self, lane: Lane, reason: str | None = None) -> None:
        """The frame and weights of the last step, then the end. One who stops is not kept waiting by a full disk."""
        patient = reason is None
        if reason is not None:
            lane.note(reason)
        batch = self._batch(lane.step + 1)
        self._write(lane, partial(lane.record, self.pacer.elapsed, batch), patient=patient)
        self._write(lane, lane.save, patient=patient)
        if lane.active:
            lane.end("finished", reason, **self._pace(lane))

    # ------------------------------------------------------------------ status

    def _tell(self, state: State, reason: str | None = None) -> None:
        self._told = state, reason
        for lane in self.active:
            lane.tell(state, reason, **self._pace(lane))

    def _pace(self, lane: Lane) -> dict[str, Any]:
        """What status.json tells besides the state."""
        return {
            "watch_share": round(self.pacer.share, 4),
            "ms_per_step": round(lane.ms_per_step, 3),
            "seconds_left": round((self.total_steps - lane.step) * self._seconds_per_step(lane), 1),
            "total_steps": self.total_steps,
            "device": lane.engine.why,
        }

    def _seconds_per_step(self, lane: Lane) -> float:
        return self.pacer.elapsed / lane.steps_here if lane.steps_here else 0.0
