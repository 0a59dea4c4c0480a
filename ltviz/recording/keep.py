"""Which frames of a run are kept as they age, by a rule, and deleting the others.

    rule = part, part, ...      from the youngest frames to the oldest
    part = rate [age]           the age up to which it holds; the last part has none and holds for all older frames
    rate = all | N/time         N frames in such a time: 1/10s, 2/min
    age, time = number and unit, of s, min, h, d and w; the number of a time is 1 where it is left out

A frame's age is the run's own time between it and the newest frame, in the seconds that the frames themselves hold: a
pause does not age them, nor does copying them, and a run that has ended rests. Never deleted are the first frame, the
last, frames with an event, and those that cannot be read, which `ltviz doctor RUN` tells of.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from ltviz.errors import RecordingError
from ltviz.recording import tensors
from ltviz.recording.files import inner_folder, unwritable
from ltviz.recording.frame import Frame, file_name, parse_events, parse_seconds, parse_step
from ltviz.recording.lock import RunLock
from ltviz.recording.recording import Recording

MOST_PARTS = 16
MOST_TEXT = 200
EXAMPLE = "all 10min, 1/10s 1d, 1/min"
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_TIME = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)?(s|min|h|d|w)")
_RATE = re.compile(r"([0-9]{1,6})/(\S+)")
_LONGEST = 3_660 * 86_400.0
EVERY_SECONDS = 10.0
"""So often a run that is being written is thinned."""

log = logging.getLogger("ltviz")


class _Part(NamedTuple):
    spacing: float
    """Seconds of which one frame is kept; 0 where all are."""
    age: float
    """Seconds; infinite in the last part."""


class Aged(NamedTuple):
    """What a rule asks of a frame."""

    step: int
    seconds: float
    """Of the run, when it was recorded."""
    has_event: bool


@dataclass(frozen=True)
class KeepRule:
    """A rule of frames; `parse` makes it.

    >>> rule = KeepRule.parse("all 10s, 1/10s")
    >>> frames = [Aged(second, float(second), second == 14) for second in range(31)]
    >>> rule.spent(frames)[:12]
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13]
    >>> rule.expected(rate=10.0, seconds=30.0)
    102.0
    """

    parts: tuple[_Part, ...]

    @classmethod
    @lru_cache(maxsize=64)
    def parse(cls, text: str) -> KeepRule:
        """The rule that a text says; an empty one keeps all.

        Raises:
            ValueError: it says none; the sentence is pydantic's to complete.
        """
        if len(text) > MOST_TEXT:
            raise _wrong(f"take at most {MOST_TEXT} characters", f"{len(text):,} of them")
        words = [part.split() for part in text.split(",")] if text.strip() else [["all"]]
        if len(words) > MOST_PARTS:
            raise _wrong(f"have at most {MOST_PARTS} parts", f"{len(words)} of them")
        for word in words[:-1]:
            if len(word) != 2:
                raise _wrong("give every part but the last a rate and an age", repr(" ".join(word)))
        if len(words[-1]) != 1:
            rule = "end with a part that is a rate alone, for all older frames"
            raise _wrong(rule, repr(" ".join(words[-1])))
        parts = [_Part(_spacing(word[0]), _time(word[1]) if len(word) == 2 else math.inf) for word in words]
        for before, after in pairwise(parts):
            if before.age >= after.age or before.spacing >= after.spacing:
                raise _wrong("go from young to old and keep fewer frames in every part", repr(text))
        return cls(tuple(parts))

    @property
    def keeps_all(self) -> bool:
        return self.parts[0] == _Part(0.0, math.inf)

    def spent(self, frames: Sequence[Aged]) -> list[int]:
        """Steps of those among a run's frames that may go, growing.

        Of each stretch of time the first frame stays, and the stretches are counted from the run's beginning. So asking
        while the run grows comes to the same where each part's time holds the one before a whole number of times, and
        so does deleting only the newest of these.

        Args:
            frames: all that there are, by growing step.
        """
        if self.keeps_all:
            return []
        newest = max((frame.seconds for frame in frames), default=0.0)
        ends = {frames[0].step, frames[-1].step} if frames else set()
        spacings = [part.spacing for part in self.parts if part.spacing]
        spent: list[int] = []
        begun: dict[float, int] = {}
        for frame in frames:
            age = newest - frame.seconds
            spacing = next(part.spacing for part in self.parts if age <= part.age)
            stretches = {spacing: math.floor(frame.seconds / spacing) for spacing in spacings}
            is_first = not spacing or begun.get(spacing) != stretches[spacing]
            if not (is_first or frame.has_event or frame.step in ends):
                spent.append(frame.step)
            begun = stretches
        return spent

    def expected(self, *, rate: float, seconds: float) -> float:
        """How many frames are left of a run of so many seconds with `rate` frames a second, none of them an event."""
        count, before = 0.0, 0.0
        for spacing, age in self.parts:
            until = min(age, seconds)
            count += max(0.0, until - before) * (min(rate, 1 / spacing) if spacing else rate)
            before = until
        return count


class Thinned(NamedTuple):
    """What a rule did to a run."""

    frames: int
    """Deleted."""
    size: int
    """Bytes that they took."""
    left: int
    """Frames that are there now, those that cannot be read among them."""


def thin(recording: Recording, rule: KeepRule, *, dry: bool = False) -> Thinned:
    """Deletes the frames that a rule spares no more. What is left at any moment is a run that was thinned less far, and
    thinning it again comes to the same; a viewer that is open meanwhile goes on with what is there.

    Args:
        dry: only says what would be deleted.

    Raises:
        RunLocked: the run is being written; its own setting `keep` thins it then.
        RecordingError: there is no run, or a file that cannot be deleted.
    """
    if not recording.exists:
        raise RecordingError(f"There is no run in this folder; `ltviz runs` lists those there are ({recording.path}).")
    if dry:
        return _measured(recording, rule.spent(aged(recording)))
    lock = RunLock.acquire(recording.path / "lock")
    try:
        spent = rule.spent(aged(recording))
        found = _measured(recording, spent)
        delete_frames(recording.path, spent)
        return found
    finally:
        lock.release()


def aged(recording: Recording) -> list[Aged]:
    """The frames of a run whose headers can be read, by growing step."""
    found = []
    for step in recording.frame_files():
        with contextlib.suppress(FileNotFoundError, RecordingError):
            header = tensors.read_metadata(recording.path / "frames" / file_name(step))
            if parse_step(header) == step:
                found.append(Aged(step, parse_seconds(header), bool(parse_events(header))))
    return found


def delete_frames(run: Path, steps: Iterable[int]) -> None:
    """Deletes frames, each whole, the last ones first, and then what was kept of their projections. What is gone
    already is no error.

    Raises:
        RecordingError: one that cannot be deleted.
    """
    names = [file_name(step) for step in sorted(steps, reverse=True)]
    if not names:
        return
    frames, views = inner_folder(run, "frames"), inner_folder(run, "projections")
    folders = [frames]
    with contextlib.suppress(OSError), os.scandir(views) as entries:
        folders += [views / entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    for folder in folders:
        for name in names:
            try:
                (folder / name).unlink(missing_ok=True)
            except OSError as error:
                raise unwritable(error, folder / name, 0) from error


class Keeper:
    """Thins a run while it is written: its writer tells of each frame, and has the work done beside it.

    Args:
        run: the run's folder.
    """

    def __init__(self, run: Path) -> None:
        self.rule = KeepRule.parse("")
        """May be another one at any time."""
        self._run, self._guard = run, threading.Lock()
        self._frames: list[Aged] | None = None
        self._written: list[Aged] = []
        self._next = -math.inf
        self._failed = False

    def add(self, frame: Frame) -> None:
        """A frame that has its name now."""
        self._written.append(Aged(frame.step, frame.seconds, bool(frame.events)))

    def work(self, *, at_once: bool = False) -> None:
        """Deletes what the rule spares no more, now and then or `at_once`. A file that cannot be deleted is said once,
        and is no reason to end a training."""
        now = time.monotonic()
        if self.rule.keeps_all or (now < self._next and not at_once):
            return
        self._next = now + EVERY_SECONDS
        with self._guard:
            try:
                # A rule may come when there are frames already, of this writer or of one before.
                known = aged(Recording(self._run)) if self._frames is None else self._frames
                last, written = known[-1].step if known else -1, list(self._written)
                known += [frame for frame in written if frame.step > last]
                spent = self.rule.spent(known)
                delete_frames(self._run, spent)
            except (RecordingError, OSError) as error:
                if not self._failed:
                    log.warning("The run's frames cannot be thinned for now: %s", error)
                self._frames, self._failed = None, True
                return
            gone = set(spent)
            self._frames = [frame for frame in known if frame.step not in gone]
            del self._written[: len(written)]


def _measured(recording: Recording, spent: Sequence[int]) -> Thinned:
    size = 0
    for step in spent:
        with contextlib.suppress(FileNotFoundError):
            size += (recording.path / "frames" / file_name(step)).stat().st_size
    return Thinned(len(spent), size, len(recording.frame_files()) - len(spent))


def _spacing(word: str) -> float:
    if word == "all":
        return 0.0
    found = _RATE.fullmatch(word)
    if found is None or int(found[1]) == 0:
        raise _wrong("have rates as all, 1/10s or 2/min", repr(word[:60]))
    return _time(found[2]) / int(found[1])


def _time(word: str) -> float:
    found = _TIME.fullmatch(word)
    seconds = float(found[1] or 1) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds <= _LONGEST:
        raise _wrong("have times above 0 and up to ten years, in s, min, h, d or w", repr(word[:60]))
    return seconds


def _wrong(rule: str, given: str) -> ValueError:
    return ValueError(f"must {rule}, as '{EXAMPLE}' does, and not {given}")
