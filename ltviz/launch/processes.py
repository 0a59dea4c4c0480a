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

from ltviz.errors import LtvizError
from ltviz.launch.queue import FOLDER, Job, jobs, release
from ltviz.recording import Recording, check_run_id, mark_failed, new_run_id, run_path

_LOG_BYTES = 64 * 1024  # read of a log's end
_KEEP_DEAD = 20  # folders of dead workers that are kept, for their logs
_children: dict[int, subprocess.Popen[bytes]] = {}  # reaped by `workers`, so that none stays behind as a zombie


class WorkerState(BaseModel):
    """What is known of a worker. `create_time` (Unix seconds) tells its process from a later one with the same pid."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    worker_id: str
    pid: int
    create_time: float
    state: Literal["starting", "idle", "busy", "dead"]
    job: str | None = None


def spawn_worker(home: Path) -> WorkerState:
    """Starts a worker in a session of its own; it goes on when this process ends.

    Its output goes to log.txt, never to a pipe, and it holds its lock from its first moment on.
    """
    worker_id = new_run_id("worker")
    folder = worker_folder(home, worker_id)
    folder.mkdir(parents=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
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
        if not (folder / "worker.json").exists():  # the worker may have been faster
            write_state(home, state)
        return state
    return WorkerState(worker_id=worker_id, pid=child.pid, create_time=0.0, state="dead")


def workers(home: Path) -> list[WorkerState]:
    """Every worker of this home that lives or has left its log, oldest first; the kernel's lock says who lives."""
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            del _children[pid]
    found = []
    for folder in sorted((Path(home) / FOLDER / "workers").glob("*/")):
        try:
            state = WorkerState.model_validate_json((folder / "worker.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        found.append(state if _is_held(folder / "lock") else state.model_copy(update={"state": "dead"}))
    return found


def worker_folder(home: Path, worker_id: str) -> Path:
    """Folder of a worker; the id is checked first."""
    return Path(home) / FOLDER / "workers" / check_run_id(worker_id)


def write_state(home: Path, state: WorkerState) -> None:
    """Writes worker.json in one step."""
    folder = worker_folder(home, state.worker_id)
    draft = folder / f".worker.{os.getpid()}.tmp"
    draft.write_text(state.model_dump_json(), encoding="utf-8")
    draft.replace(folder / "worker.json")


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
                    mark_failed(run_path(home, run.run_id), "the worker that trained this run has died", log_tail=tail)
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


@contextlib.contextmanager
def hold_app_lock(home: Path) -> Iterator[None]:
    """Tells idle workers of this home that somebody looks: they end themselves 10 s after the last app has gone."""
    path = Path(home) / FOLDER / "app.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def is_watched(home: Path) -> bool:
    """Whether an app holds the app lock."""
    return _is_held(Path(home) / FOLDER / "app.lock")


def hold_worker_lock(home: Path, worker_id: str) -> int:
    """The lock of a worker that was started by hand; gives the file descriptor that keeps it.

    Raises:
        LtvizError: another worker has this id.
    """
    folder = worker_folder(home, worker_id)
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise LtvizError(
            f"a worker id belongs to one process, but {worker_id} is in use; choose another --id"
        ) from error
    return descriptor


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
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
        for name in ("worker.json", "log.txt", "lock"):
            (folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()
