"""The home of runs: which folders below it hold one, and the id by which an address names each of them.

Here and nowhere else an id becomes a path: it is checked first, and what it leads to must lie below the home.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import re
import threading
import time
from collections import deque
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from ltviz.errors import ConfigError
from ltviz.recording.frame import step_of
from ltviz.recording.index import SETTLED_NS, Contents, Index, Stamp, Summary, stamp_of
from ltviz.recording.names import LONGEST_ID, RUN_ID, check_run_id, typed_path
from ltviz.recording.own import FOLDERS
from ltviz.recording.recording import Recording

DEEPEST = 8
"""Folders of folders below a home that are looked into."""
MOST_FOLDERS = 200_000
"""Folders that one look takes at most: a home that is somebody's whole disk must not hold up a page."""
_OWN_FILES = {"run.json", "status.json"}
_MADE = re.compile(r"[a-z0-9-]+-x[0-9a-f]{8}")
_DIGITS = 8


def run_id_of(folder: str) -> str:
    """The id of the run in `folder`, its path below the home with forward slashes.

    A folder in the home itself whose name is a run id goes by its name. Any other goes by what an address can hold of
    its path, its end where it is long, and 8 hexadecimal digits of the path's SHA-256: the same folder always has the
    same id, and two folders have two.

        >>> run_id_of("my-run"), run_id_of("ce"), run_id_of("seeds/lr=0.1,bs=64")
        ('my-run', 'ce-xe64c826b', 'seeds-lr-0-1-bs-64-x4365aedb')
    """
    if RUN_ID.fullmatch(folder):
        return folder
    kept = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[-(LONGEST_ID - _DIGITS - 2) :].strip("-")
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:_DIGITS]
    return f"{kept or 'run'}-x{digest}"


class Skipped(NamedTuple):
    """A folder below the home (its path there) that is not looked into, and why: a part of a sentence."""

    folder: str
    reason: str


class Found(NamedTuple):
    """What one look at a home finds."""

    runs: dict[str, str]
    """Id -> folder below the home, with forward slashes."""
    skipped: tuple[Skipped, ...]


