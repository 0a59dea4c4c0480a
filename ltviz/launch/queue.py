"""Jobs: what is to be trained, as files that are taken by renaming them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ltviz.errors import ConfigError, sentence
from ltviz.recording import RUN_ID, check_run_id
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
    """Runs that are trained together, in lock-step; `run` holds fields of `RunSettings`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: str = Field(pattern=_ID)
    runs: tuple[JobRun, ...] = Field(min_length=1, max_length=64)
    run: dict[str, Any] = {}


def submit(home: Path, job: Job) -> None:
    """Puts a job into the queue, whole or not at all.

    Raises:
        ConfigError: the settings are out of their bounds, or two runs have one id.
    """
    try:
        RunSettings.model_validate(job.run)
    except ValidationError as error:
        raise ConfigError(sentence(error, RunSettings)) from error
    if len({run.run_id for run in job.runs}) < len(job.runs):
        raise ConfigError(f"every run of a job needs its own id, got {[run.run_id for run in job.runs]}")
    folder = _folder(home, "queue")
    draft = folder / f".{job.job_id}.tmp"
    draft.write_text(job.model_dump_json(), encoding="utf-8")
    draft.replace(folder / f"{job.job_id}.json")


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
        try:
            path.rename(taken)
        except FileNotFoundError:  # another worker was faster
            continue
        if (job := _read(taken)) is not None:
            return job
        taken.unlink()
    return None


def release(home: Path, job_id: str, worker_id: str) -> None:
    """Forgets a job that this worker has ended."""
    (_folder(home, "claimed") / f"{check_run_id(job_id)}@{check_run_id(worker_id)}.json").unlink(missing_ok=True)


def withdraw(home: Path, job_id: str) -> bool:
    """Takes a job out of the queue that no worker has taken yet; whether there was one."""
    try:
        (_folder(home, "queue") / f"{check_run_id(job_id)}.json").unlink()
    except FileNotFoundError:
        return False
    return True


def _folder(home: Path, name: str) -> Path:
    folder = Path(home) / FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _by_age(folder: Path) -> list[Path]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".json") and not entry.name.startswith("."):
                try:
                    found.append((entry.stat().st_mtime_ns, entry.name))
                except FileNotFoundError:  # taken meanwhile
                    continue
    return [folder / name for _, name in sorted(found)]


def _read(path: Path) -> Job | None:
    """The job in a file; None where the file is gone or holds something else."""
    try:
        return Job.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
