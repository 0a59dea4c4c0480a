"""The frames of a run by what their names and headers say: looked at again and again, a look costs one listing of the
folder and what is new in it, however many frames there are."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltviz.errors import RecordingError
from ltviz.recording import tensors
from ltviz.recording.files import Identity, identity_at, inner_folder
from ltviz.recording.frame import file_name, parse_events, parse_metrics, parse_step, step_of
from ltviz.recording.recorded_metrics import RecordedMetrics
from ltviz.recording.steps import Steps

log = logging.getLogger("ltviz")

REST_RATIO = 5
"""How much longer than a listing the rest after it is where only news is wanted: a folder of many frames takes its
time to list, 10 ms and more for 20,000, and what is being written needs that processor."""
LIST_SECONDS, LIST_RATIO = 1.0, 100
"""So often, or after so many times as long as a listing takes where that is more, it is listed while frames come where
they are expected."""
REACH = 64
"""Steps after the newest frame among which the next one is expected, however unevenly they come."""


class FrameIndex:
    """What is known of the frames of one run. Any thread may use it.

    Args:
        run: the run's folder.
    """

    def __init__(self, run: Path) -> None:
        self._run, self._guard = run, threading.RLock()
        self._folder = os.fspath(run / "frames")
        self._listing = threading.RLock()
        """Held while the folder is listed, which takes its time: who wants news alone does without. An older look never
        comes after a newer one. Taken before the guard."""
        self._names: set[str] = set()
        self._steps = Steps()
        self._waiting: deque[int] = deque()
        """Steps whose headers are still to be read, growing."""
        self._went: set[int] = set()
        self._meanwhile: set[str] = set()
        """Files found since the last listing began, which need not be in it."""
        self._known: RecordedMetrics | None = RecordedMetrics()
        """A copy of the metrics, by growing step, for who asked last; None once they have changed."""
        self._readable = Steps()
        self._metrics = RecordedMetrics()
        self._events: dict[int, list[dict[str, Any]]] = {}
        self._told: Mapping[int, list[dict[str, Any]]] | None = {}
        """As `_known`, of the events."""
        self._sound: set[int] = set()
        self._bad: dict[int, tuple[Identity, str]] = {}
        self._listed_at = self._rest_until = -math.inf
        self._took = 0.0
        self._followed = False
        """Whether what came last was found where it was expected."""

    def path(self, step: int) -> Path:
        return self._run / "frames" / file_name(step)

    def files(self) -> Steps:
        """Steps of all files named like frames, growing, sound or not; nothing is opened. The same object as before
        where nothing has changed.

        RecordingError where the folder is a link, or may not be looked into.
        """
        with self._listing:
            folder, began = inner_folder(self._run, "frames"), time.monotonic()
            with self._guard:
                self._meanwhile.clear()
            try:
                names = set(os.listdir(folder))  # noqa: PTH208  (a Path a name would cost more than all the rest)
            except (FileNotFoundError, NotADirectoryError):
                names = set()
            except OSError as error:
                raise RecordingError(f"The frames cannot be looked into ({error.strerror}; {folder}).") from error
            with self._guard:
                self._listed_at = time.monotonic()
                self._took = self._listed_at - began
                self._rest_until = self._listed_at + REST_RATIO * self._took
                names |= self._meanwhile
                came, went = names - self._names, self._names - names
                self._take(_steps(came), _steps(went))
                # Those that were known stay the objects that they are: all of them anew with every look would leave
                # the process's memory in pieces.
                self._names -= went
                self._names |= came
                return self._steps

    def _take(self, came: set[int], went: set[int]) -> None:
        """Takes in which files there are now."""
        if went:
            self._steps = Steps(step for step in self._steps if step not in went)
            self._waiting = deque(step for step in self._waiting if step not in went)
        if came:
            self._followed = False
            new = sorted(came)
            later = not self._steps or new[0] > self._steps[-1]
            self._steps = self._steps.followed_by(new) if later else Steps(sorted({*self._steps, *new}))
            self._wait_for(new)
        self._went = (self._went | went) - came

    def metrics(self) -> RecordedMetrics:
        """Metrics of each frame that is not known to be bad, by growing step. A frame that is not
        there yet is later than all that are."""
        with self._listing:
            steps = self.files()
            if steps and steps[-1] not in self._metrics:
                # A look at a folder that is being written may show a file and miss one that came before it. All that
                # were there before the newest of this look are sure to be in the next.
                newest, again = steps[-1], self.files()
                steps = again if again and again[-1] == newest else Steps(step for step in again if step <= newest)
        with self._guard:
            self._look(steps)
            if self._known is None:
                self._known = self._metrics.in_order()
            return self._known

    def steps_within(self, seconds: float, *, lists: bool = True) -> tuple[Steps, bool]:
        """Steps of the frames in `metrics`, with so much of a processor's time for new headers, the newest frame's
        first; and whether nothing is left to be looked at. Asked again, it goes on; a frame between others may come
        later than they. The same object as before where nothing has changed.

        Without `lists` the folder is not listed, which may take longer, but what comes next is found.
        """
        with self._guard:
            self._follow_on()
        listed = lists and self._is_due() and self._list_unless_others_do()
        with self._guard:
            self._look(self._steps, seconds, again=listed)
            return self._readable, listed and not self._waiting

    def _is_due(self) -> bool:
        """Whether the folder has rested since it was listed."""
        rest = self._listed_at + max(LIST_SECONDS, LIST_RATIO * self._took) if self._followed else -math.inf
        return time.monotonic() >= max(self._rest_until, rest)

    def _list_unless_others_do(self) -> bool:
        """Lists the folder; False where another thread is at it."""
        if not self._listing.acquire(blocking=False):
            return False
        try:
            self.files()
        finally:
            self._listing.release()
        return True

    def _follow_on(self) -> None:
        """Takes in the frames that are where the next ones are expected, soon after the last, or as far from it as that
        from the one before: nothing is listed for them."""
        came: list[int] = []
        while len(self._steps) > 1:
            last, before = (*self._steps[-2:], *came)[-1], (*self._steps[-2:], *came)[-2]
            ahead = range(last + 1, last + REACH + 1) if last - before <= REACH else (2 * last - before,)
            found = next((step for step in ahead if self._is_file(step)), None)
            if found is None:
                break
            came.append(found)
        if came:
            names = {file_name(step) for step in came}
            self._steps = self._steps.followed_by(came)
            self._wait_for(came)
            self._names |= names
            self._meanwhile |= names
            self._followed = True

    def _is_file(self, step: int) -> bool:
        try:
            os.stat(f"{self._folder}/{file_name(step)}", follow_symlinks=False)  # noqa: PTH116  (as above)
        except OSError:
            return False
        return True

    def events(self) -> Mapping[int, list[dict[str, Any]]]:
        """Events of the frames that have been looked at, of those that have any; not to be changed. The same object as
        before where nothing has changed."""
        with self._guard:
            if self._told is None:
                self._told = {step: self._events[step] for step in sorted(self._events)}
            return self._told

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
            if self._metrics.forget(step):
                self._known, self._readable = None, Steps(sorted(self._metrics))
            if self._events.pop(step, None) is not None:
                self._told = None
            self._sound.discard(step)
            self._bad[step] = (identity, str(error))

    def _wait_for(self, new: Sequence[int]) -> None:
        """Headers of these steps, growing, are to be read."""
        later = not self._waiting or new[0] > self._waiting[-1]
        self._waiting = deque(sorted({*self._waiting, *new})) if not later else self._waiting
        self._waiting.extend(new if later else ())

    def _look(self, steps: Sequence[int], seconds: float = math.inf, *, again: bool = True) -> None:
        """Reads the headers of what is new among these steps, in so much of a processor's time; `again` those of bad
        frames whose files have changed."""
        until = time.thread_time() + seconds
        gone = bool(self._went)
        self._told = None if gone else self._told
        for step in self._went:
            self._metrics.forget(step)
            for held in (self._events, self._bad):
                held.pop(step, None)
            self._sound.discard(step)
        self._went.clear()
        added: list[int] = []
        for step in sorted(self._bad) if again else ():
            added += [step] if self._read_header(step) and step in self._metrics else []
        last, missing = steps[-1] if steps else -1, []
        while (step := self._next_waiting(last, newest=not added)) is not None:
            known = step in self._metrics
            if not self._read_header(step):
                missing.append(step)
            if known != (step in self._metrics):
                gone |= known
                added += [] if known else [step]
            if time.thread_time() > until:
                break
        if missing:
            self._wait_for(sorted(missing))
        self._take_in(sorted(added), gone=gone)

    def _next_waiting(self, last: int, *, newest: bool) -> int | None:
        """The next step up to `last` whose header is to be read: the oldest, or the `newest`, which is what a live run
        shows."""
        if not self._waiting or self._waiting[0] > last:
            return None
        if not newest:
            return self._waiting.popleft()
        at = next(i for i in range(len(self._waiting) - 1, -1, -1) if self._waiting[i] <= last)
        step = self._waiting[at]
        del self._waiting[at]
        return step

    def _take_in(self, added: Sequence[int], *, gone: bool) -> None:
        """Puts the steps of new frames in order. Of a long run this is done with every frame: what only grows at its
        end is not sorted, and what comes between is merged."""
        if not added and not gone:
            return
        if gone:
            self._known = None
            self._readable = Steps(sorted(self._metrics))
        elif self._readable and added[0] < self._readable[-1]:
            self._readable = Steps(sorted((*self._readable, *added)))
        else:
            self._readable = self._readable.followed_by(added)

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
        self._metrics.set(step, metrics)
        self._known = None
        if events:
            self._events[step], self._told = events, None
        return True


def _steps(names: set[str]) -> set[int]:
    return {step for name in names if (step := step_of(name)) is not None}
