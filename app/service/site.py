"""Runs as a folder that any host of files serves, also while they train: nobody answers, files are all there is.

    list.json             of each run how it stands and the names of its frames: the one file that changes
    index.html            the replay page; it reads the list again and again, and a frame when it shows it
    files/ab/cdef….bin    all else, gzipped, under a fingerprint of its bytes: it never changes, so that whatever lies
                          between host and reader may keep it for ever. A frame and what a run says of itself are the
                          stream's own messages; a chapter holds the names of many frames, so that the list stays short

What the list names is there before it does, and stays for a while after it no longer does: whoever has read an older
list still finds its frames.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import os
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ltviz
from ltviz.errors import ConfigError, LtvizError, RecordingError
from ltviz.export.cells import listed
from ltviz.recording.files import read_plain, write_whole

from .. import words
from . import replaypage
from .hub import Hub
from .moves import encode_moves
from .packing import first_look, stage_without_stream
from .projections import DEFAULT_PROJECTION, check_projection
from .replay import finished_frame, told_state
from .tail import Tail

LIST, PAGE, FILES, HEADERS = "list.json", "index.html", "files", "_headers"
FORMAT = 1
EVERY_SECONDS = 1.0
"""Between two lists, and between two looks of a page at them."""
BEAT_SECONDS = 10.0
"""So often the list is written at least while runs are followed: a page that reads the same one for long is told of
nobody any more."""
GRACE_SECONDS = 600.0
"""How long a file stays that the list no longer names."""
CHAPTER = 128
"""Frames in a chapter, on average."""
NAME_LENGTH = 20
"""Hexadecimal digits of a name: of the 80 bits, two files share one among 10^9 with a chance below 10^-6."""
THUMBNAILS = 2 * 2**20
FIRST_LOOK_SECONDS = 10.0
MOST_LIST = 64 * 2**20

# For hosts that read such a file; others are told the same in their own words.
_CACHING = f"""/{FILES}/*
  Cache-Control: public, max-age=31536000, immutable
/{LIST}
  Cache-Control: public, max-age={EVERY_SECONDS:.0f}
"""


@dataclass(frozen=True)
class Site:
    """What was written."""

    runs: tuple[str, ...]
    """Those with frames."""
    frames: int
    """That the list names."""


class Folder:
    """The folder that is written: files first, then the list that names them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changed = 0
        self._named: set[str] = set()
        self._leaving: dict[str, float] = {}

    def keep(self, data: bytes) -> str:
        """The name of a file that holds `data`."""
        packed = gzip.compress(data, 6, mtime=0)
        name = hashlib.sha256(packed).hexdigest()[:NAME_LENGTH]
        place = self.place(name)
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            write_whole(place, packed)
        return name

    def place(self, name: str) -> Path:
        return self.path / FILES / name[:2] / f"{name[2:]}.bin"

    def tell(self, told: dict[str, Any], named: set[str]) -> None:
        """Writes the list, which names these files; those that it no longer names go after a while."""
        write_whole(self.path / LIST, json.dumps(told, separators=(",", ":"), ensure_ascii=True).encode())
        # Hosts tell versions apart by a time in whole seconds, and by the size: no two versions may have the same.
        self._changed = max(int(time.time()), self._changed + 1)
        os.utime(self.path / LIST, (self._changed, self._changed))
        now = time.monotonic()
        self._leaving |= dict.fromkeys(self._named - named, now)
        self._named = named
        for name, since in list(self._leaving.items()):
            if name in named:
                del self._leaving[name]
            elif now > since + GRACE_SECONDS:
                del self._leaving[name]
                self.place(name).unlink(missing_ok=True)

    def known(self, projection: str) -> dict[str, tuple[str, dict[int, str]]]:
        """Run -> its generation and the names by step, of a list that was written here before, as far as the files are
        there: what has been written once is not made again."""
        found = {}
        with suppress(OSError, ValueError, KeyError, TypeError, RecordingError):
            told = json.loads(read_plain(self.path / LIST, limit=MOST_LIST))
            if (told["format"], told["by"], told["projection"]) == (FORMAT, ltviz.__version__, projection):
                for part in told["runs"]:
                    chapters = [json.loads(gzip.decompress(self.place(n).read_bytes())) for n in part["chapters"]]
                    both = [pair for of in (*chapters, part) for pair in zip(of["steps"], of["frames"], strict=True)]
                    found[part["run"]] = part["generation"], {s: n for s, n in both if self.place(n).is_file()}
        return found


@dataclass
class _Written:
    """A run on its way into the folder."""

    tail: Tail
    generation: str = ""
    names: dict[int, str] = field(default_factory=dict)
    """By step."""
    header: str | None = None
    moves: str | None = None
    """What moved in it, once it has ended: told while it goes on, it would be another file every few seconds."""
    chapters: dict[tuple[tuple[int, str], ...], str] = field(default_factory=dict)
    """Those that the list names, with what they hold."""

    def begin(self, known: dict[str, tuple[str, dict[int, str]]]) -> None:
        """Forgets what is of another run of this name; what is `known` of this one need not be made."""
        inode, changed = self.tail.snapshot.generation or (0, 0)
        if (generation := f"{inode:x}-{changed:x}") == self.generation:
            return
        before, names = known.pop(self.tail.run, ("", {}))
        self.generation, self.header, self.moves = generation, None, None
        self.names = dict(names) if before == generation else {}

    def missing(self) -> list[int]:
        return [step for step in reversed(self.tail.snapshot.steps) if step not in self.names]

    def part(self, folder: Folder, *, live: bool) -> dict[str, Any]:
        """Of the list; chapters are written for it."""
        shown = [(step, self.names[step]) for step in self.tail.snapshot.steps if step in self.names]
        chapters, rest = in_chapters(shown)
        self.chapters = {
            chapter: self.chapters.get(chapter) or folder.keep(json.dumps(_columns(chapter)).encode())
            for chapter in chapters
        }
        state = told_state(self.tail, [step for step, _ in shown], live=live)
        return {
            "run": self.tail.run,
            "generation": self.generation,
            # Steps stand in the list already.
            "state": {name: value for name, value in state.items() if name != "steps"},
            "header": self.header,
            "moves": self.moves,
            "chapters": list(self.chapters.values()),
            **_columns(rest),
        }

    def named(self) -> set[str]:
        steps = self.tail.snapshot.steps
        frames = {self.names[step] for step in steps if step in self.names}
        return frames | set(self.chapters.values()) | {name for name in (self.header, self.moves) if name}

    def tell_moves(self, folder: Folder) -> None:
        moves = self.tail.moves
        with suppress(LtvizError, OSError):  # a damaged run is shown as far as it can be read
            self.moves = folder.keep(encode_moves(self.tail.recording, moves)) if len(moves.steps) > 1 else None


def in_chapters(
    shown: Sequence[tuple[int, str]],
) -> tuple[list[tuple[tuple[int, str], ...]], tuple[tuple[int, str], ...]]:
    """Frames (step, name) in chapters of `CHAPTER` on average, and those after the last chapter.

    Where one ends depends on the step there alone: a frame that comes or goes changes its own chapter and no other.
    """
    chapters, begun = [], 0
    for at, (step, _) in enumerate(shown, 1):
        if zlib.crc32(str(step).encode()) % CHAPTER == 0:
            chapters.append(tuple(shown[begun:at]))
            begun = at
    return chapters, tuple(shown[begun:])


def _columns(shown: Sequence[tuple[int, str]]) -> dict[str, list]:
    return {"steps": [step for step, _ in shown], "frames": [name for _, name in shown]}


async def build_site(
    hub: Hub,
    runs: Sequence[str],
    path: Path,
    *,
    projection: str = DEFAULT_PROJECTION,
    theme: str | None = None,
    watch: bool = False,
) -> Site:
    """Writes the runs into the folder `path`, which may hold what was written of them before.

    Args:
        hub: reads the runs; `runs` are their ids.
        projection: for embeddings of more than three dimensions.
        theme: "light", "dark", or None for what the reader's system prefers.
        watch: go on until all runs have ended.

    Raises:
        ConfigError: no run with frames, a run twice, an unknown projection.
        RecordingError, DiskFull: a run id that is none, or the folder cannot be written.
    """
    check_projection(projection)
    if len(set(runs)) < len(runs):
        raise ConfigError(words.served.REPLAY_TWICE.format(runs=", ".join(runs)[:200]))
    woken, folder = asyncio.Event(), Folder(path)
    known = folder.known(projection)
    with hub.watch(runs, woken.set) as tails:
        if late := await first_look(list(tails.values()), woken, FIRST_LOOK_SECONDS):
            raise ConfigError(words.served.REPLAY_UNREADABLE.format(runs=", ".join(late)[:200]))
        if not watch and not any(tail.snapshot.steps for tail in tails.values()):
            raise ConfigError(words.served.REPLAY_EMPTY.format(runs=", ".join(runs)))
        written = [_Written(tail) for tail in tails.values()]
        _write_page(folder, written, projection, theme)
        await _follow(hub, written, folder, projection, known, watch=watch)
    return Site(tuple(one.tail.run for one in written if one.names), sum(len(one.names) for one in written))


async def _follow(
    hub: Hub,
    written: Sequence[_Written],
    folder: Folder,
    projection: str,
    known: dict[str, tuple[str, dict[int, str]]],
    *,
    watch: bool,
) -> None:
    before, beat = None, -BEAT_SECONDS
    while True:
        began = time.monotonic()
        behind = await _catch_up(hub, written, folder, projection, known, began + EVERY_SECONDS)
        lives = watch and any(one.tail.snapshot.live for one in written)
        if not behind and not lives:
            for one in written:
                await hub.search(one.tail)
                await asyncio.to_thread(one.tell_moves, folder)
        over = not behind and not lives and not any(one.missing() for one in written)
        parts = [await asyncio.to_thread(one.part, folder, live=watch) for one in written]
        told = {"format": FORMAT, "by": ltviz.__version__, "projection": projection, "every": EVERY_SECONDS}
        told |= {"over": over, "runs": parts}
        now = time.monotonic()
        if told != before or now > beat + BEAT_SECONDS:
            before, beat = told, now
            named = set().union(*(one.named() for one in written))
            await asyncio.to_thread(folder.tell, told | {"beat": int(time.time())}, named)
        if over:
            return
        await asyncio.sleep(max(0.0, began + EVERY_SECONDS - time.monotonic()))


async def _catch_up(
    hub: Hub,
    written: Sequence[_Written],
    folder: Folder,
    projection: str,
    known: dict[str, tuple[str, dict[int, str]]],
    until: float,
) -> bool:
    """Writes frames that are missing, the newest first, for so long; whether there are more, known of or not."""
    for one in written:
        one.begin(known)
        if one.header is None and one.tail.snapshot.steps:
            try:
                one.header = await asyncio.to_thread(folder.keep, await hub.header(one.tail, THUMBNAILS))
            except (LtvizError, OSError, ValueError):
                continue  # a run that is being begun; it is asked again
    missing = {one.tail.run: one.missing() for one in written}
    for place in range(max(map(len, missing.values()), default=0)):
        for one in written:
            steps = missing[one.tail.run]
            if place >= len(steps):
                continue
            if time.monotonic() > until:
                return True
            generation = one.tail.snapshot.generation
            frame = await finished_frame(hub, one.tail, steps[place], projection)
            if frame is not None and one.tail.snapshot.generation == generation:
                message = frame.message(seq=0, time=round(frame.written, 3), live=False)
                one.names[steps[place]] = await asyncio.to_thread(folder.keep, message)
    return any(not one.tail.complete for one in written)


def _write_page(folder: Folder, written: Sequence[_Written], projection: str, theme: str | None) -> None:
    runs = [one.tail.run for one in written]
    titles = [one.tail.snapshot.info.title if one.tail.snapshot.info else one.tail.run for one in written]
    told = stage_without_stream(runs, projection, "replay")
    own = {
        "reconnecting": words.served.SITE_RECONNECTING,
        "unreachable": words.served.SITE_UNREACHABLE,
        "silent": words.served.SITE_SILENT,
        "cannotOpen": words.served.SITE_CANNOT_OPEN,
        "oneProjection": words.served.SITE_ONE_PROJECTION,
    }
    page = replaypage.write_page(
        title=words.served.REPLAY_TITLE.format(runs=listed(list(dict.fromkeys(titles)))),
        note=words.served.SITE_NOTE.format(version=ltviz.__version__),
        contents={
            "data": told | {"words": told["words"] | own, "hz": 10.0, "step": None, "theme": theme},
            "list": LIST,
        },
        theme=theme,
        kind=replaypage.SITE,
    )
    write_whole(folder.path / PAGE, page)
    write_whole(folder.path / HEADERS, _CACHING.encode())
