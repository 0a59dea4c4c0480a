"""Jobs: what is to be trained, as files that are taken by renaming them."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ltviz.errors import ConfigError, RecordingError, sentence
from ltviz.launch.locks import lock_file
from ltviz.launch.places import Place
from ltviz.recording import RUN_ID, check_run_id
from ltviz.recording.files import make_folder, unwritable, write_whole
from ltviz.training.settings import RunSettings

FOLDER = ".ltviz"
_ID = f"^{RUN_ID.pattern}$"


class JobRun(BaseModel):
    """One run of a job: where it goes (an id under the home), the method with its settings, and what run.json says of
    the recipe that they are from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str = Field(pattern=_ID)
    method: str = Field(min_length=1, max_length=100)
    settings: dict[str, Any] = {}
    recipe: dict[str, Any] | None = None
    title: str | None = Field(default=None, min_length=1, max_length=120)
    """Of a run that is told from others of its method by what it follows; the method's own where None."""


class Job(BaseModel):
    """Runs that are trained together, in lock-step; `run` holds fields of `RunSettings`. Those of a job that resumes
    go on where their weights were saved, with the settings in their folders."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: str = Field(pattern=_ID)
    runs: tuple[JobRun, ...] = Field(min_length=1, max_length=64)
    run: dict[str, Any] = {}
    resume: bool = False
    place: Place | None = None
    """The devices that it was given when it was taken; None while it waits, and where there are none."""

    def as_file(self) -> bytes:
        """JSON, without what is not there."""
        return self.model_dump_json(exclude=None if self.place else {"place"}).encode()


Choose = Callable[[Sequence[Job], Sequence[Job]], tuple[str, Place | None] | None]
"""Of the jobs that wait, in order, and those that are taken: which begins now, and where; None where all wait on."""


def check_job(job: Job) -> None:
    """ConfigError where the settings are out of their bounds, or two runs have one id."""
    try:
        RunSettings.model_validate(job.run)
    except ValidationError as error:
        raise ConfigError(sentence(error, RunSettings)) from error
    if len({run.run_id for run in job.runs}) < len(job.runs):
        raise ConfigError(f"every run of a job needs its own id, got {[run.run_id for run in job.runs]}")


def submit(home: Path, job: Job) -> None:
    """Puts a job into the queue, whole or not at all.

    Raises:
        ConfigError: the settings are out of their bounds, or two runs have one id.
        RecordingError, DiskFull: the home cannot be written.
    """
    check_job(job)
    make_folder(_folder(home, "queue"))
    write_whole(_folder(home, "queue") / f"{job.job_id}.json", job.as_file())


def jobs(home: Path) -> list[tuple[Job, Literal["queued", "claimed"], str | None]]:
    """Every job that has not ended, oldest first: the job, its place, and the id of the worker that took it."""
    found = []
    for place in ("claimed", "queue"):
        for path in _by_age(_folder(home, place)):
            if (job := _read(path)) is not None:
                worker = path.stem.partition("@")[2] or None
                found.append((job, "claimed" if place == "claimed" else "queued", worker))
    return found


def claim(home: Path, worker_id: str, choose: Choose | None = None) -> Job | None:
    """Takes the oldest waiting job, or the one that `choose` names; None where there is none.

    A file that is no job is removed.
    """
    waiting = _by_age(_folder(home, "queue"))
    if not waiting:
        return None
    if choose is not None:
        return _claim_chosen(home, worker_id, choose)
    for path in waiting:
        if (job := _take(home, path, worker_id)) is not None:
            return job
    return None


def _claim_chosen(home: Path, worker_id: str, choose: Choose) -> Job | None:
    """One worker at a time chooses: what it gives away the next one sees."""
    with _choosing(home):
        found = jobs(home)
        if not any(place == "queued" for _, place, _ in found):
            return claim(home, worker_id)  # files that are no jobs
        waiting = [job for job, place, _ in found if place == "queued"]
        chosen = choose(waiting, [job for job, place, _ in found if place == "claimed"])
        if chosen is None:
            return None
        path = _folder(home, "queue") / f"{chosen[0]}.json"
        if (job := _take(home, path, worker_id)) is None or chosen[1] is None:
            return job
        job = job.model_copy(update={"place": chosen[1]})
        taken = _taken(home, job.job_id, worker_id)
        try:
            write_whole(taken, job.as_file())
        except RecordingError:  # nobody would know what is taken of the device: it waits for room on the disk
            with contextlib.suppress(OSError):
                taken.rename(path)
            return None
        return job


@contextlib.contextmanager
def _choosing(home: Path) -> Iterator[None]:
    descriptor = lock_file(Path(home) / FOLDER / "queue.lock")
    try:
        yield
    finally:
        os.close(descriptor)


def _take(home: Path, path: Path, worker_id: str) -> Job | None:
    """Takes what is in a file of the queue; None where another was faster, or it is no job."""
    taken = _taken(home, path.stem, worker_id)
    make_folder(taken.parent)
    try:
        path.rename(taken)
    except FileNotFoundError:  # another worker was faster
        return None
    except OSError as error:
        raise unwritable(error, taken, 0) from error
    if (job := _read(taken)) is None:
        taken.unlink()
    return job


def move(home: Path, job_id: str, before: str) -> bool:
    """Moves a waiting job directly before another in the order in which jobs are taken; whether it was not there.

    Nothing is done where one of the two does not wait any more. Asked twice, it is done once.

    Raises:
        RecordingError, DiskFull: the home cannot be written.
    """
    order = _by_age(_folder(home, "queue"))
    names = [path.stem for path in order]
    if check_run_id(job_id) == check_run_id(before) or job_id not in names or before not in names:
        return False
    at, to = names.index(job_id), names.index(before)
    if at == to - 1:
        return False
    try:
        stamps = [path.stat().st_mtime_ns for path in order]
    except FileNotFoundError:  # one has just been taken, so the order is another: the person looks again
        return False
    order.insert(to - (at < to), order.pop(at))
    for i, path in enumerate(order):
        stamps[i] = max(stamps[i], stamps[i - 1] + 1_000) if i else stamps[i]  # no two alike, so that the order holds
        try:
            os.utime(path, ns=(stamps[i], stamps[i]))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unwritable(error, path, 0) from error
    return True


def release(home: Path, job_id: str, worker_id: str) -> None:
    """Forgets a job that this worker has ended. RecordingError: its file cannot be removed."""
    taken = _taken(home, check_run_id(job_id), check_run_id(worker_id))
    try:
        taken.unlink(missing_ok=True)
    except NotADirectoryError:
        return
    except OSError as error:
        raise unwritable(error, taken, 0) from error


def withdraw(home: Path, job_id: str, run_id: str | None = None) -> bool:
    """Takes a job, or one run of it, out of the queue, where no worker has taken it yet; whether there was one.

    What is left of a job keeps its place.

    Raises:
        RecordingError, DiskFull: the home cannot be written; the job is as it was.
    """
    waiting = _folder(home, "queue") / f"{check_run_id(job_id)}.json"
    taken = waiting.with_suffix(".withdrawn")
    try:
        waiting.rename(taken)  # from here on it is ours: no worker takes what we change
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unwritable(error, waiting, 0) from error
    job = None if run_id is None else _read(taken)
    rest = () if job is None else tuple(run for run in job.runs if run.run_id != run_id)
    try:
        if job is not None and rest:
            before = taken.stat()
            write_whole(taken, job.model_copy(update={"runs": rest}).as_file())
            os.utime(taken, ns=(before.st_atime_ns, before.st_mtime_ns))
            taken.rename(waiting)
        else:
            taken.unlink()
    except (OSError, RecordingError) as error:
        with contextlib.suppress(OSError):
            taken.rename(waiting)
        raise error if isinstance(error, RecordingError) else unwritable(error, waiting, 0) from error
    return job is None or len(rest) < len(job.runs)


def read_job(path: Path) -> Job:
    """The job in a file of any name. ConfigError: there is none."""
    try:
        return parse_job(path.read_bytes(), str(path))
    except OSError as error:
        raise _no_job(str(path)) from error


def parse_job(text: bytes, name: str) -> Job:
    """The job that a sweep has written; `name` is where. ConfigError: it is none."""
    try:
        return Job.model_validate_json(text)
    except ValueError as error:
        raise _no_job(name) from error


def _no_job(name: str) -> ConfigError:
    return ConfigError(
        f"job must be a file that a sweep on a cluster has written, got {name:.200}; try `ltviz sweep FILE --on ray`"
    )


def _folder(home: Path, name: str) -> Path:
    return Path(home) / FOLDER / name


def _taken(home: Path, job_id: str, worker_id: str) -> Path:
    return _folder(home, "claimed") / f"{job_id}@{worker_id}.json"


def _by_age(folder: Path) -> list[Path]:
    """Files of jobs, the oldest first; none in a folder that is not there or cannot be read."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".json") and not entry.name.startswith("."):
                    with contextlib.suppress(FileNotFoundError):  # taken meanwhile
                        found.append((entry.stat().st_mtime_ns, entry.name))
    except OSError:
        return []
    return [folder / name for _, name in sorted(found)]


def _read(path: Path) -> Job | None:
    """The job in a file; None where the file is gone or holds something else."""
    try:
        job = Job.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
    return job if job.job_id == path.stem.partition("@")[0] else None
