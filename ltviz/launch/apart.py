"""Trials on nodes that have no folder in common with the process that submits them, by an address that both reach.

A node that does not see the home trains in a folder of its own and mirrors its runs to the address while it trains. Who
submits brings them from there into the home, where they stand as if they had been trained in it: the page shows them
live, and so does every reader. A trial that goes on elsewhere begins with what reached the address. What a node does
stands in `own_disk`. No torch here.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Iterable
from pathlib import Path

from ltviz.errors import ConfigError, RecordingError, TrainingError
from ltviz.launch.queue import FOLDER
from ltviz.recording import Recording, run_path
from ltviz.recording.copies import Copies
from ltviz.recording.files import make_folder, read_plain, write_whole
from ltviz.recording.storage import Storage

_BYTES = 64
log = logging.getLogger("ltviz")


def token_of(home: Path) -> str:
    """What tells this home from any other folder at its path; made on first use. DiskFull, RecordingError."""
    if (known := _token(home)) is None:
        make_folder(_file(home).parent)
        write_whole(_file(home), (known := secrets.token_hex(16)).encode())
    return known


def sees(home: Path, token: str) -> bool:
    """Whether the folder at this path, on this machine, is the home that the token is of."""
    return _token(home) == token


def _token(home: Path) -> str | None:
    with contextlib.suppress(OSError, RecordingError, UnicodeError):
        return read_plain(_file(home), limit=_BYTES).decode() or None
    return None


def _file(home: Path) -> Path:
    return home / FOLDER / "trials" / "token"


def shared_storage(url: str) -> Storage:
    """The storage at an address that nodes are to reach too. ConfigError: no such address, or one of this process."""
    storage = Storage(url)
    if storage.url.startswith("memory://"):
        raise ConfigError("mirror must be an address that nodes reach, and memory:// is of one process; try s3://")
    return storage


class Arrivals:
    """Brings runs from the address into the home, where they stay.

    Attributes:
        apart: whether anything has come, so that there are nodes that do not see the home.
    """

    def __init__(self, home: Path, storage: Storage) -> None:
        self._copies, self._home, self.apart = Copies(storage, home), home, False
        self._told = False

    def look(self, runs: Iterable[str]) -> bool:
        """Brings what is new of these runs; whether the address could be asked, which is tried again if not.

        Raises:
            TrainingError: one of them is at the address and, as another one, in the home.
        """
        for run in runs:
            path = run_path(self._home, run)
            try:
                if not Recording(path).exists or self._copies.has_brought(run):
                    self.apart |= self._copies.take_in(run)
                elif self._copies.storage.files(run):
                    raise TrainingError(
                        f"a run that was begun elsewhere must not be in the home already, but {run} is at the mirror, "
                        f"and here as another one; delete one of them ({path})"
                    )
            except RecordingError as error:
                if not self._told:
                    log.warning("What nodes have sent cannot be brought now, and is asked for again: %s", error)
                self._told = True
                return False
        self._told = False
        return True

    def close(self) -> None:
        """Holds no writer's place any more."""
        self._copies.close()
