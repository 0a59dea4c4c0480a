"""Runs the cells of a sweep in local slots: one worker a slot, one race at a time in each. No torch here.

Cells are queued only when a slot is free, and what is done is read from the recordings. So nothing is lost with the
process that sweeps: after a kill -9 its workers end the races they have begun, and the next start finds them.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltviz import launch
from ltviz.errors import RecordingError, RunLocked, TrainingError
from ltviz.launch.progress import Report, report
from ltviz.launch.queue import Job
from ltviz.launch.sweep import Cell
from ltviz.launch.tally import OVER, State, SweepStatus, Tally, state_of, states_of
from ltviz.recording import Recording, run_path, send_request
from ltviz.recording.info import ACTIVE
from ltviz.recording.notes import delete_run
from ltviz.training.folders import check_resumable, has_weights
from ltviz.training.settings import RunSettings
from ltviz.training.stop import Stop

STARTS_TRIED = 2
"""After so many workers in a row that die before they take a job, the sweep ends."""
_POLL = 0.1  # seconds between looks
_TOLD = 1.0  # seconds between reports of progress
_PATIENCE = 20.0  # seconds that a trainer has to stop


@dataclass
class _Task:
    """A cell on its way. `job` is what has been queued of it, None before and after."""

    cell: Cell
    job: Job | None = None
    over: bool = False


class Slots:
    """Trains what is not finished yet.

    Args:
        home: folder of run folders.
        cells: of the plan.
        slots: races at a time.
        tag: put on every run of the sweep.
        stop: ends the sweep politely.
        progress: called about once a second, and when a race ends.
        ended: called with the id of every run that ends.
        spawn: starts a worker; for tests.
    """

    def __init__(
        self,
        home: Path,
        cells: Sequence[Cell],
        *,
        slots: int,
        tag: str,
        stop: Stop,
        progress: Callable[[SweepStatus], None] = lambda status: None,
        ended: Callable[[str, State], None] = lambda run_id, state: None,
        spawn: Callable[[Path], launch.WorkerState] = launch.spawn_worker,
    ):
        self.home, self.slots = home, slots
        self._stop, self._progress, self._ended, self._spawn = stop, progress, ended, spawn
        self._tasks = [_Task(cell) for cell in cells]
        self.tally = Tally(home, cells, tag)
        self._own: dict[str, launch.WorkerState] = {}
        self._jobs: set[str] = set()
        self._failed_starts = 0

    def run(self) -> SweepStatus:
        """Returns when every cell is over, or a stop has been obeyed.

        Raises:
            TrainingError: no worker can be started.
        """
        told = float("-inf")
        self.tally.begin()
        with launch.hold_app_lock(self.home), report(self.home, self.tally.tag) as said:
            try:
                while not self._stop.asked and not all(task.over for task in self._tasks):
                    changed = self._poll()
                    if changed or time.monotonic() - told >= _TOLD:
                        told = time.monotonic()
                        self._tell(said)
                    time.sleep(_POLL)
                if self._stop.asked:
                    self._stop_all()
            finally:
                self._end_workers()
        return self.tally.status()

    def _tell(self, said: Report) -> None:
        status = self.tally.status()
        said.tell_status(status)
        self._progress(status)

    # ------------------------------------------------------------------ one look

    def _poll(self) -> bool:
        """Hears what ended, queues what fits, keeps workers; whether a race ended."""
        launch.fail_abandoned(self.home)
        queue = launch.jobs(self.home)
        alive = {run.run_id: job for job, _, _ in queue for run in job.runs}
        changed = False
        for task in self._tasks:
            if task.job is not None and not any(run.run_id in alive for run in task.job.runs):
                self._close(task)
                changed = True
        for task in self._tasks:
            if sum(other.job is not None for other in self._tasks) >= self.slots:
                break
            if not task.over and task.job is None:
                self._open(task, alive)
        self._keep_workers({job.job_id for job, place, _ in queue if place == "queued"})
        return changed

    def _open(self, task: _Task, alive: dict[str, Job]) -> None:
        """Queues what is left of a cell; runs that somebody trains already are waited for."""
        states = states_of(self.home, [task.cell])
        self.tally.states.update({run: "finished" for run, state in states.items() if state == "finished"})
        ids = [run for run in states if self.tally.states[run] not in OVER]
        if not ids:
            task.over = True
            return
        if held := [run for run in ids if run in alive]:
            self.tally.states.update(dict.fromkeys(held, "training"))
            task.job = alive[held[0]]
            self._jobs.add(task.job.job_id)
            return
        if any(states[run] == "training" for run in ids):
            return  # by `ltviz train` or another machine: looked at again, until it has ended
        try:
            task.job = left_of(self.home, task.cell.job_of(ids))
        except RunLocked:
            return
        if task.job is None:
            return  # finished this moment, which the next look sees
        launch.submit(self.home, task.job)
        self._jobs.add(task.job.job_id)
        self.tally.states.update(dict.fromkeys(ids, "training"))

    def _close(self, task: _Task) -> None:
        assert task.job is not None
        mine = {run.run_id for run in task.cell.job.runs}
        for run in (one.run_id for one in task.job.runs if one.run_id in mine):
            state = state_of(self.home, run, task.cell.run)
            # A job that is gone without a recording was taken out of the queue: a person did not want it.
            self.tally.close(run, state if state in ("finished", "failed") else "stopped")
            self._ended(run, self.tally.states[run])
        task.job = None
        # A job of an earlier start may have held a part of the cell only.
        task.over = all(self.tally.states[run] in OVER for run in mine)

    # ------------------------------------------------------------------ workers

    def _keep_workers(self, queued: set[str]) -> None:
        living = {worker.worker_id: worker for worker in launch.workers(self.home) if worker.state != "dead"}
        for worker_id in [name for name in self._own if name not in living]:
            if self._own.pop(worker_id).state == "starting":
                self._failed_starts += 1
                if self._failed_starts >= STARTS_TRIED:
                    self._give_up(worker_id)
        for worker_id in self._own:
            if living[worker_id].state != "starting":
                self._own[worker_id], self._failed_starts = living[worker_id], 0
        free = sum(worker.state != "busy" for worker in living.values())
        waiting = sum(task.job is not None and task.job.job_id in queued for task in self._tasks)
        for _ in range(min(waiting - free, self.slots - len(self._own))):
            worker = self._spawn(self.home)
            self._own[worker.worker_id] = worker

    def _give_up(self, worker_id: str) -> None:
        tail = launch.log_tail(self.home, worker_id).splitlines()
        for task in self._tasks:
            if task.job is not None:
                launch.withdraw(self.home, task.job.job_id)
        raise TrainingError(f"no worker can be started ({tail[-1] if tail else 'it said nothing'}); try `ltviz doctor`")

    def _stop_all(self) -> None:
        """Races that wait are taken back; those that train end with a frame and weights of where they are."""
        deadline = time.monotonic() + _PATIENCE
        asked: set[str] = set()
        while time.monotonic() < deadline:
            places = {job.job_id: place for job, place, _ in launch.jobs(self.home)}
            running = [task for task in self._tasks if task.job is not None and task.job.job_id in places]
            if not running:
                break
            for task in running:
                assert task.job is not None
                if launch.withdraw(self.home, task.job.job_id):
                    continue
                for run in (one.run_id for one in task.job.runs if one.run_id not in asked):
                    if Recording(path := run_path(self.home, run)).status().state in ACTIVE:
                        with contextlib.suppress(RecordingError):  # it has ended meanwhile
                            send_request(path, "stop")
                            asked.add(run)
            time.sleep(_POLL)
        for task in self._tasks:
            if task.job is not None:
                self._close(task)

    def _end_workers(self) -> None:
        """Those that this sweep started, but not one that has taken somebody else's race meanwhile."""
        for worker in launch.workers(self.home):
            if worker.worker_id in self._own and (worker.state != "busy" or worker.job in self._jobs):
                launch.end_worker(worker, patience=2.0 if self._stop.asked else _PATIENCE)