class Home:
    """The folder `root` of run folders, which need not exist yet. Objects are meant to be kept: a second look is quick.

    A run may lie in a folder of any name, at most `DEEPEST` folders down. Hidden folders are passed over, and links to
    folders are followed only with `follow_links`.

    >>> import tempfile
    >>> home = Home(tempfile.mkdtemp())
    >>> (home.root / "my-run").mkdir()
    >>> (home.root / "my-run" / "run.json").touch()
    >>> home.find("my-run").path == home.root / "my-run", home.find("another")
    (True, None)
    """

    def __init__(self, root: str | os.PathLike[str], *, follow_links: bool = False) -> None:
        self.root = Path(root)
        self.follow_links = follow_links
        self._guard = threading.RLock()
        self._found = Found({}, ())
        self._index = Index(self.root)
        self._seen: dict[str, tuple[Stamp, Contents]] | None = None

    @classmethod
    def at(cls, place: Home | str | os.PathLike[str]) -> Home:
        """The home at a path; one that is a home already as it is, with all it knows."""
        return place if isinstance(place, Home) else cls(place)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def name(self) -> str:
        """What a person knows it by."""
        return str(self.root)

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed in it."""
        return False

    def close(self) -> None:
        """Gives back what it holds."""

    def want(self, run_id: str) -> None:
        """Somebody looks at a run: a home whose runs are elsewhere has it brought."""

    def look(self) -> Found:
        """Walks through the folders; one that has not changed since the last look is not opened again."""
        with self._guard:
            before = self._index.load() if self._seen is None else self._seen
            walk = _Walk(self.root, self.follow_links, before)
            self._found, self._seen = walk.found(), walk.seen
            return self._found

    def summaries(self) -> list[Summary]:
        """What a list says of every run, newest first; only a run that is new, has changed or is live is opened."""
        with self._guard, _without_collector():
            found = self.look()
            assert self._seen is not None
            summaries = self._index.summaries(found.runs, self._seen, keep=not self.follow_links)
        return sorted(summaries, key=attrgetter("created", "run_id"), reverse=True)

    def recordings(self) -> list[Recording]:
        """All runs, newest first, each going by its id; opens what `summaries` does."""
        return [self.recording(run) for run in self.summaries()]

    def recording(self, run: Summary) -> Recording:
        """The run that a summary is of."""
        return Recording(self.root / run.folder, run_id=run.run_id)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What the last look passed over, and why."""
        return self._found.skipped

    def folder(self, run_id: str) -> Path:
        """Folder of the run `run_id`, which need not exist yet.

        Raises ConfigError for an id outside the pattern, and for a folder that leads out of the home by a link.
        """
        check_run_id(run_id)
        folder = run_id
        if _MADE.fullmatch(run_id) and not os.path.lexists(self.root / run_id):
            folder = self._folder_of(run_id) or run_id
        root = self.root.resolve()
        if self.follow_links:
            return root / folder
        path = (root / folder).resolve()
        if not path.is_relative_to(root):
            raise ConfigError(
                f"The run '{run_id}' is a link out of the home of runs and is not opened; copy it in instead, "
                "or follow links with --follow-links."
            )
        return path

    def find(self, name: str) -> Recording | None:
        """The run that a person means: by its id, its folder below the home, or a path from where they are."""
        if RUN_ID.fullmatch(name) and (recording := Recording(self.folder(name), run_id=name)).exists:
            return recording
        for path in (self.root / name, typed_path(name)):
            if (recording := Recording(path, run_id=self._id_at(path))).exists:
                return recording
        return None

    def place(self, recording: Recording) -> str:
        """Where a run lies: its folder below the home, with forward slashes; the whole path where it is elsewhere."""
        return self._below(recording.path) or str(recording.path)

    def _folder_of(self, run_id: str) -> str | None:
        known = self._found.runs.get(run_id)
        if known is not None and (self.root / known).is_dir():
            return known
        return self.look().runs.get(run_id)

    def _id_at(self, path: Path) -> str | None:
        below = self._below(path)
        return None if below is None else run_id_of(below)

    def _below(self, path: Path) -> str | None:
        """The way from the home down to `path`, with forward slashes; None where it does not lie below."""
        # As it is written first: a link that the home holds, and that is followed, goes by its own name.
        for here, root in ((path.absolute(), self.root.absolute()), (path.resolve(), self.root.resolve())):
            if here != root and here.is_relative_to(root) and ".." not in (below := here.relative_to(root)).parts:
                return below.as_posix()
        return None


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Keeps Python's collector from searching a hundred thousand new rows for circles, of which they have none: while
    they are made it would take as long again, a second."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class _Walk:
    """One look through a home. `seen` is what every folder held, for the next one."""

    def __init__(self, root: Path, follow_links: bool, before: dict[str, tuple[Stamp, Contents]]) -> None:
        self._root, self._follow, self._before = os.fspath(root), follow_links, before
        self.seen: dict[str, tuple[Stamp, Contents]] = {}
        self._skipped: list[Skipped] = []
        self._places: dict[tuple[int, int], str] = {}
        self._now = time.time_ns()

    def found(self) -> Found:
        """The runs and what was passed over, both by folder."""
        runs, looked = [], 0
        waiting: deque[str] = deque([""])
        links: deque[str] = deque()  # after all else: a run that is here and also linked to goes by its own folder
        while waiting or links:
            folder = (waiting or links).popleft()
            if looked >= MOST_FOLDERS:
                self._skipped.append(Skipped(folder, f"the search ended after {MOST_FOLDERS:,} folders"))
                break
            looked += 1
            if (contents := self._open(folder)) is None:
                continue
            if contents.run and folder:
                runs.append(folder)
            elif contents.run:
                self._skipped.append(Skipped(".", "the home is the folder of a run itself; give the folder above it"))
            if not (contents.folders or contents.links):
                continue
            below = f"{folder}/" if folder else ""
            if folder.count("/") + 1 >= DEEPEST:
                self._skipped.append(Skipped(folder, f"folders more than {DEEPEST} deep are not looked into"))
                continue
            waiting.extend(below + name for name in contents.folders)
            if self._follow:
                links.extend(below + name for name in contents.links)
            else:
                self._skipped += [Skipped(below + name, self._link(below + name)) for name in contents.links]
        return self._named(sorted(runs))

    def _named(self, folders: list[str]) -> Found:
        runs = {folder: folder for folder in folders if RUN_ID.fullmatch(folder)}
        for folder in folders if len(runs) < len(folders) else ():
            if runs.setdefault(run_id_of(folder), folder) != folder:
                self._skipped.append(Skipped(folder, f"its id is the name of another run, {run_id_of(folder)}"))
        return Found(runs, tuple(sorted(self._skipped)))

    def _open(self, folder: str) -> Contents | None:
        path = f"{self._root}/{folder}" if folder else self._root
        try:
            about = os.stat(path)  # noqa: PTH116 a Path takes longer than the call
            if self._follow:
                same = self._places.setdefault((about.st_dev, about.st_ino), folder)
                if same != folder:
                    self._skipped.append(Skipped(folder, f"a link to {same or 'the home'}, which is here already"))
                    return None
            known = self._before.get(folder)
            stamp = stamp_of(about)
            contents = known[1] if known and known[0] == stamp else _read(path)
        except (FileNotFoundError, NotADirectoryError):  # gone meanwhile, or a home that is not there yet
            return None
        except OSError as error:
            self._skipped.append(Skipped(folder or ".", f"it cannot be looked into ({error.strerror})"))
            return None
        # A folder that changed just now may change again without another stamp: the next look opens it once more.
        self.seen[folder] = (stamp if about.st_mtime_ns < self._now - SETTLED_NS else "", contents)
        return contents

    def _link(self, folder: str) -> str:
        try:
            target = str(Path(self._root, folder).readlink())
        except OSError:
            target = "another folder"
        return f"a link to {target}, and links are followed only with --follow-links"


