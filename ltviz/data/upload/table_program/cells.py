"""What a cell of a table is: a number, a vector, or text. Standard library only."""

from __future__ import annotations

import re
from array import array

# What programs write into a column of numbers where there is none.
NO_NUMBER = {"", "NA", "N/A", "n/a", "#N/A", "NULL", "null", "None", "<NA>", "nan", "NaN"}
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")

_WRAPPED = re.compile(r"(?:[\w.]+\.)?(?:array|tensor)\((.*)\)", re.DOTALL)


class TableError(Exception):
    """What is wrong with the table, as a sentence."""


class NotVectors(Exception):
    """Why a column that begins like vectors is none, as the end of a sentence."""


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python's own numbers may hold it; an id like 12_7 is none


def is_value(cell: str) -> bool:
    """Whether the cell holds data and cannot be a column's name."""
    return is_number(cell) or bool(DECIMAL_COMMA.fullmatch(cell)) or vector_of(cell, bare=False) is not None


def vector_of(cell: str, *, bare: bool) -> array | None:
    """The numbers in a cell like "[0.1, 0.2]", "[0.1 0.2]", "tensor([0.1, 0.2])"; `bare` needs no brackets."""
    text = cell.strip()
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped:
        text = wrapped[1].strip()
        text = text[: text.rfind("]") + 1]
    brackets = 0
    while text[:1] in ("[", "(") and text[-1:] == {"[": "]", "(": ")"}[text[0]]:
        text, brackets = text[1:-1].strip(), brackets + 1
    if not brackets and not bare:
        return None
    if "..." in text or "…" in text:
        raise NotVectors("was shortened with '...' when it was written, save all the numbers")
    parts = re.split(r"\s*[,;]\s*|\s+", text)
    if (";" in text and "," in text) or ("," in text and " " in text and re.search(r"\d,\d", text)):
        return None  # a decimal comma or a comma between numbers: nobody can tell
    if "_" in text:
        return None
    try:
        return array("d", map(float, parts))
    except ValueError:
        return None
