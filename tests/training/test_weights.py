"""Module, optimiser and rng state, to arrays and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ltviz.errors import RecordingError
from ltviz.training import weights


def make() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    return net, torch.optim.AdamW(net.parameters(), lr=0.01, fused=True)


def step(net: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> None:
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(seed))
    optimizer.zero_grad()
    net(x).square().sum().backward()
    optimizer.step()


def test_training_goes_on_as_if_nothing_had_been() -> None:
    net, optimizer = make()
    for seed in range(5):
        step(net, optimizer, seed)
    model, moments = weights.pack_module(net), weights.pack_optimizer(optimizer, net)
    assert {array.dtype for array in moments.values()} == {np.dtype(np.float32)}
    model, moments = ({k: v.copy() for k, v in arrays.items()} for arrays in (model, moments))
    step(net, optimizer, 5)
    other, fresh = make()
    weights.unpack_module(other, model)
    weights.unpack_optimizer(fresh, other, moments)
    step(other, fresh, 5)
    for (name, now), then in zip(net.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(now, then), name


def test_restored_tensors_do_not_share_memory_with_the_arrays() -> None:
    net, optimizer = make()
    step(net, optimizer, 0)
    saved = {"model": weights.pack_module(net), "moments": weights.pack_optimizer(optimizer, net)}
    saved = {part: {name: array.copy() for name, array in arrays.items()} for part, arrays in saved.items()}
    before = {part: {name: array.copy() for name, array in arrays.items()} for part, arrays in saved.items()}
    other, fresh = make()
    weights.unpack_module(other, saved["model"])
    weights.unpack_optimizer(fresh, other, saved["moments"])
    step(other, fresh, 1)
    for part, arrays in saved.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, before[part][name])


def test_a_parameter_without_a_step_stays_without_state() -> None:
    net, optimizer = make()
    assert weights.pack_optimizer(optimizer, net) == {}
    weights.unpack_optimizer(optimizer, net, {})
    assert len(optimizer.state) == 0


def test_weights_of_another_module_are_refused_in_one_sentence() -> None:
    net, _ = make()
    arrays = weights.pack_module(net)
    arrays["0.weight"] = np.zeros((5, 4), np.float32)
    with pytest.raises(RecordingError, match="names or shapes differ") as caught:
        weights.unpack_module(net, arrays)
    assert "\n" not in str(caught.value)


def test_state_outside_of_tensors_is_refused() -> None:
    class Odd(nn.Module):
        def get_extra_state(self) -> dict:
            return {"queue": [1, 2]}

        def set_extra_state(self, state: dict) -> None:
            pass

    with pytest.raises(TypeError, match="register it as a buffer"):
        weights.pack_module(Odd())


def test_an_rng_state_survives_as_text() -> None:
    generator = torch.Generator().manual_seed(5)
    torch.rand(7, generator=generator)
    text = weights.pack_rng_state(generator.get_state())
    expected = torch.rand(9, generator=generator)
    again = torch.Generator()
    again.set_state(weights.unpack_rng_state(text))
    assert torch.equal(torch.rand(9, generator=again), expected)


def test_moments_of_a_parameter_that_is_not_trained_any_more_are_left_out() -> None:
    net, optimizer = make()
    step(net, optimizer, 0)
    moments = {name: array.copy() for name, array in weights.pack_optimizer(optimizer, net).items()}
    other, _ = make()
    other.get_parameter("0.bias").requires_grad_(False)
    fresh = torch.optim.AdamW([p for p in other.parameters() if p.requires_grad], lr=0.01, fused=True)
    weights.unpack_optimizer(fresh, other, moments)
    assert not {name for name in weights.pack_optimizer(fresh, other) if name.startswith("0.bias")}
    step(other, fresh, 1)
