"""Tables of text: CSV, TSV, JSON lines, packed with gzip or not. Parsed in a child with limits of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import numpy as np

from ltviz.data.upload import kinds
from ltviz.data.upload.contents import EMPTY, Categories, Column, Contents, Unreadable
from ltviz.errors import DataError

MAX_TABLE = 64 << 20
TABLE_SECONDS = 20.0
PROGRAM = Path(__file__).with_name("table_program")


def read(file: IO[bytes], size: int, *, rows: int | None = None, tabs: bool = False) -> Contents:
    """The columns of a table. `rows`: it holds labels for so many points, so one column will do; `tabs`: only those
    part columns, as in the files of TensorBoard's projector."""
    if size > MAX_TABLE:
        raise DataError(
            f"Tables of up to {MAX_TABLE >> 20} MB are read; this one has {size / 2**20:,.0f} MB, save it as .npz."
        )
    # A table made to exhaust memory or time takes the child, not the app.
    asked = {
        "embeddings": kinds.EMBEDDINGS,
        "known": [*kinds.EMBEDDINGS, *kinds.LABELS, *kinds.IDS, *kinds.NAMES, *kinds.SPLITS],
        "rows": rows,
        "delimiters": "\t" if tabs else "\t;,",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(PROGRAM), json.dumps(asked)],
            stdin=file,
            capture_output=True,
            timeout=TABLE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(f"The table was not read within {TABLE_SECONDS:.0f} s; save it as .npz.") from error
    head, _, data = done.stdout.partition(b"\n")
    if done.returncode or not head:
        raise DataError("The table cannot be read within the memory and time allowed; save it as .npz.")
    found = json.loads(head)
    if "error" in found:
        raise DataError(found["error"])
    return _contents(found, data)


def _contents(found: dict[str, Any], data: bytes) -> Contents:
    count = found["rows"]
    lines, offset = np.frombuffer(data, np.int32, count), 4 * count
    held: dict[str, Column] = {}
    blanks = {}
    for about in found["columns"]:
        name = about["name"]
        if about["kind"] == "unreadable":
            held[name] = EMPTY if about["why"] == EMPTY.why else Unreadable(about["why"])
            continue
        dtype = {"whole": np.int64, "number": np.float64, "vector": np.float64, "text": np.int32}[about["kind"]]
        values = np.frombuffer(data, dtype, count * about.get("size", 1), offset=offset)
        offset += values.nbytes
        if about["kind"] == "text":
            held[name] = Categories(values, tuple(about["names"]))
        else:
            held[name] = values.reshape(count, -1) if about["kind"] == "vector" else values
        if about.get("blank"):
            blanks[name] = tuple(about["blank"])
    return Contents(held, tuple(found["notes"]), header=found["header"], untyped=True, lines=lines, blanks=blanks)
