"""What of a run at an address is here: brought file by file, each whole or not at all, and known by what the storage
tells of it.

The storage may be a stranger's: only files under the names that a run has are looked at, none longer than its reader
takes, and no link is followed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import re
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from ltviz.errors import RecordingError
from ltviz.recording.files import is_there, make_folder, read_plain, write_whole
from ltviz.recording.info import ACTIVE, parse_status
from ltviz.recording.lock import RunLock
from ltviz.recording.mirror import order
from ltviz.recording.own import is_own_file, most_bytes, own_files, remove_own
from ltviz.recording.recording import MAX_STATUS, Recording
from ltviz.recording.storage import Entry, Storage, batches

RESTING_SECONDS = 60.0
"""For so long a list believes what it knows of a run that has ended."""
BEAT_SECONDS = 30.0
"""A writer whose sign of life has not changed for so long is taken for dead: it comes by a mirror, and then by us."""
_SPARE = 64 << 20
_MAX_TAGS = 64 << 20
_SMALL = {"run.json": most_bytes("run.json"), "status.json": MAX_STATUS, "notes.json": 4 << 20}
_GROWS = 65_536
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)
_FIRST = {"probe.safetensors": 0, "attributes.safetensors": 0, "run.json": 1, "status.json": 2}

log = logging.getLogger("ltviz")


class Copies:
    """Copies in the folder `root` of the runs in a storage. Any thread may use it."""

    def __init__(self, storage: Storage, root: Path) -> None:
        self.storage, self.root = storage, root
        self._guards: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._tags: dict[str, dict[str, str]] = {}
        self._rested: dict[str, float] = {}
        self._beats: dict[str, tuple[float, float]] = {}
        self._locks: dict[str, RunLock] = {}

    def close(self) -> None:
        """Holds no writer's place any more."""
        for run_id in list(self._locks):
            self._locks.pop(run_id).release()

    def look_at(self, run_id: str) -> None:
        """Brings what a list says of a run; RecordingError where it cannot be had."""
        with self._guards[run_id]:
            if time.monotonic() < self._rested.get(run_id, 0.0):
                return
            found = self.storage.files(run_id)
            if not {"run.json", "status.json"} & found.keys():
                if is_there(self.root / run_id):
                    self.forget(run_id)
                return
            entries = {name: found[name] for name in _SMALL if name in found}
            self._take(run_id, {name: one for name, one in entries.items() if self._is_new(run_id, name, one)})
            self._stand_in(run_id)
            if self.state(run_id) not in ACTIVE:
                self._rested[run_id] = time.monotonic() + RESTING_SECONDS

    def bring(self, run_id: str, seconds: float = math.inf) -> bool:
        """Brings all of a run but its weights, for so long at most; whether it is whole. RecordingError where it cannot
        be had."""
        with self._guards[run_id]:
            began, path = time.monotonic(), self.root / run_id
            found = self.storage.files(run_id, deep=True)
            entries = {name: one for name, one in found.items() if _is_brought(name)}
            if not entries:
                if is_there(path):
                    self.forget(run_id)
                return True
            here = {*own_files(path)[0]} if is_there(path) else set()
            new = {n: one for n, one in entries.items() if n not in here or self._is_new(run_id, n, one)}
            self._check_room(sum(one.size for one in new.values()))
            make_folder(path / "frames")
            first, later = _in_order(new)
            for batch in (first, *batches({name: new[name].size for name in later})):
                self._take(run_id, {name: new[name] for name in batch})
                if time.monotonic() > began + seconds:
                    self._stand_in(run_id)
                    return False
            for name in here - entries.keys():
                if not name.startswith("projections/"):  # drawn here
                    (path / name).unlink(missing_ok=True)
            self._stand_in(run_id)
            return True

    def has_brought(self, run_id: str) -> bool:
        """Whether what is here of a run, if anything, was brought from the address."""
        return self._tag_file(run_id).exists()

    def take_in(self, run_id: str) -> bool:
        """Brings a run that is to stay: weights too, in the writer's order, and last status.json, as it was before the
        look. Notes stay those that were made here. Whether there is such a run; RecordingError where it cannot be had.
        """
        with self._guards[run_id]:
            try:
                status = self.storage.read(f"{run_id}/status.json", limit=MAX_STATUS)
            except FileNotFoundError:
                return False
            found = {n: one for n, one in self.storage.files(run_id, deep=True).items() if _is_taken_in(n)}
            if "run.json" not in found:
                return False
            path = self.root / run_id
            here = {*own_files(path)[0]} if is_there(path) else set()
            new = {n: found[n] for n in sorted(found, key=order) if n not in here or self._is_new(run_id, n, found[n])}
            self._check_room(sum(one.size for one in new.values()))
            for batch in batches({name: one.size for name, one in new.items()}):
                self._take(run_id, {name: new[name] for name in batch})
            for name in here - found.keys():
                if name.startswith(("frames/", "weights/")):  # thinned there
                    (path / name).unlink(missing_ok=True)
            write_whole(path / "status.json", status)
            self._stand_in(run_id)
            return True

    def _take(self, run_id: str, entries: Mapping[str, Entry]) -> None:
        """Brings files, each whole or not at all; one that is longer than its reader takes is left out."""
        path, sizes = self.root / run_id, {}
        for name, one in entries.items():
            if one.size > _SMALL.get(name, most_bytes(name)):
                log.warning("%s of %s holds %s bytes and is not brought.", name, run_id, f"{one.size:,}")
            else:  # what is replaced just now may be longer than it was listed
                sizes[f"{run_id}/{name}"] = one.size + (_GROWS if one.size and name.endswith(".json") else 0)
        tags = self._tags_of(run_id)
        for place, data in self.storage.read_all(sizes).items():
            name = place.partition("/")[2]
            one = entries[name]
            if len(data) != one.size and name.endswith(".safetensors"):
                continue  # another one by now: the next look lists it anew
            make_folder((path / name).parent)
            write_whole(path / name, data)
            tags[name] = _tag(one) or ""
        if sizes:
            make_folder(self.root / ".ltviz" / "tags")
            write_whole(self._tag_file(run_id), json.dumps(tags, separators=(",", ":")).encode())

    def _is_new(self, run_id: str, name: str, entry: Entry) -> bool:
        """Whether a file must be brought: the one here, if there is one, is not the one that is listed."""
        known = self._tags_of(run_id).get(name)
        return not known or known != _tag(entry) or not is_there(self.root / run_id / name)

    def _tags_of(self, run_id: str) -> dict[str, str]:
        """What the files here were known by at the address when they were brought; nothing of a damaged file."""
        if run_id not in self._tags:
            found: object = {}
            with contextlib.suppress(FileNotFoundError, RecordingError, ValueError, RecursionError):
                found = json.loads(read_plain(self._tag_file(run_id), limit=_MAX_TAGS))
            sound = isinstance(found, dict) and all(isinstance(tag, str) for tag in found.values())
            self._tags[run_id] = dict(found) if isinstance(found, dict) and sound else {}
        return self._tags[run_id]

    def _tag_file(self, run_id: str) -> Path:
        return self.root / ".ltviz" / "tags" / f"{run_id}.json"

    def _check_room(self, needed: int) -> None:
        free = shutil.disk_usage(self.root).free
        if needed and free < needed + _SPARE:
            raise RecordingError(
                f"What is to be brought takes {needed / 1e6:.1f} MB, and {free / 1e6:.1f} are free; make room, or name "
                f"another folder in XDG_CACHE_HOME ({self.root})."
            )

    def state(self, run_id: str) -> str:
        """How a run was doing when it was last brought."""
        return Recording(self.root / run_id).status().state

    def _stand_in(self, run_id: str) -> None:
        """Holds the run's lock for as long as its writer, elsewhere, gives signs of life."""
        try:
            status = parse_status(read_plain(self.root / run_id / "status.json", limit=MAX_STATUS))
        except (FileNotFoundError, RecordingError):
            return
        now = time.monotonic()
        beat, seen = self._beats.get(run_id, (0.0, now - max(0.0, time.time() - status.beat)))
        if beat and beat != status.beat:
            seen = now
        self._beats[run_id] = status.beat, seen
        lives = status.state in ACTIVE and now - seen <= BEAT_SECONDS
        if lives and run_id not in self._locks:
            with contextlib.suppress(RecordingError):  # another program stands in already
                self._locks[run_id] = RunLock.acquire(self.root / run_id / "lock")
        elif not lives and run_id in self._locks:
            self._locks.pop(run_id).release()

    def forget(self, run_id: str) -> None:
        """Deletes what was brought of a run that is not at the address any more."""
        for known in (self._tags, self._rested, self._beats):
            known.pop(run_id, None)
        if run_id in self._locks:
            self._locks.pop(run_id).release()
        self._tag_file(run_id).unlink(missing_ok=True)
        remove_own(self.root / run_id)


