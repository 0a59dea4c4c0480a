"""Batches: a function of (seed, step), the same for every method of a race."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ltviz.data import registry
from ltviz.data.inputs import HeldInputs
from ltviz.data.longtail import LongTailed
from ltviz.data.tensors import Batches, describe_augmentation
from ltviz.data.views import Randoms
from ltviz.data.views.affine import affine
from ltviz.errors import ConfigError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data() -> LongTailed:
    return registry.load("digits-lt", imbalance_factor=50)


def make(data: LongTailed, seed: int = 0, batch_size: int = 16) -> Batches:
    return Batches(data, batch_size=batch_size, seed=seed, device=CPU)


def test_a_batch_needs_none_of_the_steps_before_it(data: LongTailed) -> None:
    one, two = make(data), make(data)
    for step in range(1, 40):
        one.at(step).views(0, 1)
    first, again = one.at(40), two.at(40)
    assert torch.equal(first.index, again.index) and torch.equal(first.y, again.y)
    assert torch.equal(first.views(0, 1), again.views(0, 1)), "views do not depend on the order they are asked for"
    assert torch.equal(first.view(5), make(data).at(40).view(5))


def test_labels_belong_to_the_drawn_samples(data: LongTailed) -> None:
    batch = make(data).at(3)
    assert batch.step == 3 and batch.index.dtype == batch.y.dtype == torch.int64
    np.testing.assert_array_equal(batch.y.numpy(), data.train_labels[batch.index.numpy()])


def test_every_sample_is_drawn_equally_often(data: LongTailed) -> None:
    batches = make(data, batch_size=256)
    drawn = np.bincount(
        np.concatenate([batches.at(t).index.numpy() for t in range(1, 200)]), minlength=len(data.train_ids)
    )
    expected = drawn.sum() / len(drawn)
    assert abs((drawn - expected) / np.sqrt(expected)).max() < 5


def test_every_step_view_and_row_is_augmented_afresh(data: LongTailed) -> None:
    batches = make(data, batch_size=400)  # of some 300 samples, so that many come twice in a batch
    views = torch.cat([batches.at(step).view(i) for step in (1, 2) for i in (0, 1, 9)])
    index = torch.cat([batches.at(step).index.repeat(3) for step in (1, 2)])
    assert len(torch.unique(views.flatten(1), dim=0)) == len(views)
    originals = batches.inputs.at(index.numpy())[:, 0]
    assert (views[:, 0] - originals).square().mean() < 0.8 * (views[:, 0] - originals.roll(1, 0)).square().mean()


@pytest.mark.parametrize("size", [7, 64])
def test_views_made_at_once_are_those_made_one_after_the_other(data: LongTailed, size: int) -> None:
    at = make(data, seed=3, batch_size=size).at
    for step in (1, 2):
        single, together, some = at(step), at(step), at(step)
        one_by_one = torch.cat([single.view(i) for i in (0, 1, 2)])
        assert torch.equal(together.views(0, 1, 2), one_by_one)
        some.view(1)
        assert torch.equal(some.views(0, 1, 2), one_by_one) and some.images == 3 * size
        shared = at(step).share(size, 3)
        assert (
            torch.equal(shared.views(2, 0), torch.cat([single.view(2), single.view(0)])) and shared.images == 2 * size
        )
        assert torch.equal(shared.views(1, 1), torch.cat([single.view(1)] * 2)) and shared.images == 3 * size


def test_the_fixed_batch_is_the_same_at_every_call_and_its_views_differ(data: LongTailed) -> None:
    one, two = make(data).fixed(6, 60), make(data).fixed(6, 60)
    assert torch.equal(one.views(0, 1), two.views(0, 1)) and not torch.equal(one.view(0), one.view(1))


def test_seeds_differ_in_batches_and_augmentations(data: LongTailed) -> None:
    one, two = make(data, 0), make(data, 1)
    assert not torch.equal(one.at(1).index, two.at(1).index)
    assert not torch.equal(one.fixed(6, 60).view(0), two.fixed(6, 60).view(0))


def test_the_fingerprint_tells_seed_and_batch_size_and_sees_256_steps(data: LongTailed) -> None:
    prints = {make(data).fingerprint(300), make(data, 1).fingerprint(300), make(data, batch_size=17).fingerprint(300)}
    assert len(prints) == 3 and all(len(text) == 64 for text in prints)
    assert make(data).fingerprint(300) == make(data).fingerprint(10_000)
    assert make(data).fingerprint(255) != make(data).fingerprint(300)


def test_augmented_images_stay_near_their_original() -> None:
    image = torch.zeros(400, 1, 28, 28)
    image[:, :, 10:18, 10:18] = 1
    moved = affine(image, Randoms(0))
    assert moved.shape == image.shape and moved.dtype == torch.float32
    weight = moved.clamp(min=0.3) - 0.3  # leaves the noise aside
    grid = torch.arange(28.0)
    for axis in (2, 3):
        centre = (weight.sum((1, 5 - axis)) * grid).sum(1) / weight.sum((1, 2, 3))
        assert (centre - 13.5).abs().max() < 2.5 and (centre - 13.5).abs().max() > 1, "a shift of up to 2 pixels"
    assert 0.09 < (moved[:, :, 0, 0]).std() < 0.11, "noise of 0.1"
    assert not torch.equal(moved[0], moved[1])


@pytest.mark.parametrize("shape", [(8, 8), (28, 20)])
def test_the_grid_is_that_of_an_affine_map(shape: tuple[int, int]) -> None:
    images = torch.rand(5, 1, *shape)
    turn, stretch, right, down = 2 * torch.rand(4, 5, generator=(chance := torch.Generator().manual_seed(3))) - 1
    noise = 0.1 * torch.randn(images.shape, generator=chance)
    scale, reach = 1 + 0.1 * stretch, (1 if shape[1] < 16 else 2) * 2 / shape[1]
    cos, sin = (0.2 * turn).cos() * scale, (0.2 * turn).sin() * scale
    rows = [torch.stack([cos, -sin, reach * right], 1), torch.stack([sin, cos, reach * down], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    expected = F.grid_sample(images, grid, align_corners=False) + noise
    torch.testing.assert_close(affine(images, Randoms(3)), expected, atol=1e-5, rtol=1e-5)


def test_with_several_labels_a_second_batch_draws_all_classes_alike() -> None:
    several = registry.load("digits-ml", imbalance_factor=50)
    batches = make(several, batch_size=256)
    drawn, usual = (
        np.concatenate([pick(batches.at(t)).index.numpy() for t in range(1, 60)])
        for pick in (lambda batch: batch.rebalanced, lambda batch: batch)
    )
    batch = batches.at(5).rebalanced
    assert several.train_multi is not None
    np.testing.assert_array_equal(batch.labels.numpy(), several.train_multi[batch.index.numpy()])
    np.testing.assert_array_equal(batch.y.numpy(), several.train_labels[batch.index.numpy()])
    assert torch.equal(batch.view(1), make(several, batch_size=256).at(5).rebalanced.view(1)), "a function of the step"
    # every sample by the classes it shows: class uniformly, then one of those that show it
    expected = (several.train_multi / several.counts).sum(1) / len(several.counts) * len(drawn)
    times = np.bincount(drawn, minlength=len(expected))
    assert (abs(times - expected) / np.sqrt(expected)).max() < 5.5
    rare = several.train_multi[:, -1] == 1
    assert times[rare].sum() > 5 * np.bincount(usual, minlength=len(expected))[rare].sum()


def test_with_one_label_there_is_no_second_batch(data: LongTailed) -> None:
    with pytest.raises(ValueError, match="one label a sample"):
        _ = make(data).at(1).rebalanced


def coloured(data: LongTailed) -> LongTailed:
    """The digits in three colours, twice as large, with a mean and a deviation."""
    images = np.repeat(np.repeat(data.train_inputs.whole()[..., None] * 15, 2, 1), 2, 2)
    inputs = HeldInputs(np.stack([images[..., 0], images[..., 0] // 2, 255 - images[..., 0]], 3).astype(np.uint8))
    return replace(data, train_inputs=inputs, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))


def test_each_view_has_a_policy_and_the_last_one_is_that_of_all_further_views(data: LongTailed) -> None:
    colour = coloured(data)

    def views(policies: str) -> list[torch.Tensor]:
        batches = Batches(colour, batch_size=16, seed=0, device=CPU, policies=policies)
        return [batches.at(3).view(i) for i in range(3)]

    none, cut, gray = (views(name) for name in ("none", "crop-flip", "gray"))
    mixed = views("none,crop-flip")
    assert all(torch.equal(a, b) for a, b in zip(mixed, [none[0], *cut[1:]], strict=True))
    assert torch.equal(none[0], none[1]) and not torch.equal(cut[0], cut[1]) and not torch.equal(gray[0], gray[1])
    assert all(torch.equal(a, b) for a, b in zip(views(""), cut, strict=True)), "the default of colour"


def test_views_are_augmented_first_and_then_normalised(data: LongTailed) -> None:
    """So black comes in at a border, and not the mean."""
    colour = coloured(data)
    plain = replace(colour, mean=(), std=())
    seen, raw = (
        Batches(one, batch_size=64, seed=0, device=CPU, policies="crop-flip").at(1).view(0) for one in (colour, plain)
    )
    mean, std = (torch.tensor(by)[:, None, None] for by in (colour.mean, colour.std))
    torch.testing.assert_close(seen, (raw - mean) / std)
    assert raw.min() == 0 and raw.max() == 1 and raw.shape == (64, 3, 16, 16)


def test_what_is_recorded_of_policies_is_their_names(data: LongTailed) -> None:
    def batches(policies: str) -> Batches:
        return Batches(data, batch_size=16, seed=0, device=CPU, policies=policies)

    assert batches("").policies == ("affine",) and describe_augmentation(("affine",)) == "afresh at each step"
    assert batches(" randaug, simaug").policies == ("randaug", "simaug")
    assert describe_augmentation(("randaug", "simaug")) == "randaug, simaug, afresh at each step"
    assert batches("").fingerprint(3) == batches("affine").fingerprint(3) != batches("none").fingerprint(3)
    with pytest.raises(ConfigError, match="view policy must be one of"):
        batches("simaug,crops")
    vectors = replace(data, train_inputs=HeldInputs(np.zeros((len(data.train_labels), 7), np.float32)))
    assert Batches(vectors, batch_size=4, seed=0, device=CPU).policies == ("none",)
    with pytest.raises(ConfigError, match="policies of vectors must be of noise, none, but affine is for images"):
        Batches(vectors, batch_size=4, seed=0, device=CPU, policies="affine")
