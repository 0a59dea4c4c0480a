"""Runs the cells of a sweep on a cluster: a trial is `ltviz train --job FILE`, a command on whatever node is free.

A trial trains in its own process: in the home's queue any worker would take it, that of an app on another machine too.
The cluster queues, places and ends trials; what became of one is read from the recordings in the home, which nodes and
this process share. So nothing is lost with the process that submits: the next start finds the trials that it left, in
`HOME/.ltviz/trials/<tag>.json`, and waits for those. No torch here.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ltviz.errors import RecordingError, TrainingError
from ltviz.launch.apart import Arrivals, token_of
from ltviz.launch.progress import report
from ltviz.launch.queue import FOLDER
from ltviz.launch.sweep import Cell
from ltviz.launch.tally import OVER, State, SweepStatus, Tally, state_of
from ltviz.recording.files import make_folder, write_whole
from ltviz.recording.names import slug
from ltviz.recording.storage import Storage
from ltviz.training.stop import Stop

TRIES = 3
"""Times that a trial is submitted whose node is lost, or whose command breaks before its runs say why."""
_POLL = 1.0  # seconds between looks
_PATIENCE = 60.0  # seconds that trials have to end after a stop
_SHOWN = 400  # characters of a trial's output in a sentence

Place = Literal["queued", "running", "ended", "lost"]
"""Where a trial is. "ended" is by itself, with whatever exit code; "lost" with its node, or unknown to the cluster."""


@dataclass(frozen=True)
class Trial:
    """A cell as a command.

    Attributes:
        name: of the cell, the same at every start of the sweep: the id of its first run.
        command: what a node executes, words.
    """

    name: str
    command: tuple[str, ...]

    @property
    def line(self) -> str:
        """The command for a shell: `ltviz` where it is on PATH, else as a module of the node's Python."""
        words = shlex.join(self.command)
        return f"if command -v ltviz >/dev/null 2>&1; then exec ltviz {words}; else exec python -m ltviz {words}; fi"


class Site(ABC):
    """A cluster."""

    @abstractmethod
    def submit(self, trials: Sequence[Trial]) -> list[str]:
        """Queues trials; gives an id for each, by which any later process finds it again.

        Raises:
            TrainingError: the cluster does not take them.
        """

    @abstractmethod
    def places(self, ids: Sequence[str]) -> dict[str, Place]:
        """Where these are now. TrainingError: the cluster does not answer."""

    @abstractmethod
    def stop(self, ids: Sequence[str]) -> None:
        """Ends these, politely first."""

    @abstractmethod
    def output(self, trial: str) -> str:
        """The end of what a trial printed; nothing where that is not known."""


@dataclass
class _Sent:
    """A cell on its way."""

    cell: Cell
    trial: Trial
    id: str | None = None
    tries: int = 0
    over: bool = False


