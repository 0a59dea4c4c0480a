"""The exponent of power sampling along its curve: what batches draw, what the timeline is told, an exact resume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltviz.data.sampling import Sampler, class_probabilities
from ltviz.errors import ConfigError
from ltviz.recording import Recording, load_weights
from ltviz.training import phase as phase_module
from ltviz.training.race import Race
from ltviz.training.sampled import exponent_at, turns_of
from ltviz.training.settings import RunSettings
from ltviz.training.start import resume

Start = Callable[..., Race]
CURVE = "sampling_exponent: linear 1 0 from 10 over 20"


class Killed(BaseException):
    """Ends a training where it stands, as a crash would."""


def test_power_sampling_draws_by_its_exponent() -> None:
    counts = np.array([900, 90, 9])
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(3), counts))
    sampler = Sampler(labels, "power")
    for exponent in (1.0, 0.25, 0.0):
        drawn = sampler.draw(np.random.default_rng(1), 60_000, 0.0, exponent)
        np.testing.assert_allclose(
            np.bincount(labels[drawn]) / 60_000, counts**exponent / (counts**exponent).sum(), atol=0.01
        )
    for name, exponent in (("instance", 1.0), ("square-root", 0.5), ("class-balanced", 0.0)):
        np.testing.assert_allclose(
            class_probabilities("power", counts, exponent=exponent),
            class_probabilities(name, counts),  # pyright: ignore[reportArgumentType]
        )


def test_batches_follow_the_curve_and_the_timeline_is_told(start: Start, tmp_path: Path) -> None:
    race = start("ce", sampling="power", schedules=CURVE, batch_size=64)
    labels, batches = race.batches.labels.numpy(), race.batches
    rare = labels == np.bincount(labels).argmin()
    few = [
        rare[np.concatenate([batches.at(step).index.numpy() for step in steps])].mean()
        for steps in ((1, 2, 9), (32, 35, 40))
    ]
    assert few[1] > 2 * few[0], "the rarest class is drawn more often at the end"
    race.run()
    told = [event for frame in Recording(tmp_path / "runs" / "ce").since(None) for event in frame.events]
    assert told == [
        {"kind": "sampling", "step": 11, "exponent": 1.0},
        {"kind": "sampling", "step": 31, "exponent": 0.0},
    ]
    assert load_weights(tmp_path / "runs" / "ce", 40).step == 40


def test_a_resume_draws_on_bit_for_bit(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phase_module, "SAVE_STEPS", 10)

    def killed(step: int) -> None:
        if step == 25:
            raise Killed

    path, whole = tmp_path / "runs" / "toy", tmp_path / "whole" / "toy"
    start("toy", folder="whole", sampling="power", schedules=CURVE).run()
    with pytest.raises(Killed):
        start("toy", sampling="power", schedules=CURVE, progress=killed).run()
    resume([path]).run()
    one, two = load_weights(whole, 40), load_weights(path, 40)
    for group, arrays in one.tensors.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, two.tensors[group][name], err_msg=f"{group} {name}")
    events = [[event for frame in Recording(run).since(None) for event in frame.events] for run in (path, whole)]
    assert events[0] == events[1] and len(events[0]) == 2


def test_the_exponent_is_the_races_own_and_needs_power_sampling(start: Start) -> None:
    with pytest.raises(ConfigError, match="must come with power sampling, got instance; try --sampling power"):
        start("toy", schedules=CURVE)
    race = start("toy", sampling="power", schedules=CURVE)
    (lane,) = race.lanes
    refused = [*lane.set({"schedules": "temperature: constant 1"}, 5), *lane.set({"sampling_exponent": 0.5}, 5)]
    assert [event["kind"] for event in refused] == ["refused", "refused"]
    assert "as the race began with it" in refused[0]["message"]
    (event,) = lane.set({"schedules": f"temperature: constant 1; {CURVE}"}, 5)
    assert event["kind"] == "setting"
    lane.undo()


def test_where_the_curve_turns() -> None:
    def turns(curve: str) -> dict[int, Any]:
        run = RunSettings.model_validate({"sampling": "power", "steps": 40, "schedules": f"sampling_exponent: {curve}"})
        assert all(value == exponent_at(run, step - 1) for step, value in turns_of(run).items())
        return turns_of(run)

    assert turns("step 0%=1 50%=0.5 97.5%=0") == {1: 1.0, 21: 0.5, 40: 0.0}
    assert turns("constant 0.3") == {1: 0.3}
    assert list(turns("cosine 1 0 every 10")) == [1] and list(turns("drawn 5%=1 50%=0.2 75%=0")) == [3, 31]
    assert list(turns("linear 1 0 over 400")) == [1], "what ends behind the last step never ends"
    assert turns_of(RunSettings.model_validate({})) == {}


@pytest.mark.parametrize(
    "name, settings, told",
    [
        ("ldam", {"reweight_from": 0.5}, {21: "class weights come in (DRW)"}),
        ("ldam", {"reweight_from": 0.0}, {1: "class weights come in (DRW)"}),
        ("ldam", {"reweight_from": 1.0}, {}),
        (
            "sbcl",
            {"warmup": 0.25, "recluster": 0.4},
            {10: "classes are parted into subclasses", 26: "classes are parted into subclasses anew"},
        ),
    ],
)
def test_what_a_method_does_late_stands_on_the_timeline(
    start: Start, tmp_path: Path, name: str, settings: dict[str, Any], told: dict[int, str]
) -> None:
    race = start(name, settings=settings)
    seen: dict[int, str] = {}
    for step in range(1, 41):
        if happens := race.lanes[0].method.happens(step):
            seen[step] = happens
    assert seen == told
    if settings.get("reweight_from") == 0.5 or name == "sbcl":
        race.run()
        path = tmp_path / "runs" / name
        events = [event for frame in Recording(path).since(None) for event in frame.events]
        assert events == [{"kind": "method", "step": step, "text": text} for step, text in told.items()]
        weight = [
            frame.readings["class_weight" if name == "ldam" else "subclasses"] for frame in Recording(path).since(None)
        ]
        assert (weight[0] == 1).all() and not (weight[-1] == 1).all(), "it is what happened"
    else:
        race.lanes[0].undo()
