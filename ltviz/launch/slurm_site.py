"""A Slurm cluster as the place of a sweep's trials: an array of jobs through submitit. Extra `cluster`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import which
from typing import Any

import psutil

from ltviz.errors import ConfigError, TrainingError
from ltviz.launch.queue import FOLDER
from ltviz.launch.trials import Place, Site, Trial

EXECUTOR = "LTVIZ_SUBMITIT"
"""Variable with the name of another executor of submitit's, such as local, for trials on this machine."""
_QUEUED = frozenset({"PENDING", "REQUEUED", "REQUEUE_HOLD", "CONFIGURING", "READY"})
_RUNNING = frozenset({"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING", "UNKNOWN"})
_LOST = frozenset({"NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "REVOKED", "INTERRUPTED", "NO PROCESS AND NO RESULT"})


class SlurmSite(Site):
    """Trials as tasks of a job array.

    A trial whose time is up, or whose node is wanted by somebody else, is asked to end, saves its weights, is queued
    again, and goes on from there.

    Args:
        home: folder of run folders, where submitit keeps its files, too.
        tag: of the sweep, the name of the array.
        options: of submitit's executor, such as slurm_partition, timeout_min, gpus_per_node.

    Raises:
        ConfigError: submitit or Slurm is not there, or an option that it does not know.
    """

    def __init__(self, home: Path, *, tag: str, options: Mapping[str, Any]):
        try:
            import submitit
        except ImportError as error:
            raise ConfigError(
                'on slurm needs the extra cluster, which is not installed; try pip install "ltviz[cluster]"'
            ) from error
        cluster = os.environ.get(EXECUTOR) or "slurm"
        if cluster == "slurm" and which("sbatch") is None:
            raise ConfigError(
                "on slurm needs sbatch on PATH, which is not there; run the line on a login node of the cluster"
            )
        self._folder = home / FOLDER / "slurm" / tag
        try:
            self._executor: Any = submitit.AutoExecutor(folder=self._folder, cluster=cluster)
            self._executor.update_parameters(name=f"ltviz-{tag}"[:60], **options)
        except (NameError, TypeError, ValueError, RuntimeError) as error:
            raise ConfigError(f"slurm must have options of submitit's executor, but {str(error)[:300]}") from error
        self._jobs: dict[str, Any] = {}

    def submit(self, trials: Sequence[Trial]) -> list[str]:
        try:
            jobs = self._executor.map_array(Attempt(), [trial.line for trial in trials])
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            raise TrainingError(f"Slurm must take an array of jobs, but {str(error)[:300]}") from error
        self._jobs |= {str(job.job_id): job for job in jobs}
        return [str(job.job_id) for job in jobs]

    def places(self, ids: Sequence[str]) -> dict[str, Place]:
        return {one: _place(str(self._job(one).state)) for one in ids}

    def stop(self, ids: Sequence[str]) -> None:
        for one in ids:
            self._job(one).cancel(check=False)

    def output(self, trial: str) -> str:
        job = self._job(trial)
        return "\n".join(filter(None, (job.stdout(), job.stderr())))

    def _job(self, one: str) -> Any:
        """A job of this process, or of one before it."""
        if one not in self._jobs:
            # of the executor that was chosen: the class of the one that chooses can be asked for nothing
            found = self._jobs[one] = self._executor._executor.job_class(self._folder, one)
            if hasattr(found, "_process"):  # of the local executor, which knows the jobs of its own process alone
                found._process = _Left.find(one, self._folder)
        return self._jobs[one]


class _Left:
    """A job of the local executor that an earlier process has started, as submitit looks at one of its own."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process

    @classmethod
    def find(cls, job: str, folder: Path) -> _Left | None:
        """The process by whose number the job goes; None where it is gone, or is another one by now."""
        try:
            process = psutil.Process(int(job))
            return cls(process) if str(folder) in process.cmdline() else None
        except (ValueError, psutil.Error):
            return None

    def poll(self) -> int | None:
        """None while it lives; how it ended only its result says."""
        with contextlib.suppress(psutil.Error):
            if self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE:
                return None
        return 0

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(psutil.Error):
            self._process.send_signal(number)


def slurm_options(text: str) -> dict[str, str | int]:
    """Options of submitit's executor from NAME=VALUE, separated by commas. ConfigError: anything else."""
    found: dict[str, str | int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.isidentifier():
            raise ConfigError(f"slurm must be NAME=VALUE separated by commas, got {part:.80}; try timeout_min=240")
        found[name] = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else value
    return found


class Attempt:
    """What a node executes: a command, which is ended in order where Slurm wants the node back, and queued again."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, line: str) -> int:
        before = signal.getsignal(signal.SIGTERM)
        self._process = subprocess.Popen(["/bin/sh", "-c", line])
        with contextlib.suppress(ValueError):  # not the main thread, where nothing is caught
            signal.signal(signal.SIGINT, lambda number, frame: self.end())
        try:
            return self._process.wait()
        finally:
            with contextlib.suppress(ValueError):
                signal.signal(signal.SIGTERM, before)

    def checkpoint(self, line: str) -> Any:
        """Called by submitit when the time is nearly up: what is to be queued again."""
        import submitit

        self.end()
        return submitit.helpers.DelayedSubmission(Attempt(), line)

    def end(self) -> None:
        """Asks the command to end, as Ctrl-C would, and waits for its last frame and weights."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait()

    def __getstate__(self) -> dict[str, Any]:
        return {"_process": None}


def _place(state: str) -> Place:
    state = state.upper().split(" BY ", 1)[0]
    if state in _QUEUED:
        return "queued"
    if state in _RUNNING:
        return "running"
    return "lost" if state in _LOST else "ended"
