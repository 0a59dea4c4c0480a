"""Columns parted by commas, tabs or semicolons, with or without a line of names. Standard library only."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterator
from itertools import islice
from typing import Any

from cells import DECIMAL_COMMA, NotVectors, TableError, is_number, is_value, vector_of
from typed import MAX_VALUES, Writer

MAX_LINE = 1 << 20
SAMPLE = 20

Row = tuple[int, list[str]]


def rows_of(text: str, delimiter: str, *, blank: bool = False) -> Iterator[Row]:
    """(line number, stripped cells) of each line; lines without anything are left out unless `blank`."""
    csv.field_size_limit(MAX_LINE)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield reader.line_num, list(map(str.strip, cells))
            elif blank:
                yield reader.line_num, [""]
    except csv.Error as error:
        raise TableError(f"Line {reader.line_num} is not sound CSV ({error}); check its quotes.") from error


def delimiter_of(text: str, allowed: str) -> str | None:
    """What separates columns, by the first lines; None where there is one column."""
    # A tab or a semicolon that stands in each line is stronger than a comma, which may be a decimal one.
    for delimiter in allowed:
        try:
            sample = [cells for _, cells in islice(rows_of(text, delimiter), SAMPLE)]
        except TableError:
            continue
        widths = [len(cells) for cells in sample]
        if not widths or max(widths) < 2:
            continue
        if delimiter == ",":
            return delimiter
        commas = [cell for cells in sample for cell in cells if "," in cell]
        sensible = sum(bool(DECIMAL_COMMA.fullmatch(cell) or cell[0] in "[(") for cell in commas) == len(commas)
        # Text with a semicolon or a tab in it does not make a table of commas another.
        if len(set(widths)) == 1 and (sensible or not any(len(cell.split(",")) > 2 for cell in commas)):
            return delimiter
    line = next((line for line in text.split("\n", 50) if line.strip()), "")
    return next((delimiter for delimiter in allowed if delimiter in line), None)


def has_header(rows: list[Row], known: set[str]) -> bool:
    """Whether the first line names the columns: no cell is a value, or they are numbered as pandas does."""
    first = rows[0][1]
    values = [cell for cell in first if is_value(cell)]
    if not values:
        return True
    below = [cells for _, cells in rows[1 : SAMPLE + 1] if len(cells) == len(first)]
    # pandas names unnamed columns 0, 1, 2, ...
    if not below or values != [str(index) for index in range(len(values))]:
        return False
    if len(values) == len(first):
        return not all(is_number(cell) and float(cell).is_integer() for cell in below[0])
    others = [index for index, cell in enumerate(first) if not is_value(cell)]
    return all(
        first[index] == ""
        or all(is_value(cells[index]) for cells in below)
        or (first[index].lower() in known and all(cells[index] != first[index] for cells in below))
        for index in others
    )


def checked_rows(rows: list[Row], formulas: bool) -> int:
    """The number of columns, the same in each line."""
    width = len(rows[min(1, len(rows) - 1)][1])
    for number, cells in rows:
        if len(cells) != width:
            raise TableError(f"All lines must have {width} columns; line {number} has {len(cells)}, check its commas.")
        if formulas and any(cell.startswith("=") for cell in cells):
            raise TableError(f"Line {number} holds a formula; save the table with values instead.")
    if len(rows) * width > MAX_VALUES:
        raise TableError(f"Tables of up to {MAX_VALUES:,} numbers are read; save the embeddings as .npz.")
    return width


def check_lines(text: str) -> None:
    if max(map(len, text.split("\n"))) > MAX_LINE:
        raise TableError(
            f"Lines of up to {MAX_LINE:,} characters are read; one is longer, save the embeddings as .npz."
        )


def parse(text: str, asked: dict[str, Any], notes: list[str]) -> tuple[Writer, bool]:
    """The columns of a table, and whether its first line names them."""
    expected = asked["rows"]
    delimiter = delimiter_of(text, asked["delimiters"])
    if delimiter is None and expected is None:
        line = next((line for line in text.split("\n", 50) if line.strip()), "").strip()
        if " " in line and not (line.startswith(("[", '"')) or not is_number(line.split()[0])):
            raise TableError(
                "Columns must be separated by commas, tabs, semicolons or, in each line alike, spaces; save it as CSV."
            )
        rows = list(rows_of(text, ","))
        if not any(vector_of_any(cells[0]) for _, cells in rows[1:2]):
            raise TableError("The table has one column; embeddings need at least 2, separated by commas or tabs.")
    else:
        # In a list of labels an empty line is a point without a label; at its end, where the points need one.
        body = text.rstrip("\r\n") + "\n"
        rows = list(rows_of(body, delimiter or "\t", blank=delimiter is None))
        if delimiter is None and expected is not None and rows:
            needed = expected + (rows[0][1][0].lower() in asked["known"]) - len(rows)
            blank = max(0, text[len(body) :].count("\n"))
            rows += [(rows[-1][0] + 1 + more, [""]) for more in range(min(needed, blank))]
    if not rows:
        raise TableError("The table is empty; save the embeddings again.")
    width = checked_rows(rows, "=" in text)
    if expected is None:
        header = has_header(rows, set(asked["known"]))
    else:
        header = len(rows) == expected + 1
        # The projector's rule: one column has no header. A line too many may shift all labels, unless it is a name.
        if header and width == 1 and rows[0][1][0].lower() not in asked["known"]:
            header = False
        if len(rows) != expected + header:
            lone = "; if the first is their header, call it 'label'" if len(rows) == expected + 1 else ""
            raise TableError(
                f"There must be one label for each of {expected:,} points; got {len(rows):,} lines of labels{lone}."
            )
    title = names_of(rows.pop(0)[1]) if header else [f"column {index + 1}" for index in range(width)]
    if not rows:
        raise TableError("The table has a header and no rows; save the embeddings again.")
    writer = Writer(array("i", [number for number, _ in rows]), notes)
    bare = set(asked["embeddings"])
    for index, name in enumerate(title):
        writer.cells(name, [cells[index] for _, cells in rows], bare=name.lower() in bare)
    return writer, header


def vector_of_any(cell: str) -> bool:
    try:
        return vector_of(cell, bare=False) is not None
    except NotVectors:
        return True


def names_of(cells: list[str]) -> list[str]:
    names = [cell.removeprefix("#").strip() for cell in cells[:1]] + cells[1:]
    names = [name or f"Unnamed: {index}" for index, name in enumerate(names)]
    if len(set(names)) < len(names):
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise TableError(f"Columns must have different names; two are named '{twice[:40]}', rename or drop one.")
    return names
