"""How far the sweeps of a home are: each tells it in one small file, which the app reads. No torch here."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from ltviz.errors import RecordingError
from ltviz.launch.queue import FOLDER
from ltviz.launch.tally import SweepStatus
from ltviz.recording import check_run_id, new_run_id
from ltviz.recording.files import write_whole

_PLACE = "sweeps"
_MAX_FILE = 64 * 1024


class SweepProgress(BaseModel):
    """What a sweep tells about itself, about once a second.

    Attributes:
        name: tag of its runs.
        pid, create_time: of the process that sweeps; the time tells it from a later one with the same pid.
        beat: Unix seconds of this report.
        runs, finished, failed: how many there are, and how many of them have ended.
        steps, total_steps: of all runs together.
        seconds_left: None while nothing can be said.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    pid: int
    create_time: float
    beat: float
    runs: int
    finished: int
    failed: int
    steps: int
    total_steps: int
    seconds_left: float | None = None

    @property
    def alive(self) -> bool:
        """Whether its process still runs; one that was killed leaves its last report behind."""
        try:
            return abs(psutil.Process(self.pid).create_time() - self.create_time) < 1
        except psutil.Error:
            return False

    @property
    def share(self) -> float:
        """Of all steps, 0 to 1."""
        return min(1.0, self.steps / max(self.total_steps, 1))


class Report:
    """The file of one sweep; it goes when the sweep ends in whatever way it can tell of."""

    def __init__(self, home: Path, name: str) -> None:
        self.name = name
        self._file = home / FOLDER / _PLACE / f"{new_run_id('sweep')}.json"
        self._create_time = psutil.Process().create_time()

    def tell(self, *, runs: int, finished: int, failed: int, steps: int, total_steps: int, left: float | None) -> None:
        """Replaces what was told before.

        Raises:
            RecordingError, DiskFull: the file cannot be written.
        """
        told = SweepProgress(
            name=self.name,
            pid=os.getpid(),
            create_time=self._create_time,
            beat=time.time(),
            runs=runs,
            finished=finished,
            failed=failed,
            steps=steps,
            total_steps=total_steps,
            seconds_left=left,
        )
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._file, told.model_dump_json().encode())

    def tell_status(self, status: SweepStatus) -> None:
        """The same of a sweep's status. A full disk stops runs, and they say so; this is only news."""
        with contextlib.suppress(RecordingError):
            self.tell(
                runs=len(status.states),
                finished=status.count("finished"),
                failed=status.count("failed"),
                steps=status.steps,
                total_steps=status.total_steps,
                left=status.seconds_left,
            )

    def remove(self) -> None:
        self._file.unlink(missing_ok=True)


@contextlib.contextmanager
def report(home: Path, name: str) -> Iterator[Report]:
    """A sweep's report for as long as the block lasts."""
    told = Report(home, name)
    try:
        yield told
    finally:
        told.remove()


def sweeps(home: Path) -> list[SweepProgress]:
    """The sweeps that run under a home, the oldest first. What a killed one has left behind is removed."""
    found = []
    for file in sorted((home / FOLDER / _PLACE).glob("*.json")):
        try:
            check_run_id(file.stem)
            content = json.loads(file.read_bytes()[:_MAX_FILE])
            told = SweepProgress.model_validate(content)
        except (OSError, ValueError, ValidationError):  # gone meanwhile, or not ours
            continue
        if told.alive:
            found.append(told)
        else:
            with contextlib.suppress(OSError):
                file.unlink()
    return found
