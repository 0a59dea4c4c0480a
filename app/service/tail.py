"""One followed run: what is there now, looked at again and again. No frame is read here."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ltviz.errors import LtvizError
from ltviz.metrics.moves import Moves
from ltviz.recording import Recording, RunInfo
from ltviz.recording.steps import Steps

from .. import words
from .alarms import SLICE_SECONDS, Alarms, RunAlarms
from .kept import identify
from .projections import Projections

log = logging.getLogger("ltviz.app")

LIVE = frozenset({"queued", "starting", "running", "paused", "stopping"})
STATUS_SECONDS = 0.25
HEADER_SECONDS = 0.02
"""Of one look, for the headers of frames beside the newest: a run of very many, opened for the first time, comes bit by
bit, and what is new meanwhile, in it and in the runs beside it, waits no longer."""
COARSE_SECONDS, LATE_SECONDS = 3.0, 2.0
"""Some file systems keep a folder's time to the second only, and some tell it late: for so long after a change it is
looked into with every status, whatever its time says; and so often after that."""
RESTING_SECONDS = 0.5
"""How often a finished run is looked at: it can only be deleted or resumed."""


@dataclass(frozen=True)
class Snapshot:
    """What is known of a run at one moment; replaced as a whole, so that any thread may read it."""

    generation: tuple[int, int] | None = None
    """Which folder this is: another one of the same name has another; None before there is any."""
    state: str = "queued"
    reason: str | None = None
    steps: Steps = field(default_factory=Steps)
    info: RunInfo | None = None

    @property
    def live(self) -> bool:
        return self.state in LIVE


Event = tuple[int, str, str]
"""Step, kind and words of something that happened: a setting changed, a pause, an alarm."""


@dataclass
class Tail:
    """One followed run."""

    run: str
    recording: Recording
    snapshot: Snapshot = field(default_factory=lambda: Snapshot(reason=words.served.WAITING_FOR_RUN))
    watchers: list[Callable[[], None]] = field(default_factory=list)
    keepers: int = 0
    """How many of them may change something: while there is none, nothing is written into the run's folder."""
    bad: set[int] = field(default_factory=set)
    header: tuple[str, bytes] | None = None
    """The run's own message, once it has been asked for, and the state that it tells."""
    projections: Projections | None = None
    landed: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How often a projection of a step that was pending came; a viewer asks for the frame again then."""
    looked: bool = False
    recorded: tuple[Event, ...] = ()
    """What happened at the recorded steps, by step."""
    alarms: tuple[Event, ...] = ()
    """What was found wrong with the run so far."""
    moves: Moves = field(default_factory=Moves)
    """Whose prediction flipped and who crossed a border, in the frames looked at so far."""
    searched: Snapshot | None = None
    """The state in which every frame had been looked at for alarms."""
    _happened: Mapping[int, list[dict[str, Any]]] | None = None
    _listed: int = -1
    _changed_at: float = 0.0
    _next_list: float = 0.0
    _complete: bool = True
    """Whether all frames have been looked at."""
    _next_look: float = 0.0
    _next_status: float = 0.0

    def poll(self, now: float, seconds: float = HEADER_SECONDS, *, lists: bool = True) -> bool:
        """Looks at the folder; True where the snapshot changed. Runs in the hub's own thread.

        Args:
            now: monotonic seconds.
            seconds: for headers.
            lists: whether the folder of the frames may be listed, which takes its time where they are many.
        """
        if now < self._next_look:
            return False
        before = self.snapshot
        try:
            found = self._look(before, now, seconds, lists)
        except OSError:
            # The folder vanished between two looks at it: the next poll says so.
            found, self._listed = before, -1
        except LtvizError as error:
            found = replace(before, state="unreadable", reason=str(error))
        except Exception:
            # A stranger's folder may hold anything; it must not stop the runs beside it.
            log.exception("Run %s cannot be followed", self.run)
            found = replace(before, state="unreadable", reason=words.served.UNREADABLE_RUN)
        changed = found != before or not self.looked
        if changed:
            self.snapshot, self.looked = found, True
        self._next_look = now + (RESTING_SECONDS if self._complete and not self.snapshot.live else 0.0)
        return changed

    def _look(self, known: Snapshot, now: float, seconds: float, lists: bool) -> Snapshot:
        if not self.recording.path.is_dir():
            if known.generation is None:
                return known
            self._forget()
            return Snapshot(state="deleted", reason=words.served.DELETED)
        if now >= self._next_status:
            self._next_status = now + STATUS_SECONDS
            known = self._open(known)
            status = self.recording.status()
            known = replace(known, state=status.state, reason=words.shared.sentence(status.reason))
        return known if known.generation is None else self._list(known, now, seconds, lists)

    def _open(self, known: Snapshot) -> Snapshot:
        generation = identify(self.recording.path)
        if generation == known.generation:
            return known
        self._forget()
        return Snapshot(generation=generation, info=None if generation is None else self.recording.info)

    def _list(self, known: Snapshot, now: float, seconds: float, lists: bool) -> Snapshot:
        changed = (self.recording.path / "frames").stat().st_mtime_ns
        if changed == self._listed and now < self._next_list:
            return known
        # Noted before listing: a frame that arrives in between changes the folder again and is found next time.
        if changed != self._listed:
            self._listed, self._changed_at = changed, now
        found, self._complete = self.recording.steps_within(seconds, lists=lists)
        again = STATUS_SECONDS if now < self._changed_at + COARSE_SECONDS else LATE_SECONDS
        self._next_list = now + (again if self._complete else 0.0)
        steps = Steps(step for step in found if step not in self.bad) if self.bad else found
        if steps == known.steps:
            return known
        self._record(known)
        return replace(known, steps=steps)

    def _record(self, known: Snapshot) -> None:
        """Takes in what happened at the steps, where anything else has happened than before."""
        happened = self.recording.known_events()
        if happened is self._happened:
            return
        self._happened, names = happened, () if known.info is None else known.info.class_names
        self.recorded = tuple(
            (step, str(event.get("kind", "note")), words.served.event_text(event, names))
            for step, events in happened.items()
            for event in events
        )

    def _forget(self) -> None:
        self._listed, self.header, self.recorded, self.alarms = -1, None, (), ()
        self.bad.clear()
        self.projections = self.searched = self._happened = None
        self.moves = Moves()

    def events(self) -> list[Event]:
        """Everything that the timeline shows, by step."""
        return sorted((*self.recorded, *self.alarms), key=lambda event: event[0])

    @property
    def complete(self) -> bool:
        """Whether all its frames are known; those of a run of very many come bit by bit."""
        return self._complete

    def search(self, alarms: Alarms, seconds: float = SLICE_SECONDS) -> None:
        """Looks for alarms, for so long at most. Runs in a thread of its own, never in the event loop."""
        snapshot = self.snapshot
        try:
            found = alarms.find(self.recording, seconds, snapshot.steps)
        except (LtvizError, OSError, ValueError) as error:
            log.warning("Run %s is not looked at for alarms: %s", self.run, error)
            found = RunAlarms((), complete=True)
        if snapshot.generation != self.snapshot.generation:
            return  # of a folder that is no more
        self.alarms = tuple((alarm.step, "alarm", f"{alarm.reason} {alarm.advice}") for alarm in found.alarms)
        self.moves = found.moves
        if found.complete:
            self.searched = snapshot

    def drop(self, step: int) -> None:
        """Leaves a damaged frame out from the next look on."""
        self.bad.add(step)
        self._listed = -1
