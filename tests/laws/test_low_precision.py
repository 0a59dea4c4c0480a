"""Every public loss in bf16, by its arguments or by autocast, on every device: summed in float32, finite, right."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz import losses

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
BATCH, DIM, CLASSES, KEYS = 64, 16, 5, 300
CHANCE = torch.Generator()


def rows(*shape: int) -> Tensor:
    return F.normalize(torch.randn(*shape, generator=CHANCE, dtype=torch.float64), dim=-1)


def classes(size: int) -> Tensor:
    return torch.multinomial(0.5 ** torch.arange(CLASSES), size, replacement=True, generator=CHANCE)


COUNTS = torch.tensor([400.0, 200.0, 80.0, 20.0, 5.0])
Case = tuple[dict[str, Tensor], dict[str, Tensor], dict[str, float]]


def case(name: str) -> Case:
    """Features (float64), the other tensors, and numbers of a loss with this name."""
    CHANCE.manual_seed(0)
    y, warm = classes(BATCH), {"temperature": 0.1}
    if name in ("supcon", "info_nce", "bcl"):
        prototypes = {"prototypes": rows(CLASSES, DIM)} if name == "bcl" else {}
        return {"z": rows(BATCH, 2, DIM), **prototypes}, {} if name == "info_nce" else {"y": y}, warm
    if name in ("moco", "kcl", "tsc", "paco"):
        queries = {"query": rows(BATCH, DIM), "key": rows(BATCH, DIM), "queue": rows(KEYS, DIM)}
        if name == "moco":
            return queries, {}, warm
        labels = {"y": y, "queue_y": classes(KEYS)}
        if name == "paco":
            return {**queries, "logits": 8 * rows(BATCH, CLASSES)}, {**labels, "counts": COUNTS}, warm
        labels["positives"] = (y[:, None] == labels["queue_y"]) & (torch.rand(BATCH, KEYS, generator=CHANCE) < 0.3)
        return {**queries, **({"targets": rows(CLASSES, DIM)} if name == "tsc" else {})}, labels, warm
    if name == "gml":
        features = {"query": rows(BATCH, DIM), "keys": rows(KEYS, DIM)}
        return features, {"y": y, "keys_y": classes(KEYS), "counts": COUNTS}, warm
    if name == "proco":
        return {"z": rows(BATCH, DIM)}, {"means": 0.8 * rows(CLASSES, DIM).float(), "y": y, "counts": COUNTS}, warm
    if name == "clip":
        return {"images": rows(BATCH, DIM), "captions": rows(BATCH, DIM)}, {}, warm
    logits = 5 * torch.randn(BATCH, CLASSES, generator=CHANCE, dtype=torch.float64)
    if name == "logit_adjusted":
        return {"logits": logits}, {"y": y, "counts": COUNTS}, {}
    if name == "ltml_consistency":
        return {"a": logits, "b": logits.flip(0)}, {}, {}
    assert name == "ltml_classification", f"no case for the loss {name}"
    spread = {
        f"{part}_{sign}": 0.5 + torch.rand(CLASSES, generator=CHANCE)
        for part in ("sigma", "mu")
        for sign in ("pos", "neg")
    }
    shown = (torch.rand(BATCH, CLASSES, generator=CHANCE) < 0.3).float()
    return {"logits": logits}, {"labels": shown, "counts": COUNTS, **spread}, {"num_samples": 500.0}


def judge(name: str, change: Callable[[Tensor], Tensor], device: str = "cpu") -> tuple[Tensor, list[Tensor]]:
    """Value and gradients of a loss whose features are changed first."""
    features, others, numbers = case(name)
    features = {key: change(value).to(device).requires_grad_() for key, value in features.items()}
    value = getattr(losses, name)(**features, **{key: value.to(device) for key, value in others.items()}, **numbers)
    return value.detach(), list(torch.autograd.grad(value, list(features.values())))


def rounded(features: Tensor) -> Tensor:
    return features.bfloat16()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", losses.__all__)
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
@pytest.mark.parametrize("name", losses.__all__)
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


@pytest.mark.parametrize("name", losses.__all__)
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
