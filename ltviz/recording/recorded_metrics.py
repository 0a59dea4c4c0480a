"""The metrics of very many frames in the room of their numbers."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping

_TABLE = 40


class RecordedMetrics(Mapping[int, dict[str, float]]):
    """step -> name -> value, of a frame each.

    A run of a night has tens of thousands of frames, of some tens of metrics each: as dicts they would take thousands
    of bytes a frame, for as long as somebody follows it. Most frames have the same names, which are kept once; a dict
    is made when it is asked for, and is the caller's own.

    Example:
        >>> metrics = RecordedMetrics()
        >>> metrics.set(10, {"uniformity": -2.5})
        >>> metrics[10]
        {'uniformity': -2.5}
    """

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        """By step, in which table, times 2^40, and where in it."""
        self._tables: dict[tuple[str, ...], int] = {}
        """By names, in their order."""
        self._named: list[tuple[str, ...]] = []
        self._numbers: list[array[float]] = []
        """Of each table; what was once in it stays where it is."""
        self._curves: dict[str, tuple[list[int], list[float]]] = {}
        """Those that were asked for since anything changed: a page asks for the same ones again and again."""

    def set(self, step: int, metrics: Mapping[str, float]) -> None:
        """Takes in, or replaces, what a frame says."""
        names = tuple(metrics)
        if (table := self._tables.get(names)) is None:
            table = self._tables[names] = len(self._numbers)
            self._named.append(names)
            self._numbers.append(array("d"))
        place = (table << _TABLE) + len(self._numbers[table])
        self._numbers[table].extend(metrics.values())
        self._places[step] = place
        self._curves.clear()

    def forget(self, step: int) -> bool:
        """Leaves a frame out; whether it was there."""
        self._curves.clear()
        return self._places.pop(step, None) is not None

    def in_order(self) -> RecordedMetrics:
        """What is known now, by growing step; what is taken in or left out later changes nothing in it."""
        known = RecordedMetrics()
        known._places = dict(sorted(self._places.items()))
        known._tables, known._named = dict(self._tables), list(self._named)
        known._numbers = list(self._numbers)
        return known

    def curve(self, name: str) -> tuple[list[int], list[float]]:
        """Steps, growing, and values of one metric, not to be changed; frames that do not have it are left out."""
        if (known := self._curves.get(name)) is not None:
            return known
        columns = {table: names.index(name) for names, table in self._tables.items() if name in names}
        found = []
        for step, place in self._places.items():
            table, start = divmod(place, 1 << _TABLE)
            if table in columns:
                found.append((step, self._numbers[table][start + columns[table]]))
        found.sort()
        curve = self._curves[name] = [step for step, _ in found], [value for _, value in found]
        return curve

    def kinds(self) -> list[tuple[str, ...]]:
        """The names that frames have: those of one after those of another, each once."""
        there = {place >> _TABLE for place in self._places.values()}
        return [names for names, table in self._tables.items() if table in there]

    def __getitem__(self, step: int) -> dict[str, float]:
        table, start = divmod(self._places[step], 1 << _TABLE)
        names = self._named[table]
        return dict(zip(names, self._numbers[table][start : start + len(names)], strict=True))

    def __iter__(self) -> Iterator[int]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, step: object) -> bool:
        return step in self._places

    def __repr__(self) -> str:
        return repr(dict(self))
