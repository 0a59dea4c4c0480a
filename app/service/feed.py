"""Runs for a stage on somebody else's page: what it lacks, parcel after parcel, until it holds all there is.

A page that is not ours has no stream: a notebook's kernel is busy with the very training that one watches, and another
app answers when its script runs. So a page is sent every frame once, and plays what it holds by a clock of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from ltviz.errors import LtvizError
from ltviz.recording import checkpoints_home

from .. import words
from .hub import Hub
from .packing import first_look, pack, thin
from .projections import DEFAULT_PROJECTION, check_projection
from .tail import Tail

PARCEL_BYTES = 1_000_000
"""A parcel is closed when it has so many."""
LIMIT_BYTES = 48_000_000
"""What a page is sent of the frames that are there when it first asks; more are thinned out evenly."""
PUSH_SECONDS = 0.2
LOOK_AGAIN_SECONDS = 1.0
FIRST_LOOK_SECONDS = 5.0

T = TypeVar("T")


@dataclass
class Sent:
    """What one page has been sent."""

    n: int = 0
    """Parcels."""
    runs: dict[str, _SentRun] = field(default_factory=dict)

    def forget(self) -> None:
        """Everything is sent again, as to a page that has lost something."""
        self.runs.clear()


@dataclass
class _SentRun:
    generation: tuple[int, int] | None = None
    steps: set[int] = field(default_factory=set)
    """Those that were sent, or will never be."""
    trouble: str | None = None
    told: Any = None
    """How it stood, and what was said of it."""


@dataclass
class _New:
    """What is new of a run."""

    part: dict[str, Any] | None = None
    """Its part of a parcel; None where nothing is."""
    more: bool = False
    """Frames are left for the next one."""
    pending: bool = False
    """Frames wait for their projection."""


class Feed:
    """What pages are sent of some runs.

    Args:
        folders: id -> folder of a run; it may still come.
        projection: for embeddings of more than three dimensions.

    Raises:
        ConfigError: an unknown projection.
    """

    def __init__(self, folders: Mapping[str, Path], projection: str = DEFAULT_PROJECTION) -> None:
        self.projection = check_projection(projection)
        self.runs = list(folders)
        self._hub = Hub(checkpoints_home(), folders=folders)

    async def parcels(self, sent: Sent) -> AsyncIterator[dict[str, Any]]:
        """Whatever is new, as it comes, for as long as it is asked for."""
        woken = asyncio.Event()
        with self._hub.watch(self.runs, woken.set):
            while True:
                woken.clear()
                before = sent.n
                parcel = await self.parcel(sent)
                if sent.n != before:
                    yield parcel
                if not parcel["more"]:
                    # Alarms wake nobody, and nor does who has lost something.
                    await _wait(woken, LOOK_AGAIN_SECONDS)
                await asyncio.sleep(PUSH_SECONDS)

    async def parcel(self, sent: Sent) -> dict[str, Any]:
        """What is new now; a parcel of the number before, and empty, where nothing is."""
        woken = asyncio.Event()
        anew = not sent.runs
        with self._hub.watch(self.runs, woken.set) as tails:
            await first_look(list(tails.values()), woken, FIRST_LOOK_SECONDS)
            for run in tails:
                sent.runs.setdefault(run, _SentRun())
            room = PARCEL_BYTES // len(tails)
            given = [await self._new_of(tail, sent.runs[run], room) for run, tail in tails.items()]
            live = any(tail.snapshot.live for tail in tails.values())
        news = [new.part for new in given if new.part is not None]
        sent.n += bool(news) or anew
        live |= any(new.pending for new in given)
        return {"n": sent.n, "anew": anew, "more": any(new.more for new in given), "live": live, "runs": news}

    async def _new_of(self, tail: Tail, sent: _SentRun, room: int) -> _New:
        snapshot, header, new = tail.snapshot, None, _New()
        if sent.generation != snapshot.generation:
            sent.generation, sent.told, sent.trouble = snapshot.generation, None, None
            sent.steps.clear()
        if snapshot.steps and not sent.steps:
            try:
                header = await asyncio.to_thread(pack, await self._hub.header(tail))
                await self._thin(tail, sent)
            except (LtvizError, OSError, ValueError) as error:
                sent.steps.update(snapshot.steps)
                sent.trouble = str(error)
        frames = await self._frames(tail, sent, room, new)
        state = _state_of(tail)
        if header is None and not frames and sent.told == (state, sent.trouble):
            return new
        sent.told = state, sent.trouble
        new.part = {
            "run": tail.run,
            # As text: the numbers of a file system are larger than a page's.
            "generation": None if sent.generation is None else ":".join(map(str, sent.generation)),
            "state": state,
            "header": header,
            "steps": sorted(frames),
            "frames": [frames[step] for step in sorted(frames)],
            "trouble": sent.trouble,
        }
        return new

    async def _frames(self, tail: Tail, sent: _SentRun, room: int, new: _New) -> dict[int, str]:
        """Packed frames that were not sent, by step, as many as there is room for, and one in any case."""
        frames: dict[int, str] = {}
        due = [step for step in tail.snapshot.steps if step not in sent.steps]
        # The newest first: that is what one wants to see.
        if due and due[-1] == tail.snapshot.steps[-1]:
            due = [due[-1], *due[:-1]]
        for step in due:
            if sum(map(len, frames.values())) > room:
                new.more = True
                break
            frame = await self._hub.frame(tail, step, self.projection)
            if frame is not None and frame.pending is not None:
                new.pending = True
                continue
            sent.steps.add(step)
            if frame is None:
                continue
            sent.trouble = frame.trouble or sent.trouble
            message = frame.message(seq=0, time=frame.written, live=tail.snapshot.live)
            frames[step] = await asyncio.to_thread(pack, message)
        return frames

    async def _thin(self, tail: Tail, sent: _SentRun) -> None:
        """Leaves out frames evenly where a run has more than a page should hold."""
        steps = tail.snapshot.steps
        last = await self._hub.frame(tail, steps[-1], self.projection)
        if last is None:
            return
        size = len(await asyncio.to_thread(pack, last.message(seq=0, time=0.0, live=False)))
        kept = thin(steps, max(2, LIMIT_BYTES // len(self.runs) // size))
        if len(kept) < len(steps):
            sent.steps.update(set(steps).difference(kept))
            sent.trouble = words.served.FEED_THINNED.format(kept=len(kept), all=len(steps))

    async def close(self) -> None:
        await self._hub.close()


def _state_of(tail: Tail) -> dict[str, Any]:
    snapshot = tail.snapshot
    return {
        "state": snapshot.state,
        "reason": snapshot.reason,
        "first": snapshot.steps[0] if snapshot.steps else None,
        "last": snapshot.steps[-1] if snapshot.steps else None,
        "total_steps": None if snapshot.info is None else snapshot.info.total_steps,
        "events": [list(event) for event in tail.events()],
    }


async def _wait(woken: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        pass


class Background:
    """An event loop in a thread of its own, beside whatever loop the process has."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="ltviz-feed", daemon=True).start()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begins work; its result may be waited for from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, act: Callable[[], object]) -> None:
        """Does something in the loop, where feeds live."""
        self._loop.call_soon_threadsafe(act)


@cache
def background() -> Background:
    """That of this process, started by who first asks."""
    return Background()
