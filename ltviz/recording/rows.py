"""Numbers by their names, of so many frames and steps that an object each would fill the memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping


class Rows:
    """Rows that only grow: those of the same names share them, and a number takes 8 bytes.

    >>> rows = Rows()
    >>> first, second = rows.add({"loss": 0.5, "pull": 2.0}), rows.add({"loss": 0.25, "pull": 1.0})
    >>> rows[second]
    {'loss': 0.25, 'pull': 1.0}
    """

    def __init__(self) -> None:
        self._tables: dict[tuple[str, ...], int] = {}
        self._names: list[tuple[str, ...]] = []
        self._numbers: list[array[float]] = []

    def add(self, row: Mapping[str, float]) -> int:
        """Takes in a row; where it lies."""
        names = tuple(row)
        if (table := self._tables.get(names)) is None:
            table = self._tables[names] = len(self._names)
            self._names.append(names)
            self._numbers.append(array("d"))
        start = len(self._numbers[table])
        self._numbers[table].extend(row.values())
        return (table << 40) + start

    def __getitem__(self, place: int) -> dict[str, float]:
        table, start = divmod(place, 1 << 40)
        names = self._names[table]
        return dict(zip(names, self._numbers[table][start : start + len(names)], strict=True))


class ManyRows(Mapping[int, dict[str, float]]):
    """The row of each step, made where somebody asks for it.

    Args:
        places: step -> where its row lies, in the order in which they are gone through.
    """

    def __init__(self, rows: Rows, places: Mapping[int, int]) -> None:
        self._rows, self._places = rows, places

    def __getitem__(self, step: int) -> dict[str, float]:
        return self._rows[self._places[step]]

    def __iter__(self) -> Iterator[int]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, step: object) -> bool:
        return step in self._places
