"""Runs at an address of fsspec, read by whatever reads runs: what is asked for is brought into a folder of this
machine.

That folder, one an address in the user's cache, is a home like any other, and may be deleted at any time. Lists bring
run.json, status.json and notes of each run; opening one brings its frames, the newest first. Weights stay where they
are. Nothing is ever changed at the address. While the writer of a run gives signs of life there, its lock is held here
in its stead, so that every reader sees it running, and nobody goes on writing it here.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ltviz.errors import ConfigError, RecordingError
from ltviz.recording.copies import Copies, is_reserved
from ltviz.recording.files import is_there, make_folder
from ltviz.recording.home import Found, Home, Skipped
from ltviz.recording.index import Summary
from ltviz.recording.info import ACTIVE
from ltviz.recording.names import RUN_ID, cache_home, check_run_id, is_url, slug
from ltviz.recording.recording import Recording
from ltviz.recording.storage import Storage

LIST_SECONDS = 5.0
"""For so long a list of the address is believed."""
FOLLOW_SECONDS = 2.0
"""Between two looks at a run that is written."""
SLICE_SECONDS = 2.0
"""Of bringing one run, before the next one that somebody waits for has its turn."""
FIRST_SECONDS = 3.0
"""What a page waits for the first list."""
MOST_LISTED = 10_000
MOST_FOLLOWED = 16
_TOGETHER = 16

log = logging.getLogger("ltviz")


class RemoteHome(Home):
    """The runs directly in the folder at `url`.

    Args:
        cache: where they are brought; a folder of the address in the user's cache where None.
        waits: whether whoever asks for a run waits until it is whole, as a command does. A page does not: it is shown
            what is there already, and a thread brings the rest.

    Raises:
        ConfigError: no address that can be used.
        RecordingError: a cache that cannot be written.
    """

    def __init__(self, url: str, *, cache: Path | None = None, waits: bool = True) -> None:
        self.storage, self.waits = Storage(url), waits
        root = (cache or cache_home() / "remote" / _folder_name(self.storage.url)).resolve()
        for made in make_folder(root)[-1:]:
            with contextlib.suppress(OSError):
                made.chmod(0o700)  # who may read a bucket is not for the disk to widen
        super().__init__(root)
        self._copies = Copies(self.storage, root)
        self._listing, self._waking = threading.RLock(), threading.Condition()
        self._until = 0.0
        self._listed = threading.Event()
        self._asked = self._closed = False
        self._wanted: dict[str, float] = {}
        self._left_out: dict[str, Skipped] = {}
        self._thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        """The address."""
        return self.storage.url

    @property
    def read_only(self) -> bool:
        """Always: what is brought here is a copy."""
        return True

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What is left out of the list, and why; also that the address cannot be reached."""
        return (*self._left_out.values(), *super().skipped)

    def look(self) -> Found:
        """What is at the address, as it was `LIST_SECONDS` ago at most; where that is not known, what was brought."""
        if self.waits:
            self.refresh()
        else:
            self._ask(None)
            self._listed.wait(FIRST_SECONDS)
        return super().look()

    def folder(self, run_id: str) -> Path:
        """Folder of the run `run_id` here, which need not exist yet. ConfigError for an id outside the pattern."""
        return self.root / check_run_id(run_id)

    def find(self, name: str) -> Recording | None:
        """As `Home.find`; a run of the address is brought."""
        if RUN_ID.fullmatch(name):
            self.want(name)
        return super().find(name)

    def recording(self, run: Summary) -> Recording:
        """The run that a summary is of, brought."""
        self.want(run.run_id)
        return super().recording(run)

    def want(self, run_id: str) -> None:
        """Has a run brought, and followed while it is written: at once where who asks waits, else by a thread."""
        check_run_id(run_id)
        if self.waits:
            self.bring(run_id)
        else:
            self._ask(run_id)

    def bring(self, run_id: str) -> None:
        """Brings all of a run but its weights. RecordingError where it cannot be had, and was not brought before."""
        try:
            self._copies.bring(check_run_id(run_id))
        except RecordingError as error:
            if not Recording(self.root / run_id).exists:
                raise
            log.warning("What is shown of %s was brought before, and may be old: %s", run_id, error)

    def refresh(self) -> None:
        """Brings the list. RecordingError where it cannot be had, and nothing was brought before."""
        with self._listing:
            if time.monotonic() < self._until:
                return
            try:
                found = self.storage.folders()
            except RecordingError as error:
                self._until = time.monotonic() + LIST_SECONDS
                if self.waits and not any(self.root.glob("*/run.json")):
                    raise
                self._left_out = {"": Skipped(self.storage.url, f"shown is what was brought before: {error}")}
                return
            runs = [name for name in found if RUN_ID.fullmatch(name) and not is_reserved(name)]
            odd = [name for name in found if name not in {*runs} and not name.startswith(".")]
            left_out = {name: Skipped(name, "its name is no id of a run") for name in odd}
            for name in runs[MOST_LISTED:]:
                left_out[name] = Skipped(name, f"at most {MOST_LISTED:,} runs of an address are listed")
            self._left_out = left_out
            with ThreadPoolExecutor(_TOGETHER, "ltviz-list") as pool:
                list(pool.map(self._look_at, runs[:MOST_LISTED]))
            for gone in {path.name for path in self.root.iterdir() if RUN_ID.fullmatch(path.name)} - {*runs}:
                self._copies.forget(gone)
            self._until = time.monotonic() + LIST_SECONDS

    def close(self) -> None:
        """Ends the thread, and holds no writer's place any more."""
        with self._waking:
            self._closed = True
            self._waking.notify_all()
        if self._thread is not None:
            self._thread.join(5)
        self._copies.close()

    def _look_at(self, run_id: str) -> None:
        try:
            self._copies.look_at(run_id)
        except RecordingError as error:
            self._left_out[run_id] = Skipped(run_id, str(error))

    # ------------------------------------------------------------------ the thread of a page

    def _ask(self, run_id: str | None) -> None:
        with self._waking:
            if run_id is None:
                self._asked = True
            else:
                self._wanted.pop(run_id, None)
                self._wanted[run_id] = 0.0
                while len(self._wanted) > MOST_FOLLOWED:
                    self._wanted.pop(next(iter(self._wanted)))
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="ltviz-remote", daemon=True)
                self._thread.start()
            self._waking.notify_all()

    def _work(self) -> None:
        while True:
            with self._waking:
                now = time.monotonic()
                due = min(self._wanted.values(), default=now + LIST_SECONDS) - now
                if not self._asked and due > 0 and not self._closed:
                    self._waking.wait(due)
                if self._closed:
                    return
                asked, self._asked = self._asked, False
                now = time.monotonic()
                wanted = [run_id for run_id, when in reversed(self._wanted.items()) if when <= now]
            try:
                for run_id in wanted:
                    self._follow(run_id)
                if asked:
                    self.refresh()
            except Exception as error:  # a stranger's storage must not end what is shown of others
                log.warning("The runs at %s cannot be listed: %s", self.storage.url, error)
            finally:
                if asked:
                    self._listed.set()

    def _follow(self, run_id: str) -> None:
        """One turn of a run that somebody looks at; of one that has ended and is whole it was the last."""
        again, whole = FOLLOW_SECONDS, False
        try:
            whole = self._copies.bring(run_id, SLICE_SECONDS)
            again = (FOLLOW_SECONDS if is_there(self.root / run_id) else LIST_SECONDS) if whole else 0.0
        except Exception as error:
            again = LIST_SECONDS
            log.warning("%s cannot be brought for now: %s", run_id, error)
        rests = whole and is_there(self.root / run_id / "status.json") and self._copies.state(run_id) not in ACTIVE
        with self._waking:
            if rests:
                self._wanted.pop(run_id, None)
            elif run_id in self._wanted:
                self._wanted[run_id] = time.monotonic() + again


_opened: dict[str, RemoteHome] = {}


def open(place: str | Path) -> Recording:
    """The run in a folder, or at an address of fsspec, from where it is brought; of a live one, as far as it is: asked
    again, it brings what is new.

    Raises:
        ConfigError: an address that cannot be used, or does not end with the id of a run.
        RecordingError: one that cannot be reached.

    >>> from ltviz.recording.storage import Storage
    >>> Storage("memory://example").write({"my-run/status.json": b'{"state": "finished"}'})
    >>> open("memory://example/my-run").status().state
    'finished'
    """
    if not is_url(place):
        return Recording(place)
    url, _, run_id = str(place).rstrip("/").rpartition("/")
    if not RUN_ID.fullmatch(run_id):
        raise ConfigError("the address of a run must end with its id, as in s3://bucket/runs/my-run")
    home = _opened.get(url) or RemoteHome(url)
    _opened[url] = home
    home.bring(run_id)
    return Recording(home.folder(run_id), run_id=run_id)


def _folder_name(url: str) -> str:
    return f"{slug(url)[:40].strip('-')}-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
