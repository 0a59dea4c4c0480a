"""Columns with a type, as they are written to the parent. Standard library only."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from typing import Any

from cells import DECIMAL_COMMA, NO_NUMBER, THOUSANDS, NotVectors, TableError, vector_of

MAX_VALUES = 32_000_000
_TYPES = {"q": "=i8", "d": "=f8", "i": "=i4"}

_NO_DIGIT = re.compile(r"[^\d\n+-]")
_ZERO_FIRST = re.compile(r"^[+-]?0\d", re.MULTILINE)
_LONG = re.compile(r"^[+-]?\d{16,}$", re.MULTILINE)


class Writer:
    """Collects columns: what each is, and its bytes."""

    def __init__(self, lines: array, notes: list[str]) -> None:
        self.lines = lines
        self.notes = notes
        self.columns: list[dict[str, Any]] = []
        self.commas = False

    def add(self, name: str, kind: str, data: array | None = None, *, width: int | None = None, **more: Any) -> None:
        """A column; `width` is that of its vectors."""
        if data is not None:
            shape = [len(self.lines)] if width is None else [len(self.lines), width]
            more |= {"dtype": _TYPES[data.typecode], "shape": shape, "data": data}
        self.columns.append({"name": name, "kind": kind, **more})

    def text(self, name: str, cells: list[str | None]) -> None:
        index_of: dict[str, int] = {}
        codes = array("i", [index_of.setdefault(cell, len(index_of)) if cell else -1 for cell in cells])
        self.add(name, "text", codes, names=list(index_of))

    def vectors(self, name: str, cells: list[Any], parse: Callable[[Any], array | None]) -> bool:
        """Whether the column holds vectors, or was meant to; it is added then."""
        try:
            values = self._vectors(cells, parse)
        except NotVectors as error:
            self.add(name, "unreadable", why=str(error))
            return True
        if values is None:
            return False
        self.add(name, "array", values, width=len(values) // len(cells))
        return True

    def _vectors(self, cells: list[Any], parse: Callable[[Any], array | None]) -> array | None:
        start = next((cell for cell in cells if cell), None)
        if start is None or parse(start) is None:
            return None
        values, width = array("d"), -1
        for row, cell in enumerate(cells):
            vector = parse(cell) if cell else None
            if vector is None:
                got = f"'{str(cell)[:40]}'" if cell else "nothing"
                raise NotVectors(f"holds vectors, but {got} in line {self.lines[row]}")
            width = len(vector) if width < 0 else width
            if len(vector) != width:
                raise NotVectors(
                    f"holds vectors of different lengths: {width} numbers in line {self.lines[0]}, "
                    f"{len(vector)} in line {self.lines[row]}"
                )
            values.extend(vector)
            if len(values) > MAX_VALUES:
                raise TableError(f"Tables of up to {MAX_VALUES:,} numbers are read; save the embeddings as .npz.")
        return values

    def cells(self, name: str, cells: list[str], *, bare: bool) -> None:
        """A column of a table of text: whole numbers, numbers, vectors or text, whichever all cells are."""
        if not any(cells):
            self.add(name, "unreadable", why="is empty")
        elif not (self._numbers(name, cells) or self.vectors(name, cells, lambda cell: vector_of(cell, bare=bare))):
            self.text(name, list(cells))

    def _numbers(self, name: str, cells: list[str]) -> bool:
        joined = "\n".join(cells)  # searched as a whole, many times faster than cell by cell
        filled, blank = cells, None
        if "," in joined:
            filled = self._decimal_points(name, cells)
        if "_" in joined:  # Python's own numbers may hold it; an id like 12_7 is none
            return False
        try:
            numbers = array("d", map(float, filled))
        except ValueError:
            blank = next(((row, cell) for row, cell in enumerate(cells) if cell in NO_NUMBER), None)
            filled = ["nan" if cell in NO_NUMBER else cell for cell in filled]
            try:
                numbers = array("d", map(float, filled))
            except ValueError:
                return False
            if all(cell == "nan" for cell in filled) and not any(cell in ("nan", "NaN") for cell in cells):
                return False
        if not _NO_DIGIT.search(joined):
            if _ZERO_FIRST.search(joined):
                return False  # 007 is a name: as a number it would be another
            if blank is None:
                try:
                    self.add(name, "array", array("q", map(int, filled)))
                except OverflowError:
                    return False
                return True
        if _LONG.search(joined):
            return False  # a float64 would change it
        self.add(name, "array", numbers, blank=blank)
        return True

    def _decimal_points(self, name: str, cells: list[str]) -> list[str]:
        """Numbers with a decimal comma as Python reads them; unchanged where they are none."""
        commas = [cell for cell in cells if "," in cell]
        if any("." in cell for cell in cells) or not all(map(DECIMAL_COMMA.fullmatch, commas)):
            return cells
        if all(map(THOUSANDS.fullmatch, commas)):
            raise TableError(
                f"The commas in '{name[:40]}', like '{commas[0][:40]}', may part thousands or decimals; "
                "save the table with decimal points."
            )
        if not self.commas:
            self.notes.append("Numbers were read with a decimal comma.")
            self.commas = True
        return [cell.replace(",", ".") for cell in cells]
