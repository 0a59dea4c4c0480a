"""A Ray cluster as the place of a sweep's trials: each is a job of Ray's job server. Extra `cluster`."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from typing import Any

from ltviz.errors import ConfigError, TrainingError
from ltviz.launch.trials import Place, Site, Trial

HERE = "http://127.0.0.1:8265"
"""Where a head node's job server is on its own machine."""
ADDRESSES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")
"""Variables that name a job server, the first before the second."""
_GOING: dict[str, Place] = {"PENDING": "queued", "RUNNING": "running"}
_STOPPING = "60"  # seconds that a trial has to end after it was asked to


class RaySite(Site):
    """Trials as jobs, as many at a time as fit.

    The job server is that of RAY_API_SERVER_ADDRESS or RAY_ADDRESS, else of a head node on this machine.

    Args:
        tag: of the sweep, in the names of jobs.
        cpus, gpus: that a trial takes; parts of a GPU are shared.

    Raises:
        ConfigError: Ray is not installed. TrainingError: no job server answers.
    """

    def __init__(self, *, tag: str, cpus: float, gpus: float):
        try:
            from ray.job_submission import JobSubmissionClient
        except ImportError as error:
            raise ConfigError(
                'on ray needs the extra cluster, which is not installed; try pip install "ltviz[cluster]"'
            ) from error
        self._tag, self._cpus, self._gpus = tag, cpus, gpus
        self.address = next(filter(None, map(os.environ.get, ADDRESSES)), HERE)
        try:
            self._client: Any = JobSubmissionClient(self.address)
        except Exception as error:
            raise TrainingError(
                f"a Ray job server must answer at {self.address}, but {str(error)[:200]}; start one with `ray start "
                f"--head`, or set {ADDRESSES[0]}"
            ) from error

    def submit(self, trials: Sequence[Trial]) -> list[str]:
        return [self._submit(trial) for trial in trials]

    def _submit(self, trial: Trial) -> str:
        try:
            return str(
                self._client.submit_job(
                    entrypoint=trial.line,
                    submission_id=f"ltviz-{self._tag}-{trial.name}-{uuid.uuid4().hex[:6]}",
                    entrypoint_num_cpus=self._cpus,
                    entrypoint_num_gpus=self._gpus or None,
                    runtime_env={"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": _STOPPING, "PYTHONUNBUFFERED": "1"}},
                    metadata={"ltviz": trial.name},
                )
            )
        except Exception as error:
            raise TrainingError(f"Ray at {self.address} must take a job, but {str(error)[:300]}") from error

    def places(self, ids: Sequence[str]) -> dict[str, Place]:
        if not ids:
            return {}
        try:
            known = {job.submission_id: job for job in self._client.list_jobs()}
        except Exception as error:
            raise TrainingError(f"Ray at {self.address} must tell of its jobs, but {str(error)[:300]}") from error
        return {one: _place(known.get(one)) for one in ids}

    def stop(self, ids: Sequence[str]) -> None:
        for one in ids:
            try:
                self._client.stop_job(one)
            except RuntimeError:  # it has ended meanwhile
                continue

    def output(self, trial: str) -> str:
        try:
            return str(self._client.get_job_logs(trial))
        except RuntimeError:
            return ""


def _place(job: Any) -> Place:
    if job is None:
        return "lost"
    status = str(job.status.value)
    if status == "FAILED" and job.driver_exit_code is None:
        return "lost"  # the command itself did not end: its node, or what watches it there, is gone
    return _GOING.get(status, "ended")
