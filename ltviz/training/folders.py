"""Whether a folder may take a new run, or holds one that can go on. No torch: a refusal comes at once."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from ltviz.errors import RecordingError, RunLocked
from ltviz.recording import Recording
from ltviz.recording.files import write_whole


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


class Snapshot:
    """A run folder before somebody opens it, to bring it back to where nothing of the opening is left."""

    def __init__(self, path: Path):
        self._path = path
        self._entries = set(path.iterdir()) if path.is_dir() else set()
        self._status = self._file.read_bytes() if self._file.is_file() else None
        self._new_folders = [folder for folder in (path, *path.parents) if not folder.exists()]

    def restore(self) -> None:
        """What was made since is removed, and status.json says what it said. The folder must be ours, and closed."""
        for made in set(self._path.iterdir()) - self._entries:
            shutil.rmtree(made) if made.is_dir() else made.unlink()
        if self._status is not None and self._file.read_bytes() != self._status:
            write_whole(self._file, self._status)
        for folder in self._new_folders:
            with contextlib.suppress(OSError):  # in use by somebody else
                folder.rmdir()

    @property
    def _file(self) -> Path:
        return self._path / "status.json"


def _check_unlocked(recording: Recording) -> None:
    status = recording.status()
    if status.state in ("starting", "running", "paused", "stopping"):
        raise RunLocked(f"already running (pid {status.pid} on {status.host}); stop it first: {recording.path}")


def has_weights(path: Path) -> bool:
    """Whether a run has saved weights."""
    return any((path / "weights").glob("[0-9]*"))
