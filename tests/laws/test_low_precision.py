"""Every public loss in bf16, by its arguments or by autocast, on every device: summed in float32, finite, right."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz import losses
from ltviz.methods.parts.loss import is_loss

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
BATCH, DIM, CLASSES, KEYS = 64, 16, 5, 300
CHANCE = torch.Generator()


def rows(*shape: int) -> Tensor:
    return F.normalize(torch.randn(*shape, generator=CHANCE, dtype=torch.float64), dim=-1)


def classes(size: int) -> Tensor:
    return torch.multinomial(0.5 ** torch.arange(CLASSES), size, replacement=True, generator=CHANCE)


LOSSES = [name for name in losses.__all__ if is_loss(getattr(losses, name))]
COUNTS = torch.tensor([400.0, 200.0, 80.0, 20.0, 5.0])
Case = tuple[dict[str, Tensor], dict[str, Tensor], dict[str, float]]


def made(loss: str, argument: str) -> Tensor | float:
    """An argument of a loss by its name, which means the same in all of them; (B, D) for z where that is meant."""
    if argument in ("a", "b", "logits"):
        return 5 * torch.randn(BATCH, CLASSES, generator=CHANCE, dtype=torch.float64)
    if argument.startswith(("sigma_", "mu_")):
        return 0.5 + torch.rand(CLASSES, generator=CHANCE)
    match argument:
        case "z":
            return rows(BATCH, DIM) if loss in ("proco", "vmf", "vmf_consistency") else rows(BATCH, 2, DIM)
        case "query" | "key" | "images" | "captions" | "features":
            return rows(BATCH, DIM)
        case "queue" | "keys":
            return rows(KEYS, DIM)
        case "prototypes" | "targets" | "weights" | "classifier":
            return rows(CLASSES, DIM)
        case "means" if loss.startswith("vmf"):
            return rows(CLASSES, DIM)
        case "clusters":
            return torch.randint(3, (BATCH,), generator=CHANCE)
        case "kappa":
            return torch.linspace(4.0, 30.0, CLASSES)
        case "alpha":
            return 0.5
        case "means":
            return 0.8 * rows(CLASSES, DIM).float()
        case "y":
            return classes(BATCH)
        case "queue_y" | "keys_y":
            return classes(KEYS)
        case "labels":
            return (torch.rand(BATCH, CLASSES, generator=CHANCE) < 0.3).float()
        case "counts":
            return COUNTS
        case "num_samples":
            return 500.0
        case "temperature":
            return 0.1
    raise AssertionError(f"{loss}: an argument {argument!r} is met for the first time; say here what it is")


def case(name: str) -> Case:
    """Features (float64), the other tensors, and numbers of a loss with this name, from its signature."""
    CHANCE.manual_seed(0)
    signature = inspect.signature(getattr(losses, name)).parameters.values()
    given = {p.name: made(name, p.name) for p in signature if p.default is p.empty}
    if name in ("kcl", "tsc"):  # which would draw them
        available = given["y"][:, None] == given["queue_y"]
        given["positives"] = available & (torch.rand(BATCH, KEYS, generator=CHANCE) < 0.3)
    tensors = {key: value for key, value in given.items() if isinstance(value, Tensor)}
    features = {key: value for key, value in tensors.items() if value.dtype == torch.float64}
    others = {key: value for key, value in tensors.items() if key not in features}
    return features, others, {key: value for key, value in given.items() if not isinstance(value, Tensor)}


def judge(name: str, change: Callable[[Tensor], Tensor], device: str = "cpu") -> tuple[Tensor, list[Tensor]]:
    """Value and gradients of a loss whose features are changed first."""
    features, others, numbers = case(name)
    features = {key: change(value).to(device).requires_grad_() for key, value in features.items()}
    value = getattr(losses, name)(**features, **{key: value.to(device) for key, value in others.items()}, **numbers)
    return value.detach(), list(torch.autograd.grad(value, list(features.values())))


def rounded(features: Tensor) -> Tensor:
    return features.bfloat16()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", LOSSES)
def test_bf16_features_are_summed_in_float32(name, device):
    exact, gradients = judge(name, lambda features: rounded(features).double())
    value, found = judge(name, rounded, device)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(float(exact), rel=1e-4), "summed in bf16 it would be off by 1e-2"
    for have, want in zip(found, gradients, strict=True):
        assert have.dtype == torch.bfloat16 and have.isfinite().all()
        # a gradient is rounded to bf16 once, at the end
        torch.testing.assert_close(have.double().cpu(), want, rtol=1e-2, atol=1e-3 * float(want.abs().max()))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", LOSSES)
def test_autocast_leaves_a_loss_in_float32(name, device):
    plain, gradients = judge(name, Tensor.float, device)
    with torch.autocast(device, dtype=torch.bfloat16):
        value, found = judge(name, Tensor.float, device)
        halved, narrow = judge(name, rounded, device)
    torch.testing.assert_close(value, plain)
    for have, want in zip(found, gradients, strict=True):
        assert have.dtype == torch.float32
        # backward passes inside of autocast take products in bf16, as those of any network do
        torch.testing.assert_close(have, want, rtol=2e-2, atol=2e-2 * float(want.abs().max()))
    assert halved.dtype == torch.float32 and all(gradient.isfinite().all() for gradient in narrow)
    assert float(halved) == pytest.approx(float(plain), rel=2e-2)


@pytest.mark.parametrize("name", LOSSES)
def test_what_a_network_under_autocast_gives_is_close_to_float32(name):
    """Features from a bf16 product, losses on them, gradients back through it: as the trainer does it."""
    features, others, numbers = case(name)
    weights = {key: torch.eye(value.shape[-1], requires_grad=True) for key, value in features.items()}
    found = []
    for enabled in (False, True):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            made = {key: value.float() @ weights[key] for key, value in features.items()}
            value = getattr(losses, name)(**made, **others, **numbers)
        found.append((value.detach(), torch.autograd.grad(value, list(weights.values()))))
    (plain, gradients), (value, narrow) = found
    assert value.dtype == torch.float32 and float(value) == pytest.approx(float(plain), rel=2e-2)
    for have, want in zip(narrow, gradients, strict=True):
        assert have.isfinite().all() and float((have - want).norm()) <= 5e-2 * float(want.norm())
