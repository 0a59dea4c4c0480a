"""Workers: processes of their own session that stand by with torch imported. They outlive the app that started them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, ConfigDict

from ltviz.errors import LtvizError, RecordingError
from ltviz.launch.locks import lock_file
from ltviz.launch.places import Device
from ltviz.launch.queue import FOLDER, Job, jobs, release
from ltviz.recording import Recording, check_run_id, mark_failed, new_run_id, run_path
from ltviz.recording.files import make_folder, write_whole

_LOG_BYTES = 64 * 1024  # read of a log's end
_KEEP_DEAD = 20  # folders of dead workers that are kept, for their logs
_ROOM = 64 * 1024  # bytes that a home must have left before a worker starts
_children: dict[int, subprocess.Popen[bytes]] = {}  # reaped by `workers`, so that none stays behind as a zombie


class WorkerState(BaseModel):
    """What is known of a worker. `create_time` (Unix seconds) tells its process from a later one with the same pid;
    `devices` are the GPUs that it sees, in the order of their numbers."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    worker_id: str
    pid: int
    create_time: float
    state: Literal["starting", "idle", "busy", "dead"]
    job: str | None = None
    devices: tuple[Device, ...] = ()


def spawn_worker(home: Path) -> WorkerState:
    """Starts a worker in a session of its own; it goes on when this process ends.

    Its output goes to log.txt, never to a pipe, and it holds its lock from its first moment on. One that cannot be
    kept account of is not left behind.

    Raises:
        RecordingError, DiskFull: as `check_home`.
    """
    check_home(home)
    worker_id = new_run_id("worker")
    folder = worker_folder(home, worker_id)
    make_folder(folder)
    lock = lock_file(folder / "lock", fcntl.LOCK_EX)
    command = [sys.executable, "-m", "ltviz.launch.worker", "--home", str(home), "--id", worker_id]
    try:
        with (folder / "log.txt").open("ab") as output:
            child = subprocess.Popen(
                [*command, "--lock-fd", str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=[lock],  # the child inherits the lock itself, so there is no moment without it
                env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
            )
    finally:
        os.close(lock)
    _children[child.pid] = child
    with contextlib.suppress(psutil.NoSuchProcess):
        state = WorkerState(
            worker_id=worker_id, pid=child.pid, create_time=psutil.Process(child.pid).create_time(), state="starting"
        )
        try:
            if not (folder / "worker.json").exists():  # the worker may have been faster
                write_state(home, state)
        except RecordingError:
            end_worker(state, patience=0.0)  # nobody would ever know of it
            raise
        return state
    return WorkerState(worker_id=worker_id, pid=child.pid, create_time=0.0, state="dead")


def check_home(home: Path) -> None:
    """Passes where workers of this home can be kept account of: it can be written, and its locks hold.

    Raises:
        RecordingError: it is a file, or not the person's to write, or on a file system without locks.
        DiskFull: its disk has no room.
    """
    folder = Path(home) / FOLDER
    make_folder(folder)
    probe = folder / f".room-{os.getpid()}"
    try:
        write_whole(probe, bytes(_ROOM))
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
    os.close(lock_file(folder / "app.lock", fcntl.LOCK_SH))


def workers(home: Path) -> list[WorkerState]:
    """Every worker of this home that lives or has left its log, oldest first; the kernel's lock says who lives."""
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            del _children[pid]
    found = []
    for name in _names(Path(home) / FOLDER / "workers"):
        folder = Path(home) / FOLDER / "workers" / name
        try:
            state = WorkerState.model_validate_json((folder / "worker.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        found.append(state if _is_held(folder / "lock") else state.model_copy(update={"state": "dead"}))
    return found


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names are all that is needed
    except OSError:  # not there yet, or no folder, or not ours to look into
        return []


def worker_folder(home: Path, worker_id: str) -> Path:
    """Folder of a worker; the id is checked first."""
    return Path(home) / FOLDER / "workers" / check_run_id(worker_id)


def write_state(home: Path, state: WorkerState) -> None:
    """Writes worker.json in one step. RecordingError, DiskFull: it cannot be written."""
    write_whole(worker_folder(home, state.worker_id) / "worker.json", state.model_dump_json().encode())


def log_tail(home: Path, worker_id: str, lines: int = 12) -> str:
    """The last lines of what a worker printed, as plain text; empty where there are none."""
    try:
        with (worker_folder(home, worker_id) / "log.txt").open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _LOG_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    printable = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    return "\n".join(printable.strip().splitlines()[-lines:])


DIED = (
    "the worker that trained this run has died; where its log ends without an error the system has killed it, as it "
    "does for want of memory: resume the run, or try a smaller batch size or encoder"
)


def fail_abandoned(home: Path) -> list[Job]:
    """Says of every job whose worker is dead that its unfinished runs have failed, with the log's last lines."""
    alive = {worker.worker_id for worker in workers(home) if worker.state != "dead"}
    ended = []
    for job, place, worker_id in jobs(home):
        if place == "queued" or worker_id is None or worker_id in alive:
            continue
        tail = log_tail(home, worker_id)
        for run in job.runs:
            if Recording(run_path(home, run.run_id)).status().state not in ("finished", "failed"):
                with contextlib.suppress(LtvizError):  # a writer lives after all, or another app was faster
                    mark_failed(run_path(home, run.run_id), DIED, log_tail=tail)
        release(home, job.job_id, worker_id)
        ended.append(job)
    _forget_old(home)
    return ended


def end_worker(state: WorkerState, *, patience: float = 20.0) -> None:
    """Asks a worker to stop; after `patience` seconds its process group is killed. No other process is touched."""
    if not _is_same_process(state):
        return
    os.killpg(state.pid, signal.SIGTERM)  # the worker leads its own session, so the group is ours alone
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and _is_same_process(state):
        if (child := _children.get(state.pid)) is not None:
            child.poll()
        time.sleep(0.05)
    if _is_same_process(state):
        os.killpg(state.pid, signal.SIGKILL)
        if (child := _children.pop(state.pid, None)) is not None:
            child.wait()


class AppLock:
    """The app lock of a home, shared by all who look at it. Closing it gives it back.

    Raises:
        RecordingError: the home cannot be written, or its file system has no locks.
    """

    def __init__(self, home: Path) -> None:
        self._path = Path(home) / FOLDER / "app.lock"
        make_folder(self._path.parent)
        self._descriptor = lock_file(self._path, fcntl.LOCK_SH)

    @property
    def holds(self) -> bool:
        """Whether workers would see it: not where the file that is locked has been deleted."""
        return _is_at(self._descriptor, self._path)

    def close(self) -> None:
        os.close(self._descriptor)


@contextlib.contextmanager
def hold_app_lock(home: Path) -> Iterator[None]:
    """Tells idle workers of this home that somebody looks: they end themselves 10 s after the last app has gone.

    Raises:
        RecordingError: as `AppLock`.
    """
    with contextlib.closing(AppLock(home)):
        yield


def is_watched(home: Path) -> bool:
    """Whether an app holds the app lock."""
    return _is_held(Path(home) / FOLDER / "app.lock")


def hold_worker_lock(home: Path, worker_id: str) -> int:
    """The lock of a worker that was started by hand; gives the file descriptor that keeps it.

    Raises:
        LtvizError: another worker has this id.
    """
    folder = worker_folder(home, worker_id)
    make_folder(folder)
    try:
        return lock_file(folder / "lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LtvizError(
            f"a worker id belongs to one process, but {worker_id} is in use; choose another --id"
        ) from error


def holds_worker_lock(descriptor: int, home: Path, worker_id: str) -> bool:
    """Whether a worker's lock is where everybody looks for it: not once its folder has been deleted."""
    return _is_at(descriptor, worker_folder(home, worker_id) / "lock")


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # another person's, or on a disk that is read only: nothing says that its holder is gone
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_same_process(state: WorkerState) -> bool:
    try:
        process = psutil.Process(state.pid)
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - state.create_time) < 1
    except psutil.NoSuchProcess:
        return False


def _forget_old(home: Path) -> None:
    dead = [worker for worker in workers(home) if worker.state == "dead"]
    for worker in dead[:-_KEEP_DEAD]:
        folder = worker_folder(home, worker.worker_id)
        with contextlib.suppress(OSError):
            for name in ("worker.json", "log.txt", "lock"):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()
