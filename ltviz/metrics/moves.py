"""Which samples changed their class: their prediction flipped, or they crossed the border between two classes."""

from __future__ import annotations

import threading
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Moves:
    """What has moved in a run so far.

    Attributes:
        steps: T growing steps.
        found: by kind, one of T: what moved since the step before, nothing at the first one. A sample of which nothing
            is known at a step is compared with the last one at which something was.
        joined: how many of the first steps tell what happened at several frames at once, so that all can be kept.
        edition: grows when steps of before have been joined.
    """

    steps: tuple[int, ...] = ()
    found: tuple[dict[str, Moved], ...] = ()
    joined: int = 0
    edition: int = 0


class MoveWatch:
    """Takes in the samples' classes step by step, and keeps what changed; any thread may give a step.

    Args:
        most: changes that are kept; beyond, what happened at two steps becomes what happened at the second.
    """

    def __init__(self, most: int = MOST_MOVED) -> None:
        self._most, self._guard = most, threading.Lock()
        self._known: dict[str, np.ndarray] = {}
        self._steps: list[int] = []
        self._found: list[dict[str, Moved]] = []
        self._kept = self._joined = self._edition = 0

    def take(self, step: int, classes: dict[str, np.ndarray]) -> None:
        """Compares with what is known of before; a step that is not later than the last one is left out.

        Args:
            classes: kind -> (N,) whole numbers, -1: not known; a kind that is not there is not known.

        Raises:
            DataError: other samples than before.
        """
        with self._guard:
            if not self._steps or step > self._steps[-1]:
                self._take(step, classes)

    def _take(self, step: int, classes: dict[str, np.ndarray]) -> None:
        found = {kind: moved(self._known.get(kind, now), now) for kind, now in classes.items()}
        for kind, now in classes.items():
            self._known[kind] = np.where(now >= 0, now, self._known.get(kind, now))
        self._steps.append(step)
        self._found.append(found)
        self._kept += sum(map(len, found.values()))
        while self._kept > self._most and len(self._steps) > 2:
            self._join()

    def told(self) -> Moves:
        """All of it so far, which does not change any more."""
        with self._guard:
            return Moves(tuple(self._steps), tuple(self._found), self._joined, self._edition)

    def _join(self) -> None:
        """Every second step after the first goes, and the next one tells what happened at it."""
        steps, found = self._steps[:1], self._found[:1]
        for at in range(1, len(self._steps), 2):
            steps.append(self._steps[at : at + 2][-1])
            pair = self._found[at : at + 2]
            found.append(pair[0] if len(pair) == 1 else _both(*pair))
        self._steps, self._found = steps, found
        self._kept = sum(len(one) for of in found for one in of.values())
        self._joined, self._edition = len(steps), self._edition + 1


def _both(first: dict[str, Moved], second: dict[str, Moved]) -> dict[str, Moved]:
    kinds = dict.fromkeys((*first, *second))
    return {
        kind: joined(first[kind], second[kind]) if kind in first and kind in second else (first | second)[kind]
        for kind in kinds
    }
