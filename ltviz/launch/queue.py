"""Jobs: what is to be trained, as files that are taken by renaming them."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ltviz.errors import ConfigError, RecordingError, sentence
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


class Job(BaseModel):
    """Runs that are trained together, in lock-step; `run` holds fields of `RunSettings`. Those of a job that resumes
    go on where their weights were saved, with the settings in their folders."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: str = Field(pattern=_ID)
    runs: tuple[JobRun, ...] = Field(min_length=1, max_length=64)
    run: dict[str, Any] = {}
    resume: bool = False


def submit(home: Path, job: Job) -> None:
    """Puts a job into the queue, whole or not at all.

    Raises:
        ConfigError: the settings are out of their bounds, or two runs have one id.
        RecordingError, DiskFull: the home cannot be written.
    """
    try:
        RunSettings.model_validate(job.run)
    except ValidationError as error:
        raise ConfigError(sentence(error, RunSettings)) from error
    if len({run.run_id for run in job.runs}) < len(job.runs):
        raise ConfigError(f"every run of a job needs its own id, got {[run.run_id for run in job.runs]}")
    make_folder(_folder(home, "queue"))
    write_whole(_folder(home, "queue") / f"{job.job_id}.json", job.model_dump_json().encode())


def jobs(home: Path) -> list[tuple[Job, Literal["queued", "claimed"], str | None]]:
    """Every job that has not ended, oldest first: the job, its place, and the id of the worker that took it."""
    found = []
    for place in ("claimed", "queue"):
        for path in _by_age(_folder(home, place)):
            if (job := _read(path)) is not None:
                worker = path.stem.partition("@")[2] or None
                found.append((job, "claimed" if place == "claimed" else "queued", worker))
    return found


def claim(home: Path, worker_id: str) -> Job | None:
    """Takes the oldest waiting job; None where nothing waits. A file that is no job is removed."""
    for path in _by_age(_folder(home, "queue")):
        taken = _folder(home, "claimed") / f"{path.stem}@{worker_id}.json"
        make_folder(taken.parent)
        try:
            path.rename(taken)
        except FileNotFoundError:  # another worker was faster
            continue
        except OSError as error:
            raise unwritable(error, taken, 0) from error
        if (job := _read(taken)) is not None:
            return job
        taken.unlink()
    return None


def release(home: Path, job_id: str, worker_id: str) -> None:
    """Forgets a job that this worker has ended. RecordingError: its file cannot be removed."""
    taken = _folder(home, "claimed") / f"{check_run_id(job_id)}@{check_run_id(worker_id)}.json"
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
            write_whole(taken, job.model_copy(update={"runs": rest}).model_dump_json().encode())
            os.utime(taken, ns=(before.st_atime_ns, before.st_mtime_ns))
            taken.rename(waiting)
        else:
            taken.unlink()
    except (OSError, RecordingError) as error:
        with contextlib.suppress(OSError):
            taken.rename(waiting)
        raise error if isinstance(error, RecordingError) else unwritable(error, waiting, 0) from error
    return job is None or len(rest) < len(job.runs)


def _folder(home: Path, name: str) -> Path:
    return Path(home) / FOLDER / name


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
        return Job.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
