"""How a run's state changes: by its writer, and where that is dead or never came."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ltviz.errors import RecordingError
from ltviz.recording.files import make_folder, write_whole
from ltviz.recording.info import Status
from ltviz.recording.lock import RunLock
from ltviz.recording.recording import MAX_STATUS, Recording


def mark_failed(path: str | os.PathLike[str], reason: str, *, anew: bool = False, **details: Any) -> None:
    """Say that a run has failed whose writer is dead or never came; for supervisors.

    The folder is made where there is none; a run that has ended already keeps its state, and the reason for it unless
    it fails `anew`. Raises RunLocked while a writer lives.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "my-run"
    >>> mark_failed(folder, "the machine was switched off")
    >>> Recording(folder).status().reason
    'the machine was switched off'
    """
    path = Path(path)
    make_folder(path)
    lock = RunLock.acquire(path / "lock")
    try:
        recording = Recording(path)
        before = recording.status()
        if before.state == "finished" or (before.state == "failed" and not anew):
            return
        found = {"beat": time.time(), "step": max(recording.frame_files(), default=None)}
        after = changed(before, "failed", reason, details).model_copy(update=found)
        write_whole(path / "status.json", after.model_dump_json().encode(), sync=True)
    finally:
        lock.release()


def changed(before: Status, state: str, reason: str | None, details: Mapping[str, Any]) -> Status:
    """The status after `before`; `details` are added to those that it holds. RecordingError for an unknown state."""
    fields = {
        "state": state,
        "reason": None if reason is None else " ".join(_clean(reason).split())[:4000],
        "details": {**before.details, **{name: _clean(value) for name, value in details.items()}},
    }
    try:
        after = Status.model_validate({**before.model_dump(), **fields})
    except ValidationError as error:
        raise RecordingError(f"The state '{state}' cannot be set ({error.errors()[0]['msg']}).") from error
    if details and len(after.model_dump_json()) > MAX_STATUS:
        raise RecordingError(f"The details of a state may take {MAX_STATUS:,} bytes, as no reader takes more.")
    return after


def _clean(value: Any) -> Any:
    # Names of files and logs may hold bytes that were no UTF-8; JSON cannot.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
