"""What a file is, by its first bytes and not by its name, and which reader it goes to."""

from __future__ import annotations

import os
import stat
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from ltviz.data.upload import kinds
from ltviz.data.upload.child import Reader
from ltviz.data.upload.contents import MAX_ARRAY, WITHOUT_PICKLE, Contents
from ltviz.errors import DataError

MAX_TABLE = 64 << 20
TABLE_SECONDS = 20.0
TYPED_SECONDS = 60.0
TABLE_PROGRAM = Path(__file__).with_name("table_program")
TYPED_PROGRAM = "ltviz.data.upload.typed_program"

_SUFFIXES = {
    ".npy": "npy",
    ".npz": "zip",
    ".safetensors": "safetensors",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
_FORMATS = "save them as .npz, .npy, .csv, .tsv, .safetensors, .parquet or .arrow"


def read(path: Path, *, rows: int | None = None, tabs: bool | None = None, most_bytes: int = MAX_ARRAY) -> Contents:
    """What the file at `path` holds; `rows` where it holds labels, for so many points; `tabs` where only those part its
    columns, by its name where nothing is said.

    No more than `most_bytes` are read, and as many unpacked; of a table of text `MAX_TABLE` at most.

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
        raise DataError(
            "The path must be a file with embeddings, a run or a folder of TensorBoard's projector; it is another "
            f"folder or a device ({path})."
        )
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
        # Of what is packed only text is looked for, unless the name says otherwise and the first bytes agree.
        if path.name.lower().endswith(".npy.gz") and _unpacked(head).startswith(b"\x93NUMPY"):
            kind = "packed npy"
        expected = _SUFFIXES.get(path.suffix.lower())
        if kind == "table" and expected is not None:
            raise DataError(f"The file is named {path.suffix} but does not begin like one; save the embeddings again.")
        if kind == "table":
            if tabs is None:
                tabs = rows is not None and path.name.lower().removesuffix(".gz").endswith(".tsv")
            return read_table(file, about.st_size, rows=rows, tabs=tabs)
        if kind in ("parquet", "arrow") and find_spec("pyarrow") is None:
            raise DataError(
                "Reading Parquet and Arrow needs pyarrow: pip install pyarrow, or save the embeddings as .npz, .csv or "
                ".safetensors."
            )
        return read_typed(kind, file, most_bytes)


def read_table(file: IO[bytes], size: int, *, rows: int | None = None, tabs: bool = False) -> Contents:
    """The columns of text: CSV, TSV, JSON lines, tables with spaces, packed with gzip or not.

    `rows`: it holds labels for so many points, so one column will do; `tabs`: only those part columns, as in the files
    of TensorBoard's projector.
    """
    if size > MAX_TABLE:
        raise DataError(
            f"Tables of up to {MAX_TABLE >> 20} MB are read; this one has {size / 2**20:,.0f} MB, save it as .npz."
        )
    asked = {
        "embeddings": kinds.EMBEDDINGS,
        "known": [*kinds.EMBEDDINGS, *kinds.LABELS, *kinds.IDS, *kinds.NAMES, *kinds.SPLITS],
        "rows": rows,
        "delimiters": "\t" if tabs else "\t;,",
    }
    return Reader(TABLE_PROGRAM, TABLE_SECONDS, "table").read(file, asked)


def read_typed(kind: str, file: IO[bytes], most_bytes: int = MAX_ARRAY) -> Contents:
    """The arrays or columns of a file that has types of its own; a larger one may take longer."""
    seconds = TYPED_SECONDS * max(1, most_bytes // MAX_ARRAY)
    return Reader(TYPED_PROGRAM, seconds, "file").read(file, {"kind": kind, "most_bytes": most_bytes})


def _kind(head: bytes, size: int) -> str:
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow"
    if head.startswith(b"FEA1"):
        raise DataError("Feather files of version 1 are not read; save the table again with version 2, or as .parquet.")
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


def _unpacked(head: bytes) -> bytes:
    """The first bytes of what a gzip file holds; none where it is damaged, which its reader will say."""
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 64)
    except zlib.error:
        return b""
