"""Ending politely: what a first Ctrl-C or SIGTERM asks for."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(Exception):
    """What was being done is not wanted any more."""


class Stop:
    """A polite stop of everything, asked for by a signal or by the program."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        self._asked.set()

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """SIGTERM, SIGINT (Ctrl-C) and SIGHUP (the terminal was closed) ask once; a second one acts as it did before.

        SIGHUP stays ignored where it is, as under `nohup`. Main thread only.
        """

        def handle(number: int, frame: FrameType | None) -> None:
            signal.signal(number, before[signal.Signals(number)])
            self.ask()

        caught = [signal.SIGTERM, signal.SIGINT]
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            caught.append(signal.SIGHUP)
        before = {number: signal.signal(number, handle) for number in caught}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
