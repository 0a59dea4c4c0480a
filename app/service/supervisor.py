"""Keeps training alive beside the app: workers that stand by, runs of dead workers that say so, stops that stop.

Everything it knows is in the home folder, so two apps on one home work side by side and a restarted one carries on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltviz import launch
from ltviz.errors import LtvizError, RecordingError
from ltviz.launch.away import Away, away, call_back, follow_again, send_away
from ltviz.launch.needs import wish_of
from ltviz.recording import Home, Recording, mark_failed, new_run_id, send_request
from ltviz.recording.files import is_there
from ltviz.training.folders import check_resumable

from .. import words

log = logging.getLogger("ltviz.app")

ROUND_SECONDS = 0.5
PATIENCE_SECONDS = 20.0
"""How long a trainer may take to stop by itself."""
STARTS_TRIED = 2
"""After so many workers in a row that died at start, the waiting runs are failed."""
LONGEST_PAUSE = 30.0
STARTS_COUNTED = 300.0
"""Seconds that a start is remembered: the more there were, the longer the pause before the next, whatever ends them."""
CHECK_SECONDS = 5.0
"""How often it is asked whether the home can be written, while somebody waits for that."""
ENDED = ("finished", "failed", "lost")


@dataclass(frozen=True)
class Trouble:
    """What keeps runs from being trained: `head` says so, `reason` why. `log_tail` are a worker's last lines, None
    where it is not a worker that fails."""

    head: str
    reason: str
    log_tail: str | None = None


@dataclass(frozen=True)
class Use:
    """A device, and what the jobs that train have been given of it."""

    device: launch.Device
    taken: int
    jobs: int


class Supervisor:
    """The workers of one home, seen from one app.

    Args:
        slots: workers at most; None takes half the processor's cores.
        spawn: starts a worker; for tests.
        patience: seconds before a stop is enforced.
    """

    def __init__(
        self,
        home: Path | Home,
        *,
        slots: int | None = None,
        spawn: Callable[[Path], launch.WorkerState] = launch.spawn_worker,
        patience: float = PATIENCE_SECONDS,
    ):
        self.runs = Home.at(home)
        self.home = self.runs.root
        self.slots = slots or max(1, (os.cpu_count() or 2) // 2)
        self.trouble: Trouble | None = None
        self.permit: Callable[[], None] = lambda: None
        """Called before anything that a person asks for; raises where this person may not."""
        self._spawn, self._patience = spawn, patience
        self._starting: set[str] = set()
        self._failed_starts = 0
        self._starts: list[float] = []
        self._next_start = self._next_check = self._next_follow = 0.0
        self._lock: launch.AppLock | None = None
        self._stops: dict[str, float] = {}
        self._unheard: list[tuple[str, str, dict[str, Any]]] = []
        self._guard = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Starts to supervise, in a thread of its own; holds the home's app lock until `close`."""
        self._end.clear()
        self._thread = threading.Thread(target=self._supervise, name="ltviz-supervisor", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends supervising. Workers that train go on; idle ones end themselves."""
        self._end.set()
        if self._thread is not None:
            self._thread.join(5)
            self._thread = None

    def _supervise(self) -> None:
        try:
            while not self._end.is_set():
                try:
                    self._hold()
                    self.look()
                except LtvizError as error:
                    self._meet(str(error))
                except Exception as error:
                    # Nothing must end the supervision of everything else.
                    self._meet(f"{type(error).__name__}: {error}", error)
                self._end.wait(ROUND_SECONDS)
        finally:
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def _hold(self) -> None:
        """Holds the app lock, anew where the file that was locked has been deleted: idle workers look for it."""
        if self._lock is not None and not self._lock.holds:
            self._lock.close()
            self._lock = None
        if self._lock is None:
            self._lock = launch.AppLock(self.home)

    def look(self) -> None:
        """One round: hear who died, keep a worker standing by, pass on and enforce what was asked."""
        self._check_home()
        launch.fail_abandoned(self.home)
        living = [worker for worker in launch.workers(self.home) if worker.state != "dead"]
        self._judge_starts(living)
        free = [worker for worker in living if worker.state != "busy"]
        if not free and len(living) < self.slots and time.monotonic() >= self._next_start:
            self._start_worker()
        self._pass_on()
        self._enforce_stops()
        if time.monotonic() >= self._next_follow:
            self._next_follow = time.monotonic() + CHECK_SECONDS
            follow_again(self.home)

    def _start_worker(self) -> None:
        now = time.monotonic()
        self._starts = [*(start for start in self._starts if now - start < STARTS_COUNTED), now]
        if (many := len(self._starts) - 2 * self.slots) > 0:
            self._next_start = now + min(LONGEST_PAUSE, 0.5 * 2**many)
        try:
            self._starting.add(self._spawn(self.home).worker_id)
        except RecordingError as error:
            self._meet(str(error))

    # ------------------------------------------------------------------ what the home is good for

    def _meet(self, reason: str, error: Exception | None = None) -> None:
        """Takes note of what keeps the home from being used; it is said once, and tried again."""
        trouble = Trouble(words.lab.HOME_BROKEN, words.shared.sentence(reason) or "")
        self._next_check = self._next_start = max(self._next_start, time.monotonic() + CHECK_SECONDS)
        if trouble != self.trouble:
            self.trouble = trouble
            log.warning("%s %s", trouble.head, trouble.reason, exc_info=error)

    def _check_home(self) -> None:
        """Looks whether the home can be written, where that was in doubt or a job waits for it."""
        doubted = self.trouble is not None and self.trouble.log_tail is None
        if time.monotonic() < self._next_check or not (doubted or launch.jobs(self.home)):
            return
        self._next_check = time.monotonic() + CHECK_SECONDS
        try:
            launch.check_home(self.home)
        except RecordingError as error:
            self._meet(str(error))
        else:
            if doubted:
                self.trouble, self._next_start = None, 0.0

    @property
    def ready(self) -> bool:
        """Whether a worker stands by or trains."""
        return any(worker.state in ("idle", "busy") for worker in launch.workers(self.home))

    # ------------------------------------------------------------------ what a person asks

    def submit(self, job: launch.Job) -> None:
        """Queues a job. ConfigError for settings out of bounds."""
        self.permit()
        launch.submit(self.home, job)

    def send_away(self, race: Away) -> None:
        """Puts a race on a cluster. ConfigError for settings out of bounds."""
        self.permit()
        send_away(self.home, race)

    def away_runs(self) -> dict[str, Away]:
        """Run -> the race on a cluster that it is of, of all that have not ended."""
        found = {run.run_id: race for race in away(self.home) for run in race.job.runs}
        return {run: race for run, race in found.items() if not self._has_ended(run)}

    def queued_runs(self) -> dict[str, str]:
        """Run -> method of every job that waits or trains, here or on a cluster."""
        elsewhere = self.away_runs()
        methods = {run.run_id: run.method for race in elsewhere.values() for run in race.job.runs}
        here = {run.run_id: run.method for job, _, _ in launch.jobs(self.home) for run in job.runs}
        return {run: methods[run] for run in elsewhere} | here

    def waiting(self) -> list[tuple[launch.Job, int | None]]:
        """Jobs that no worker has taken, in the order in which they will be, and the bytes that each needs of a device;
        None where that is not known, and where there are no devices."""
        seen = self.uses()
        queued = [job for job, place, _ in launch.jobs(self.home) if place == "queued"]
        return [(job, wish_of(self.home, job).bytes if seen else None) for job in queued]

    def uses(self) -> list[Use]:
        """The devices that the workers see, by number, and how full each is; none on a machine without GPUs."""
        living = [worker for worker in launch.workers(self.home) if worker.state != "dead" and worker.devices]
        if not living:
            return []
        places = [job.place for job, _, _ in launch.jobs(self.home) if job.place is not None]
        return [
            Use(
                device,
                sum(place.bytes for place in places if device.uuid in place.devices),
                sum(device.uuid in place.devices for place in places),
            )
            for device in living[-1].devices
        ]

    def move(self, job: str, before: str) -> None:
        """Moves a job that waits directly before another; nothing where one of them does not wait any more."""
        self.permit()
        launch.move(self.home, job, before)

    def cancel(self, job: str) -> None:
        """Takes a job that waits out of the queue; nothing where it does not wait any more."""
        self.permit()
        launch.withdraw(self.home, job)

    def stop_all(self, runs: Sequence[str] = ()) -> None:
        """Takes all that waits out of the queue, then ends all that trains, and these runs, whoever trains them.

        In this order, so that nothing begins where something has ended.
        """
        self.permit()
        for job, place, _ in launch.jobs(self.home):
            if place == "queued":
                launch.withdraw(self.home, job.job_id)
        for run in dict.fromkeys([*self.queued_runs(), *runs]):
            if run in self.queued_runs() or is_there(self.runs.folder(run)):
                self.stop(run)

    def stop(self, run: str) -> None:
        """Ends a run: politely, after `patience` seconds by force; a run that waits is taken out of the queue.

        On a cluster a race that has not begun is taken back as a whole.
        """
        self.permit()
        if self._cancel(run):
            return
        race = self.away_runs().get(run)
        if race is not None and not is_there(self.runs.folder(run) / "status.json"):
            call_back(self.home, race.job.job_id)
            return
        with self._guard:
            self._stops.setdefault(run, time.monotonic() + self._patience)
        self._ask(run, "stop", {})

    def pause(self, run: str) -> None:
        """Holds a run, and with it its race."""
        self.permit()
        self._ask(run, "pause", {})

    def resume(self, run: str) -> None:
        """Lets a paused run go on."""
        self.permit()
        self._ask(run, "resume", {})

    def go_on(self, run: str) -> None:
        """Queues a run that ended before its last step; it goes on where its weights were saved.

        Raises:
            RecordingError: nothing that the trainer could go on with, or a home that cannot be written.
        """
        self.permit()
        recording = Recording(self.runs.folder(run), run_id=run)
        check_resumable(recording)
        if run not in self.queued_runs():
            member = launch.JobRun(run_id=run, method=recording.info.method or "")
            launch.submit(self.home, launch.Job(job_id=new_run_id("resume"), runs=(member,), resume=True))

    def change(self, run: str, values: dict[str, Any]) -> None:
        """Changes settings of a live run from its next step on."""
        self.permit()
        self._ask(run, "set", values)

    def _ask(self, run: str, kind: Any, values: dict[str, Any]) -> None:
        folder = self.runs.folder(run)
        if not is_there(folder / "status.json"):
            # The worker has taken the job but not yet made the folder: it is told as soon as it has.
            with self._guard:
                self._unheard.append((run, kind, values))
            return
        send_request(folder, kind, values)

    def _pass_on(self) -> None:
        with self._guard:
            waiting, self._unheard = self._unheard, []
        known = self.queued_runs()
        for run, kind, values in waiting:
            if run in known or is_there(self.runs.folder(run)):
                self._ask(run, kind, values)

    def _cancel(self, run: str) -> bool:
        """Takes a run out of a job that no worker has begun, and leaves nothing of it; whether there was one."""
        for job, place, _ in launch.jobs(self.home):
            if place != "queued" or run not in (member.run_id for member in job.runs):
                continue
            return launch.withdraw(self.home, job.job_id, run)
        return False

    # ------------------------------------------------------------------ what goes wrong

    def _judge_starts(self, living: list[launch.WorkerState]) -> None:
        """Counts workers that died before they were ready; two in a row, and the waiting runs are failed."""
        states = {worker.worker_id: worker.state for worker in living}
        for worker_id in list(self._starting):
            state = states.get(worker_id, "dead")
            if state == "starting":
                continue
            self._starting.discard(worker_id)
            if state != "dead":
                self.trouble, self._failed_starts = None, 0
                continue
            self._failed_starts += 1
            self._next_start = time.monotonic() + min(LONGEST_PAUSE, 0.5 * 2**self._failed_starts)
            tail = launch.log_tail(self.home, worker_id)
            self.trouble = Trouble(words.lab.WORKER_BROKEN, words.lab.last_words(tail), tail)
            if self._failed_starts >= STARTS_TRIED:
                self._fail_waiting(tail)

    def _fail_waiting(self, tail: str) -> None:
        for job, place, _ in launch.jobs(self.home):
            if place == "queued" and launch.withdraw(self.home, job.job_id):
                for member in job.runs:
                    self._fail(
                        member.run_id,
                        f"{words.served.WORKER_NEVER_STARTED}. {words.lab.last_words(tail)}",
                        log_tail=tail,
                    )

    def _enforce_stops(self) -> None:
        now = time.monotonic()
        with self._guard:
            due = [run for run, deadline in self._stops.items() if now >= deadline]
            ended = [run for run in self._stops if self._has_ended(run)]
            for run in {*due, *ended}:
                self._stops.pop(run, None)
        for run in set(due) - set(ended):
            self._end_trainer_of(run)

    def _end_trainer_of(self, run: str) -> None:
        """Ends the worker that trains this run, its own process group and nothing else."""
        if (race := self.away_runs().get(run)) is not None:
            call_back(self.home, race.job.job_id)
            return
        alive = {worker.worker_id: worker for worker in launch.workers(self.home) if worker.state != "dead"}
        for job, _, worker_id in launch.jobs(self.home):
            if worker_id not in alive or run not in (member.run_id for member in job.runs):
                continue
            launch.end_worker(alive[worker_id], patience=1.0)
            for member in job.runs:  # those that it has ended in time keep what they say
                self._fail(member.run_id, words.served.STOP_ESCALATED.format(seconds=self._patience))

    def _has_ended(self, run: str) -> bool:
        status = Recording(self.runs.folder(run)).status()
        return status.state in ENDED

    def _fail(self, run: str, reason: str, **details: Any) -> None:
        with contextlib.suppress(RecordingError):  # a writer lives after all, or another app was faster
            mark_failed(self.runs.folder(run), reason, **details)
