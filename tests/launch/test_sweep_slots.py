"""Slots: what is finished is never trained again, whatever ended the sweep before. The workers are stand-ins."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from ltviz import launch
from ltviz.errors import TrainingError
from ltviz.launch import slots as module
from ltviz.launch.processes import hold_worker_lock, write_state
from ltviz.launch.slots import Slots
from ltviz.launch.sweep import Cell, Sweep, plan
from ltviz.launch.tally import SweepStatus, states_of
from ltviz.methods.base import Settings
from ltviz.recording import Recording, RunInfo, RunWriter, mark_failed, new_run_id, run_path
from ltviz.recording.notes import read_notes
from ltviz.training.settings import RunSettings
from ltviz.training.stop import Stop

STEPS = 4
LABELS = np.array([0, 0, 0, 1, 1, 2])


class StandIn(threading.Thread):
    """Takes jobs as a worker does and writes recordings; it has no process that could be ended by mistake."""

    def __init__(self, home: Path, begin: Callable[[launch.JobRun], str], gate: threading.Event) -> None:
        super().__init__(daemon=True)
        self.home, self.begin, self.gate, self.over = home, begin, gate, threading.Event()
        self.worker_id = new_run_id("worker")
        self.lock = hold_worker_lock(home, self.worker_id)
        self.first = self.tell("starting")
        self.start()

    def tell(self, state: str, job: str | None = None) -> launch.WorkerState:
        told = launch.WorkerState(worker_id=self.worker_id, pid=os.getpid(), create_time=0.0, state=state, job=job)  # type: ignore[arg-type]
        write_state(self.home, told)
        return told

    def run(self) -> None:
        self.tell("idle")
        while not self.over.is_set():
            if (job := launch.claim(self.home, self.worker_id)) is not None:
                self.tell("busy", job.job_id)
                for run in job.runs:
                    self.train(run, RunSettings.model_validate(job.run))
                launch.release(self.home, job.job_id, self.worker_id)
                self.tell("idle")
            time.sleep(0.005)

    def train(self, run: launch.JobRun, settings: RunSettings) -> None:
        path = run_path(self.home, run.run_id)
        outcome = self.begin(run)
        if outcome == "refused":
            mark_failed(path, "it cannot begin")
            return
        with RunWriter.create(path, describe(run, settings), labels=LABELS) as writer:
            writer.set_state("running")
            for step in range(settings.steps + 1):
                writer.frame(step, embeddings=np.eye(6, 3) + 0.1, metrics={"centre_sum": 0.5})
                while outcome == "patient" and not self.gate.is_set():
                    if any(asked.kind == "stop" for asked in writer.requests()):
                        writer.set_state("finished", "stopped")
                        return
                    time.sleep(0.005)


def describe(run: launch.JobRun, settings: RunSettings) -> RunInfo:
    return RunInfo(
        run_id=run.run_id,
        method=run.method,
        created=time.time(),
        dim=3,
        num_classes=3,
        class_names=["a", "b", "c"],
        counts=[30, 20, 10],
        total_steps=settings.steps,
        seed=settings.seed,
    )


class Floor:
    """The stand-ins of a test, what they were asked to train, and how each run goes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.outcomes: dict[str, str] = {}
        self.trained: list[str] = []
        self.workers: list[StandIn] = []
        self.gate = threading.Event()
        """Runs that are "patient" go on once this is set."""

    def spawn(self, home: Path) -> launch.WorkerState:
        worker = StandIn(home, self.begin, self.gate)
        self.workers.append(worker)
        return worker.first

    def begin(self, run: launch.JobRun) -> str:
        self.trained.append(run.run_id)
        return self.outcomes.get(run.run_id, "fine")

    def sweep(self, cells: list[Cell], stop: Stop | None = None, **more: object) -> SweepStatus:
        given = {"slots": 2, "tag": "tails", "stop": stop or Stop(), "spawn": self.spawn, **more}
        return Slots(self.home, cells, **given).run()  # type: ignore[arg-type]


@pytest.fixture
def floor(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Floor]:
    monkeypatch.setattr(module, "_POLL", 0.01)
    monkeypatch.setattr("ltviz.recording.writer.REQUEST_SECONDS", 0.0)
    made = Floor(home)
    yield made
    made.gate.set()
    for worker in made.workers:
        worker.over.set()
        worker.join(5)
        os.close(worker.lock)


@pytest.fixture
def cells() -> list[Cell]:
    """Three cells, one a seed, of two methods."""
    kinds = {"ce": Settings, "bcl": Settings}
    return plan(Sweep(methods=("ce", "bcl"), run={"seed": (0, 1, 2), "steps": (STEPS,)}), kinds)


def ids(cells: list[Cell]) -> list[str]:
    return [run.run_id for cell in cells for run in cell.job.runs]


