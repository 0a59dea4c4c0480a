"""Results computed in the background: `ltviz reproduce` in a process of its own, for this one never imports torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltviz.errors import LtvizError

from .. import words

LONGEST_SECONDS = 120


@dataclass(eq=False)
class Reproduction:
    """One that was asked for; `found` is what `ltviz reproduce --json` printed, perhaps still to come."""

    name: str
    record: Path | None = None
    """Folder of the run that becomes its film."""
    found: Future[dict[str, Any]] = field(default_factory=Future)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _process: subprocess.Popen[str] | None = None
    _cancelled: bool = False

    def cancel(self) -> None:
        """Ends it, whether it waits or computes; one that is done stays."""
        with self._guard:
            self._cancelled = True
            if self._process is not None:
                self._process.kill()

    def compute(self) -> None:
        """Fills `found`, with a LtvizError where there is no answer."""
        try:
            self.found.set_result(self._answer())
        except LtvizError as error:
            self.found.set_exception(error)
        except (OSError, ValueError, IndexError) as error:
            self.found.set_exception(_failed(error))

    @property
    def _recorded(self) -> list[str]:
        return [] if self.record is None else ["--record", str(self.record)]

    def _answer(self) -> dict[str, Any]:
        with self._guard:
            if self._cancelled:
                raise LtvizError(words.evidence.CANCELLED)
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", "ltviz", "reproduce", self.name, "--json", *self._recorded],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        try:
            out, err = process.communicate(timeout=LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise _failed(words.evidence.TOO_LONG.format(seconds=LONGEST_SECONDS)) from None
        if self._cancelled:
            raise LtvizError(words.evidence.CANCELLED)
        if process.returncode:
            said = err.strip().splitlines()
            raise _failed(said[-1].removeprefix("ltviz: ") if said else f"exit {process.returncode}")
        return json.loads(out.splitlines()[-1])


class Reproductions:
    """Computes one after another, so that a page full of buttons is never more than one process."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="reproductions")
        self._asked: dict[str, Reproduction] = {}

    def of(self, name: str) -> Reproduction | None:
        """The last that was asked for by this name."""
        return self._asked.get(name)

    def start(self, name: str, record: Path | None = None) -> Reproduction:
        """Computes one anew, unless it waits or computes already; `record` is the folder of the run to film it in."""
        known = self._asked.get(name)
        if known is not None and not known.found.done():
            return known
        one = self._asked[name] = Reproduction(name, record)
        self._worker.submit(one.compute)
        return one

    @property
    def busy(self) -> frozenset[str]:
        """Those that wait or compute."""
        return frozenset(name for name, one in list(self._asked.items()) if not one.found.done())


def _failed(reason: object) -> LtvizError:
    return LtvizError(words.evidence.NO_ANSWER.format(reason=reason))
