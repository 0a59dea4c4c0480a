"""What the runs of a home say, kept so that a list of ten thousand opens none of them again.

The folders are what counts: a run is taken from here only while its folder, run.json, status.json and notes.json are
the very files that were read, by inode, size and both times. The file of a home that has many runs, .ltviz/index.json,
may be deleted at any time; one that is damaged, older or from elsewhere is made again, and a home that may not be
written goes without.
"""

from __future__ import annotations

import json
import logging
import os
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ltviz.errors import RecordingError
from ltviz.recording.files import read_plain, write_whole
from ltviz.recording.info import ACTIVE
from ltviz.recording.notes import read_notes
from ltviz.recording.recording import Recording

RULES = 1
"""Raised when a summary says something else than before."""
WORTH_KEEPING = 250
"""Runs read anew that make a new file worth its while; a home with fewer runs has none."""
SETTLED_NS = 3_000_000_000
"""What changed later than this long before it was read may change again without another time: some disks keep
seconds."""
_MAX_INDEX = 1 << 30
_FOLDER, _FILE = ".ltviz", "index.json"
_READ = ("run.json", "status.json", "notes.json")

log = logging.getLogger("ltviz")

Stamp = str
"""Inode, size, time of the last change of the contents, and of anything; empty where there is nothing. One text, not
four numbers in a list: of a hundred thousand runs, the search for circles among those took longer than all else."""


class Summary(NamedTuple):
    """What a list of runs says of one. `state` and `reason` are those of `Recording.status`."""

    run_id: str
    folder: str
    """Its place below the home, with forward slashes; the whole path where it lies elsewhere."""
    created: float
    method: str | None
    title: str
    race: str | None
    data: str | None
    dim: int | None
    seed: int | None
    imbalance_factor: float | None
    total_steps: int | None
    tags: tuple[str, ...]
    note: str
    state: str
    reason: str | None
    step: int | None
    problem: str | None
    """Why run.json cannot be read: then nothing but the state is known, and `created` is the folder's last change."""
    notes_problem: str | None
    """Why notes.json cannot be read."""


class Contents(NamedTuple):
    """What is to be known of one folder: whether it holds a run, and the folders and links to folders in it."""

    run: bool
    folders: tuple[str, ...]
    links: tuple[str, ...]


_ONLY_A_RUN = Contents(True, (), ())


def stamp_of(about: os.stat_result) -> Stamp:
    """What a file or folder is known again by."""
    return f"{about.st_ino} {about.st_size} {about.st_mtime_ns} {about.st_ctime_ns}"


def changed(path: Path) -> float:
    """Unix seconds of a folder's last change, 0 where there is none."""
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def summarise(recording: Recording, folder: str) -> Summary:
    """What the files of a run say now."""
    status, info, notes, problem, notes_problem = recording.status(), None, None, None, None
    try:
        info = recording.info
    except RecordingError as error:  # a worker that died at start leaves a status and nothing else
        problem = str(error)
    try:
        notes = read_notes(recording.path)
    except RecordingError as error:
        notes_problem = str(error)
    return Summary(
        run_id=recording.run_id,
        folder=folder,
        created=info.created if info else changed(recording.path),
        method=info and info.method,
        title=info.title if info else "",
        race=info and info.race,
        data=info and info.data,
        dim=info and info.dim,
        seed=info and info.seed,
        imbalance_factor=info and info.imbalance_factor,
        total_steps=info and info.total_steps,
        tags=notes.tags if notes else (),
        note=notes.note if notes else "",
        state=status.state,
        reason=status.reason,
        step=status.step,
        problem=problem,
        notes_problem=notes_problem,
    )


_TAGS = Summary._fields.index("tags") - 2
"""Where they stand in a row's summary, which begins after the id and the folder."""


