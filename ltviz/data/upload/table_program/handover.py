"""How a child that reads a file hands its columns to its parent. Standard library only, and no other module.

A line of JSON, padded with spaces to a multiple of eight bytes, then the arrays, each on a multiple of eight bytes so
that the parent can lay its own over them without a copy. The line is {"error": sentence}, or {"columns", "notes",
"lines", ...}. A column has a "name" and a "kind": "array" and "text" lie "at" so many bytes behind the line and have a
"dtype" and a "shape"; text are int32 indices into its "names", -1 where nothing stands; "unreadable" only says "why".
"lines" says where the line of each row (int32) lies, or is None.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import IO, Any

_ALIGNED = 8


def refuse(out: IO[bytes], sentence: str) -> None:
    """Hand over what is wrong instead."""
    out.write(_line({"error": sentence}))


def hand_over(out: IO[bytes], head: dict[str, Any], columns: Sequence[dict[str, Any]], lines: Any = None) -> None:
    """Write columns, whose "data" are contiguous buffers, `lines` (one int32 a row) and whatever else `head` says."""
    parts: list[Any] = []
    size = 0

    def place(data: Any) -> int:
        nonlocal size
        view = memoryview(data)
        here, padding = size, -view.nbytes % _ALIGNED
        parts.extend((view.cast("B") if view.nbytes else b"", bytes(padding)))
        size += view.nbytes + padding
        return here

    told = [
        {**{key: value for key, value in column.items() if key != "data"}, "at": place(column["data"])}
        if "data" in column
        else column
        for column in columns
    ]
    where = None if lines is None else {"at": place(lines), "rows": len(lines)}
    out.write(_line({**head, "columns": told, "lines": where}))
    out.writelines(parts)


def _line(head: dict[str, Any]) -> bytes:
    text = json.dumps(head).encode()
    return text + b" " * (-(len(text) + 1) % _ALIGNED) + b"\n"
