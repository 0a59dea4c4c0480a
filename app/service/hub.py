"""Follows run folders once per process, whoever watches, and hands out encoded frames.

One task looks at the followed folders a few dozen times a second and only notes which steps are there. A frame is read
and quantised when the first viewer wants it, once; the bytes stay in a bounded cache for the others and for the time
slider. Nothing is read while nobody watches, and a folder may appear, vanish and appear again. Beside that, frames are
looked at for alarms.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from ltviz.errors import LtvizError
from ltviz.figures.palette import method_colour
from ltviz.metrics import shot_groups
from ltviz.projection.fitter import BackgroundFitter
from ltviz.recording import Attribute, Home, Recording, RunInfo, check_run_id
from ltviz.recording.drawn import draw_evenly, first_look, split_of

from .alarms import SLICE_SECONDS, Alarms
from .picture import draw_frame
from .projections import DEFAULT_PROJECTION, Projections, is_slow
from .tail import Snapshot, Tail
from .wire import THUMBNAIL_LIMIT, EncodedFrame, encode_frame, encode_run

log = logging.getLogger("ltviz.app")

POLL_SECONDS = 0.035
"""From the beginning of a round over all runs to that of the next."""
LEAST_REST_SECONDS = 0.008
LIST_SECONDS = 0.012
"""Of one round, after which no more folders are listed: news of no run waits for the listings of all."""
HEADER_SECONDS, LIVE_HEADER_SECONDS = 0.04, 0.008
"""Of one round and of a processor, for the headers of old frames; less while there is news to be looked for."""
SEARCH_SECONDS = 0.25
"""How often it is asked whether there are frames to be looked at for alarms."""
REST_RATIO = 9
"""How much longer than a look at them the rest after it is: at most a tenth of one core goes into alarms."""
CACHE_BYTES = 24 * 2**20
FIRST_POINTS = 5_000
"""Of a run of very many samples so many are seen first, of every class."""
KEPT_RECORDINGS = 64


class Hub:
    """All followed runs of one server.

    Args:
        home: folder of run folders; `demos` is a second one, asked for runs that `home` does not have.
        folders: runs that lie elsewhere, by id.
        cache_bytes: encoded frames are kept up to this size, least recently used ones go first.
        fitter: computes slow projections, in a process of its own that starts with the first of them.
    """

    def __init__(
        self,
        home: Path | Home,
        demos: Path | Home | None = None,
        *,
        folders: Mapping[str, Path] | None = None,
        cache_bytes: int = CACHE_BYTES,
        fitter: BackgroundFitter | None = None,
    ):
        self.runs, self.demos = Home.at(home), None if demos is None else Home.at(demos)
        self._folders = dict(folders or {})
        self._fitter = BackgroundFitter() if fitter is None else fitter
        self._guard = threading.Lock()
        self._recordings: dict[Path, Recording] = {}
        self._tails: dict[str, Tail] = {}
        self.alarms = Alarms()
        self._cache: OrderedDict[tuple, EncodedFrame] = OrderedDict()
        self._cached, self._cache_bytes = 0, cache_bytes
        self._reading: dict[tuple, asyncio.Future[EncodedFrame | None]] = {}
        self._poller = ThreadPoolExecutor(1, "ltviz-poll")
        self._readers = ThreadPoolExecutor(2, "ltviz-read")
        # Projections may take a moment; frames that need none never wait behind them.
        self._projectors = ThreadPoolExecutor(1, "ltviz-project")
        # Looking for alarms is never so urgent that anything else should wait for it.
        self._searchers = ThreadPoolExecutor(1, "ltviz-search")
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def folder(self, run: str) -> Path:
        """Folder of a run, in `home` or among the demos. LtvizError for a name that is no run id or leads elsewhere."""
        check_run_id(run)
        if run in self._folders:
            return self._folders[run]
        own = self.runs.folder(run)
        if self.demos is not None and not own.exists():
            demo = self.demos.folder(run)
            if demo.is_dir():
                return demo
        return own

    def recording(self, run: str) -> Recording:
        """The run's recording, one object for all who read it: what it has read before it need not read again."""
        folder = self.folder(run)
        with self._guard:
            found = self._recordings.pop(folder, None) or Recording(folder, run_id=run)
            self._recordings[folder] = found
            while len(self._recordings) > KEPT_RECORDINGS:
                self._recordings.pop(next(iter(self._recordings)))
        return found

    def want(self, runs: Sequence[str]) -> None:
        """Somebody looks at runs: those that are elsewhere are brought."""
        for run in runs:
            if self.folder(run).is_relative_to(self.runs.root):
                self.runs.want(run)

    @contextlib.contextmanager
    def watch(self, runs: Sequence[str], wake: Callable[[], None], *, keeps: bool = True) -> Iterator[dict[str, Tail]]:
        """Follows runs while the block lasts; `wake` is called in the event loop whenever one of them changed.

        What is computed while only such watch who may change nothing (`keeps` False) is kept in memory, not in the
        runs' folders: otherwise a viewer could fill the disk of somebody else.
        """
        recordings = {run: self.recording(run) for run in runs}
        self.want(runs)
        keeps, tails = keeps and not self.runs.read_only, {}
        for run, recording in recordings.items():
            tails[run] = self._tails.setdefault(run, Tail(run, recording))
            tails[run].watchers.append(wake)
            tails[run].keepers += keeps
        self._loop = asyncio.get_running_loop()
        self._tasks = [task for task in self._tasks if not task.done()]
        for name, work in (("ltviz-hub", self._follow), ("ltviz-alarms", self._search)):
            if name not in [task.get_name() for task in self._tasks]:
                self._tasks.append(self._loop.create_task(work(), name=name))
        try:
            yield tails
        finally:
            for run, tail in tails.items():
                tail.watchers.remove(wake)
                tail.keepers -= keeps
                if not tail.watchers:
                    self._tails.pop(run, None)

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while self._tails:
            began, tails = time.monotonic(), list(self._tails.values())
            for tail in await loop.run_in_executor(self._poller, _poll, tails):
                for wake in list(tail.watchers):
                    wake()
            await asyncio.sleep(max(LEAST_REST_SECONDS, began + POLL_SECONDS - time.monotonic()))

    async def _search(self) -> None:
        """Looks for alarms in whatever has changed, and rests longer than it looks."""
        while self._tails:
            while self._reading:  # a viewer waits for a frame, which is read for the alarms again
                await asyncio.sleep(POLL_SECONDS)
            began = time.monotonic()
            for tail in list(self._tails.values()):
                if tail.snapshot.generation is not None and tail.searched != tail.snapshot:
                    await self.search(tail, SLICE_SECONDS)
            spent = time.monotonic() - began
            await asyncio.sleep(max(SEARCH_SECONDS, REST_RATIO * spent))

    async def search(self, tail: Tail, seconds: float = math.inf) -> None:
        """Looks for alarms of a run, in all its frames where there is time."""
        await asyncio.get_running_loop().run_in_executor(self._searchers, tail.search, self.alarms, seconds)

    async def header(self, tail: Tail, thumbnails: int = THUMBNAIL_LIMIT) -> bytes:
        """The run's own message: names, counts, labels, and thumbnails of so many bytes at most.

        Raises:
            LtvizError, OSError, ValueError: the folder does not hold what it takes.
        """
        now = tail.snapshot
        if tail.header is not None and tail.header[0] == now.state and thumbnails == THUMBNAIL_LIMIT:
            return tail.header[1]
        loop = asyncio.get_running_loop()
        header = await loop.run_in_executor(self._readers, _describe, tail, now, thumbnails)
        if thumbnails == THUMBNAIL_LIMIT:
            tail.header = now.state, header
        return header

    async def frame(self, tail: Tail, step: int, projection: str, *, first: bool = False) -> EncodedFrame | None:
        """A frame of a run, encoded; None where it cannot be read (it is left out from then on).

        A frame of many samples takes seconds. Who has nothing to show yet asks for a `first` look: it may hold some of
        them, and says `partial` then; asking again gives all.

        While a slow projection is being computed the frame comes in the default one and says `pending`; when it is
        there, the viewers of the run are woken, `tail.landed` has counted it, and asking again gives it.
        """
        info = tail.snapshot.info
        if info is None:
            return None
        # A recording may not say its dimension before its first frame; then the frame itself will.
        flat = info.dim is not None and info.dim <= 3
        name = "none" if flat else DEFAULT_PROJECTION if projection == "none" else projection
        key = (tail.recording.path, tail.snapshot.generation, step, name)
        if (found := self._cache.get(key)) is not None:
            self._cache.move_to_end(key)
        elif first and (look := await self._first_look(tail, info, step, name)) is not None:
            return look
        else:
            if key not in self._reading:
                self._reading[key] = asyncio.ensure_future(self._read(key, tail, info))
            # One viewer that leaves must not cancel the reading for the others.
            found = await asyncio.shield(self._reading[key])
        return found

    async def _first_look(self, tail: Tail, info: RunInfo, step: int, name: str) -> EncodedFrame | None:
        """Some samples of a frame of many; None where it has few, or that cannot be had."""
        views = self._projections_of(tail, info)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._readers, _encode_some, tail, info, step, name, views)
        except (LtvizError, OSError, ValueError) as error:
            log.info("Run %s: step %d has no first look: %s", tail.run, step, error)
            return None

    async def _read(self, key: tuple, tail: Tail, info: RunInfo) -> EncodedFrame | None:
        _, _, step, name = key
        pool = self._readers if name == "none" else self._projectors
        try:
            views = self._projections_of(tail, info)
            encoded = await asyncio.get_running_loop().run_in_executor(pool, _encode, tail, info, step, name, views)
        except (LtvizError, OSError, ValueError) as error:
            # Damaged or deleted under our hands: the other frames are still good.
            log.warning("Run %s: step %d is left out: %s", tail.run, step, error)
            tail.drop(step)
            return None
        finally:
            self._reading.pop(key, None)
        if encoded.pending is not None:
            return encoded  # soon out of date, and asking again moves it to the front of what is computed
        self._cache[key] = encoded
        self._cached += encoded.nbytes
        while self._cached > self._cache_bytes and len(self._cache) > 1:
            self._cached -= self._cache.popitem(last=False)[1].nbytes
        return encoded

    def _projections_of(self, tail: Tail, info: RunInfo) -> Projections:
        if (found := tail.projections) is not None:
            return found

        def land(name: str, step: int) -> None:
            loop = self._loop
            if loop is not None and not loop.is_closed():
                loop.call_soon_threadsafe(_land, tail, name, step)

        found = Projections(
            tail.recording, info.order, self._fitter, lambda: bool(tail.watchers), land, lambda: tail.keepers > 0
        )
        tail.projections = found
        return found

    async def close(self) -> None:
        """Stops following and ends the threads and the process that computes projections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for pool in (self._poller, self._readers, self._projectors, self._searchers):
            pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._fitter.close)


def _land(tail: Tail, name: str, step: int) -> None:
    tail.landed[name, step] += 1
    for wake in list(tail.watchers):
        wake()


def _poll(tails: Sequence[Tail]) -> list[Tail]:
    """One round; those that have changed. The first run with old frames to be looked at has the time for them."""
    began, spent, changed = time.monotonic(), time.thread_time(), []
    seconds = LIVE_HEADER_SECONDS if any(tail.snapshot.live for tail in tails) else HEADER_SECONDS
    for tail in tails:
        now, left = time.monotonic(), seconds + spent - time.thread_time()
        if tail.poll(now, left, lists=now - began < LIST_SECONDS):
            changed.append(tail)
    return changed


def _describe(tail: Tail, snapshot: Snapshot, thumbnails: int) -> bytes:
    recording = tail.recording
    info = snapshot.info or recording.info
    groups = shot_groups(np.asarray(info.counts)) if info.num_classes else None
    return encode_run(
        tail.run,
        info,
        recording.probe,
        dim=info.dim or recording.frame(snapshot.steps[0]).embeddings.shape[1],
        colour=method_colour(info.method or info.title),
        state=snapshot.state,
        reason=snapshot.reason,
        groups=[] if groups is None else groups.of_classes().tolist(),
        rule="" if groups is None else groups.rule,
        attributes=_attributes(recording),
        thumbnails=thumbnails,
    )


def _attributes(recording: Recording) -> Sequence[Attribute]:
    try:
        return recording.attributes
    except LtvizError as error:  # the samples themselves are sound
        log.warning("The attributes of %s are left out: %s", recording.run_id, error)
        return ()


def _encode_some(tail: Tail, info: RunInfo, step: int, name: str, projections: Projections) -> EncodedFrame | None:
    """`FIRST_POINTS` of a frame of many samples, where the frame itself will have them."""
    written = (tail.recording.path / "frames" / f"{step:09d}.safetensors").stat().st_mtime
    if (look := first_look(tail.recording, step)) is None:
        return None
    rows, frame = look
    at_once = DEFAULT_PROJECTION if name == "none" or is_slow(name) else name
    projected = projections.project(frame, at_once) if frame.embeddings.shape[1] > 3 else None
    picture = draw_frame(frame, info.order, split_of(frame, tail.recording.probe), projected)
    shown = draw_evenly(frame.labels, FIRST_POINTS)
    first = rows[shown], len(tail.recording.probe.labels)
    return encode_frame(
        tail.run, frame, replace(picture, points=picture.points[shown]), info.order, written, first=first
    )


def _encode(tail: Tail, info: RunInfo, step: int, name: str, projections: Projections) -> EncodedFrame:
    written = (tail.recording.path / "frames" / f"{step:09d}.safetensors").stat().st_mtime
    frame = tail.recording.frame(step)
    # A recording may not have said its dimension before its first frame.
    beyond = frame.embeddings.shape[1] > 3
    projected = projections.project(frame, DEFAULT_PROJECTION if name == "none" else name) if beyond else None
    picture = draw_frame(frame, info.order, split_of(frame, tail.recording.probe), projected)
    return encode_frame(tail.run, frame, picture, info.order, written)
