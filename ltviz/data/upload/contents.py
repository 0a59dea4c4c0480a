"""What a file holds before anybody decides what it means: columns, or arrays, by name."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

MAX_ARRAY = 1 << 30
"""Bytes of an array, or of a whole file, that a stranger's upload may have."""
WITHOUT_PICKLE = (
    "from safetensors.torch import save_file; save_file({'embeddings': z, 'labels': y}, 'embeddings.safetensors')"
)


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """A column of text: `codes` (N,) int32 are indices into `names`, -1 where nothing stands.

    An array of text would be as wide as its longest entry in every row: one long name would exhaust memory.
    """

    codes: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def texts(self) -> tuple[str, ...]:
        """The text of each row, "" where nothing stands."""
        names = (*self.names, "")
        return tuple([names[code] for code in self.codes.tolist()])


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A column that is there and cannot be used: `why`, the end of a sentence that begins with its name."""

    why: str


EMPTY = Unreadable("is empty")
Column = np.ndarray | Categories | Unreadable


@dataclass(frozen=True, slots=True)
class Contents:
    """Columns by name in the file's order; arrays of numbers have any type and shape, their first axis is the rows.

    `lines` is the line of the file that each row stands on, where it has lines; `blanks` says of a column of numbers
    the first row without one, and what stands there. `untyped` numbers were text and have no width of their own.
    `index` names the columns that the file itself calls its index.
    """

    columns: dict[str, Column]
    notes: tuple[str, ...] = ()
    noun: str = "column"
    header: bool = True
    untyped: bool = False
    lines: np.ndarray | None = None
    blanks: dict[str, tuple[int, str]] = field(default_factory=dict)
    index: tuple[str, ...] = ()

    def where(self, row: int) -> str:
        """The place of a row, as a person finds it."""
        return f"row {row} (counted from 0)" if self.lines is None else f"line {self.lines[row]}"


def as_categories(array: np.ndarray) -> Column:
    """A numpy array of text, (N,), as categories."""
    names, codes = np.unique(array, return_inverse=True)
    try:
        texts = tuple(name.decode() if isinstance(name, bytes) else name for name in names.tolist())
    except UnicodeDecodeError:
        return Unreadable("is text that is not UTF-8, save it as str")
    return Categories(codes.astype(np.int32), texts)


def listed(names: list[str] | tuple[str, ...], most: int = 8) -> str:
    """Names as a sentence shows them: quoted, shortened, and not more than `most` of them."""
    shown = ", ".join(f"'{name[:40]}'" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def sizes(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape[:6]))}{',' if len(shape) == 1 else ''})"