def default_slots() -> int:
    """Races at a time where nobody says: one for each core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def left_of(home: Path, job: Job) -> Job | None:
    """What is to be trained of a job whose runs may have been begun before; None where all are finished.

    What has weights goes on from them; runs that have none are removed, and trained anew from their seed.

    Raises:
        RunLocked: somebody trains one of them right now.
    """
    run = RunSettings.model_validate(job.run)
    runs = tuple(one for one in job.runs if state_of(home, one.run_id, run) != "finished")
    if not runs:
        return None
    goes_on = all(_goes_on(run_path(home, one.run_id)) for one in runs)
    for one in () if goes_on else runs:
        _clear(run_path(home, one.run_id))
    return job.model_copy(update={"runs": runs, "resume": goes_on})


def _goes_on(folder: Path) -> bool:
    """Whether a run that was left half-way has weights to go on from; one that failed begins anew."""
    recording = Recording(folder)
    try:
        check_resumable(recording)
    except RecordingError:
        return False
    return recording.status().state != "failed" and has_weights(folder)


def _clear(folder: Path) -> None:
    """Removes a run that was left half-way without weights; it is trained anew from its seed. RunLocked while somebody
    writes it."""
    if any((folder / name).exists() for name in ("run.json", "status.json")):
        delete_run(folder)
