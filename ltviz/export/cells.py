"""Tables as text: cells that stay text in Markdown, columns that line up, and names in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: int) -> str:
    """A Markdown table whose columns line up as text too; those from the one called `numbers` on stand to the right."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]

    def line(row: Sequence[str]) -> str:
        fitted = (c.rjust(w) if i >= numbers else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        return "| " + " | ".join(fitted) + " |"

    rule = "|" + "|".join("-" * (w + 1) + (":" if i >= numbers else "-") for i, w in enumerate(widths)) + "|"
    return "\n".join([line(heads), rule, *map(line, rows)]) + "\n"


def plain(value: Any) -> str:
    """A setting as a person writes it."""
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)


def text(value: Any) -> str:
    """Text for a Markdown cell: what is foreign stays text."""
    said = " ".join(plain(value).split())[:80]
    for sign in "\\`*_{}[]<>|":
        said = said.replace(sign, f"\\{sign}" if sign in "\\`*|" else {"<": "&lt;", ">": "&gt;"}.get(sign, sign))
    return said


def listed(names: Sequence[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