class Trials:
    """Trains on a site what is not finished yet.

    Args:
        home: folder of run folders, at this path on every node but with a mirror; the trials' jobs are files in it.
        cells: of the plan.
        tag: put on every run of the sweep.
        site: where to.
        stop, progress, ended: as `Slots` takes them.
        mirror: where nodes that do not see the home bring their runs; None where all do.
    """

    def __init__(
        self,
        home: Path,
        cells: Sequence[Cell],
        *,
        tag: str,
        site: Site,
        stop: Stop,
        progress: Callable[[SweepStatus], None] = lambda status: None,
        ended: Callable[[str, State], None] = lambda run_id, state: None,
        mirror: Storage | None = None,
    ):
        self.home, self.tally = home, Tally(home, cells, tag)
        self._mirror, self.arrivals = mirror, None if mirror is None else Arrivals(home, mirror)
        self._site, self._stop, self._progress, self._ended = site, stop, progress, ended
        self._note = home / FOLDER / "trials" / f"{slug(tag)}.json"
        self._sent = [_Sent(cell, self._trial(cell)) for cell in cells]

    def run(self) -> SweepStatus:
        """Returns when every cell is over, or a stop has been obeyed.

        Raises:
            TrainingError: the cluster is not there, or a trial broke again and again without a word in its runs.
            RecordingError, DiskFull: the home cannot be written.
        """
        self.tally.begin()
        with report(self.home, self.tally.tag) as said:
            self._find_again()
            waiting = [sent for sent in self._sent if not self._close_finished(sent) and sent.id is None]
            self._submit(waiting if not self._stop.asked else ())
            while not self._stop.asked and not all(sent.over for sent in self._sent):
                self._look()
                status = self.tally.status()
                said.tell_status(status)
                self._progress(status)
                time.sleep(_POLL)
            if self._stop.asked:
                self._stop_all()
        if self.arrivals is not None:
            self.arrivals.close()
        self._keep_note()
        return self.tally.status()

    def _trial(self, cell: Cell) -> Trial:
        name = cell.job.runs[0].run_id
        command = ("train", "--job", str(self._file(name)), "--home", str(self.home))
        if self._mirror is not None:
            about = cell.job.as_file().decode()
            command += ("--mirror", self._mirror.url, "--token", token_of(self.home), "--given", about)
        return Trial(name, command)

    def _file(self, name: str) -> Path:
        return self._note.parent / "jobs" / f"{name}.json"

    # ------------------------------------------------------------------ one look

    def _look(self) -> None:
        """Takes in what has become of the trials; those that were lost are submitted again."""
        going = [sent for sent in self._sent if not sent.over and sent.id is not None]
        places = self._site.places([str(sent.id) for sent in going])
        has_come = self._bring(going)
        again = []
        for sent in going:
            place = places[str(sent.id)]
            if not has_come and place not in ("queued", "running"):
                continue  # what became of it is at the mirror
            if place == "running":
                self._update(sent)
            if place in ("queued", "running") or self._close_finished(sent):
                continue
            if place == "ended" and self._close_failed(sent):
                continue
            again.append(sent)
        self._submit(again)

    def _bring(self, sent: Sequence[_Sent]) -> bool:
        """Brings what nodes without the home have sent; whether that could be had, so that the recordings tell all."""
        if self.arrivals is None:
            return True
        runs = [run.run_id for one in sent for run in one.cell.job.runs]
        return self.arrivals.look(run for run in runs if self.tally.states[run] not in OVER)

    def _update(self, sent: _Sent) -> None:
        """States of runs while they train; each that is finished is told of at once."""
        for run in sent.cell.job.runs:
            state = state_of(self.home, run.run_id, sent.cell.run)
            if state == "finished" and self.tally.states[run.run_id] != "finished":
                self._close(run.run_id, state)
            elif state == "training":
                self.tally.states[run.run_id] = state

    def _close_finished(self, sent: _Sent) -> bool:
        """Whether all runs of a cell are finished, which is all that there is to do for it."""
        self._update(sent)
        sent.over = all(self.tally.states[run.run_id] in OVER for run in sent.cell.job.runs)
        return sent.over

    def _close_failed(self, sent: _Sent) -> bool:
        """Whether a trial that ended has said in its runs why not all are finished."""
        states: dict[str, State] = {
            run.run_id: state_of(self.home, run.run_id, sent.cell.run) for run in sent.cell.job.runs
        }
        if any(state in ("waiting", "training") for state in states.values()):
            return False
        for run, state in states.items():
            if self.tally.states[run] not in OVER:
                self._close(run, state)
        sent.over = True
        return True

    def _close(self, run: str, state: State) -> None:
        self.tally.close(run, state)
        self._ended(run, state)

    def _submit(self, wanted: Sequence[_Sent]) -> None:
        if not wanted:
            return
        for sent in wanted:
            if sent.tries >= TRIES:
                said = self._site.output(str(sent.id)).strip()[-_SHOWN:]
                raise TrainingError(
                    f"a trial must get as far as its runs, but {sent.trial.name} broke {sent.tries} times "
                    f"({said or 'it printed nothing'}); see that nodes have ltviz and {self.home}"
                    + (", or give them a mirror" if self._mirror is None else "")
                )
            make_folder(self._file(sent.trial.name).parent)
            write_whole(self._file(sent.trial.name), sent.cell.job.as_file())
        for sent, found in zip(wanted, self._site.submit([sent.trial for sent in wanted]), strict=True):
            sent.id, sent.tries = found, sent.tries + 1
        self._keep_note()

    def _stop_all(self) -> None:
        going = [str(sent.id) for sent in self._sent if not sent.over and sent.id is not None]
        self._site.stop(going)
        deadline = time.monotonic() + _PATIENCE
        while going and time.monotonic() < deadline:
            places = self._site.places(going)
            going = [one for one in going if places[one] in ("queued", "running")]
            time.sleep(0.2)
        self._bring([sent for sent in self._sent if not sent.over and sent.id is not None])
        for sent in self._sent:
            if sent.over or self._close_finished(sent):
                continue
            for run in sent.cell.job.runs:
                if self.tally.states[run.run_id] not in OVER:
                    self.tally.states[run.run_id] = "stopped"

    # ------------------------------------------------------------------ what an earlier start left

    def _find_again(self) -> None:
        """Trials that an earlier start submitted and that still wait or run."""
        noted: Mapping[str, str] = {}
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self._note.read_text(encoding="utf-8"))
            noted = {str(name): str(one) for name, one in found.items()} if isinstance(found, dict) else {}
        known = {sent.trial.name: sent for sent in self._sent}
        mine = {name: one for name, one in noted.items() if name in known}
        places = self._site.places([*mine.values()])
        for name, one in mine.items():
            if places[one] in ("queued", "running"):
                known[name].id, known[name].tries = one, 1

    def _keep_note(self) -> None:
        going = {sent.trial.name: sent.id for sent in self._sent if not sent.over and sent.id is not None}
        make_folder(self._note.parent)
        with contextlib.suppress(RecordingError):  # on a full disk trials go on, and the next start submits them anew
            write_whole(self._note, json.dumps(going).encode())
