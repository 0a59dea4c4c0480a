"""Which samples changed their class: their prediction flipped, or they crossed the border between two classes."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.neighbours import nearest_centre

KINDS = ("prediction", "border")
"""What may change of a sample: the class that a classifier names, and the class whose centre is nearest."""
MOST_MOVED = 150_000
"""Changes of one run that are kept, of eight bytes each."""


@dataclass(frozen=True, eq=False)
class Moved:
    """M samples whose class changed.

    Attributes:
        rows: (M,) int32, growing: which samples.
        before, after: (M,) int32 >= 0: the class that each had, and another one that it has.
    """

    rows: np.ndarray
    before: np.ndarray
    after: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, which: slice) -> Moved:
        return Moved(self.rows[which], self.before[which], self.after[which])


_NOBODY = Moved(*(np.zeros(0, np.int32) for _ in range(3)))


def nearest_class(z: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(N,) int32 class on whose side of all borders each sample is: that of the nearest centre on the sphere.

    The border between two classes is the great circle midway between their centres, both of the same step. A sample is
    not taken out of its own class's centre first, so that one of very few is drawn to its own side.

    Args:
        z: (N, D) unit rows.
        centres: (C, D) unit rows; rows of NaN are classes that nothing is assigned to.

    Returns:
        -1 for all where there is no centre. Of two centres equally near the first one counts.

    Example:
        >>> nearest_class(np.array([[0.8, 0.6], [0.6, 0.8]]), np.eye(2)).tolist()
        [0, 1]
    """
    if np.isnan(centres).any(axis=1).all():
        return np.full(len(z), -1, np.int32)
    return nearest_centre(z, centres).astype(np.int32)


def moved(before: np.ndarray, after: np.ndarray) -> Moved:
    """The samples that have a class before and after, and not the same one.

    Nothing moved where the two are equal; the other way round, `before` and `after` change places; and whoever numbers
    classes anew finds the same samples, with the new numbers.

    Args:
        before, after: (N,) whole numbers; -1: not known.

    Example:
        >>> found = moved(np.array([0, 1, -1, 2]), np.array([0, 2, 1, -1]))
        >>> found.rows.tolist(), found.before.tolist(), found.after.tolist()
        ([1], [1], [2])

    Raises:
        DataError: not as many samples in both.
    """
    before, after = np.asarray(before), np.asarray(after)
    if before.shape != after.shape or before.ndim != 1:
        raise DataError(f"What moved is told of the same N samples, got shapes {before.shape} and {after.shape}.")
    rows = np.flatnonzero((before != after) & (before >= 0) & (after >= 0))
    return Moved(rows.astype(np.int32), before[rows].astype(np.int32), after[rows].astype(np.int32))


def joined(first: Moved, second: Moved) -> Moved:
    """What moved over both, one after the other: who came back has not moved.

    Example:
        >>> there, back = moved(np.array([0, 0]), np.array([1, 1])), moved(np.array([1, 1]), np.array([0, 2]))
        >>> found = joined(there, back)
        >>> found.rows.tolist(), found.before.tolist(), found.after.tolist()
        ([1], [0], [2])
    """
    rows = np.union1d(first.rows, second.rows)
    at, then = np.searchsorted(rows, first.rows), np.searchsorted(rows, second.rows)
    before, after = (np.zeros(len(rows), np.int32) for _ in range(2))
    before[then], after[at] = second.before, first.after
    before[at], after[then] = first.before, second.after
    away = before != after
    return Moved(rows[away].astype(np.int32), before[away], after[away])


@dataclass(frozen=True, eq=False)
class Moves:
    """What has moved in a run so far.

    Attributes:
        steps: (T,) int64, growing.
        counts: kind -> (T,) int32: how many moved since the step before, none at the first one. A sample of which
            nothing is known at a step is compared with the last one at which something was.
        found: kind -> all that moved, those of one step after those of another.
        joined: how many of the first steps tell what happened at several frames at once, so that all can be kept.
        edition: grows when steps of before have been joined.
    """

    steps: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    counts: Mapping[str, np.ndarray] = field(default_factory=dict)
    found: Mapping[str, Moved] = field(default_factory=dict)
    joined: int = 0
    edition: int = 0

    def since(self, kind: str, place: int) -> Moved:
        """What moved at the steps from the `place`-th on."""
        first = int(self.counts[kind][:place].sum())
        return self.found[kind][first:]

    def at(self, kind: str, place: int) -> Moved:
        """What moved at the `place`-th step."""
        return self.since(kind, place)[: int(self.counts[kind][place])]


