"""Whether a folder may take a new run, or holds one that can go on. No torch: a refusal comes at once."""

from __future__ import annotations

from pathlib import Path

from ltviz.errors import RecordingError, RunLocked
from ltviz.recording import Recording


def check_free(path: Path) -> None:
    """Passes where `path` does not exist or holds no run.

    Raises:
        RunLocked: a trainer is writing there right now.
        RecordingError: it holds a run, or it is not a folder.
    """
    if path.exists() and not path.is_dir():
        raise RecordingError(f"a run folder must be a folder, but this is a file; choose another path: {path}")
    if not (path / "run.json").exists():
        return
    recording = Recording(path)
    _check_unlocked(recording)
    raise RecordingError(
        "a run folder holds one run, but this one has a run already; choose another folder, "
        f"or go on with `ltviz train --resume`: {path}"
    )


def check_resumable(recording: Recording) -> None:
    """Passes where the folder holds an unfinished run of `ltviz train`.

    Raises:
        RunLocked: a trainer is writing there right now.
        RecordingError: no run, not one of the trainer, or complete.
    """
    path = recording.path
    if not (path / "run.json").exists():
        raise RecordingError(f"--resume needs the folder of a run, but there is no run.json in it: {path}")
    _check_unlocked(recording)
    info = recording.info
    if info.method is None or "run" not in info.config:
        raise RecordingError(
            f"only a run that `ltviz train` made can go on, but this one was recorded by a script: {path}"
        )
    last = recording.last()
    if recording.status().state == "finished" and last is not None and last.step >= (info.total_steps or 0):
        raise RecordingError(f"a run can go on until its last step, but this one has done all {last.step}: {path}")


def _check_unlocked(recording: Recording) -> None:
    status = recording.status()
    if status.state in ("starting", "running", "paused", "stopping"):
        raise RunLocked(f"already running (pid {status.pid} on {status.host}); stop it first: {recording.path}")
