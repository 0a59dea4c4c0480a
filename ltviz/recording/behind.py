"""Work that goes on behind a caller's loop, in the order in which it was given, and what came of it."""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

About = TypeVar("About")

MOST_BYTES = 128 << 20
"""What may wait: of frames of 2,000 x 128 these are 128. Who gives more than that waits until there is room."""


class Outcome(NamedTuple, Generic[About]):
    """How a job ended: `about` is what it was given with."""

    about: About
    error: Exception | None


class Behind(Generic[About]):
    """One thread that does jobs one after the other. It begins with the first of them, and ends with `close`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._jobs: deque[tuple[About, Callable[[], None], int]] = deque()
        self._outcomes: deque[Outcome[About]] = deque()
        self._bytes = 0
        self._thread: threading.Thread | None = None
        self._closed = False

    def give(self, about: About, job: Callable[[], None], size: int) -> None:
        """Have a job done that holds `size` bytes, 1 or more; waits while too many others do."""
        with self._changed:
            self._changed.wait_for(lambda: not self._bytes or self._bytes + size <= MOST_BYTES)
            self._jobs.append((about, job, size))
            self._bytes += size
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
                atexit.register(self.wait)
            self._changed.notify_all()

    def wait(self) -> None:
        """Return once all that was given is done; at once in a child that was forked off, which has no such thread."""
        if os.getpid() != self._pid:
            return
        with self._changed:
            self._changed.wait_for(lambda: not self._bytes and not self._jobs)

    def outcomes(self) -> list[Outcome[About]]:
        """How the jobs ended that have ended since the last call, in their order."""
        found = []
        while self._outcomes:
            found.append(self._outcomes.popleft())
        return found

    def close(self) -> None:
        """End the thread, once all that was given is done."""
        self.wait()
        if os.getpid() != self._pid or self._thread is None:
            return
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        atexit.unregister(self.wait)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._closed)
                if not self._jobs:
                    return
                about, job, size = self._jobs.popleft()
            error = None
            try:
                job()
            except Exception as caught:  # whatever it is, it is told where the loop comes by
                error = caught
            del job
            self._outcomes.append(Outcome(about, error))
            with self._changed:
                self._bytes -= size
                self._changed.notify_all()
