"""A replay: runs as one HTML file that opens anywhere, without this app and without a network.

It holds the stage's own modules and the very messages of the stream, frame by frame. What does not fit is thinned out
evenly, and the page says so.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ltviz
from ltviz.errors import ConfigError
from ltviz.export.cells import listed

from .. import words
from . import replaypage
from .clock import union
from .hub import Hub
from .moves import encode_moves
from .packing import LEAST_MOMENTS, first_look, pack, stage_without_stream, thin
from .projections import DEFAULT_PROJECTION, check_projection
from .tail import LIVE, Tail
from .wire import THUMBNAIL_LIMIT, EncodedFrame

LIMIT_BYTES = 12_000_000
"""Size that a file is thinned to."""
LEAST_THUMBNAILS = 10_000
"""Bytes; thumbnails of a run that may not have so many are left out."""
MOVES_SHARE = 10
"""What moved may take this part of a file: one over so much."""
FIRST_LOOK_SECONDS = 10.0
PROJECTION_SECONDS = 180.0
LOOK_AGAIN_SECONDS = 0.25


@dataclass(frozen=True)
class Opening:
    """How a file opens."""

    step: int | None = None
    """The step held; None plays from the first to the last, over and over."""
    hz: float = 10.0
    """Frames a second at speed 1, 0.1 to 60."""
    theme: str | None = None
    """ "light", "dark", or None for what the reader's system prefers."""
    sight: str = ""
    """Camera, layers, colours, panel and classes in focus, as the stage writes them into a link."""
    guest: bool = False
    """Whether the page will stand inside of another one, whose address is not its own."""


@dataclass(frozen=True)
class Replay:
    """A finished file and what is in it."""

    html: bytes
    runs: tuple[str, ...]
    moments: int
    """Steps in the file."""
    recorded: int
    """Steps that the runs have."""


@dataclass
class Packed:
    """One run on its way into the file."""

    tail: Tail
    header: str = ""
    steps: list[int] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    moves: str | None = None
    """What moved at all steps of the run, not only at these; None where it would take too much of the file."""

    @property
    def run(self) -> str:
        return self.tail.run

    def as_json(self) -> dict[str, Any]:
        """As a page holds it."""
        state = told_state(self.tail, self.steps, live=False)
        found = {"run": self.run, "state": state, "header": self.header, "frames": self.frames}
        return found if self.moves is None else found | {"moves": self.moves}


async def build_replay(
    hub: Hub,
    runs: Sequence[str],
    *,
    projection: str = DEFAULT_PROJECTION,
    opening: Opening = Opening(),
    limit: int = LIMIT_BYTES,
    keeps: bool = True,
) -> Replay:
    """Collects the runs' messages and writes the page.

    Args:
        hub: reads the runs; `runs` are their ids.
        projection: for embeddings of more than three dimensions.
        limit: bytes that the file may have; the timeline is thinned evenly to stay within them.
        keeps: whether views that are computed for it may be kept in the runs' folders.

    Raises:
        ConfigError: no run with frames, a run twice, an unknown projection, or runs of which not even the first and
            the last moment fit.
        RecordingError: a run id that is none.
    """
    check_projection(projection)
    if len(set(runs)) < len(runs):
        raise ConfigError(words.served.REPLAY_TWICE.format(runs=", ".join(runs)[:200]))
    page = len(replaypage.code()) + len(replaypage.style())
    tracks, recorded = await collect(hub, runs, projection, limit, page=page, keeps=keeps)
    moments = union([track.steps for track in tracks])
    html = await asyncio.to_thread(_write, tracks, moments, recorded, projection, opening, limit)
    return Replay(html, tuple(track.run for track in tracks), len(moments), recorded)


