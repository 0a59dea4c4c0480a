"""The kernel's locks on files (flock): they end with their process, however that ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ltviz.errors import RecordingError
from ltviz.recording.files import unwritable


def lock_file(path: Path, how: int = fcntl.LOCK_EX) -> int:
    """Descriptor of the file at `path`, made where there is none, with this lock on it.

    Raises:
        BlockingIOError: somebody else holds it, and `how` says not to wait.
        RecordingError: the file cannot be opened, or its file system has no locks.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise unwritable(error, path, 0) from error
    try:
        fcntl.flock(descriptor, how)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise
        raise RecordingError(
            f"Training from the app needs file locks, and this file system has none ({error.strerror}); give a folder "
            f"on a local disk, or train with `ltviz train` ({path.parent})."
        ) from error
    return descriptor
