"""The frames of a run by what their names and headers say: looked at again and again, a look costs one listing of the
folder and what is new in it, however many frames there are."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltviz.errors import RecordingError
from ltviz.recording import tensors
from ltviz.recording.files import Identity, identity_at, inner_folder
from ltviz.recording.frame import file_name, parse_events, parse_metrics, parse_step, step_of

log = logging.getLogger("ltviz")

REST_RATIO = 5
"""How much longer than a listing the rest after it is where only news is wanted: a folder of many frames takes its
time to list, 10 ms and more for 20,000, and what is being written needs that processor."""
LIST_SECONDS = 1.0
"""So often at least it is listed while frames come where they are expected."""


class FrameIndex:
    """What is known of the frames of one run. Any thread may use it.

    Args:
        run: the run's folder.
    """

    def __init__(self, run: Path) -> None:
        self._run, self._guard = run, threading.RLock()
        self._names: set[str] = set()
        self._steps: Sequence[int] = ()
        self._came: set[int] = set()
        self._went: set[int] = set()
        self._known: Mapping[int, dict[str, float]] | None = {}
        """A copy of the metrics for who asked last; None once they have changed."""
        self._readable: tuple[int, ...] = ()
        self._metrics: dict[int, dict[str, float]] = {}
        self._events: dict[int, list[dict[str, Any]]] = {}
        self._sound: set[int] = set()
        self._bad: dict[int, tuple[Identity, str]] = {}
        self._listed_at = self._rest_until = -math.inf

    def path(self, step: int) -> Path:
        return self._run / "frames" / file_name(step)

    def files(self) -> Sequence[int]:
        """Steps of all files named like frames, growing, sound or not; nothing is opened. The same object as before
        where nothing has changed.

        RecordingError where the folder is a link, or may not be looked into.
        """
        folder, began = inner_folder(self._run, "frames"), time.monotonic()
        try:
            names = set(os.listdir(folder))  # noqa: PTH208  (a Path a name would cost more than all the rest)
        except (FileNotFoundError, NotADirectoryError):
            names = set()
        except OSError as error:
            raise RecordingError(f"The frames cannot be looked into ({error.strerror}; {folder}).") from error
        with self._guard:
            self._listed_at = time.monotonic()
            self._rest_until = self._listed_at + REST_RATIO * (self._listed_at - began)
            came, went = _steps(names - self._names), _steps(self._names - names)
            if went:
                self._steps = tuple(step for step in self._steps if step not in went)
            if came:
                later = not self._steps or min(came) > self._steps[-1]
                self._steps = (*self._steps, *sorted(came)) if later else tuple(sorted({*self._steps, *came}))
            self._came = (self._came | came) - went
            self._went = (self._went | went) - came
            self._names = names
            return self._steps

    def metrics(self) -> Mapping[int, dict[str, float]]:
        """Metrics of each frame that is not known to be bad, by growing step; not to be changed. A frame that is not
        there yet is later than all that are."""
        with self._guard:
            steps = self.files()
            if steps and steps[-1] not in self._metrics:
                # A look at a folder that is being written may show a file and miss one that came before it. All that
                # were there before the newest of this look are sure to be in the next.
                newest, again = steps[-1], self.files()
                steps = again if again and again[-1] == newest else tuple(step for step in again if step <= newest)
            self._look(steps, math.inf)
            if self._known is None:
                self._known = dict(self._metrics)
            return self._known

    def steps_within(self, seconds: float) -> tuple[tuple[int, ...], bool]:
        """Steps of the frames in `metrics`, with so much time for new headers, the newest frame's first; and whether
        nothing is left to be looked at. Asked again, it goes on; a frame between others may come later than they. The
        same object as before where nothing has changed."""
        with self._guard:
            now = time.monotonic()
            came = self._follow_on()
            listed = now >= (self._rest_until if not came else max(self._rest_until, self._listed_at + LIST_SECONDS))
            self._look(self.files() if listed else self._steps, now + seconds)
            return self._readable, listed and not self._came

    def _follow_on(self) -> bool:
        """Takes in the frames that are where the next ones are expected, by the stride of the last two: nothing is
        listed for them."""
        came = []
        while len(self._steps) > 1:
            last, before = (*self._steps[-2:], *came)[-1], (*self._steps[-2:], *came)[-2]
            if identity_at(self.path(expected := 2 * last - before)) is None:
                break
            came.append(expected)
        self._steps = (*self._steps, *came) if came else self._steps
        self._came.update(came)
        self._names |= {file_name(step) for step in came}
        return bool(came)

    def events(self) -> dict[int, list[dict[str, Any]]]:
        """Events of the frames that `metrics` knew when it was last asked, of those that have any."""
        with self._guard:
            return {step: list(self._events[step]) for step in sorted(self._events)}

    def bad(self) -> list[tuple[int, str]]:
        """Steps of what was skipped so far, and why."""
        with self._guard:
            return [(step, reason) for step, (_, reason) in sorted(self._bad.items())]

    def is_sound(self, step: int) -> bool:
        return step in self._sound

    def set_sound(self, step: int) -> None:
        """The whole frame has been read."""
        self._sound.add(step)

    def set_bad(self, step: int, error: RecordingError) -> None:
        """Leaves a frame out until its file is another one."""
        path = self.path(step)
        with self._guard:
            identity = identity_at(path)
            if identity is None:
                return
            if step not in self._bad:
                log.warning("A frame is skipped: %s (%s)", error, path)
            if self._metrics.pop(step, None) is not None:
                self._known, self._readable = None, tuple(self._metrics)
            self._events.pop(step, None)
            self._sound.discard(step)
            self._bad[step] = (identity, str(error))

    def _look(self, steps: Sequence[int], until: float) -> None:
        """Reads the headers of what is new among these steps, for so long at most."""
        for step in self._went:
            for held in (self._metrics, self._events, self._bad):
                held.pop(step, None)
            self._sound.discard(step)
        last = steps[-1] if steps else -1
        new = sorted(step for step in self._came | self._bad.keys() if step <= last)
        if not new and not self._went:
            return
        gone = bool(self._went)
        self._went.clear()
        newest, added = next(reversed(self._metrics), -1), []
        # The newest frame is what a live run shows.
        for count, step in enumerate([*new[-1:], *new[:-1]]):
            if count and time.monotonic() > until:
                break
            known = step in self._metrics
            if self._read_header(step):
                self._came.discard(step)
            if known != (step in self._metrics):
                gone |= known
                added += [] if known else [step]
        self._take_in(sorted(added), newest, gone=gone)

    def _take_in(self, added: Sequence[int], newest: int, *, gone: bool) -> None:
        """Puts the metrics of new frames in order. Of a long run this is done with every frame: what only grows at its
        end is neither sorted nor copied."""
        if not added and not gone:
            return
        self._known = None
        if added and added[0] < newest:
            self._metrics = dict(sorted(self._metrics.items()))
        else:
            for step in added:
                self._metrics[step] = self._metrics.pop(step)
        if gone or added[0] < newest:
            self._readable = tuple(self._metrics)
        else:
            self._readable = (*self._readable, *added)

    def _read_header(self, step: int) -> bool:
        """Takes in the header of a frame, unless it is known to be bad and has not changed. False: it is not there."""
        path = self.path(step)
        if step in self._bad and identity_at(path) == self._bad[step][0]:
            return True
        try:
            header = tensors.read_metadata(path)
            parse_step(header)
            metrics, events = parse_metrics(header), parse_events(header)
        except FileNotFoundError:
            return False
        except RecordingError as error:
            self.set_bad(step, error)
            return True
        self._bad.pop(step, None)
        self._metrics[step] = metrics
        if events:
            self._events[step] = events
        return True


def _steps(names: set[str]) -> set[int]:
    return {step for name in names if (step := step_of(name)) is not None}
