"""The process that stands by with torch imported and trains what is queued: `python -m ltviz.launch.worker`."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from ltviz import launch
from ltviz.errors import DiskFull, LtvizError, RecordingError, RunLocked
from ltviz.launch.needs import chooser
from ltviz.launch.processes import FOLDER, hold_worker_lock, holds_worker_lock, is_watched, write_state
from ltviz.launch.slots import left_of
from ltviz.priority import lower_priority
from ltviz.recording import Recording, mark_failed, new_run_id, run_path
from ltviz.training.catalogue import write_catalogue
from ltviz.training.engine import empty_caches, let_go, out_of_memory, visible_devices
from ltviz.training.race import Race
from ltviz.training.settings import RunSettings
from ltviz.training.start import Entrant, begin, resume
from ltviz.training.stop import Stop

NICENESS = 10
"""Of a worker, unless the variable LTVIZ_NICENESS says another, 0 to 19: it makes room for the page beside it, and
where other programs take all processors it hardly moves."""
UNWATCHED_SECONDS = 10.0
"""An idle worker that no app has watched for this long ends itself."""
_POLL = 0.03  # seconds between looks at the queue
_LOOK = 1.0  # seconds between looks at the app's lock
_RETRY = 1.0  # seconds between tries while the disk is full

log = logging.getLogger(__name__)


class Worker:
    """Takes jobs of one home, one at a time, until it is stopped or nobody watches any more.

    Args:
        lock: descriptor of its lock. Once that is not where others look for it, nobody knows of this worker: it ends.
        devices: the GPUs that it sees. Where there are any it takes the first job that fits, else the first.
    """

    def __init__(self, home: Path, worker_id: str, lock: int, devices: Sequence[launch.Device] = ()):
        self.home, self.worker_id, self._lock, self.devices = home, worker_id, lock, tuple(devices)
        self.stop = Stop()
        self._created = psutil.Process().create_time()

    def run(self) -> None:
        """Returns when the worker has nothing to stay for."""
        watched = looked = time.monotonic()
        choose = chooser(self.home, self.devices)
        self._tell("idle")
        while not self.stop.asked:
            if (job := launch.claim(self.home, self.worker_id, choose)) is not None:
                self._tell("busy", job.job_id)
                try:
                    self.train(job)
                finally:
                    if self.devices:
                        empty_caches()  # the next job on that device is another worker's, perhaps
                    launch.release(self.home, job.job_id, self.worker_id)
                self._tell("idle")
                watched = time.monotonic()
            now = time.monotonic()
            if now - looked >= _LOOK:
                looked = now
                if not holds_worker_lock(self._lock, self.home, self.worker_id):
                    log.info("the folder of this worker is gone")
                    return
                if is_watched(self.home):
                    watched = now
                elif now - watched >= UNWATCHED_SECONDS:
                    log.info("no app watches %s any more", self.home)
                    return
            time.sleep(_POLL)

    def train(self, job: launch.Job) -> None:
        """Trains a job, once the disk has room for it; what cannot even begin is marked as failed, with the reason."""
        entrants = [
            Entrant(run_path(self.home, run.run_id), run.method, run.settings, run.recipe, run.title)
            for run in job.runs
        ]
        try:
            race = self._begin(job, entrants)
        except Exception as error:
            log.exception("job %s cannot begin", job.job_id)
            reason = _why(error)
            for entrant in entrants:
                # A run that was there before is not ours to judge, unless it was to go on.
                if job.resume or not (entrant.path / "run.json").exists():
                    with contextlib.suppress(RecordingError):  # the log has it
                        mark_failed(entrant.path, reason, anew=job.resume)
            return
        if race is None:
            return
        for outcome in race.run():
            log.info("%s %s at step %d %s", outcome.path.name, outcome.state, outcome.step, outcome.reason or "")
        if race.lost_device:
            log.error("the device is lost to this worker, which ends; the next one begins anew")
            self.stop.ask()

    def _begin(self, job: launch.Job, entrants: Sequence[Entrant]) -> Race | None:
        """The race of a job, once the disk has room for it; None where it is stopped before."""
        device = device_of(job, self.devices, Recording(entrants[0].path) if job.resume else None)
        run = RunSettings.model_validate(job.run if device is None else {**job.run, "device": device})
        while not self.stop.asked:
            try:
                if job.resume:
                    return resume([entrant.path for entrant in entrants], device=device, stop=self.stop)
                return begin(entrants, run, race=job.job_id if len(entrants) > 1 else None, stop=self.stop)
            except DiskFull as full:
                log.warning("job %s waits: %s", job.job_id, full)
                time.sleep(_RETRY)
        return None

    def _tell(self, state: str, job: str | None = None) -> None:
        told = {"worker_id": self.worker_id, "pid": os.getpid(), "create_time": self._created, "devices": self.devices}
        try:
            write_state(self.home, launch.WorkerState.model_validate({**told, "state": state, "job": job}))
        except RecordingError as error:  # a full disk: what is trained matters more than what is said of it
            log.warning("this worker's state is not written: %s", error)


def _why(error: Exception) -> str:
    """What a job that cannot begin says, in one sentence."""
    if (memory := out_of_memory(error)) is not None:
        let_go(error)
        return (
            f"the run ran out of memory before its first step ({memory}); try a smaller batch size, encoder or probe, "
            "or end other runs"
        )
    return str(error) if isinstance(error, LtvizError) else f"{type(error).__name__}: {error}"


def train_alone(home: Path, job: launch.Job) -> None:
    """Trains in this process what is left of a job, beside all queues; waits where somebody else still trains it."""
    worker = Worker(home, new_run_id("trial"), -1)
    with worker.stop.on_signals():
        while not worker.stop.asked:
            try:
                left = left_of(home, job)
            except RunLocked:
                time.sleep(_RETRY)
                continue
            if left is not None:
                worker.train(left)
            return


def device_of(job: launch.Job, devices: Sequence[launch.Device], left: Recording | None) -> str | None:
    """What the setting `device` is to be for a job; None where it stays as it is.

    Args:
        left: the run that goes on, for a job that resumes. The device that it was on may have gone since.
    """
    if job.place is not None:
        return None if job.place.first == 0 and left is None else f"cuda:{job.place.first}"
    if left is not None and not devices:
        given = left.config.get("run", {}).get("device", "")
        return "auto" if str(given).startswith("cuda") else None
    return None


def _devices() -> list[launch.Device]:
    """The GPUs that this process sees; none where they do not answer, which a run on them says with its reason."""
    try:
        return [launch.Device(uuid=uuid, title=title, bytes=size) for uuid, title, size in visible_devices()]
    except RuntimeError:
        log.exception("the devices cannot be asked")
        return []


def niceness() -> int:
    """What is added to that of the app; `NICENESS`, and a line of the log, where LTVIZ_NICENESS is no number for it."""
    given = os.environ.get("LTVIZ_NICENESS", str(NICENESS))
    if given.isdecimal() and int(given) <= 19:
        return int(given)
    log.warning("LTVIZ_NICENESS must be a whole number from 0 to 19, got %.40r; it is %d.", given, NICENESS)
    return NICENESS


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; gives the exit code."""
    parser = argparse.ArgumentParser(prog="ltviz worker", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder of run folders")
    parser.add_argument("--id", required=True, help="name of this worker")
    parser.add_argument("--lock-fd", type=int, help="descriptor of the lock, where the parent has taken it")
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        lock = hold_worker_lock(given.home, given.id) if given.lock_fd is None else given.lock_fd
        lower_priority(niceness())
        worker = Worker(given.home, given.id, lock, _devices())
        with worker.stop.on_signals():
            write_catalogue(given.home / FOLDER / "catalogue.json")
            worker.run()
    except LtvizError as error:
        print(f"ltviz: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
