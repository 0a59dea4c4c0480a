"""Reads a file that has types of its own, under limits of memory and time: what `ltviz.data.upload.formats` runs as a
child for numpy's files, safetensors, Parquet and Arrow.

The file is the child's stdin, what it writes stands in `table_program.handover`. What a column means is not decided
here.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from ltviz.data.upload import arrow_file, numpy_file, safetensors_file
from ltviz.data.upload.contents import MAX_ARRAY, Categories, Column, Contents, Unreadable
from ltviz.data.upload.table_program.handover import hand_over, refuse
from ltviz.errors import DataError

MEMORY = 6 << 30
SECONDS = 60

_READERS: dict[str, Callable[[IO[bytes], int, int], Contents]] = {
    "npy": numpy_file.read_npy,
    "packed npy": numpy_file.read_packed_npy,
    "zip": numpy_file.read_npz,
    "safetensors": safetensors_file.read,
    "parquet": arrow_file.read_parquet,
    "arrow": arrow_file.read_arrow,
}


def read(kind: str, file: IO[bytes], size: int, most_bytes: int) -> Contents:
    """What a file of `size` bytes holds; DataError, one sentence, where it is not sound or has more than `most_bytes`
    to unpack."""
    return _READERS[kind](file, size, most_bytes)


def limit(most_bytes: int = MAX_ARRAY) -> None:
    """Give up this process's claim to more memory and time than such a file needs; where the platform can."""
    try:
        import resource
    except ImportError:  # Windows: the parent's timeout and the cap on the file's size remain
        return
    share = max(1, most_bytes // MAX_ARRAY)
    for name, most in (("RLIMIT_AS", MEMORY * share), ("RLIMIT_CPU", SECONDS * share)):
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def main() -> None:
    asked = json.loads(sys.argv[1])
    limit(asked["most_bytes"])
    file, out = sys.stdin.buffer, sys.stdout.buffer
    try:
        contents = read(asked["kind"], file, os.fstat(file.fileno()).st_size, asked["most_bytes"])
    except DataError as error:
        return refuse(out, str(error))
    head = {
        "noun": contents.noun,
        "header": contents.header,
        "untyped": contents.untyped,
        "index": contents.index,
        "notes": contents.notes,
    }
    hand_over(out, head, [_about(name, column) for name, column in contents.columns.items()])


def _about(name: str, column: Column) -> dict[str, Any]:
    if isinstance(column, Unreadable):
        return {"name": name, "kind": "unreadable", "why": column.why}
    if isinstance(column, Categories):
        return {**_laid(name, "text", np.asarray(column.codes, np.int32)), "names": column.names}
    return _laid(name, "array", column)


def _laid(name: str, kind: str, array: np.ndarray) -> dict[str, Any]:
    data = np.asarray(array, order="C")
    flat = data.reshape(-1).view(np.uint8) if data.size else b""
    return {"name": name, "kind": kind, "dtype": data.dtype.str, "shape": data.shape, "data": flat}


if __name__ == "__main__":
    main()
