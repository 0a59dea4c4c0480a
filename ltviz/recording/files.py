"""Files of a run folder: written whole or not at all, read without following links.

A run folder may come from a stranger. So nothing in it is opened through a link, nothing that is not a plain file is
opened at all (a named pipe would block the reader for ever), and nothing is read beyond a stated size.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ltviz.errors import DiskFull, RecordingError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_APPEND = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
Identity = tuple[int, int, int]
"""Inode, size and time of change: a file with the same three has not been replaced."""
_serial = itertools.count()


@contextlib.contextmanager
def open_plain(path: Path) -> Iterator[tuple[int, os.stat_result]]:
    """File descriptor and stat of the plain file at `path`, for reading.

    Raises FileNotFoundError where there is none, RecordingError where it is a link or not a plain file.
    """
    try:
        descriptor = os.open(path, _READ)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise RecordingError(
                "It is a link; links inside a run folder are not followed, copy the file in."
            ) from error
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise FileNotFoundError(error.errno, error.strerror, str(path)) from error
        raise RecordingError(f"It cannot be opened ({error.strerror}).") from error
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise RecordingError("It is not a plain file.")
        yield descriptor, about
    finally:
        os.close(descriptor)


def read_plain(path: Path, *, limit: int) -> bytes:
    """The bytes of the plain file at `path`; errors as in `open_plain`, and RecordingError beyond `limit` bytes."""
    with open_plain(path) as (descriptor, about):
        if about.st_size > limit:
            raise RecordingError(f"It holds {about.st_size:,} bytes; at most {limit:,} are read.")
        return read_bytes(descriptor, about.st_size)


def read_bytes(descriptor: int, size: int) -> bytes:
    """The next `size` bytes of an open file, fewer at its end."""
    first = os.read(descriptor, size)
    if len(first) == size:
        return first
    parts = [first]
    left = size - len(first)
    while left and parts[-1]:
        parts.append(os.read(descriptor, left))
        left -= len(parts[-1])
    return b"".join(parts)


def write_whole(path: Path, data: bytes, *, sync: bool = False) -> None:
    """Write `data` under another name, then give it the name `path` in one step.

    A reader sees the old file or the new one, never a part. With `sync` the bytes are on the disk before the name is.
    Raises DiskFull where there is no room, RecordingError where the folder cannot be written; nothing is left then.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{next(_serial)}.tmp")
    try:
        descriptor = os.open(temporary, _WRITE, 0o666)
        try:
            _write_all(descriptor, data)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
        if sync:
            sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise unwritable(error, path, len(data)) from error
        raise


@contextlib.contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """A path beside `out` to write to, which becomes `out` at the end; nothing is left where that fails."""
    beside = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        yield beside
        beside.replace(out)
    except OSError as error:
        raise unwritable(error, out, 0) from error
    finally:
        beside.unlink(missing_ok=True)


class Appender:
    """Adds lines to the file at `path`, which is made with the first one.

    After a line that was cut short (a killed writer, a full disk) the next one begins on a line of its own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None
        self._torn = False

    def append(self, line: str) -> None:
        """Add one line; DiskFull or RecordingError where it cannot be written."""
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self.path, _APPEND, 0o666)
                size = os.fstat(self._descriptor).st_size
                self._torn = size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"
            data = (b"\n" if self._torn else b"") + line.encode() + b"\n"
            self._torn = True
            _write_all(self._descriptor, data)
            self._torn = False
        except OSError as error:
            raise unwritable(error, self.path, len(line)) from error

    def close(self) -> None:
        """Bring what was added to the disk; OSError where that fails."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def unwritable(error: OSError, path: Path, size: int) -> RecordingError:
    """What to raise where writing `size` bytes to `path` ended in `error`."""
    if error.errno in _FULL:
        return DiskFull(
            f"The disk is full: {path.name} needs {size / 1e6:.2f} MB; free some space and go on, "
            f"no half file is left ({path.parent})."
        )
    return RecordingError(
        f"{path.name} cannot be written ({error.strerror}); check that the folder is there and yours ({path.parent}).",
        kind="a folder that cannot be written",
    )


def _write_all(descriptor: int, data: bytes) -> None:
    # A nearly full disk takes a part of the bytes without an error; the next call tells.
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_file(path: Path) -> None:
    """Bring the file's bytes to the disk; a file that is gone is no error."""
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Bring the names in a folder to the disk; nothing where the platform cannot open folders."""
    if os.name == "nt":
        return
    sync_file(path)


def is_there(path: Path) -> bool:
    """Whether something stands at `path`; no where that cannot be known, as in a folder that may not be entered."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def inner_folder(run: Path, name: str) -> Path:
    """The folder `name` of a run; RecordingError where it is a link, or the run's folder may not be entered."""
    path = run / name
    try:
        is_link = path.is_symlink()
    except OSError as error:
        raise RecordingError(f"'{name}' cannot be looked into ({error.strerror}; {run}).") from error
    if is_link:
        raise RecordingError(f"'{name}' is a link; links inside a run folder are not followed ({run}).")
    return path


def make_folder(path: Path) -> list[Path]:
    """Make the folder and its parents; gives those that were missing, outermost first. RecordingError if it fails."""
    missing = list(itertools.takewhile(lambda folder: not is_there(folder), [path, *path.parents]))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except ValueError as error:
        raise RecordingError(f"The folder cannot be made ({error}); got {str(path)!r:.200}.") from error
    except OSError as error:
        raise RecordingError(
            f"The folder cannot be made ({error.strerror}); give a path that you may write ({path})."
        ) from error
    return missing[::-1]


def identity(about: os.stat_result) -> Identity:
    """What tells a file from another one of the same name."""
    return about.st_ino, about.st_size, about.st_mtime_ns


def identity_at(path: Path) -> Identity | None:
    """As `identity`; None where there is no file, or it cannot be asked."""
    try:
        return identity(path.lstat())
    except OSError:
        return None
