"""The processes of a race that trains on several devices: rank 0, which holds the race, and those who follow it.

Rank 0 is the process that was asked to train; it starts the others on its machine, and alone writes folders, hears
requests, looks and judges. A follower has the same methods and takes the same steps, when rank 0 says so; it ends with
rank 0, whatever ends that. On several machines the same command runs on each, with MASTER_ADDR, MASTER_PORT and
NODE_RANK as `torch.distributed.run` has them.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import distributed

from ltviz.data.batch import Batch
from ltviz.errors import TrainingError
from ltviz.methods.base import Method
from ltviz.recording import Weights
from ltviz.training.engine import out_of_memory
from ltviz.training.learner import Learner
from ltviz.training.meeting import JOINING, LAST_WORDS, check, is_of_connection, join, meeting, open_store, start_local
from ltviz.training.ranks import Ranks
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import SharedStart
from ltviz.training.teachers import TeacherSpec

_SEEN = 10.0  # seconds in which the end of a process is seen after its connection broke, on a busy machine too
_ENDING = 3.0  # seconds that a process has to end by itself
_HANGS = 10.0  # seconds after which a step that waits for a process that is gone is broken off


class Crew:
    """Those who follow this process, rank 0.

    Args:
        run: `devices` is how many processes train on each machine, `nodes` how many machines.

    Raises:
        ConfigError: not so many devices, or several machines and no address to meet at.
        TrainingError: somebody did not come.
    """

    def __init__(self, run: RunSettings):
        world = run.devices * run.nodes
        check(run)
        address, port = meeting(run)
        self._lost: str | None = None
        self._stepping, self._enlisted = 0.0, 0
        self._closed = threading.Event()
        store = open_store(address, port, world, leads=True)
        self._processes = start_local(run, first=1, address=address, port=store.port)
        try:
            join(store, 0, world, run)
        except Exception as error:
            self._end_processes()
            raise TrainingError(
                f"all {world} ranks must start within {JOINING:.0f} s, but {self._who_is_gone() or 'some did not'} "
                f"({str(error)[:300]}); try fewer devices"
            ) from error
        self.ranks = Ranks(0, world)
        self._watcher = threading.Thread(target=self._watch, name="ltviz-ranks", daemon=True)
        self._watcher.start()

    # ------------------------------------------------------------------ leading

    def begin(self, run: RunSettings) -> None:
        """All prepare the start that this run has."""
        self._tell({"do": "prepare", "run": run.model_dump(mode="json")})

    def learner(
        self, method: Method, shared: SharedStart, share: tuple[int, int], teacher: TeacherSpec | None
    ) -> Learner:
        """A learner that takes its steps together with those of all ranks."""
        key, self._enlisted = self._enlisted, self._enlisted + 1
        self._tell(
            {
                "do": "enlist",
                "method": method.card.name,
                "settings": method.settings.model_dump(mode="json"),
                "share": list(share),
                "teacher": teacher and teacher.as_json(),
            }
        )
        return LeadingLearner(method, shared.run, shared.engine, share, crew=self, key=key)

    def step(self, key: int, number: int, learner: Learner, *, whole: bool, chance: list[str] | None) -> None:
        """All take step `number` with learner `key`, after they have taken in what is new of it.

        Args:
            whole: whether weights and all else are to be those of rank 0 first.
            chance: states of the random generators, where looking has moved them.
        """
        self._tell({"do": "step", "learner": key, "step": number, "state": whole, "chance": chance})
        if whole:
            tensors, state = learner.pack()
            with self._connected():
                self.ranks.tell({"state": state})
                self.ranks.spread(tensors)

    def change(self, key: int, learner: Learner) -> None:
        """Tells of settings that have changed."""
        self._tell(
            {
                "do": "change",
                "learner": key,
                "run": learner.run.model_dump(mode="json"),
                "settings": learner.method.settings.model_dump(mode="json"),
            }
        )

    def renew(self, key: int) -> None:
        self._tell({"do": "renew", "learner": key})

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """A step of all ranks. Whatever breaks it off here leaves the others in the middle of it: no further one can
        be taken together."""
        self._stepping = time.monotonic()
        try:
            with self._connected(), self.ranks.working():
                yield
        except BaseException as error:
            if self._lost is None:
                why = type(error).__name__ if out_of_memory(error) is None else "there was no memory for it"
                self._lost = f"a step broke off ({why}), and ranks that took it cannot go on together"
            raise
        finally:
            self._stepping = 0.0

    def dismiss(self) -> None:
        """Ends the others, and the group."""
        if self._closed.is_set():
            return
        self._closed.set()
        if self._lost is None:
            with contextlib.suppress(Exception):
                self.ranks.tell({"do": "end"})
        with contextlib.suppress(Exception):
            distributed.destroy_process_group()
        self._end_processes()

    # ------------------------------------------------------------------ those who are gone

    def _tell(self, message: dict[str, Any]) -> None:
        with self._connected():
            self.ranks.tell(message)

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Raises TrainingError, with who is gone, where the others cannot be reached."""
        if self._lost is not None:
            raise TrainingError(f"{self._lost}; go on with `ltviz train --resume RUN`")
        try:
            yield
        except (RuntimeError, distributed.DistError) as error:
            deadline = time.monotonic() + _SEEN
            while (gone := self._who_is_gone()) is None and is_of_connection(error) and time.monotonic() < deadline:
                time.sleep(0.05)
            if gone is None and not is_of_connection(error):
                raise
            gone = gone or "another machine's ranks are gone"
            self._lost = f"{gone}, and a step needs all {self.ranks.size} ranks"
            raise TrainingError(f"{self._lost}; go on with `ltviz train --resume RUN`") from error

    def _who_is_gone(self) -> str | None:
        for rank, process in enumerate(self._processes, 1):
            if (code := process.poll()) is not None:
                why = LAST_WORDS.get(code) or (f"signal {-code}" if code < 0 else f"exit code {code}")
                return f"rank {rank} has ended ({why})"
        return None

    def _watch(self) -> None:
        """Breaks off a step on GPUs that waits for a process that is gone: those say nothing when they wait."""
        while not self._closed.wait(0.5):
            begun = self._stepping
            if begun and time.monotonic() - begun > _HANGS and self._who_is_gone() is not None:
                with contextlib.suppress(Exception):
                    distributed.distributed_c10d._abort_process_group()
                return

    def _end_processes(self) -> None:
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()  # a follower whose rank 0 is gone ends
        deadline = time.monotonic() + _ENDING
        for process in self._processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class LeadingLearner(Learner):
    """A learner of rank 0: what it does, and what changes it, all ranks are told of."""

    def __init__(self, *args: Any, crew: Crew, key: int):
        super().__init__(*args)
        self._crew, self._key = crew, key
        self._told: tuple[Any, Any] | None = None
        self._chance: list[str] | None = None
        self.outdated = True

    def step(self, batch: Batch) -> None:
        if self._told is None or self._told[0] is not self.run or self._told[1] is not self.method.settings:
            self._crew.change(self._key, self)
            self._told = self.run, self.method.settings
        moved = None if self._chance in (None, chance := self.chance()) else chance
        self._crew.step(self._key, batch.step, self, whole=self.outdated, chance=moved)
        self.outdated = False
        with self._crew.stepping():
            super().step(batch)
        self._chance = self.chance()

    def renew(self) -> None:
        super().renew()
        self._crew.renew(self._key)

    def unpack(self, saved: Weights) -> None:
        super().unpack(saved)
        self.outdated = True


def enlist(
    method: Method, shared: SharedStart, share: tuple[int, int], teacher: TeacherSpec | None, crew: Crew | None
) -> Learner:
    """A learner of this process alone, or of all ranks of a crew."""
    if crew is None:
        return Learner(method, shared.run, shared.engine, share)
    return crew.learner(method, shared, share, teacher)
