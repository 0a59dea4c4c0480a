"""The steps of very many frames, as whoever follows a run holds them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload


class Steps(Sequence[int]):
    """Growing steps, which do not change.

    A live run of a night has tens of thousands, and with each new frame another such object is told to everybody who
    looks: those of one run share their numbers, and what comes at the end takes no copy of what was there.

    Example:
        >>> before = Steps([10, 20])
        >>> before.followed_by([30])
        Steps([10, 20, 30])
        >>> before
        Steps([10, 20])
    """

    __slots__ = ("_length", "_numbers")

    def __init__(self, steps: Iterable[int] = ()) -> None:
        self._numbers = array("q", steps)
        """Of this one the first `_length`; those behind it are of others, which came after it."""
        self._length = len(self._numbers)

    def followed_by(self, new: Iterable[int]) -> Steps:
        """These and later ones. Of two threads that put steps behind the same ones, only one at a time may."""
        found = Steps()
        found._numbers = self._numbers if self._length == len(self._numbers) else self._numbers[: self._length]
        found._numbers.extend(new)
        found._length = len(found._numbers)
        return found

    def begins_with(self, other: Sequence[int]) -> bool:
        """Whether the first ones are those of `other`; of one that grew out of it, without a look at each."""
        if isinstance(other, Steps) and other._numbers is self._numbers:
            return other._length <= self._length
        return self[: len(other)] == other

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> int: ...

    @overload
    def __getitem__(self, place: slice) -> Steps: ...

    def __getitem__(self, place: int | slice) -> int | Steps:
        if isinstance(place, slice):
            first, last, stride = place.indices(self._length)
            if stride < 0:
                raise ValueError("Steps grow: a slice of them cannot go backwards; use reversed().")
            return Steps(self._numbers[first:last:stride])
        if not -self._length <= place < self._length:
            raise IndexError(place)
        return self._numbers[place % self._length]

    def __iter__(self) -> Iterator[int]:
        return iter(self._mine())

    def __contains__(self, step: object) -> bool:
        if not isinstance(step, int):
            return False
        place = bisect_left(self._numbers, step, 0, self._length)
        return place < self._length and self._numbers[place] == step

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Steps):
            if self._length != other._length:
                return False
            return self._numbers is other._numbers or self._mine() == other._mine()
        return isinstance(other, Sequence) and self._mine().tolist() == list(other)

    def __hash__(self) -> int:
        return hash((self._length, self._numbers[self._length - 1] if self._length else None))

    def __repr__(self) -> str:
        return f"Steps({self._mine().tolist()})"

    def _mine(self) -> array[Any]:
        return self._numbers[: self._length]
