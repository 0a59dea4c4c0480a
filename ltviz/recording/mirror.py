"""A copy of runs at an address, kept up while they are written.

Writing stays on this machine's disk, as a trainer must never wait for a network: one thread looks at the folders, as
any reader does, and sends what is new. It sends in the writer's order, and status.json last, as it was before the look:
who reads the copy finds no frame named that is not there. What fails is tried again for as long as it takes, and said
once; the folder here is whole in any case, and `ltviz mirror` sends the rest.

Beside the run's files the copy has mirror.json, with the size and CRC-32 of each: whoever sends again reads there what
is there already. It is nobody's source: readers of the copy list the folder.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from ltviz.errors import LtvizError, RecordingError
from ltviz.recording.files import Identity, identity_at, is_there, open_plain, read_bytes, read_plain
from ltviz.recording.info import parse_info
from ltviz.recording.names import check_run_id
from ltviz.recording.own import FIRST, most_bytes, own_files
from ltviz.recording.recording import MAX_INFO, MAX_STATUS
from ltviz.recording.storage import IN_PARTS, Entry, Storage, batches, redacted

PAUSE_SECONDS = 2.0
"""Between two looks; where a look takes long, `PAUSE_RATIO` times as long as it took."""
PAUSE_RATIO = 4
LONGEST_PAUSE = 60.0
"""Between tries while the storage cannot be reached: they begin with `PAUSE_SECONDS`, and double."""
LEDGER_SECONDS = 30.0
WAIT_SECONDS = 60.0
"""What `close` waits for at most."""
LEDGER = "mirror.json"
_MAX_LEDGER = 128 << 20
_GROWING = ("metrics.jsonl", "status.json")
_RANKS = {"probe.safetensors": 0, "attributes.safetensors": 0, "run.json": 1, "frames": 2, "weights": 3}
_FIXED = ("frames/", "weights/")
_THINNED = ("frames/", "weights/", "projections/")

log = logging.getLogger("ltviz")


class Sent(NamedTuple):
    """What one look at a run sent: files and their bytes; `before` is how many were there already."""

    files: int
    size: int
    before: int


class Left(NamedTuple):
    """Files of a run that are not at the address, and the last reason for it; None where it only took too long."""

    run_id: str
    files: int
    reason: str | None


class Sender:
    """Brings one run to a storage, by as many calls of `send` as it changes."""

    def __init__(self, run: Path, run_id: str, storage: Storage) -> None:
        self.run, self.run_id, self._storage = run, check_run_id(run_id), storage
        self.left = 0
        """Files that the last look found and could not send."""
        self._there: dict[str, tuple[int, int]] | None = None
        """Name -> size and CRC-32 of what is known to be at the address; None before it was asked."""
        self._known: dict[str, Identity | None] = {}
        self._kept_at, self._recorded = time.monotonic(), True
        self._before = self._files = self._bytes = 0

    def send(self, *, end: bool = False) -> Sent:
        """One look: sends what is new or has changed, and at the `end` the ledger in any case.

        Raises:
            RecordingError: the storage cannot be reached, holds another run of this id, or the folder cannot be read.
        """
        self._files = self._bytes = 0
        growing = {name: data for name in _GROWING if (data := self._read(name)) is not None}
        names = sorted(own_files(self.run)[0], key=order) if is_there(self.run) else []
        if not {*FIRST} & {*names}:
            return Sent(0, 0, 0)
        if self._there is None:
            self._there = self._begin(names)
        sizes = {name: size for name in names if name not in growing and (size := self._changed(name)) is not None}
        self.left = len(sizes) + len(growing)
        for batch in batches(sizes):
            self._send(batch, sizes)
        self._write({name: data for name, data in growing.items() if name != "status.json"})
        if "run.json" in names:
            self._remove_gone(names)
        if not self._recorded and (end or time.monotonic() > self._kept_at + LEDGER_SECONDS):
            self._keep_ledger()
        self._write({name: data for name, data in growing.items() if name == "status.json"})
        return Sent(self._files, self._bytes, self._before)

    def _begin(self, names: Sequence[str]) -> dict[str, tuple[int, int]]:
        """What is at the address already, as the ledger and a listing say; a run that is another one is not touched."""
        listed = self._storage.files(self.run_id, deep=True)
        if not listed:
            return {}
        self._check_same(listed)
        recorded = self._ledger(listed)
        there = {name: recorded.get(name, (-1, 0)) for name in listed if name != LEDGER}
        for name, (size, crc) in there.items():
            if name == "status.json" and name in names and listed[name].size <= MAX_STATUS:
                there[name] = _sum(self._storage.read(f"{self.run_id}/{name}", limit=MAX_STATUS))
            elif size != listed[name].size or name not in names:
                there[name] = (-1, 0)
            elif name not in _GROWING and _crc(self.run / name, size) == crc:
                self._known[name] = identity_at(self.run / name)
                self._before += 1
        return there

    def _check_same(self, listed: Mapping[str, Entry]) -> None:
        ours = self._read("run.json")
        if ours is None or "run.json" not in listed:
            return
        try:
            theirs = parse_info(self._storage.read(f"{self.run_id}/run.json", limit=MAX_INFO)).created
        except FileNotFoundError:
            return
        except RecordingError as error:
            raise RecordingError(
                f"What is at the address as {self.run_id} is no run that can be read, and it is not touched: {error} "
                f"({self._storage.url})."
            ) from error
        if theirs != parse_info(ours).created:
            raise RecordingError(
                f"There is another run {self.run_id} at the address, and it is not touched; give another address "
                f"({self._storage.url})."
            )

    def _ledger(self, listed: Mapping[str, Entry]) -> dict[str, tuple[int, int]]:
        """What was sent before; nothing of a ledger that is missing or damaged, which costs sending it again."""
        if LEDGER not in listed or listed[LEDGER].size > _MAX_LEDGER:
            return {}
        try:
            files = json.loads(self._storage.read(f"{self.run_id}/{LEDGER}", limit=_MAX_LEDGER))["files"]
            return {str(name): (int(size), int(crc)) for name, (size, crc) in files.items()}
        except (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return {}

    def _changed(self, name: str) -> int | None:
        """The size of a file that must be sent; None where it is there already, or is gone here."""
        if name.startswith(_FIXED) and name != "weights/LATEST" and name in self._known:
            return None  # written once: not even looked at
        now = identity_at(self.run / name)
        return None if now is None or self._known.get(name) == now else now[1]

    def _send(self, batch: Sequence[str], sizes: Mapping[str, int]) -> None:
        if len(batch) == 1 and sizes[batch[0]] >= IN_PARTS:
            name = batch[0]
            now, crc = identity_at(self.run / name), _crc(self.run / name, sizes[name])
            if now is None or crc is None:
                return
            self._storage.send(f"{self.run_id}/{name}", self.run / name)
            self._take_in(name, now, sizes[name], crc)
            return
        # What a file is known by is asked before it is read: one that changes in between is sent again.
        known = {name: identity_at(self.run / name) for name in batch}
        self._write({name: data for name in batch if (data := self._read(name)) is not None}, known)

    def _write(self, files: Mapping[str, bytes], known: Mapping[str, Identity | None] | None = None) -> None:
        assert self._there is not None
        new = {name: data for name, data in files.items() if self._there.get(name) != _sum(data)}
        if new:
            self._storage.write({f"{self.run_id}/{name}": data for name, data in new.items()})
        for name, data in files.items():
            if name in new:
                self._take_in(name, (known or {}).get(name), *_sum(data))
            else:
                self._known[name] = (known or {}).get(name)
                self.left -= 1

    def _take_in(self, name: str, identity: Identity | None, size: int, crc: int) -> None:
        assert self._there is not None
        self._known[name], self._there[name] = identity, (size, crc)
        self._files, self._bytes, self.left = self._files + 1, self._bytes + size, self.left - 1
        self._recorded &= name == "status.json"

    def _remove_gone(self, names: Sequence[str]) -> None:
        """Removes there what thinning removed here. Of a run that has lost all of its frames nothing is: that was no
        thinning, and what is left there may be all there is."""
        assert self._there is not None
        here = {*names}
        if not any(name.startswith("frames/") for name in here):
            return
        gone = [name for name in self._there if name.startswith(_THINNED) and name not in here]
        if gone:
            self._storage.remove([f"{self.run_id}/{name}" for name in gone])
        self._recorded &= not gone
        for name in gone:
            self._known.pop(name, None)
            del self._there[name]

    def _keep_ledger(self) -> None:
        assert self._there is not None
        sent = {name: one for name, one in self._there.items() if one[0] >= 0 and name != "status.json"}
        text = json.dumps({"format": 1, "files": sent}, separators=(",", ":"))
        self._storage.write({f"{self.run_id}/{LEDGER}": text.encode()})
        self._kept_at, self._recorded = time.monotonic(), True

    def _read(self, name: str) -> bytes | None:
        try:
            return read_plain(self.run / name, limit=most_bytes(name))
        except FileNotFoundError:
            return None
        except RecordingError as error:
            raise RecordingError(f"{name} cannot be sent: {error} ({self.run})") from error


class Mirror:
    """Keeps runs at an address up, in a thread of its own, from `start` to `close`; a `with` block does both.

    Args:
        runs: folder of each run -> its id there. A folder need not be there yet.
    """

    def __init__(self, runs: Mapping[Path, str], storage: Storage) -> None:
        self.url = storage.url
        self._senders = [Sender(path, run_id, storage) for path, run_id in runs.items()]
        self._reasons: dict[str, str] = {}
        self._pending = {sender.run_id for sender in self._senders}
        self._ending = threading.Event()
        self._gone = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ltviz-mirror", daemon=True)
        self._told = False

    def start(self) -> None:
        self._thread.start()

    def close(self, seconds: float | None = None) -> list[Left]:
        """Sends what is left, for `seconds` (`WAIT_SECONDS`) at most, and gives what is not there then."""
        self._ending.set()
        self._thread.join(WAIT_SECONDS if seconds is None else seconds)
        self._gone.set()
        late = [sender for sender in self._senders if sender.run_id in self._pending]
        return [Left(one.run_id, max(one.left, 1), self._reasons.get(one.run_id)) for one in late]

    def __enter__(self) -> Mirror:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        failed = 0
        while not self._gone.is_set():
            ending, began = self._ending.is_set(), time.monotonic()
            good = True
            for sender in self._senders:
                good = (self._gone.is_set() or self._send(sender, end=ending)) and good
            failed = 0 if good else failed + 1
            if not self._pending:
                return
            if not good:
                pause = min(PAUSE_SECONDS * 2 ** (failed - 1), LONGEST_PAUSE)
                # At the end somebody waits: what came back meanwhile is not to be missed by a long pause.
                (self._gone if ending else self._ending).wait(min(pause, PAUSE_SECONDS) if ending else pause)
            elif not ending:
                self._ending.wait(max(PAUSE_SECONDS, PAUSE_RATIO * (time.monotonic() - began)))

    def _send(self, sender: Sender, *, end: bool) -> bool:
        try:
            sender.send(end=end)
        except Exception as error:  # whatever it is, it must not end the thread, nor reach the trainer
            reason = str(error) if isinstance(error, LtvizError) else f"{type(error).__name__}: {redacted(error)}"
            self._reasons[sender.run_id] = reason
            if not self._told:
                log.warning(
                    "The mirror of %s is behind, and goes on trying; training does not wait: %s", sender.run_id, reason
                )
            self._told = True
            return False
        if self._reasons.pop(sender.run_id, None) is not None and not self._reasons:
            log.warning("The mirror is at work again.")
            self._told = False
        if end:
            self._pending.discard(sender.run_id)
        return True


def order(name: str) -> tuple[int, bool, str]:
    """The writer's order: what a frame needs, frames, and then what speaks of them."""
    return _RANKS.get(name.partition("/")[0], 4), name == "weights/LATEST", name


def _sum(data: bytes) -> tuple[int, int]:
    return len(data), zlib.crc32(data)


def _crc(path: Path, size: int) -> int | None:
    """CRC-32 of a file of `size` bytes, a part at a time; None where it is not one, or not readable."""
    try:
        with open_plain(path) as (descriptor, about):
            if about.st_size != size:
                return None
            crc = 0
            while chunk := read_bytes(descriptor, 1 << 20):
                crc = zlib.crc32(chunk, crc)
            return crc
    except (FileNotFoundError, RecordingError):
        return None
