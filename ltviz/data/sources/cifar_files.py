"""Where CIFAR's files stand: the official folder, or the official archive, which is read without being unpacked."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from ltviz.data.sources.pickled import MAX_BATCH
from ltviz.errors import DataError

MAX_ARCHIVE = 2**29
"""Bytes that an archive may unpack to; the largest official one has 186 MB."""
_BLOCK = 512
_CHUNK = 2**20


@dataclass(frozen=True)
class Layout:
    """The official names of one version of one set."""

    folder: str
    archive: str
    train: tuple[str, ...]
    test: str
    names: str
    """The file of the class names."""
    names_key: str
    label_key: str
    label_bytes: int = 0
    """Of the binary version, before each image; 0 for the python version."""


TEN_PYTHON = Layout(
    "cifar-10-batches-py",
    "cifar-10-python.tar.gz",
    tuple(f"data_batch_{n}" for n in range(1, 6)),
    "test_batch",
    "batches.meta",
    "label_names",
    "labels",
)
TEN_BINARY = Layout(
    "cifar-10-batches-bin",
    "cifar-10-binary.tar.gz",
    tuple(f"data_batch_{n}.bin" for n in range(1, 6)),
    "test_batch.bin",
    "batches.meta.txt",
    "",
    "",
    label_bytes=1,
)
HUNDRED_PYTHON = Layout(
    "cifar-100-python", "cifar-100-python.tar.gz", ("train",), "test", "meta", "fine_label_names", "fine_labels"
)
HUNDRED_BINARY = Layout(
    "cifar-100-binary",
    "cifar-100-binary.tar.gz",
    ("train.bin",),
    "test.bin",
    "fine_label_names.txt",
    "",
    "",
    label_bytes=2,
)


def find(layouts: tuple[Layout, ...], place: Path) -> Path | None:
    """The folder or archive of a set: `place` itself, or what stands in it under an official name. None for neither."""
    if place.is_file():
        return place
    for layout in layouts:
        for folder in (place, place / layout.folder):
            if (folder / layout.test).is_file() and any((folder / name).is_file() for name in layout.train):
                return folder
        if (place / layout.archive).is_file():
            return place / layout.archive
    return None


def contents(place: Path, names: set[str]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of those files in a folder or an archive that have one of these names.

    Raises:
        DataError: a file that cannot be read or is too large, or an archive that is damaged or holds what a set of
            images does not.
    """
    if place.is_file():
        yield from _in_archive(place, names)
        return
    for name in sorted(names):
        path = place / name
        if path.is_file():
            if path.stat().st_size > MAX_BATCH:
                raise DataError(f"a file of CIFAR has up to {MAX_BATCH >> 20} MB, this one is larger: {path}")
            try:
                yield name, path.read_bytes()
            except OSError as error:
                raise DataError(f"a file of CIFAR must be readable ({error.strerror}): {path}") from error


def _in_archive(path: Path, names: set[str]) -> Iterator[tuple[str, bytes]]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            stream = gzip.GzipFile(fileobj=file) if packed else file
            yield from _members(stream, path, names)
    except (OSError, EOFError, zlib.error, tarfile.HeaderError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"an archive of CIFAR must be a whole .tar.gz, but reading stopped ({error}); get it again: {path}"
        ) from error


def _members(stream: IO[bytes] | gzip.GzipFile, path: Path, names: set[str]) -> Iterator[tuple[str, bytes]]:
    """Nothing is unpacked to disk, no link is followed, and no claim of a size is believed beyond `MAX_BATCH`."""
    unpacked = 0
    while True:
        head = stream.read(_BLOCK)
        if not head.strip(b"\0"):
            return
        member = tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
        unpacked += _BLOCK + member.size
        where = f"{path} ({member.name[:60]!r})"
        if not 0 <= member.size <= MAX_BATCH or unpacked > MAX_ARCHIVE:
            raise DataError(f"an archive of CIFAR unpacks to at most {MAX_ARCHIVE >> 20} MB, this one to more: {where}")
        inner = PurePosixPath(member.name)
        if inner.is_absolute() or ".." in inner.parts:
            raise DataError(f"an archive of CIFAR holds no path that leads out of it, but this one does: {where}")
        about = member.type in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)  # times, owners: not read
        regular = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
        if not (regular or member.isdir() or about):
            raise DataError(f"an archive of CIFAR holds only files and folders, but this one a link or device: {where}")
        wanted = regular and inner.name in names
        parts = [part for part in _taken(stream, member.size) if wanted]
        if wanted:
            yield inner.name, b"".join(parts)
        for _ in _taken(stream, -member.size % _BLOCK):
            pass


def _taken(stream: IO[bytes] | gzip.GzipFile, size: int) -> Iterator[bytes]:
    """The next bytes piece by piece: memory grows with what is there, not with what a header claims."""
    while size:
        part = stream.read(min(size, _CHUNK))
        if not part:
            raise EOFError("it ends within a file")
        size -= len(part)
        yield part
