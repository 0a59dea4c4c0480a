"""A step that is not finite leaves no trace, though nobody looks at it before many steps later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from ltviz.methods import registry
from ltviz.training.learner import Learner
from ltviz.training.ledger import Ledger
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import SharedStart, prepare

RUN = RunSettings(steps=40, batch_size=16, max_per_class=30, imbalance_factor=10, probe_points=100, device="cpu")


@pytest.fixture(scope="module")
def shared() -> SharedStart:
    return prepare(RUN)


def learner(shared: SharedStart, name: str = "ce", **settings: object) -> Learner:
    kind = registry.method(name)
    method = shared.build(kind, kind.Settings(**settings))
    return Learner(method, shared.run, shared.engine, shared.share_of(method))


def state(one: Learner) -> dict[str, torch.Tensor]:
    """Weights and the optimiser's state; the statistics of batch norm have seen the batch, as they always had."""
    tensors, _ = one.pack()
    named = {name for name, _ in one.method.named_parameters()}
    model = {name: array for name, array in tensors["model"].items() if name in named}
    return {name: torch.from_numpy(array.copy()) for name, array in {**model, **tensors["optimizer"]}.items()}


def test_terms_wait_until_they_are_read_and_are_read_once(shared: SharedStart) -> None:
    one = learner(shared)
    for step in (1, 2, 3):
        one.step(shared.batches.at(step))
    assert one.unread == 3
    found, refusal = one.read(shared.batches.at)
    assert refusal is None and [step for step, _ in found] == [1, 2, 3] and one.unread == 0
    assert set(found[0][1]) == {"classification", "display", "total", "learning_rate"}
    assert found[0][1]["total"] == pytest.approx(found[0][1]["classification"] + found[0][1]["display"], rel=1e-6)
    assert one.read(shared.batches.at) == ([], None)


def test_steps_after_one_that_is_not_finite_change_nothing(
    shared: SharedStart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the weights and not the optimiser's state, in which the count of steps is."""
    one, other = learner(shared), learner(shared)
    for step in range(1, 5):
        one.step(shared.batches.at(step))
        other.step(shared.batches.at(step))
    losses = one.method.losses

    def spoiled(batch):
        terms = dict(losses(batch))
        return terms | ({"display": terms["display"] * torch.nan} if batch.step == 5 else {})

    monkeypatch.setattr(one.method, "losses", spoiled)
    for step in range(5, 9):
        one.step(shared.batches.at(step))
    assert all(torch.equal(now, state(other)[name]) for name, now in state(one).items())
    found, refusal = one.read(shared.batches.at)
    assert [step for step, _ in found] == [1, 2, 3, 4]
    assert refusal is not None and refusal.step == 5 and "loss term 'display' is nan" in refusal.why
    assert refusal.why.endswith("try a lower learning rate")


def test_a_norm_that_overflows_is_no_reason_to_refuse() -> None:
    """Only entries count: the norm of these is infinite in float32."""
    ledger = Ledger(torch.device("cpu"))
    ledger.note(1, 0.1, {"a": torch.tensor(1.0)}, torch.tensor(1.0))
    huge = torch.full((4,), 3e38)
    ledger.judge([huge])
    assert not ledger.read()[0].refused and torch.equal(huge, torch.full((4,), 3e38))
    ledger.note(2, 0.1, {"a": torch.tensor(1.0)}, torch.tensor(1.0))
    ledger.judge([huge, torch.tensor([float("inf")])])
    (row,) = ledger.read()
    assert row.refused and row.bad is None


@pytest.fixture
def scaled(shared: SharedStart, monkeypatch: pytest.MonkeyPatch) -> SharedStart:
    """As with precision 16, whose products the CPU has not."""
    return replace(shared, engine=replace(shared.engine, precision="16"))


def test_scaled_gradients_give_the_same_weights(shared: SharedStart, scaled: SharedStart) -> None:
    one, other = learner(shared), learner(scaled)
    for step in range(1, 6):
        one.step(shared.batches.at(step))
        other.step(scaled.batches.at(step))
    weights = dict(other.method.named_parameters())
    for name, parameter in one.method.named_parameters():
        torch.testing.assert_close(weights[name], parameter, rtol=1e-4, atol=1e-5)
    assert "scaler" in other.pack()[1] and "scaler" not in one.pack()[1]


def test_an_overflow_of_16_bits_is_left_out_and_no_refusal(
    scaled: SharedStart, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = learner(scaled)
    one.step(scaled.batches.at(1))
    before = {name: value.detach().clone() for name, value in one.method.named_parameters()}
    weight, at = one.method.classifier.weight, one._scaler.get_scale()
    handle = weight.register_hook(lambda gradient: gradient * torch.inf)
    one.step(scaled.batches.at(2))
    handle.remove()
    assert all(torch.equal(value, before[name]) for name, value in one.method.named_parameters())
    one.step(scaled.batches.at(3))
    assert not torch.equal(weight, before["classifier.weight"]) and one._scaler.get_scale() == at / 2
    found, refusal = one.read(scaled.batches.at)
    assert refusal is None and len(found) == 3


def test_a_loss_that_is_not_finite_is_refused_at_16_bits_too(
    scaled: SharedStart, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = learner(scaled)
    one.step(scaled.batches.at(1))
    before = {name: value.detach().clone() for name, value in one.method.named_parameters()}
    losses: Callable = one.method.losses
    monkeypatch.setattr(one.method, "losses", lambda batch: {name: x + torch.inf for name, x in losses(batch).items()})
    one.step(scaled.batches.at(2))
    monkeypatch.setattr(one.method, "losses", losses)
    one.step(scaled.batches.at(3))
    assert all(torch.equal(value, before[name]) for name, value in one.method.named_parameters())
    assert one.read(scaled.batches.at)[1].step == 2