def _is_brought(name: str) -> bool:
    """Whether a file at the address is one of a run that its readers need, by a name that every disk can hold."""
    kept = name.startswith(("weights/", "projections/", "damaged/"))
    return is_own_file(name) and not kept and not any(map(is_reserved, name.split("/")))


def _is_taken_in(name: str) -> bool:
    """Whether a file at the address is one of a run that is to stay here; of its status and notes more is known."""
    left = name in ("status.json", "notes.json") or name.startswith("damaged/")
    return is_own_file(name) and not left and not any(map(is_reserved, name.split("/")))


def is_reserved(name: str) -> bool:
    """Whether a name is a device's on some system."""
    return _RESERVED.fullmatch(name) is not None


def _tag(entry: Entry) -> str | None:
    return None if entry.tag is None else f"{entry.size} {entry.tag}"


def _in_order(names: Mapping[str, Entry]) -> tuple[list[str], list[str]]:
    """What a first picture needs, up to the newest frame; and frames all over the run, more and more, and the rest."""
    frames = sorted((name for name in names if name.startswith("frames/")), reverse=True)
    spread: dict[str, None] = {}
    for stride in (256, 64, 16, 4, 1):
        spread |= dict.fromkeys(frames[::stride])
    others = [name for name in names if not name.startswith("frames/")]
    first = sorted((name for name in others if name in _FIRST), key=lambda name: _FIRST[name])
    return [*first, *frames[:1]], [*[*spread][1:], *sorted(name for name in others if name not in _FIRST)]
