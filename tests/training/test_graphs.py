"""Captured steps are, bit for bit, the steps that they stand for; what cannot be captured is not, and says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor

from ltviz.errors import TrainingError
from ltviz.methods import registry
from ltviz.methods.base import UNSAID
from ltviz.recording import Recording
from ltviz.training import graphs
from ltviz.training.engine import Engine
from ltviz.training.learner import Learner
from ltviz.training.race import Race
from ltviz.training.settings import RunSettings

from .conftest import Toy
from .replaying import RecordedGraph

Start = Callable[..., Race]
# a rate that float32 holds exactly, since a graph reads it as such
EXACT = {"learning_rate": 2.0**-9, "schedule": "constant", "steps": 60}
SMALL = {"queue_size": 48, "queue_floor": 2, "teacher": "none"}
ON_HOST = {"tsc", "proco", "etf", "ldam", "vmf", "align_uniform", "sbcl", "geometric_harmonization"}


def learner_of(race: Race) -> Learner:
    (lane,) = race.lanes
    return lane._learner


def state_of(learner: Learner) -> list[Tensor]:
    moments = [t for state in learner.optimizer.state.values() for t in state.values() if isinstance(t, Tensor)]
    return [*learner.method.parameters(), *learner.method.buffers(), *moments, learner._ledger.refused]


def replayed(race: Race) -> graphs.Replays:
    """Lets the only method of a race take its steps as graphs, on the CPU."""
    learner = learner_of(race)
    learner._replays = graphs.Replays(learner.method, learner._ledger, lambda: RecordedGraph(lambda: state_of(learner)))
    return learner._replays


def pair(start: Start, name: str, **run: Any) -> tuple[Race, Race]:
    kind = registry.method(name)
    settings = {key: value for key, value in SMALL.items() if key in kind.Settings.model_fields}
    run = {"data": "digits-ml" if kind.several_labels else "digits-lt", **EXACT, **run}
    one, other = (start(name, folder=folder, settings=settings, **run) for folder in ("eager", "replayed"))
    return one, other


def assert_equal(one: Race, other: Race) -> None:
    first, second = learner_of(one), learner_of(other)
    (tensors, values), (again, same) = first.pack(), second.pack()
    for group, arrays in tensors.items():
        assert arrays.keys() == again[group].keys()
        for key, array in arrays.items():
            assert (array == again[group][key]).all(), f"{group} {key}"
    assert values == same
    assert first.read(one.batches.at) == second.read(other.batches.at)


@pytest.mark.parametrize("name", sorted({*registry.methods()} - ON_HOST))
def test_a_replayed_step_is_the_step(start: Start, name: str) -> None:
    """Across frames, a change of the settings, and queues that fill first."""
    eager, race = pair(start, name)
    replays = replayed(race)
    seen = []
    for step in range(1, 25):
        for one in (eager, race):
            (lane,) = one.lanes
            lane.train(one.batches.at(step))
            if step == 14:
                lane.record(1.0, one.batches.at(step + 1))
            if step == 16:
                lane.set({"weight_decay": 0.01}, step + 1)
        seen.append(replays.is_replaying)
    assert replays.given_up is None
    assert seen[14:16] == [True, True] and seen[16:19] == [False] * 3 and all(seen[19:])
    assert_equal(eager, race)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_renewed_optimiser_is_captured_anew(start: Start, optimizer: str) -> None:
    eager, race = pair(start, "supcon", optimizer=optimizer, switches="0.2: renew; 0.4: temperature=0.3")
    replays = replayed(race)
    seen = []
    for step in range(1, 35):
        for one in (eager, race):
            one.lanes[0].train(one.batches.at(step))
        seen.append(replays.is_replaying)
    assert [step for step, on in enumerate(seen, start=1) if not on] == [1, 2, 3, 13, 14, 15, 25, 26, 27]
    assert_equal(eager, race)


def test_a_setting_that_follows_a_curve_is_captured_where_it_stands_still(start: Start) -> None:
    """A graph has the numbers of its capture: a step with other ones is never a replay."""
    eager, race = pair(start, "supcon", schedules="temperature: linear 0.5 0.1 from 8 over 6")
    replays = replayed(race)
    seen = []
    for step in range(1, 25):
        for one in (eager, race):
            one.lanes[0].train(one.batches.at(step))
        seen.append(replays.is_replaying)
    # 0.5 comes with step 9 and 0.1 with step 15
    assert [step for step, on in enumerate(seen, start=1) if on] == [4, 5, 6, 7, 8, *range(18, 25)]
    assert_equal(eager, race)


def test_curves_of_the_rate_and_of_the_batches_leave_the_graph_as_it_is(start: Start) -> None:
    """A rate is read at each replay, and batches are copied in: nothing is captured anew."""
    curves = "learning_rate: step 0=0.00390625 10=0.001953125; sampling_exponent: linear 1 0; forces_every: linear 2 9"
    eager, race = pair(start, "supcon", sampling="power", schedules=curves)
    replays = replayed(race)
    seen = []
    for step in range(1, 21):
        for one in (eager, race):
            one.lanes[0].train(one.batches.at(step))
        seen.append(replays.is_replaying)
    assert seen == [False] * 3 + [True] * 17
    assert_equal(eager, race)


def test_a_step_that_is_not_finite_is_refused_in_a_graph_too(start: Start) -> None:
    _, race = pair(start, "ce")
    replays, learner = replayed(race), learner_of(race)
    (lane,) = race.lanes
    for step in range(1, 7):
        lane.train(race.batches.at(step))
    assert replays.is_replaying
    kept = [p.detach().clone() for p in learner.method.parameters()]
    batch = race.batches.at(7)
    batch.view(0).fill_(torch.nan)
    lane.train(batch)
    lane.train(race.batches.at(8))
    with pytest.raises(TrainingError, match="stopped at step 7"):
        lane.look()
    assert all(torch.equal(a, b) for a, b in zip(kept, learner.method.parameters(), strict=True))


def test_what_cannot_be_captured_goes_on_one_operation_at_a_time(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """TSC reads its centres on the host, which a capture refuses; nothing of the attempt is left."""
    eager, race = pair(start, "tsc")
    replays = replayed(race)
    for step in range(1, 45):
        for one in (eager, race):
            one.lanes[0].train(one.batches.at(step))
    assert replays.given_up is not None and not replays.is_replaying
    assert caplog.text.count("no CUDA graph") == 1
    assert_equal(eager, race)


def test_who_is_captured_and_what_is_said(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunSettings.model_validate({"cuda_graphs": "on"})
    auto, off = (RunSettings.model_validate({"cuda_graphs": how}) for how in ("auto", "off"))
    cpu = Engine(Fabric(accelerator="cpu"), "")
    gpu = Engine(Fabric(accelerator="cpu"), "")
    monkeypatch.setattr(Engine, "device", property(lambda self: torch.device("cuda" if self is not cpu else "cpu")))
    for name, kind in registry.methods().items():
        method = object.__new__(kind)
        captured, (note,) = graphs.choice(method, run, gpu)
        assert captured == (name not in ON_HOST) and name in note
        assert ("captured once" in note) == captured
        assert graphs.choice(method, auto, gpu) == (captured, [note])
        assert graphs.choice(method, auto, cpu) == graphs.choice(method, off, gpu) == (False, [])
        assert graphs.choice(method, run, cpu)[0] is False
    curves = run.model_copy(update={"schedules": "temperature: constant 1; learning_rate: constant 1"})
    (note,) = graphs.choice(object.__new__(registry.method("supcon")), curves, gpu)[1]
    assert note.endswith("; while a curve moves temperature, they are taken one operation at a time")
    ce = object.__new__(registry.method("ce"))
    for engine, why in [
        (cpu, "the device is cpu"),
        (replace(gpu, precision="16"), "precision 16"),
        (replace(gpu, compiled=True), "compiled"),
    ]:
        captured, (note,) = graphs.choice(ce, run, engine)
        assert not captured and why in note
    assert graphs.choice(object.__new__(Toy), run, gpu)[1] == [
        f"cuda graphs: steps of toy are taken one operation at a time, because {UNSAID}"
    ]


def test_a_class_speaks_for_itself_alone() -> None:
    """Who adds to a method may compute on the host what the method did not."""
    kind = registry.method("supcon")
    more = type("More", (kind,), {})
    assert vars(kind)["on_host"] is None and "on_host" not in vars(more)


def test_run_json_says_what_became_of_graphs(start: Start) -> None:
    race = start("ce", cuda_graphs="on", device="cpu")
    (note,) = (n for n in Recording(race.lanes[0].path).config["engine"]["notes"] if "graphs" in n)
    assert note.endswith("because the device is cpu")
    race.lanes[0].end("finished", None)