def _read(path: str) -> Contents:
    run, folders, links = False, [], []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name in _OWN_FILES:
                run = True
            elif entry.name.startswith("."):
                continue
            elif entry.is_symlink():
                with contextlib.suppress(OSError):  # links in a circle lead nowhere
                    links += [entry.name] if entry.is_dir() else []
            elif entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
    run = run or ("frames" in folders and _holds_frames(f"{path}/frames"))
    kept = FOLDERS if run else ()
    return Contents(
        run,
        tuple(sorted(name for name in folders if name not in kept)),
        tuple(sorted(name for name in links if name not in kept)),
    )


def _holds_frames(path: str) -> bool:
    """Whether a folder `frames` is a run's: a film's goes by that name as well."""
    with os.scandir(path) as entries:
        return any(step_of(entry.name) is not None for entry in entries)


def list_runs(home: str | os.PathLike[str]) -> list[Recording]:
    """The runs below `home`, newest first, in folders of any name; see `Home`.

    >>> import tempfile
    >>> home = Path(tempfile.mkdtemp())
    >>> (home / "seeds" / "run_0").mkdir(parents=True)
    >>> (home / "seeds" / "run_0" / "run.json").touch()
    >>> [recording.run_id for recording in list_runs(home)]
    ['seeds-run-0-x6cffa8bb']
    """
    return Home(home).recordings()


def run_path(home: str | os.PathLike[str], run_id: str) -> Path:
    """Folder of the run `run_id` below `home`, which need not exist yet.

    Raises ConfigError for an id outside the pattern, and for a folder that leads out of `home` by a link.

    >>> run_path("checkpoints", "my-run").parts[-2:]
    ('checkpoints', 'my-run')
    """
    return Home(home).folder(run_id)