class MoveWatch:
    """Takes in the samples' classes step by step, and keeps what changed; any thread may give a step.

    Args:
        most: changes that are kept; beyond, what happened at two steps becomes what happened at the second.
    """

    def __init__(self, most: int = MOST_MOVED) -> None:
        self._most, self._guard = most, threading.Lock()
        self._known: dict[str, np.ndarray] = {}
        self._steps = _Growing(np.int64)
        self._kept: dict[str, _Kept] = {}
        self._joined = self._edition = 0

    def take(self, step: int, classes: dict[str, np.ndarray]) -> None:
        """Compares with what is known of before; a step that is not later than the last one is left out.

        Args:
            classes: kind -> (N,) whole numbers, -1: not known; a kind that is not there is not known.

        Raises:
            DataError: other samples than before.
        """
        with self._guard:
            if not self._steps.size or step > self._steps.all()[-1]:
                self._take(step, classes)

    def _take(self, step: int, classes: dict[str, np.ndarray]) -> None:
        found = {kind: moved(self._known.get(kind, now), now) for kind, now in classes.items()}
        for kind, now in classes.items():
            self._known[kind] = np.where(now >= 0, now, self._known.get(kind, now))
        for kind in found:
            if kind not in self._kept:
                self._kept[kind] = _Kept([_NOBODY] * self._steps.size)
        self._steps.add(step)
        for kind, kept in self._kept.items():
            kept.add(found.get(kind, _NOBODY))
        while sum(kept.rows.size for kept in self._kept.values()) > self._most and self._steps.size > 2:
            self._join()

    def told(self) -> Moves:
        """All of it so far, which does not change any more."""
        with self._guard:
            return self._told()

    def _told(self) -> Moves:
        counts = {kind: kept.counts.all() for kind, kept in self._kept.items()}
        found = {kind: kept.all() for kind, kept in self._kept.items()}
        return Moves(self._steps.all(), counts, found, self._joined, self._edition)

    def _join(self) -> None:
        """Every second step after the first goes, and the next one tells what happened at it."""
        before, last = self._told(), self._steps.size - 1
        pairs = [(first, min(first + 1, last)) for first in range(1, last + 1, 2)]
        self._steps = _Growing(np.int64, before.steps[[0, *(second for _, second in pairs)]])
        for kind in self._kept:
            both = [
                before.at(kind, second) if first == second else joined(before.at(kind, first), before.at(kind, second))
                for first, second in pairs
            ]
            self._kept[kind] = _Kept([before.at(kind, 0), *both])
        self._joined, self._edition = self._steps.size, self._edition + 1


class _Growing:
    """Numbers of which more and more come. What was told once stays as it was: numbers are only put behind it."""

    def __init__(self, dtype: type, begun: Iterable[int] = ()) -> None:
        self._room = np.array(begun, dtype)
        self.size = len(self._room)

    def add(self, new: np.ndarray | int) -> None:
        values = np.atleast_1d(new)
        if (needed := self.size + len(values)) > len(self._room):
            room = np.empty(max(needed, 2 * self.size, 64), self._room.dtype)
            room[: self.size] = self.all()
            self._room = room
        self._room[self.size : needed] = values
        self.size = needed

    def all(self) -> np.ndarray:
        return self._room[: self.size]


class _Kept:
    """What moved of one kind, as columns: of tens of thousands of steps, an object each took twenty times the room."""

    def __init__(self, begun: Sequence[Moved]) -> None:
        self.counts = _Growing(np.int32, [len(one) for one in begun])
        every = begun or [_NOBODY]
        self.rows = _Growing(np.int32, np.concatenate([one.rows for one in every]))
        self.before = _Growing(np.int32, np.concatenate([one.before for one in every]))
        self.after = _Growing(np.int32, np.concatenate([one.after for one in every]))

    def add(self, found: Moved) -> None:
        self.rows.add(found.rows)
        self.before.add(found.before)
        self.after.add(found.after)
        self.counts.add(len(found))

    def all(self) -> Moved:
        return Moved(self.rows.all(), self.before.all(), self.after.all())
