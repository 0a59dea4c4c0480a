"""What a file is, by its first bytes and not by its name, and which reader it goes to."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO

from ltviz.data.upload import numpy_file, parquet, safetensors_file, table
from ltviz.data.upload.contents import MAX_ARRAY, WITHOUT_PICKLE, Contents
from ltviz.errors import DataError

_SUFFIXES = {".npy": "npy", ".npz": "zip", ".safetensors": "safetensors", ".parquet": "parquet"}
_FORMATS = "save them as .npz, .npy, .csv, .tsv or .safetensors"
_READERS: dict[str, Callable[[IO[bytes], int, int], Contents]] = {
    "npy": numpy_file.read_npy,
    "zip": numpy_file.read_npz,
    "safetensors": safetensors_file.read,
    "parquet": parquet.read,
}


def read(path: Path, *, rows: int | None = None, most_bytes: int = MAX_ARRAY) -> Contents:
    """What the file at `path` holds; `rows` where it holds labels, for so many points.

    No more than `most_bytes` are read, and as many unpacked; of a table of text `table.MAX_TABLE` at most.

    Raises:
        DataError: one sentence, where it is not a sound file of a known format.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise DataError(f"The file cannot be opened ({error.strerror}); check its path ({path}).") from error
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        os.close(descriptor)
        raise DataError(f"The path must be a file with embeddings; it is a folder or a device ({path}).")
    with os.fdopen(descriptor, "rb") as file:
        if about.st_size == 0:
            raise DataError("The file is empty; save the embeddings again.")
        if about.st_size > most_bytes:
            raise DataError(
                f"Files of up to {most_bytes >> 20:,} MB are read; this one has {about.st_size / 2**20:,.0f} MB."
            )
        head = file.read(4096)
        file.seek(0)
        kind = _kind(head, about.st_size)
        expected = _SUFFIXES.get(path.suffix.lower())
        if kind == "table" and expected is not None:
            raise DataError(f"The file is named {path.suffix} but does not begin like one; save the embeddings again.")
        if kind == "table":
            tabs = rows is not None and path.name.lower().removesuffix(".gz").endswith(".tsv")
            return table.read(file, about.st_size, rows=rows, tabs=tabs)
        return _READERS[kind](file, about.st_size, most_bytes)


def _kind(head: bytes, size: int) -> str:
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") >= 2:
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        raise DataError(
            f"Pickles (.pkl, .pt) can run code and are not opened; load it yourself, then: {WITHOUT_PICKLE}."
        )
    if head.startswith(b"\x1f\x8b"):
        return "table"
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"The file is of no format that is read here; {_FORMATS}.")
    return "table"
