"""CLIP: the loss against a slow reference, captions that say what the image shows, zero-shot classification."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ltviz.losses import clip
from ltviz.methods.base import Batch, Setup, Step
from ltviz.methods.clip import Captions, slant, stroke
from ltviz.methods.registry import method


def unit(num: int, dim: int, seed: int) -> torch.Tensor:
    chance = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(num, dim, generator=chance, dtype=torch.float64), dim=1)


@pytest.mark.parametrize("num, dim, temperature", [(1, 2, 0.5), (6, 3, 0.07), (20, 16, 0.01)])
def test_each_side_picks_its_partner(num: int, dim: int, temperature: float) -> None:
    u, v = unit(num, dim, 0), unit(num, dim, 1)
    expected = []
    for i in range(num):
        row = [math.exp(float(u[i] @ v[j]) / temperature) for j in range(num)]
        column = [math.exp(float(u[j] @ v[i]) / temperature) for j in range(num)]
        expected.append(-(math.log(row[i] / sum(row)) + math.log(column[i] / sum(column))) / 2)
    found = clip(u, v, temperature=temperature, reduction="none")
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))
    torch.testing.assert_close(clip(u, v, temperature=temperature), found.mean())
    torch.testing.assert_close(clip(v, u, temperature=temperature), found.mean(), msg="the sides are alike")


def test_gradients_are_right_and_finite_in_float32() -> None:
    u, v = unit(5, 3, 2).requires_grad_(), unit(5, 3, 3).requires_grad_()
    tau = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, b, t: clip(a, b, temperature=t), (u, v, tau))
    opposite = -unit(5, 3, 2).float()
    rows = opposite.neg().requires_grad_()
    clip(rows, opposite, temperature=0.01).backward()
    assert rows.grad is not None and bool(rows.grad.isfinite().all())


@pytest.mark.parametrize(
    "change, rule",
    [
        ({"captions": unit(4, 3, 0)}, r"captions .*\(4, 3\)"),
        ({"images": unit(5, 3, 0)[:, None]}, r"images .*\(5, 1, 3\)"),
        ({"temperature": 0.0}, "temperature"),
        ({"reduction": "sum"}, "reduction"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict, rule: str) -> None:
    given = {"images": unit(5, 3, 0), "captions": unit(5, 3, 1), "temperature": 0.1, **change}
    with pytest.raises(ValueError, match=rule):
        clip(given.pop("images"), given.pop("captions"), **given)


def draw(lean: float, width: float, side: int = 28) -> torch.Tensor:
    """A bar through the middle that leans to the right by a tangent, (1, H, W), with soft edges."""
    row, column = torch.meshgrid(torch.arange(side) - 13.5, torch.arange(side) - 13.5, indexing="ij")
    across = (column + lean * row).abs() / math.sqrt(1 + lean**2)
    return ((width / 2 - across + 0.5).clamp(0, 1) * (row.abs() < 10))[None]


def test_slant_and_stroke_measure_what_was_drawn() -> None:
    leans = torch.tensor([-0.4, -0.2, 0.0, 0.2, 0.4])
    bars = torch.stack([draw(float(lean), 3) for lean in leans])
    torch.testing.assert_close(slant(bars), leans, atol=0.08, rtol=0)
    widths = stroke(torch.stack([draw(0.0, width) for width in (2, 3, 4, 6)]))
    assert bool((widths.diff() > 0.3).all())
    noisy = bars + 0.08 * torch.randn(bars.shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(slant(noisy), slant(bars), atol=0.08, rtol=0)
    blank = torch.zeros(2, 1, 8, 8)
    assert bool(slant(blank).isfinite().all() and stroke(blank).isfinite().all())


def test_captions_name_class_slant_and_stroke_and_every_word_is_used() -> None:
    chance = torch.Generator().manual_seed(0)
    leans, widths = torch.rand(90, generator=chance) - 0.5, 2 + 4 * torch.rand(90, generator=chance)
    x = torch.stack([draw(float(a), float(w)) for a, w in zip(leans, widths, strict=True)])
    y = torch.randint(4, (90,), generator=chance)
    captions = Captions(4)
    first = captions.describe(x, y)
    assert first.shape == (90, 10) and torch.equal(first.sum(1), torch.full((90,), 3.0))
    assert torch.equal(first[:, :4].argmax(1), y)
    assert first[:, 4:].sum(0).min() >= 29, "thirds of what was seen"
    order = leans.argsort()
    leaning = first[:, 4:7].argmax(1)[order]
    assert leaning[:20].eq(0).all() and leaning[-20:].eq(2).all()
    captions.follow(x)
    assert torch.equal(captions.describe(x, y), first)
    captions.follow(x.flip(3))
    assert not torch.equal(captions.limits[0], torch.zeros(2)), "mirrored bars move the limits of the slant"
    assert captions.of_classes().shape == (4, 9, 10) and len(captions.of_classes().flatten(0, 1).unique(dim=0)) == 36


def test_training_lets_names_and_pictures_find_one_another() -> None:
    torch.manual_seed(0)
    setup = Setup(
        encoder=nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.BatchNorm1d(16), nn.ReLU()),
        head=nn.Linear(16, 3),
        feature_dim=16,
        dim=3,
        counts=torch.tensor([20.0, 10.0, 5.0]),
        total_steps=150,
        generator=torch.Generator().manual_seed(0),
    )
    made = method("clip")(method("clip").Settings(), setup)
    patterns = torch.stack([draw(0.0, 3), draw(0.0, 3).transpose(1, 2), draw(1.0, 3)])
    optimizer = torch.optim.AdamW(made.parameters(), lr=5e-3)
    for step in range(1, 151):
        y = torch.randint(3, (24,))
        x = patterns[y] + 0.05 * torch.randn(24, 1, 28, 28)
        optimizer.zero_grad()
        found = Step.of(made.losses(batch := Batch(step, torch.arange(24), y, lambda view, x=x: x)), batch)
        made.weigh(found).backward()
        optimizer.step()
        made.after_step(found)
    made.eval()
    z, logits = made.observe(patterns)
    assert logits.argmax(1).tolist() == [0, 1, 2]
    names = made.landmarks()["prototypes"]
    torch.testing.assert_close(logits, z @ names.T / made.log_temperature.exp())
    assert (z @ names.T).argmax(0).tolist() == [0, 1, 2], "each name finds its picture as well"
    assert made.log_temperature.detach().exp() >= 0.01
