"""Races that the app puts on a cluster: each has a process that submits, follows and stops it, and outlives the app.

    <home>/.ltviz/away/<job>/   race.json, lock (held while its process lives), log.txt; stop, once somebody wants that

The note is written before anything is asked of the cluster, and goes when the race is over. So a process that is killed
is started again by the next app, and finds what the one before it has submitted. No torch here.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ltviz.errors import LtvizError, RecordingError
from ltviz.launch.apart import shared_storage
from ltviz.launch.locks import lock_file
from ltviz.launch.queue import FOLDER, Job, check_job
from ltviz.launch.ray_site import ADDRESSES
from ltviz.launch.slurm_site import EXECUTOR
from ltviz.launch.sweep import Cell
from ltviz.launch.tally import SweepStatus
from ltviz.launch.trials import Site, Trials
from ltviz.recording import Recording, check_run_id, mark_failed, run_path
from ltviz.recording.files import make_folder, write_whole
from ltviz.training.settings import RunSettings
from ltviz.training.stop import Stop

Cluster = Literal["ray", "slurm"]
ENDED = ("finished", "failed", "lost")
log = logging.getLogger(__name__)
_children: list[subprocess.Popen[bytes]] = []  # reaped by `follow_again`, so that none stays behind as a zombie


class Away(BaseModel):
    """A race on a cluster. `cpus` and `gpus` are what it takes of Ray, `options` are submitit's for Slurm."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: Job
    on: Cluster
    cpus: float = Field(default=1, ge=0, le=1024)
    gpus: float = Field(default=0, ge=0, le=64)
    options: dict[str, str | int] = {}
    mirror: str | None = None
    """Where nodes of Ray that do not see the home bring its runs."""


def clusters(environment: Mapping[str, str] = os.environ) -> list[Cluster]:
    """Those that can be reached from here: Ray where a job server is named, Slurm where its commands are."""
    found: list[Cluster] = ["ray"] if any(map(environment.get, ADDRESSES)) else []
    slurm = environment.get(EXECUTOR) or shutil.which("sbatch", path=environment.get("PATH"))
    return [*found, "slurm"] if slurm else found


def send_away(home: Path, race: Away) -> None:
    """Notes a race, then starts what puts it on its cluster.

    Raises:
        ConfigError: as `submit`. RecordingError, DiskFull: the home cannot be written.
    """
    check_job(race.job)
    folder = _folder(home, race.job.job_id)
    make_folder(folder)
    write_whole(folder / "race.json", race.model_dump_json().encode())
    _start(home, folder)


def away(home: Path) -> list[Away]:
    """The races that are on a cluster, or on their way there or back, oldest first."""
    found = []
    for file in sorted((Path(home) / FOLDER / "away").glob("*/race.json")):
        with contextlib.suppress(OSError, ValueError):
            found.append(Away.model_validate_json(file.read_bytes()))
    return found


def call_back(home: Path, job_id: str) -> None:
    """Ends a race that is away, politely: what trains saves its weights. RecordingError: the home cannot be written."""
    if (folder := _folder(home, job_id)).is_dir():
        write_whole(folder / "stop", b"")


def follow_again(home: Path) -> None:
    """Starts the processes of races that have lost theirs. RecordingError: the home cannot be written."""
    for child in [child for child in _children if child.poll() is not None]:
        _children.remove(child)
    for race in away(home):
        _start(home, _folder(home, race.job.job_id))


def _folder(home: Path, job_id: str) -> Path:
    return Path(home) / FOLDER / "away" / check_run_id(job_id)


def _start(home: Path, folder: Path) -> None:
    """Starts the process of a race in a session of its own; nothing where one lives, which has the lock."""
    try:
        lock = lock_file(folder / "lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    command = [sys.executable, "-m", "ltviz.launch.away", "--home", str(Path(home).absolute()), "--id", folder.name]
    try:
        with (folder / "log.txt").open("ab") as output:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, pass_fds=[lock]
            )
    finally:
        os.close(lock)
    _children.append(child)


def open_site(home: Path, race: Away) -> Site:
    """The cluster that a race is on. ConfigError, TrainingError: it cannot be reached from here."""
    tag = race.job.job_id
    if race.on == "ray":
        from ltviz.launch.ray_site import RaySite

        return RaySite(tag=tag, cpus=race.cpus, gpus=race.gpus)
    from ltviz.launch.slurm_site import SlurmSite

    return SlurmSite(home, tag=tag, options=race.options)


def follow(home: Path, job_id: str, site: Any = open_site) -> None:
    """Puts a race on its cluster, or finds it there, and returns when it is over; its runs say what became of it.

    Args:
        site: makes the `Site` of a home and a race; for tests.
    """
    folder = _folder(home, job_id)
    race = Away.model_validate_json((folder / "race.json").read_bytes())
    stop = Stop()

    def look(status: SweepStatus | None = None) -> None:
        if (folder / "stop").exists():
            stop.ask()

    look()
    try:
        cell = Cell(RunSettings.model_validate(race.job.run), race.job)
        mirror = None if race.mirror is None else shared_storage(race.mirror)
        Trials(home, [cell], tag=job_id, site=site(home, race), stop=stop, progress=look, mirror=mirror).run()
    except Exception as error:
        log.exception("race %s cannot be trained on %s", job_id, race.on)
        reason = str(error) if isinstance(error, LtvizError) else f"{type(error).__name__}: {error}"
        for run in race.job.runs:
            if Recording(run_path(home, run.run_id)).status().state not in ENDED:
                with contextlib.suppress(RecordingError):  # it is being written after all
                    mark_failed(run_path(home, run.run_id), reason)
    shutil.rmtree(folder, ignore_errors=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; gives the exit code."""
    parser = argparse.ArgumentParser(prog="ltviz away", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder of run folders")
    parser.add_argument("--id", required=True, help="id of the job")
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # An app that a script began in the background ignores SIGINT, and so would all that this process begins: jobs of
    # submitit's local executor are ended by it, and would train on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    follow(given.home, given.id)
    return 0


if __name__ == "__main__":
    sys.exit(main())
