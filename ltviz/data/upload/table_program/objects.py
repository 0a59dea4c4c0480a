"""Columns out of JSON objects. Standard library only."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from typing import Any

from cells import TableError
from typed import MAX_VALUES, Writer


def parse_objects(text: str, notes: list[str]) -> Writer:
    """The columns of JSON objects, one a line or all in one list."""
    lines = array("i")
    columns: dict[str, list[Any]] = {}
    for number, made in objects_of(text):
        for name in made:
            if name not in columns:
                columns[name] = [None] * len(lines)
        for name, cells in columns.items():
            cell = made.get(name)
            if isinstance(cell, list) and cell and all(type(value) in (int, float) for value in cell):
                cell = array("d", cell)
            cells.append(cell)
        lines.append(number)
        if len(columns) * len(lines) > MAX_VALUES:
            raise TableError(f"Tables of up to {MAX_VALUES:,} values are read; save the embeddings as .npz.")
    if not lines:
        raise TableError("The file holds no objects; save the embeddings again.")
    writer = Writer(lines, notes)
    for name, cells in columns.items():
        add_values(writer, name, cells)
    return writer


def add_values(writer: Writer, name: str, cells: list[Any]) -> None:
    kinds = {type(cell) for cell in cells} - {type(None)}
    blank = next(((row, "null") for row, cell in enumerate(cells) if cell is None), None)
    if array in kinds:
        if not writer.vectors(name, cells, lambda cell: cell if isinstance(cell, array) else None):
            writer.add(name, "unreadable", why="holds vectors, but the first is no list of numbers")
    elif kinds == {int} and not blank and all(-(1 << 63) <= cell < 1 << 63 for cell in cells):
        writer.add(name, "array", array("q", cells))
    elif kinds and kinds <= {int, float} and all(type(cell) is not int or abs(cell) <= 1 << 53 for cell in cells):
        numbers = array("d", [float("nan") if cell is None else cell for cell in cells])
        writer.add(name, "array", numbers, blank=blank)
    elif kinds and kinds <= {int, str, bool}:
        writer.text(name, [None if cell is None else str(cell).strip() for cell in cells])
    else:
        writer.add(name, "unreadable", why="holds no numbers, text or lists of numbers" if kinds else "is empty")


def objects_of(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    def whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("one name stands twice in an object")
        return dict(pairs)

    number = 1
    try:
        if text.lstrip().startswith("["):
            for number, made in enumerate(json.loads(text, object_pairs_hook=whole), 1):
                yield number, _object(made)
            return
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield number, _object(json.loads(line, object_pairs_hook=whole))
    except (ValueError, TypeError, RecursionError) as error:
        raise TableError(
            f"JSON must be one object a line, or a list of objects; object {number} is not ({str(error)[:80]})."
        ) from error


def _object(made: Any) -> dict[str, Any]:
    if not isinstance(made, dict):
        raise TypeError("it has no names")
    return made