class Index:
    """The summaries of the runs below `root`, and the stamps of what they were read from."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._rows: dict[str, list[Any]] = {}  # folder -> its stamp, those of the files read, its contents, its summary
        self._fresh: set[str] = set()
        self._anew = 0
        self._writable = True

    def load(self) -> dict[str, tuple[Stamp, Contents]]:
        """Reads the file of the home, if there is a sound one, and gives what it knows of folders that hold a run."""
        try:
            head, _, body = read_plain(self._root / _FOLDER / _FILE, limit=_MAX_INDEX).partition(b"\n")
            if head != _head(body):
                return {}
            rows, known = json.loads(body), {}
            for folder, row in rows.items():
                known[folder] = row[0], Contents(True, *map(tuple, row[2])) if row[2] else _ONLY_A_RUN
                row[3][_TAGS] = tuple(row[3][_TAGS])
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError, RecordingError):
            return {}  # a stranger's home may hold anything; what fits in shape is held against the folders' stamps
        self._rows = rows
        return known

    def summaries(
        self, runs: Mapping[str, str], seen: Mapping[str, tuple[Stamp, Contents]], *, keep: bool
    ) -> list[Summary]:
        """A summary of each run, id -> folder. `seen` is the walk's; with `keep` the file may be written."""
        root, rows, found = os.fspath(self._root), {}, []
        for run_id, folder in runs.items():
            stamp, contents = seen[folder]
            row = self._rows.get(folder)
            if row is None or not self._is_known(row, stamp, f"{root}/{folder}"):
                row = self._read(folder, run_id, stamp, contents)
            elif row[0] != stamp:
                row[0], row[2] = stamp, _inside(contents)
            if not _is_resting(row[3]):
                row[3][-5:-2] = _now(self._root / folder)
            rows[folder] = row
            found.append(Summary(run_id, folder, *row[3]))
        self._rows = rows
        if keep and self._writable and self._anew >= max(WORTH_KEEPING, len(rows) // 50):
            self._save()
        return found

    @staticmethod
    def _is_known(row: list[Any], stamp: Stamp, path: str) -> bool:
        """Whether a row's files are those it was read from; a folder that changed may hold one more."""
        return row[1] == _stamps(path, row[1] if stamp and row[0] == stamp else None)

    def _read(self, folder: str, run_id: str, stamp: Stamp, contents: Contents) -> list[Any]:
        path, now = self._root / folder, time.time_ns()
        stamps = _stamps(str(path), None)
        summary = summarise(Recording(path, run_id=run_id), folder)
        # What changed just now may change again without another stamp: no other process is to know it by this one.
        settled = all(int(one.split()[2]) < now - SETTLED_NS for one in (stamp, *stamps) if one)
        (self._fresh.discard if settled else self._fresh.add)(folder)
        self._anew += settled and summary.problem is None and summary.state not in ACTIVE
        return [stamp, stamps, _inside(contents), list(summary[2:])]

    def _save(self) -> None:
        """Writes what is settled; a home that may not be written is said once, and left alone."""
        self._anew = 0
        sound = {
            folder: row
            for folder, row in self._rows.items()
            if row[0] and folder not in self._fresh and row[3][-2] is row[3][-1] is None
        }
        body = json.dumps(sound, separators=(",", ":")).encode("utf-8", "surrogatepass")
        try:
            (self._root / _FOLDER).mkdir(exist_ok=True)
            write_whole(self._root / _FOLDER / _FILE, _head(body) + b"\n" + body)
        except (OSError, RecordingError) as error:
            self._writable = False
            log.info("The list of runs is read anew by every program, as it cannot be kept: %s", error)


def _head(body: bytes) -> bytes:
    return f"ltviz index {RULES} {zlib.crc32(body):08x}".encode()


def _stamps(folder: str, known: list[Stamp] | None) -> list[Stamp]:
    """Stamps of the files that a summary is read from; a file that the folder, which is unchanged, did not hold when
    these were `known` is not looked for."""
    found = []
    for number, name in enumerate(_READ):
        try:
            look = known is None or known[number]
            found.append(stamp_of(os.stat(f"{folder}/{name}")) if look else "")  # noqa: PTH116 a Path takes longer
        except OSError:
            found.append("")
    return found


def _inside(contents: Contents) -> list[tuple[str, ...]] | None:
    return [contents.folders, contents.links] if contents.folders or contents.links else None


def _is_resting(values: list[Any]) -> bool:
    """Whether the files alone say how a run is doing: else it is asked whether its writer lives."""
    return values[-5] in ("finished", "failed")


def _now(path: Path) -> list[Any]:
    status = Recording(path).status()
    return [status.state, status.reason, status.step]
