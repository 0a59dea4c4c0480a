"""Loss terms of the steps: metrics.jsonl, read as it grows. A long training has millions of lines, so they are kept as
columns of numbers, and made into objects where somebody asks for one."""

from __future__ import annotations

import json
import math
import os
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from ltviz.recording.files import open_plain, read_bytes
from ltviz.recording.rows import Rows

MAX_METRICS = 1 << 30
MAX_LINE = 1 << 20
_PIECE = 1 << 22
"""Bytes that are taken apart at once."""
_MOST_NAMES = 1000
"""Names of one line; a stranger's may have any number."""


class Terms:
    """The lines of one metrics.jsonl, {"step": 3, "loss": 0.7, ...}; a term that was not finite is None.

    Objects are meant to be kept: what was read is not read again, unless the file is another one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode = self._offset = 0
        self._columns = _Columns()

    def read(self) -> Lines:
        """All lines so far. A last line that is not complete yet is left for later; a damaged line is left out."""
        try:
            with open_plain(self._path) as (descriptor, about):
                if about.st_ino != self._inode or about.st_size < self._offset:
                    self._inode, self._offset, self._columns = about.st_ino, 0, _Columns()
                os.lseek(descriptor, self._offset, os.SEEK_SET)
                self._take(descriptor, min(about.st_size, MAX_METRICS) - self._offset)
        except FileNotFoundError:
            return Lines(_Columns(), 0)
        return Lines(self._columns, len(self._columns))

    def _take(self, descriptor: int, size: int) -> None:
        rest = b""
        while size > 0 and (piece := read_bytes(descriptor, min(size, _PIECE))):
            size -= len(piece)
            whole, newline, rest = (rest + piece).rpartition(b"\n")
            if not newline:
                continue
            self._offset += len(whole) + 1
            for text in whole.split(b"\n"):
                self._columns.add(text)


class Lines(Sequence[dict[str, Any]]):
    """The first `length` lines of some columns, each an object of its own; a list compares equal to them."""

    def __init__(self, columns: _Columns, length: int) -> None:
        self._columns, self._length = columns, length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, place: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, place: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(place, slice):
            return [self._columns.line(i) for i in range(*place.indices(self._length))]
        if not -self._length <= place < self._length:
            raise IndexError(place)
        return self._columns.line(place % self._length)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(self._columns.line, range(self._length))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(other) != len(self):
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{self._length:,} lines of loss terms>"


class _Columns:
    """Numbers of many lines, and the step of each."""

    def __init__(self) -> None:
        self._rows = Rows()
        self._steps, self._places = array("q"), array("q")

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, text: bytes) -> None:
        """Takes in one line; nothing of one that is damaged."""
        if not text or len(text) > MAX_LINE:
            return
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(line, dict) or not isinstance(step := line.pop("step", None), int) or len(line) > _MOST_NAMES:
            return
        if abs(step) >= 1 << 62:
            return
        # Whoever reads meanwhile goes by the steps, which come last.
        self._places.append(self._rows.add({name: _number(value) for name, value in line.items()}))
        self._steps.append(step)

    def line(self, place: int) -> dict[str, Any]:
        found: dict[str, Any] = {"step": self._steps[place]}
        for name, number in self._rows[self._places[place]].items():
            found[name] = number if math.isfinite(number) else None
        return found


def _number(value: Any) -> float:
    """A term as a number; NaN for what is none."""
    try:
        return float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return math.nan
