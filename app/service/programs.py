"""The code of runs: `ltviz code` in a process of its own, for this one never imports torch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from ltviz.errors import LtvizError
from ltviz.recording import Recording

from .. import words
from .kept import identify

KEPT = 64
"""Programs that are kept, a few kilobytes each."""
LONGEST_SECONDS = 120


class Programs:
    """Has one written after another; one that was written stands as long as its run is what it was."""

    def __init__(self) -> None:
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="programs")
        self._written: OrderedDict[tuple, Future[str]] = OrderedDict()

    def ask(self, recording: Recording) -> Future[str]:
        """The program of a run, perhaps still to come; a LtvizError where it has none."""
        changes = sum(map(len, recording.frame_events().values()))
        key = str(recording.path), identify(recording.path), changes
        found = self._written.get(key)
        if found is None or (found.done() and found.exception() is not None):
            found = self._written[key] = self._writer.submit(_write, recording.path)
            for old in list(self._written)[:-KEPT]:
                self._written.pop(old).cancel()
        self._written.move_to_end(key)
        return found


def _write(folder: Path) -> str:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ltviz", "code", str(folder.absolute()), "--json"],
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LtvizError(words.cards.NO_PROCESS.format(reason=error)) from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise LtvizError(said[-1].removeprefix("ltviz: ") if said else words.cards.NO_PROCESS.format(reason="exit"))
    return str(json.loads(done.stdout.splitlines()[-1])["code"])
