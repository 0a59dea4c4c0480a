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
                    self._begin(about.st_ino)
                os.lseek(descriptor, self._offset, os.SEEK_SET)
                self._take(descriptor, min(about.st_size, MAX_METRICS) - self._offset)
        except FileNotFoundError:
            return Lines(_Columns(), 0)
        return Lines(self._columns, len(self._columns))

    def _begin(self, inode: int) -> None:
        """The file is another one."""
        self._inode, self._offset, self._columns = inode, 0, _Columns()

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


class PassingTerms(Terms):
    """The same lines for who takes each in once and then goes by their number: those before the last look are not kept.

    Of a night's training they would be hundreds of megabytes, for a process that follows it to look for alarms.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._passed = 0

    def read(self) -> Lines:
        """As `Terms.read`; a line that was there at the last look is read again where it is asked for."""
        passed, self._columns = self._passed + len(self._columns), _Columns()
        self._passed = passed
        lines = super().read()
        return PassingLines(self._columns, len(lines), self._passed, self._path)

    def _begin(self, inode: int) -> None:
        super()._begin(inode)
        self._passed = 0


class PassingLines(Lines):
    """Lines of which the first `passed` are no longer held."""

    def __init__(self, columns: _Columns, new: int, passed: int, path: Path) -> None:
        super().__init__(columns, passed + new if new or passed else 0)
        self._passed, self._path = passed, path
        self._whole: Lines | None = None

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice) or place < self._passed:
            self._whole = self._whole or Terms(self._path).read()
            return self._whole[place]
        if place >= len(self):
            raise IndexError(place)
        return self._columns.line(place - self._passed)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[place] for place in range(len(self)))


class _Columns:
    """Numbers of many lines. Lines of the same names share a table; `_places` says in which, and where."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, ...], int] = {}
        self._names: list[tuple[str, ...]] = []
        self._numbers: list[array[float]] = []
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
        names = tuple(line)
        if (table := self._tables.get(names)) is None:
            table = self._tables[names] = len(self._names)
            self._names.append(names)
            self._numbers.append(array("d"))
        start = len(self._numbers[table])
        self._numbers[table].extend(map(_number, line.values()))
        # Whoever reads meanwhile goes by the steps, which come last.
        self._places.append((table << 40) + start)
        self._steps.append(step)

    def line(self, place: int) -> dict[str, Any]:
        table, start = divmod(self._places[place], 1 << 40)
        names = self._names[table]
        numbers = self._numbers[table][start : start + len(names)]
        found: dict[str, Any] = {"step": self._steps[place]}
        for name, number in zip(names, numbers, strict=True):
            found[name] = number if math.isfinite(number) else None
        return found


def _number(value: Any) -> float:
    """A term as a number; NaN for what is none."""
    try:
        return float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return math.nan