def test_all_is_trained_once_tagged_and_told(floor: Floor, cells: list[Cell]) -> None:
    ended: list[tuple[str, str]] = []
    status = floor.sweep(cells, ended=lambda run, state: ended.append((run, state)))
    assert sorted(floor.trained) == sorted(ids(cells)) and len(floor.workers) <= 2
    assert status.count("finished") == 6 and status.skipped == 0 and status.seconds_left == 0
    assert (status.steps, status.total_steps) == (6 * STEPS, 6 * STEPS)
    assert sorted(ended) == sorted((run, "finished") for run in ids(cells))
    assert all(read_notes(floor.home / run).tags == ("tails",) for run in ids(cells))
    assert launch.jobs(floor.home) == []


def test_a_second_start_trains_nothing(floor: Floor, cells: list[Cell]) -> None:
    floor.sweep(cells)
    floor.trained.clear()
    before = {run: (floor.home / run / "run.json").stat() for run in ids(cells)}
    status = floor.sweep(cells, tag="again")
    assert floor.trained == [] and status.skipped == status.count("finished") == 6
    assert all((floor.home / run / "run.json").stat() == stat for run, stat in before.items())
    assert read_notes(floor.home / ids(cells)[0]).tags == ("again", "tails")


def test_only_what_is_missing_is_trained(floor: Floor, cells: list[Cell]) -> None:
    """A cell of which one run is finished, one was cut off and one never began: two are trained."""
    first, second = cells[0].job.runs
    floor.sweep(cells[1:])
    floor.trained.clear()
    with RunWriter.create(floor.home / first.run_id, describe(first, cells[0].run), labels=LABELS) as writer:
        for step in range(STEPS):  # one short of the last
            writer.frame(step, embeddings=np.eye(6, 3) + 0.1)
    assert states_of(floor.home, cells[:1]) == {first.run_id: "waiting", second.run_id: "waiting"}
    status = floor.sweep(cells)
    assert floor.trained == [first.run_id, second.run_id]
    assert status.skipped == 4 and status.count("finished") == 6
    assert Recording(floor.home / first.run_id).steps() == list(range(STEPS + 1))


def test_a_failed_run_is_told_and_tried_at_the_next_start(floor: Floor, cells: list[Cell]) -> None:
    bad = ids(cells)[3]
    floor.outcomes[bad] = "refused"
    status = floor.sweep(cells)
    assert status.states[bad] == "failed" and status.count("finished") == 5
    assert floor.trained.count(bad) == 1, "not again and again"
    floor.outcomes.clear()
    floor.trained.clear()
    assert floor.sweep(cells).count("finished") == 6 and floor.trained == [bad]


def test_races_of_an_earlier_start_are_waited_for(floor: Floor, cells: list[Cell]) -> None:
    """After a kill -9 the worker trains on; the next start neither queues its race again nor removes its runs."""
    held = ids(cells)[0]
    floor.outcomes[held] = "patient"
    launch.submit(floor.home, cells[0].job)
    floor.spawn(floor.home)
    while not (floor.home / held / "status.json").exists():
        time.sleep(0.01)
    threading.Timer(0.3, floor.gate.set).start()
    status = floor.sweep(cells)
    assert status.count("finished") == 6 and floor.trained.count(held) == 1


def test_a_run_that_somebody_else_trains_is_left_alone_and_waited_for(floor: Floor, cells: list[Cell]) -> None:
    run = cells[0].job.runs[0]
    writer = RunWriter.create(floor.home / run.run_id, describe(run, cells[0].run), labels=LABELS)
    writer.set_state("running")

    def finish() -> None:
        for step in range(STEPS + 1):
            writer.frame(step, embeddings=np.eye(6, 3) + 0.1)
        writer.close()

    later = threading.Timer(0.3, finish)
    later.start()
    status = floor.sweep(cells)
    later.join()
    assert status.count("finished") == 6 and run.run_id not in floor.trained


def test_a_stop_ends_races_takes_back_the_others_and_the_next_start_goes_on(floor: Floor, cells: list[Cell]) -> None:
    floor.outcomes = dict.fromkeys(ids(cells), "patient")
    stop = Stop()
    threading.Timer(0.3, stop.ask).start()
    status = floor.sweep(cells, stop, slots=1)
    assert set(status.states.values()) <= {"stopped", "waiting"} and status.count("stopped") == 2
    assert launch.jobs(floor.home) == []
    assert {Recording(floor.home / run).status().reason for run in ids(cells)[:2]} == {"stopped"}
    floor.outcomes.clear()
    assert floor.sweep(cells).count("finished") == 6


def test_workers_that_die_at_start_end_the_sweep_with_their_last_words(floor: Floor, cells: list[Cell]) -> None:
    def dying(home: Path) -> launch.WorkerState:
        worker_id = new_run_id("worker")
        os.close(hold_worker_lock(home, worker_id))
        state = launch.WorkerState(worker_id=worker_id, pid=os.getpid(), create_time=0.0, state="starting")
        write_state(home, state)
        (home / ".ltviz" / "workers" / worker_id / "log.txt").write_text("Traceback\nImportError: no torch here\n")
        return state

    with pytest.raises(TrainingError, match=r"no worker can be started \(ImportError: no torch here"):
        floor.sweep(cells, spawn=dying)
    assert launch.jobs(floor.home) == [] and not any((floor.home / run).exists() for run in ids(cells))