async def collect(
    hub: Hub,
    runs: Sequence[str],
    projection: str,
    limit: int,
    *,
    page: int,
    keep: Collection[int] = (),
    keeps: bool = True,
    moves: bool = True,
) -> tuple[list[Packed], int]:
    """The runs with their packed messages, and how many moments they have in all.

    Args:
        page: bytes of the file besides the runs.
        keep: steps that are in it in any case.
        keeps: as `build_replay` takes it.
        moves: whether the runs' moves are packed too.
    """
    woken = asyncio.Event()
    with hub.watch(runs, woken.set, keeps=keeps) as tails:
        if late := await first_look(list(tails.values()), woken, FIRST_LOOK_SECONDS, whole=True):
            raise ConfigError(words.served.REPLAY_UNREADABLE.format(runs=", ".join(late)[:200]))
        found = [Packed(tail) for tail in tails.values() if tail.snapshot.steps]
        if not found:
            raise ConfigError(words.served.REPLAY_EMPTY.format(runs=", ".join(runs)))
        timeline = union([track.tail.snapshot.steps for track in found])
        await _pack_headers(hub, found, (limit - page) // 2)
        for track in found:
            await hub.search(track.tail)
            if moves:
                track.moves = await _packed_moves(track.tail, limit // MOVES_SHARE // len(found))
        fixed = sum(len(track.header) + len(track.moves or "") for track in found) + page
        last = await asyncio.gather(*(_frame(hub, t, t.tail.snapshot.steps[-1], projection) for t in found))
        room = thin(timeline, int((limit - fixed) // max(1, sum(map(len, filter(None, last))))), keep)
        if len(room) < min(LEAST_MOMENTS, len(timeline)):
            raise ConfigError(words.served.REPLAY_TOO_LARGE.format(runs=len(found), limit=f"{limit / 1e6:.0f}"))
        for step in room:
            at = [bisect_right(track.tail.snapshot.steps, step) - 1 for track in found]
            due = [
                (track, track.tail.snapshot.steps[place])
                for track, place in zip(found, at, strict=True)
                if place >= 0 and track.tail.snapshot.steps[place] not in track.steps[-1:]
            ]
            packed = await asyncio.gather(*(_frame(hub, track, shown, projection) for track, shown in due))
            for (track, shown), frame in zip(due, packed, strict=True):
                if frame is not None:
                    track.steps.append(shown)
                    track.frames.append(frame)
    tracks = [track for track in found if track.frames]
    if not tracks:
        raise ConfigError(words.served.REPLAY_DAMAGED)
    return tracks, len(timeline)


async def _packed_moves(tail: Tail, most: int) -> str | None:
    """What moved in a run, packed, in so many characters at most."""
    if len(tail.moves.steps) < 2:
        return None
    packed = await asyncio.to_thread(lambda: pack(encode_moves(tail.recording, tail.moves)))
    return packed if len(packed) <= most else None


async def _pack_headers(hub: Hub, tracks: Sequence[Packed], room: int) -> None:
    """What every moment needs, in `room` characters where that is possible: thumbnails get fewer pixels, or are left
    out, so that moments have the other half of the file."""
    thumbnails = THUMBNAIL_LIMIT
    while True:
        for track in tracks:
            track.header = await asyncio.to_thread(pack, await hub.header(track.tail, thumbnails))
        if sum(len(track.header) for track in tracks) <= room or not thumbnails:
            return
        thumbnails = thumbnails // 4 if thumbnails >= LEAST_THUMBNAILS else 0


async def _frame(hub: Hub, track: Packed, step: int, projection: str) -> str | None:
    """A frame's message, packed; None where the frame is damaged."""
    frame = await finished_frame(hub, track.tail, step, projection)
    return None if frame is None else await asyncio.to_thread(pack, frame.message(seq=0, time=0.0, live=False))


async def finished_frame(hub: Hub, tail: Tail, step: int, projection: str) -> EncodedFrame | None:
    """A frame in the projection that was asked for, once it is computed; None where the frame is damaged.

    Raises:
        ConfigError: it cannot be had, or not in `PROJECTION_SECONDS`.
    """
    end = time.monotonic() + PROJECTION_SECONDS
    # Another projection stands in while the one that was asked for is being computed.
    while (frame := await hub.frame(tail, step, projection)) is not None and frame.pending is not None:
        if time.monotonic() > end:
            raise ConfigError(words.served.REPLAY_PENDING.format(projection=projection, run=tail.run))
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    if frame is not None and frame.trouble is not None:
        raise ConfigError(frame.trouble)
    return frame


def _write(
    tracks: Sequence[Packed],
    moments: Sequence[int],
    recorded: int,
    projection: str,
    opening: Opening,
    limit: int,
) -> bytes:
    contents = {
        "data": stage_without_stream([track.run for track in tracks], projection, "replay")
        | {"hz": opening.hz, "step": opening.step, "theme": opening.theme, "opening": opening.sight}
        | {"guest": opening.guest},
        "runs": [track.as_json() for track in tracks],
    }
    titles = [track.tail.snapshot.info.title if track.tail.snapshot.info else track.run for track in tracks]
    return replaypage.write_page(
        title=words.served.REPLAY_TITLE.format(runs=listed(list(dict.fromkeys(titles)))),
        note=_note(moments, recorded, limit),
        contents=contents,
        theme=opening.theme,
    )


def _note(moments: Sequence[int], recorded: int, limit: int) -> str:
    made = time.strftime("%Y-%m-%d %H:%M")
    note = words.served.REPLAY_NOTE.format(first=moments[0], last=moments[-1], date=made, version=ltviz.__version__)
    if len(moments) == recorded:
        return note
    return f"{note} {words.served.REPLAY_THINNED.format(kept=len(moments), all=recorded, limit=f'{limit / 1e6:.0f}')}"


def told_state(tail: Tail, steps: Sequence[int], *, live: bool) -> Mapping[str, Any]:
    """How a run stands, of which these steps are shown; where not `live`, nothing of it is live any more."""
    snapshot = tail.snapshot
    return {
        "state": words.served.REPLAY_STATE if snapshot.state in LIVE and not live else snapshot.state,
        "reason": snapshot.reason,
        "first": steps[0] if steps else None,
        "last": steps[-1] if steps else None,
        "frames": len(steps),
        "total_steps": None if snapshot.info is None else snapshot.info.total_steps,
        "steps": steps,
        "events": tail.events(),
    }
