"""A step that is captured as a CUDA graph and replayed is, bit for bit, the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from ltviz.methods import registry
from ltviz.recording import Recording
from ltviz.training.race import Race

Start = Callable[..., Race]
METHODS = sorted(name for name, kind in registry.methods().items() if kind.on_host is None)
SMALL = {"queue_size": 64, "queue_floor": 2, "teacher": "none"}


@pytest.fixture(autouse=True)
def a_gpu(device: str) -> None:
    if device == "cpu":
        pytest.skip("a CPU has no graphs")


def pair(start: Start, name: str, **run: Any) -> tuple[Race, Race]:
    """The same run twice, eager and captured."""
    kind = registry.method(name)
    settings = {key: value for key, value in SMALL.items() if key in kind.Settings.model_fields}
    run = {"data": "digits-ml" if kind.several_labels else "digits-lt", "deterministic": True, "steps": 40, **run}
    return (
        start(name, folder="eager", settings=settings, cuda_graphs="off", **run),
        start(name, folder="graphs", settings=settings, cuda_graphs="on", **run),
    )


def train(eager: Race, captured: Race, first: int, last: int) -> None:
    for step in range(first, last + 1):
        for race in (eager, captured):
            race.lanes[0].train(race.batches.at(step))


def assert_equal(eager: Race, captured: Race) -> None:
    one, other = eager.lanes[0]._learner, captured.lanes[0]._learner
    assert other._replays is not None and other._replays.given_up is None and other._replays.is_replaying
    (tensors, _), (again, _) = one.pack(), other.pack()
    for group, arrays in tensors.items():
        for key, array in arrays.items():
            assert (array == again[group][key]).all(), f"{group} {key}: {abs(array - again[group][key]).max()}"
    assert one.read(eager.batches.at) == other.read(captured.batches.at)


@pytest.mark.parametrize("name", METHODS)
def test_a_replayed_step_is_the_step(start: Start, name: str) -> None:
    eager, captured = pair(start, name)
    train(eager, captured, 1, 10)
    for race in (eager, captured):
        race.lanes[0].record(1.0, race.batches.at(11))
        race.lanes[0].set({"weight_decay": 0.01}, 13)
    train(eager, captured, 11, 24)
    assert_equal(eager, captured)


@pytest.mark.parametrize("run", [{"optimizer": "sgd"}, {"encoder": "resnet32"}, {"precision": "bf16"}], ids=str)
def test_other_kinds_of_steps_too(start: Start, run: dict[str, Any]) -> None:
    eager, captured = pair(start, "supcon", switches="0.3: renew", **run)
    train(eager, captured, 1, 20)
    assert_equal(eager, captured)


@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
def test_the_host_runs_ahead_of_a_graph(start: Start) -> None:
    race = start("supcon", cuda_graphs="on")
    (lane,) = race.lanes
    for step in range(1, 7):
        lane.train(race.batches.at(step))
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in range(7, 15):
            lane.train(race.batches.at(step))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    lane.look()
    assert lane._learner._replays is not None and lane._learner._replays.is_replaying


@pytest.mark.parametrize("name", ["tsc", "proco"])
def test_what_computes_on_the_host_says_so_and_trains(start: Start, name: str) -> None:
    race = start(name, cuda_graphs="on")
    notes = Recording(race.lanes[0].path).config["engine"]["notes"]
    assert any("one operation at a time, because" in note for note in notes)
    (outcome,) = race.run()
    assert outcome.state == "finished", outcome.reason
