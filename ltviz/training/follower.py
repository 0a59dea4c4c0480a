"""A rank other than 0, in a process of its own that `ltviz.training.meeting` starts."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import traceback
from typing import Any

from torch import distributed

from ltviz.errors import LtvizError, TrainingError
from ltviz.methods import registry as method_registry
from ltviz.priority import lower_priority
from ltviz.recording import Weights
from ltviz.training import teachers
from ltviz.training.engine import device_lost, out_of_memory
from ltviz.training.learner import Learner
from ltviz.training.meeting import (
    EXHAUSTED,
    LAST_WORDS,
    LOST,
    check,
    is_of_connection,
    join,
    meeting,
    node_rank,
    open_store,
    start_local,
)
from ltviz.training.ranks import Ranks
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import SharedStart, parse_settings, prepare
from ltviz.training.teachers import TeacherSpec

_GRACE = 3.0  # seconds after the end of rank 0 in which it may be at its own end


class Follower:
    """A rank other than 0: has the same learners, and does with them what it hears."""

    def __init__(self, ranks: Ranks, place: int):
        self.ranks, self._place = ranks, place
        self._shared: SharedStart | None = None
        self._learners: list[Learner] = []

    def follow(self) -> None:
        """Until rank 0 says that it is over, or is gone."""
        while (said := self.ranks.hear())["do"] != "end":
            getattr(self, f"_{said['do']}")(said)

    def _prepare(self, said: dict[str, Any]) -> None:
        run = RunSettings.model_validate(said["run"])
        self._shared = prepare(run, ranks=self.ranks, place=self._place)

    def _enlist(self, said: dict[str, Any]) -> None:
        assert self._shared is not None
        kind = method_registry.method(said["method"])
        teacher = said["teacher"] and TeacherSpec(**said["teacher"])
        method = teachers.build(kind, parse_settings(kind, said["settings"]), self._shared, teacher or None)
        rows, views = said["share"]
        self._learners.append(Learner(method, self._shared.run, self._shared.engine, (rows, views)))

    def _change(self, said: dict[str, Any]) -> None:
        learner = self._learners[said["learner"]]
        learner.run = RunSettings.model_validate(said["run"])
        learner.method.settings = type(learner.method).Settings.model_validate(said["settings"])

    def _renew(self, said: dict[str, Any]) -> None:
        self._learners[said["learner"]].renew()

    def _step(self, said: dict[str, Any]) -> None:
        assert self._shared is not None
        learner = self._learners[said["learner"]]
        if said["state"]:
            state = self.ranks.hear()["state"]
            learner.unpack(Weights(step=said["step"] - 1, tensors=self.ranks.spread(None), state=state))
        if said["chance"] is not None:
            learner.set_chance(said["chance"])
        batch = self._shared.batches.at(said["step"])
        with self.ranks.working():
            learner.step(batch)
        if learner.unread >= 64:
            learner.read(self._shared.batches.at)  # what rank 0 reads of its own; here it only makes room


def follow(run: RunSettings) -> None:
    """This machine's part of a race whose rank 0 is on another one, until that is over.

    Raises:
        ConfigError: no address to meet at. TrainingError: rank 0 did not come, or is gone.
    """
    check(run)
    address, port = meeting(run)
    first = node_rank() * run.devices
    others = start_local(run, first=first + 1, address=address, port=port)
    try:
        _serve(first, run.devices * run.nodes, 0, run, address, port)
    except (RuntimeError, MemoryError, distributed.DistError) as error:
        if (last := _last_word(error)) is not None:
            raise TrainingError(f"rank {first} has ended ({LAST_WORDS[last]}): {str(error)[:300]}") from error
        raise TrainingError(f"rank 0 at {address}:{port} is gone, or ended its race: {str(error)[:300]}") from error
    finally:
        _leave()
        for process in others:
            if process.stdin is not None:
                process.stdin.close()
            process.wait()


def _serve(rank: int, world: int, place: int, run: RunSettings, address: str, port: int) -> None:
    store = open_store(address, port, world, leads=False)
    join(store, rank, world, run, place)
    Follower(Ranks(rank, world), place).follow()
    _leave()


def _leave() -> None:
    with contextlib.suppress(Exception):
        distributed.destroy_process_group()


def _main(rank: str, world: str, place: str, run: str, address: str, port: str) -> int:
    lower_priority()  # as low as rank 0, in a session of its own

    def ends_with_rank_0() -> None:
        while os.read(0, 4096):  # not through sys.stdin, whose lock an end by itself would break on
            pass
        time.sleep(_GRACE)  # it may be at its end by itself
        os._exit(1)

    threading.Thread(target=ends_with_rank_0, daemon=True).start()
    try:
        _serve(int(rank), int(world), int(place), RunSettings.model_validate_json(run), address, int(port))
    except Exception as error:
        code = 1 if (last := _last_word(error)) is None else last
        if isinstance(error, LtvizError):
            print(f"ltviz: rank {rank}: {error}", file=sys.stderr, flush=True)
        elif last is not None or not is_of_connection(error):  # else rank 0 tells of it, or is gone
            traceback.print_exc()
        os._exit(code)  # at once: rank 0 sees the connection break, and then asks why
    return 0


def _last_word(error: BaseException) -> int | None:
    """The exit code that tells rank 0 of a fault of this rank's device; None for any other."""
    if device_lost(error) is not None:
        return LOST
    return EXHAUSTED if out_of_memory(error) is not None else None


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
