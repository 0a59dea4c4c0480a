"""Rates against closed forms and torch's own schedulers; optimisers against torch's own steps."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.optim import lr_scheduler

from ltviz.training import optimiser
from ltviz.training.settings import RunSettings
from ltviz.training.timetable import Switch, parse_milestones, parse_switches, write_switches

SIZE = 640.0
"""Samples of an epoch: ten steps of 64."""


def settings(**values: Any) -> RunSettings:
    return RunSettings(**values)


def rates(size: float = SIZE, **values: Any) -> list[float]:
    run = settings(**values)
    return [optimiser.rate(run, step, size) for step in range(1, run.steps + 1)]


def torch_rates(rate: float, steps: int, make: Any, per: int = 1) -> list[float]:
    """Rates of torch's own scheduler, which moves once in `per` steps."""
    sgd = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=rate)
    scheduler, found = make(sgd), []
    for step in range(steps):
        found.append(sgd.param_groups[0]["lr"])
        sgd.step()
        if (step + 1) % per == 0:
            scheduler.step()
    return found


def test_the_default_is_the_cosine_that_recorded_runs_had_bit_for_bit() -> None:
    run = settings(learning_rate=0.0123, steps=977)
    assert rates(learning_rate=0.0123, steps=977) == [
        run.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - 1) / run.steps)) for step in range(1, 978)
    ]


@pytest.mark.parametrize("every, per", [("step", 1), ("epoch", 10)])
def test_a_cosine_is_torchs_own(every: str, per: int) -> None:
    found = rates(steps=100, learning_rate=0.4, final_rate=0.05, rate_every=every)
    expected = torch_rates(0.4, 100, lambda o: lr_scheduler.CosineAnnealingLR(o, 100 // per, eta_min=0.02), per)
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("every", ["step", "epoch"])
def test_milestones_are_torchs_own(every: str) -> None:
    found = rates(steps=100, schedule="step", milestones="6, 8", decay_factor=0.2, rate_every=every, learning_rate=0.1)
    expected = torch_rates(0.1, 100, lambda o: lr_scheduler.MultiStepLR(o, [6, 8], gamma=0.2), 10)
    assert found == pytest.approx(expected, rel=1e-12)
    assert len(set(found)) == 3


def test_a_warm_up_climbs_in_equal_parts_then_the_schedule_follows() -> None:
    by_epoch = rates(steps=100, schedule="constant", warmup=5, rate_every="epoch", learning_rate=1.0)
    assert by_epoch[::10] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1, 1])
    by_step = rates(steps=100, warmup=2, learning_rate=1.0)
    assert by_step[:20] == pytest.approx([(t + 1) / 20 for t in range(20)])
    assert by_step[20:] == pytest.approx([0.5 * (1 + math.cos(math.pi * t / 80)) for t in range(80)])


def test_milestones_count_the_warm_up_as_the_papers_code_does() -> None:
    """LDAM's and GML's: epochs 1 to 5 climb, and the rate falls after epoch 6 whether or not there was a warm-up."""
    found = rates(steps=100, schedule="step", milestones="6", warmup=5, rate_every="epoch", learning_rate=1.0)
    assert found[::10] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1, 0.1, 0.1, 0.1, 0.1])


def test_an_epoch_need_not_be_a_whole_number_of_steps() -> None:
    """200 epochs of CIFAR-100-LT in batches of 128 are 16,948 steps, 84.7 an epoch."""
    run = settings(steps=16_948, batch_size=128, schedule="step", milestones="160,180", learning_rate=1.0)
    found = [optimiser.rate(run, step, 10_847) for step in range(1, run.steps + 1)]
    falls = [t for t in range(1, len(found)) if found[t] < found[t - 1]]
    assert falls == [math.ceil(160 * 10_847 / 128), math.ceil(180 * 10_847 / 128)]
    cosine = run.model_copy(update={"schedule": "cosine", "rate_every": "epoch"})
    last = optimiser.rate(cosine, run.steps, 10_847)
    assert last == pytest.approx(0.5 * (1 + math.cos(math.pi * 199 / 200))), "the last epoch is the 200th, not a 201st"


def test_a_cosine_begins_again_where_the_optimiser_is_renewed() -> None:
    found = rates(steps=101, switches="0.5: renew", learning_rate=0.3)
    assert found[:50] == rates(steps=50, learning_rate=0.3)
    assert found[50:] == rates(steps=51, learning_rate=0.3)
    assert rates(steps=100, switches="0.5: weight_decay=0") == rates(steps=100), "nothing is renewed"


@pytest.mark.parametrize("nesterov", [True, False])
def test_sgd_steps_as_torchs_own_with_decay_in_the_gradient(nesterov: bool) -> None:
    run = settings(optimizer="sgd", momentum=0.9, nesterov=nesterov, weight_decay=0.01, learning_rate=0.1)
    module, velocity = nn.Linear(1, 1, bias=False).double(), 0.0
    module.weight.data.fill_(2.0)
    made, weight = optimiser.build(run, module), 2.0
    for _ in range(5):
        made.zero_grad()
        (3 * module.weight).sum().backward()
        made.step()
        gradient = 3 + 0.01 * weight
        velocity = 0.9 * velocity + gradient
        weight -= 0.1 * (gradient + 0.9 * velocity if nesterov else velocity)
    assert module.weight.item() == pytest.approx(weight, rel=1e-12)


def test_what_is_not_trained_is_not_in_the_optimiser() -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).requires_grad_(False))
    for name in ("adamw", "sgd"):
        (group,) = optimiser.build(settings(optimizer=name), module).param_groups
        assert len(group["params"]) == 2


# ---------------------------------------------------------------------- settings as text


def test_switches_and_milestones_are_read_from_text() -> None:
    assert parse_milestones(" 160, 180.5 ") == (160.0, 180.5) and parse_milestones("") == ()
    text = "0.5: renew, target_weight=0.2; 0.8: beta=0.9999"
    read = parse_switches(text)
    assert read == (Switch(0.5, True, {"target_weight": "0.2"}), Switch(0.8, False, {"beta": "0.9999"}))
    assert write_switches(read) == text and parse_switches("") == ()
    assert [switch.first_step(300) for switch in read] == [151, 241]


@pytest.mark.parametrize(
    "values",
    [
        {"milestones": "180,160"},
        {"milestones": "a"},
        {"milestones": "0"},
        {"milestones": "nan"},
        {"milestones": ",".join(map(str, range(1, 40)))},
        {"switches": "0.5"},
        {"switches": "renew"},
        {"switches": "1: renew"},
        {"switches": "nan: renew"},
        {"switches": "0.5: renew; 0.5: renew"},
        {"switches": "0.5: tau"},
        {"switches": "0.5: tau="},
        {"switches": "0.5: tau=1, tau=2"},
        {"switches": "0.5: __class__=1"},
        {"momentum": 1.0},
        {"nesterov": True, "momentum": 0.0},
        {"epochs": 0},
        {"epochs": math.inf},
        {"warmup": math.nan},
        {"schedule": "linear"},
    ],
)
def test_what_cannot_be_meant_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RunSettings(**values)
