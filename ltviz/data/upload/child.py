"""Reads a file in a child process: what was made to exhaust memory or time takes the child, not the app.

The child writes into a file without a name, as `table_program.handover` says; here arrays are laid over it, so that a
million rows are not copied once more.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from ltviz.data.upload.contents import EMPTY, Categories, Column, Contents, Unreadable
from ltviz.errors import DataError

_ROOT = Path(__file__).parents[3]
# The child needs no threads, and each of a library's would reserve memory that it may not have.
_CALM = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Reader:
    """A program that reads one kind of file from its stdin, within so many seconds.

    `program` is a folder or file that needs only the standard library, or the name of a module of ltviz, whose `main`
    is called. `what` is the file in sentences.
    """

    program: Path | str
    seconds: float
    what: str

    def read(self, file: IO[bytes], asked: dict[str, Any]) -> Contents:
        """What the file holds; `asked` is what the program is told.

        Raises:
            DataError: what the program says is wrong, or that it ended without a word.
        """
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        with tempfile.TemporaryFile() as out:
            try:
                done = subprocess.run(
                    [*self._command(), json.dumps(asked)],
                    stdin=file,
                    stdout=out,
                    stderr=subprocess.DEVNULL,
                    timeout=self.seconds,
                    check=False,
                    env={**os.environ, **_CALM},
                )
            except subprocess.TimeoutExpired as error:
                raise DataError(
                    f"The {self.what} was not read within {self.seconds:.0f} s; save fewer rows, as .npz."
                ) from error
            if done.returncode or not os.fstat(out.fileno()).st_size:
                raise DataError(
                    f"The {self.what} cannot be read within the memory and time allowed; save fewer rows, as .npz."
                )
            return _contents(mmap.mmap(out.fileno(), 0, access=mmap.ACCESS_READ))

    def _command(self) -> list[str]:
        alone = [sys.executable, "-I"]
        if isinstance(self.program, Path):
            return [*alone, str(self.program)]
        # It imports what its parent would, and nothing from where somebody happens to stand.
        path = [str(_ROOT), *(entry for entry in sys.path if Path(entry).is_absolute())]
        return [*alone, "-c", f"import sys; sys.path[:] = {path!r}; from {self.program} import main; main()"]


def _contents(view: mmap.mmap) -> Contents:
    start = view.find(b"\n") + 1
    found = json.loads(view[:start])
    if "error" in found:
        raise DataError(found["error"])
    held: dict[str, Column] = {}
    blanks = {}
    for about in found["columns"]:
        name = about["name"]
        held[name] = _column(view, start, about)
        if about.get("blank"):
            blanks[name] = tuple(about["blank"])
    lines = found["lines"]
    return Contents(
        held,
        tuple(found["notes"]),
        noun=found["noun"],
        header=found["header"],
        untyped=found["untyped"],
        lines=None if lines is None else np.frombuffer(view, np.int32, lines["rows"], start + lines["at"]),
        blanks=blanks,
        index=tuple(found["index"]),
    )


def _column(view: mmap.mmap, start: int, about: dict[str, Any]) -> Column:
    if about["kind"] == "unreadable":
        return EMPTY if about["why"] == EMPTY.why else Unreadable(about["why"])
    shape: Sequence[int] = about["shape"]
    # A type of objects would be addresses in memory, whoever wrote them.
    if about["dtype"].lstrip("<>=|")[:1] not in "biufcSU?":
        raise DataError(f"Arrays of type {about['dtype'][:40]} are not read; save them as float32.")
    count = math.prod(shape)
    values = np.frombuffer(view, about["dtype"], count, start + about["at"]) if count else np.empty(0, about["dtype"])
    values = values.reshape(shape)
    return Categories(values, tuple(about["names"])) if about["kind"] == "text" else values
