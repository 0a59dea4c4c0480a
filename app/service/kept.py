"""What is known of frames, kept while their folder is the same: nothing that costs time is found twice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

MOST_KEPT = 20_000
"""Values that are kept, of a few hundred bytes each; the least recently used ones go first."""

V = TypeVar("V")


class Kept:
    """Values by key, at most so many; used by the sessions of all viewers at once."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most, self._guard = most, threading.Lock()
        self._values: OrderedDict[tuple, Any] = OrderedDict()

    def get(self, key: tuple, make: Callable[[], V]) -> V:
        """The value of a key, made where it is not known; two at a time may make it, and both are right."""
        with self._guard:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._guard:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return value

    def find(self, key: tuple) -> Any:
        """The value of a key; None where it is not known."""
        with self._guard:
            return self._values.get(key)


def identify(folder: Path) -> tuple[int, int] | None:
    """Which recording lies in a folder: another one of the same name has another identity; None where there is none."""
    try:
        found = (folder / "run.json").stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns
