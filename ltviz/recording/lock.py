"""The lock that makes a run's writer the only one.

It is the kernel's (flock), so it dies with its process, however that ends: a process that is forked off meanwhile gives
its copy back at once, or the lock would live as long as the child does. Where the file system or the platform has no
such lock, the lock file's age stands in: its holder touches it with every beat, and it counts as free after
`STALE_SECONDS`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import secrets
import socket
import time
import weakref
from pathlib import Path

from ltviz.errors import RecordingError, RunLocked
from ltviz.recording.files import open_plain, read_plain, write_whole

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

STALE_SECONDS = 6.0
_PATIENCE_SECONDS = 0.5
_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}

log = logging.getLogger("ltviz")


class RunLock:
    """Held from `acquire` to `release`; `path` is the lock file, which stays behind when the lock is released."""

    def __init__(self, path: Path, descriptor: int | None, token: str) -> None:
        self.path = path
        self._descriptor = descriptor
        self._token = token
        _held.add(self)

    @classmethod
    def acquire(cls, path: Path) -> RunLock:
        """Take the lock, or raise RunLocked, naming the holder, within about half a second.

        The half second is for readers: one that asks whether the lock is held holds it itself for a moment.
        """
        token = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "token": secrets.token_hex(8)})
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            descriptor = _open_lock(path)
            try:
                taken = _try_flock(descriptor)
            except OSError as error:
                os.close(descriptor)
                if error.errno not in _UNSUPPORTED:
                    raise RecordingError(f"The run cannot be locked ({error.strerror}; {path}).") from error
                return cls._acquire_by_age(path, token)
            # The holder before may have removed the file that was waited on; then the lock is on nothing.
            if taken and _is_at(descriptor, path):
                with contextlib.suppress(OSError):  # a full disk: the lock holds without its holder's name
                    os.ftruncate(descriptor, 0)
                    os.write(descriptor, token.encode())
                return cls(path, descriptor, token)
            os.close(descriptor)
            if time.monotonic() > deadline:
                raise _locked(path)
            time.sleep(0.01)

    @classmethod
    def _acquire_by_age(cls, path: Path, token: str) -> RunLock:
        log.warning(
            "This file system has no file locks: one writer at a time is ensured by the age of the lock file, "
            "so start no two writers of one run within a second (%s).",
            path,
        )
        if _is_fresh(path):
            raise _locked(path)
        write_whole(path, token.encode())
        time.sleep(0.05)
        if read_plain(path, limit=4096) != token.encode():  # another writer came in between; the last one has it
            raise _locked(path)
        return cls(path, None, token)

    def beat(self) -> None:
        """Say that the holder lives; needed only where the kernel does not keep the lock."""
        if self._descriptor is None and self._token:
            os.utime(self.path)

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        elif self._token:
            with contextlib.suppress(OSError):
                os.utime(self.path, (0, 0))
        self._descriptor, self._token = None, ""


_held: weakref.WeakSet[RunLock] = weakref.WeakSet()


def _leave_to_parent() -> None:
    """In a child that was forked off: the locks are its parent's."""
    for lock in list(_held):
        if lock._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(lock._descriptor)  # the parent's own descriptor keeps the lock
        lock._descriptor, lock._token = None, ""


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def is_held(path: Path) -> bool:
    """Whether a living writer holds the lock file at `path`; opens it for reading only, for some microseconds."""
    try:
        with open_plain(path) as (descriptor, about):
            try:
                return not _try_flock(descriptor, shared=True)
            except OSError:
                return 0 < time.time() - about.st_mtime < STALE_SECONDS
    except (FileNotFoundError, RecordingError):
        return False


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, _OPEN, 0o666)
    except OSError as error:
        raise RecordingError(f"The run cannot be locked ({error.strerror}; {path}).") from error


def _try_flock(descriptor: int, *, shared: bool = False) -> bool:
    if fcntl is None:
        raise OSError(errno.ENOSYS, "no file locks on this platform")
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _is_fresh(path: Path) -> bool:
    try:
        about = path.stat()
    except FileNotFoundError:
        return False
    return about.st_size > 0 and abs(time.time() - about.st_mtime) < STALE_SECONDS


def _locked(path: Path) -> RunLocked:
    holder = "another process"
    with contextlib.suppress(OSError, RecordingError, ValueError, AttributeError):
        about = json.loads(read_plain(path, limit=4096))
        holder = f"pid {int(about.get('pid'))} on {str(about.get('host'))[:100]}"
        if (about.get("pid"), about.get("host")) == (os.getpid(), socket.gethostname()):
            holder += ", this very process"
    return RunLocked(f"The run is already running ({holder}); stop it first or give another folder ({path.parent}).")
