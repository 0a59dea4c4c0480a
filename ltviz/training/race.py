"""A race: its teachers first, then its methods, each phase in lock-step; requests are obeyed between the steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ltviz.data.tensors import Batches
from ltviz.recording import Request
from ltviz.training.crew import Crew
from ltviz.training.lane import Lane
from ltviz.training.pace import FramePacer
from ltviz.training.phase import STOPPED, Phase
from ltviz.training.progress import Outcome
from ltviz.training.stop import Stop

_POLL = 0.02  # seconds between looks at the requests while paused


class Race:
    """Trains its lanes to the last step, obeying requests on the way.

    Teachers train in a phase of their own, while the others wait with a frame of what they begin with; then every lane
    that awaits one takes in its weights.

    Args:
        lanes: open lanes; all share the number of steps. A lane may begin later than others (after a resume).
        batches: of the training set.
        teachers: open lanes in whose folders are the teachers that some of `lanes` await.
        crew: the other ranks, where several processes train together; dismissed at the end.
        stop: ends all lanes as if a person had stopped them.
        progress: called after every step of `lanes` with its number.
        say: called with what is being done where that is no step and may take minutes.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        batches: Batches,
        *,
        teachers: Sequence[Lane] = (),
        crew: Crew | None = None,
        stop: Stop | None = None,
        progress: Callable[[int], None] = lambda step: None,
        say: Callable[[str], None] = lambda doing: None,
    ):
        self.lanes, self.teachers = list(lanes), list(teachers)
        self.batches, self._stop, self._progress = batches, stop or Stop(), progress
        self._say, self._crew = say, crew
        self._last = self._phase(self.lanes)
        self._all = [self._last]
        self._phases = [self._last]
        """Whose requests are heard: the phase that trains, then the one that waits."""
        self._paused_by: str | None = None

    @property
    def total_steps(self) -> int:
        return self._last.total_steps

    @property
    def pacer(self) -> FramePacer:
        """That of the lanes; it stands still while teachers train."""
        return self._last.pacer

    @property
    def lost_device(self) -> bool:
        """Whether this process cannot use its device any more; it should end."""
        return any(phase.lost is not None for phase in self._all)

    @property
    def active(self) -> list[Lane]:
        return [lane for lane in (*self.lanes, *self.teachers) if lane.active]

    def run(self) -> list[Outcome]:
        """Trains until every lane has ended; a lane that fails leaves the others alone."""
        try:
            if self.teachers:
                self._train_teachers()
            self._last.tell("running")
            self._train(self._last, self._progress)
        except BaseException as error:  # a second Ctrl-C, or a fault of this loop: no lane is left "running"
            for lane in self.active:
                lane.end("failed", f"{lane.name} was cut off at step {lane.step} by {type(error).__name__}")
            raise
        finally:
            if self._crew is not None:
                self._crew.dismiss()
        return [lane.outcome(self.pacer.share) for lane in self.lanes]

    def _phase(self, lanes: Sequence[Lane]) -> Phase:
        return Phase(lanes, self.batches, stop=self._stop, hear=self._hear, say=self._say)

    def _train(self, phase: Phase, progress: Callable[[int], None]) -> None:
        """Takes the lanes of a phase to the last step."""
        phase.record(phase.first_step)
        for step in range(phase.first_step + 1, phase.total_steps + 1):
            self._obey(phase)
            if not phase.active:
                return
            phase.advance(step)
            progress(step)
        for lane in phase.active:
            phase.finish(lane)

    # ------------------------------------------------------------------ teachers

    def _train_teachers(self) -> None:
        """Trains the teachers while the others wait, then hands over their weights."""
        waiting = self._last
        waiting.tell("starting", "training the teacher")
        waiting.record(waiting.first_step)  # there is something to see meanwhile
        phase = self._phase(self.teachers)
        self._all.append(phase)

        def progress(step: int) -> None:
            waiting.refresh("starting", f"training the teacher, step {step} of {phase.total_steps}")

        with waiting.pacer.idle():
            self._phases = [phase, waiting]
            phase.tell("running")
            self._train(phase, progress)
            self._phases = [waiting]
        if phase.lost is not None:
            waiting.lose(*phase.lost)
            return
        if self._stop.asked:
            return  # those who wait are stopped as well
        for teacher in self.teachers:
            self._hand_over(teacher.outcome(phase.pacer.share))

    def _hand_over(self, teacher: Outcome) -> None:
        """The weights of a teacher to all that await them; those that get none end here."""
        for lane in self._last.active:
            if lane.awaits != teacher.path:
                continue
            if (teacher.state, teacher.reason) == ("finished", None):
                with self._last.contained(lane):
                    lane.learn_from(teacher.path)
            else:
                why = f"{teacher.state} at step {teacher.step}: {teacher.reason}"
                reason = f"{lane.name} needs its teacher, which {why}; resume {teacher.path.name} first"
                self._last.fail(lane, reason)

    # ------------------------------------------------------------------ requests

    def _obey(self, phase: Phase) -> None:
        """Carries out what has been asked for; stays inside while the race is paused."""
        self._hear()
        if self._paused_by is not None:
            self._pause(phase)
        if self._stop.asked:
            for stopped in self._phases:
                for lane in stopped.active:
                    stopped.finish(lane, STOPPED)
        if phase is not self._last:
            awaited = {lane.awaits for lane in self._last.active}
            for teacher in phase.active:
                if teacher.path not in awaited:
                    phase.finish(teacher, STOPPED)  # nobody waits for it any more

    def _pause(self, phase: Phase) -> None:
        before = [(paused, paused.state) for paused in self._phases]
        phase.look()
        reason = f"by request to {self._paused_by}" if len(self.lanes) + len(self.teachers) > 1 else None
        for lane in phase.active:
            lane.note("pause")
        for paused, _ in before:
            paused.tell("paused", reason)
        with phase.pacer.idle():
            # Once all have ended that wait for teachers, these are not held any more.
            while self._paused_by is not None and all(x.active for x in self._phases) and not self._stop.asked:
                time.sleep(_POLL)
                self._hear()
        self._paused_by = None
        for lane in phase.active:
            lane.note("resume")
        for paused, told in before:
            paused.tell(*told)

    def _hear(self) -> None:
        """Takes in all requests; pause and resume speak for the whole race, stop and set for one run."""
        for phase in self._phases:
            for lane in phase.active:
                requests: list[Request] = []
                with phase.contained(lane):
                    requests = lane.requests()
                for request in requests:
                    if request.kind == "pause":
                        self._paused_by = lane.name
                    elif request.kind == "resume":
                        self._paused_by = None
                    elif request.kind == "stop" and lane.active:
                        phase.finish(lane, STOPPED)
                    elif request.kind == "set" and lane.active:
                        lane.set(request.values, lane.step + 1)
                        phase.pacer.allowed = lane.run.watch_share
