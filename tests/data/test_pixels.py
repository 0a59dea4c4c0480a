"""Samples that are pixels: which are drawn, where they are in a view, and what is shown of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ltviz.data import registry, views
from ltviz.data.device_inputs import DevicePixels, on_device
from ltviz.data.inputs import HeldInputs
from ltviz.data.longtail import LongTailed
from ltviz.data.pixels import UNLABELLED, LabelMaps, Pixels, PixelSampler, mark
from ltviz.data.tensors import Batches
from ltviz.encoders import PixelEncoder, build, of_pixels
from ltviz.errors import ConfigError

CPU = torch.device("cpu")
SIDE, EACH, CLASSES = 6, 5, 4
LABEL_TOLD_BY = 60.0
"""Images tell the label of each pixel by its brightness: label times this, so that a view can be read."""


def told(num: int = 7, *, mirror: bool = True, colour: bool = False) -> LongTailed:
    """Images whose pixels are as bright as their label says; class 0 has most."""
    chance = np.random.default_rng(0)
    labels = chance.choice(CLASSES, size=(num, SIDE, SIDE + 2), p=[0.7, 0.15, 0.1, 0.05])
    order = np.argsort(-np.bincount(labels.ravel(), minlength=CLASSES), kind="stable")
    labels = np.argsort(order)[labels]
    images = (labels * LABEL_TOLD_BY).astype(np.uint8)
    number = np.arange(labels.size)
    ranks = np.where(np.arange(256) < CLASSES, np.arange(256), UNLABELLED).astype(np.int16)
    maps = LabelMaps(HeldInputs(labels.astype(np.uint8)), ranks)
    inputs = Pixels(
        HeldInputs(np.repeat(images[..., None], 3, 3) if colour else images),
        number // labels[0].size,
        number % labels[0].size,
        each=EACH,
        mirror=mirror,
        maps=maps,
    )
    return LongTailed(
        name="told",
        train_inputs=inputs,
        train_labels=labels.ravel(),
        test_inputs=inputs,
        test_labels=labels.ravel(),
        class_names=tuple("abcd"),
        counts=np.bincount(labels.ravel(), minlength=CLASSES),
        train_ids=number,
        test_ids=number + labels.size,
    )


class Brightness(nn.Module):
    """A trunk that gives the image itself, so that a feature is the value of its pixel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def reader(data: LongTailed) -> PixelEncoder:
    shape = data.train_inputs.shape
    return PixelEncoder(Brightness(), (shape[2] if len(shape) == 3 else 1, shape[0], shape[1]))


def batches(data: LongTailed, policies: str = "none", **settings) -> Batches:
    return Batches(data, batch_size=4, seed=3, device=CPU, policies=policies, **settings)


IN_PLACE = [name for name, policy in views.policies().items() if policy.in_place]


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("name", IN_PLACE)
def test_every_row_belongs_to_its_label_after_every_policy(name, colour) -> None:
    """Each policy is held against itself without the mirror: what is read at a place must be what was there."""
    data, still = told(colour=colour), told(colour=colour, mirror=False)
    encoder, flipped = reader(data), 0
    for step in range(1, 6):
        batch = batches(data, name).at(step)
        view, other = batch.view(1), batches(still, name).at(step).view(1)
        read, expected = encoder(view), encoder(other)
        assert torch.equal(read, expected), name
        numbers = view.shape[1] - EACH
        flipped += int((view[:, numbers:] != other[:, numbers:]).any(1).sum())
        if name == "none":
            assert torch.equal((read[:, 0] * 255 / LABEL_TOLD_BY).round().long(), batch.y)
    assert 0 < flipped < 20, "some images are mirrored and some are not"


def test_policies_that_move_or_hide_pixels_are_refused() -> None:
    for name in set(views.policies()) - set(IN_PLACE):
        with pytest.raises(ConfigError, match=f"leave everything in its place, got {name}; try noise"):
            batches(told(), name)
    assert batches(told(), "").policies == ("noise",)


def test_stacked_views_and_shares_stay_in_the_order_of_labels() -> None:
    data = told()
    batch, encoder = batches(data).at(1), reader(data)
    assert (batch.size, len(batch.y)) == (4, 4 * EACH)
    rows = encoder(batch.views(0, 1, 2))[:, 0] * 255 / LABEL_TOLD_BY
    assert torch.equal(rows.round().long(), batch.y.repeat(3)), "view-major"
    share = batch.share(10, 2)  # images: four, four again, and two
    assert share.size == 10 and torch.equal(share.y, torch.cat([batch.y, batch.y, batch.y[: 2 * EACH]]))
    assert torch.equal((encoder(share.view(1))[:, 0] * 255 / LABEL_TOLD_BY).round().long(), share.y)
    assert share.images == 10, "an image counts once, whatever is read of it"


def test_fixed_pixels_have_an_image_each() -> None:
    data = told()
    fixed = batches(data).fixed(3, 60)
    assert fixed.size == len(fixed.y) == 3 * CLASSES
    assert torch.equal((reader(data)(fixed.view(0))[:, 0] * 255 / LABEL_TOLD_BY).round().long(), fixed.y)


@pytest.mark.parametrize("sampling", ["instance", "class-balanced", "square-root"])
def test_pixels_fall_on_classes_as_samples_elsewhere_do(sampling) -> None:
    data = told(5)
    sampler = PixelSampler(data.train_labels, data.train_inputs.of, each=EACH, sampling=sampling)  # type: ignore[union-attr]
    drawn = sampler.draw(np.random.default_rng(1), 6000, 0.0)
    images = data.train_inputs.of[drawn].reshape(-1, EACH)  # type: ignore[union-attr]
    assert (images == images[:, :1]).all(), "those of an image follow one another"
    found = np.bincount(data.train_labels[drawn], minlength=CLASSES) / len(drawn)
    power = {"instance": 1.0, "class-balanced": 0.0, "square-root": 0.5}[sampling]
    expected = data.counts**power / (data.counts**power).sum()
    assert found == pytest.approx(expected, abs=0.015)


def test_the_order_of_samples_does_not_matter_to_what_is_drawn_together() -> None:
    data = told(5)
    order = np.argsort(data.train_labels, kind="stable")  # by class, as `cut` leaves them
    pixels = data.train_inputs.subset(order)
    assert isinstance(pixels, Pixels)
    drawn = PixelSampler(data.train_labels[order], pixels.of, each=3, sampling="instance").draw(
        np.random.default_rng(0), 50, 0.0
    )
    assert (pixels.of[drawn].reshape(-1, 3) == pixels.of[drawn][::3, None]).all()


def test_blocks_give_every_sample_once_in_order_however_images_follow_one_another() -> None:
    data = told()
    chance = np.random.default_rng(2)
    pixels = data.train_inputs.subset(chance.permutation(len(data.train_labels))[:40])
    assert isinstance(pixels, Pixels)
    rows = chance.permutation(len(data.train_labels))[:40]
    for index in (np.arange(20), rows, np.sort(rows), np.zeros(0, np.int64)):
        some = data.train_inputs.subset(index)
        found = [reader(data)(block)[:, 0] * 255 / LABEL_TOLD_BY for block in on_device(some, CPU).blocks()]
        read = torch.cat(found).round().long().numpy() if found else np.zeros(0)
        assert read.tolist() == data.train_labels[index].tolist()


def test_joined_held_and_spread_pixels_keep_their_images() -> None:
    data = told()
    first, second = data.train_inputs.subset(np.array([3, 150])), data.train_inputs.subset(np.array([60]))
    joined = first.join(second).hold()
    assert isinstance(joined, Pixels) and len(joined.images) == 3
    values = joined.read(np.arange(3)).reshape(3, -1)[np.arange(3), joined.places]
    assert (values / LABEL_TOLD_BY).tolist() == data.train_labels[[3, 150, 60]].tolist()
    spread = data.train_inputs.spread(21)  # type: ignore[union-attr]
    assert np.bincount(data.train_inputs.of[spread]).tolist() == [3] * 7  # type: ignore[union-attr]
    assert len(data.train_inputs.spread(4)) <= 4, "of some images, where there are more than samples wanted"  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="pixels alone"):
        joined.join(HeldInputs(np.zeros((1, SIDE, SIDE + 2), np.uint8)))


def test_a_thumbnail_shows_the_pixel_in_a_frame() -> None:
    images = np.full((1, 8, 8), 9, np.uint8)
    shown = mark(images, np.array([3.5 / 8]), np.array([0.5 / 8]))
    assert shown.shape == (1, 8, 8, 3) and shown[0, 3, 0].tolist() == [9, 9, 9]
    framed = (shown[0] != 9).any(-1)
    assert framed.sum() == 5 + 2 * 2 and framed[1, :3].all() and framed[5, :3].all() and framed[1:6, 2].all()


def test_ranks_follow_the_classes() -> None:
    data = told(1)
    assert isinstance(data.test_inputs, Pixels)
    ranked, order = data.test_inputs.ranked(np.array([2, 0, 3, 1])).maps, np.array([2, 0, 3, 1])
    assert ranked is not None and ranked.ranks[9] == UNLABELLED
    assert np.array_equal(order[ranked.read(np.array([0])).ravel()], data.test_labels)


@pytest.mark.parametrize("name", ["convnet", "resnet32"])
def test_features_of_all_pixels_are_those_of_each(name) -> None:
    torch.manual_seed(0)
    shape = (18, 26)
    encoder, width = of_pixels(build(name, shape)[0], name, shape)
    encoder.eval()
    images = torch.rand(2, 1, *shape)
    places = torch.arange(18 * 26).float().expand(2, -1)
    with torch.no_grad():
        rows, whole = encoder(torch.cat([images.flatten(1), places], 1)), encoder.everywhere(images)
    assert rows.shape == (2 * 18 * 26, width)
    torch.testing.assert_close(rows, whole, rtol=1e-4, atol=1e-5)


def test_an_encoder_without_a_map_is_refused() -> None:
    encoder, _ = build("mlp", (8, 8))
    with pytest.raises(ConfigError, match="samples are pixels, so an encoder with a feature map is needed, but mlp"):
        of_pixels(encoder, "mlp", (8, 8))


def test_what_is_around_a_pixel_is_black_beyond_the_image() -> None:
    encoder = PixelEncoder(Brightness(), (1, 4, 5))
    image = torch.arange(1.0, 21).view(1, -1)
    around = encoder.around(torch.cat([image, torch.tensor([[0.0, 12.0]])], 1), side=3)
    assert around[0, 0].tolist() == [[0, 0, 0], [0, 1, 2], [0, 6, 7]]
    assert around[1, 0].tolist() == [[7, 8, 9], [12, 13, 14], [17, 18, 19]]


# ---------------------------------------------------------------------- digits-seg


def test_mosaics_are_the_same_for_a_seed_and_long_tailed_below_the_background() -> None:
    def make(seed: int) -> LongTailed:
        return registry.load("digits-seg", imbalance_factor=50, seed=seed)

    data, again, other = make(1), make(1), make(2)
    images = [one.train_inputs.images.whole() for one in (data, again, other)]  # type: ignore[union-attr]
    assert np.array_equal(images[0], images[1]) and not np.array_equal(images[0][:50], images[2][:50])
    assert data.class_names[0] == "background" and data.counts[0] > 20 * data.counts[1]
    assert (np.diff(data.counts) <= 0).all() and data.counts[1] > 15 * data.counts[-1]
    assert sorted(data.class_names[1:]) == list("0123456789")
    tests = [one.test_inputs.images.whole() for one in (data, other)]  # type: ignore[union-attr]
    assert np.array_equal(*tests), "the test set is the same for every seed"
    maps = data.test_inputs.maps.read(np.arange(len(tests[0])))  # type: ignore[union-attr]
    assert np.array_equal(maps.ravel(), data.test_labels)
    digits = np.bincount(data.test_labels)[1:]
    assert digits.max() < 1.5 * digits.min(), "balanced but for how much ink a digit has"
    assert not set(data.train_ids.tolist()) & set(data.test_ids.tolist())


def test_what_is_described_is_what_is_loaded() -> None:
    asked = {"imbalance_factor": 20, "max_per_class": 60, "seed": 5}
    told_of, data = registry.describe("digits-seg", **asked), registry.load("digits-seg", **asked)
    assert told_of.counts == tuple(data.counts.tolist()) and told_of.class_names == data.class_names
    assert told_of.test_counts == tuple(np.bincount(data.test_labels).tolist())


def test_ink_is_labelled_and_ground_is_not() -> None:
    data = registry.load("digits-seg", imbalance_factor=1, max_per_class=20)
    pixels = data.train_inputs
    assert isinstance(pixels, Pixels)
    values = pixels.images.whole().ravel()
    ink = data.train_labels > 0
    assert values[ink].min() > 4 and values[~ink].max() <= 6
    assert values[~ink].std() > 0.5, "the ground has a texture"


def test_pixels_of_a_batch_are_an_option() -> None:
    data = registry.load("digits-seg", imbalance_factor=10, data_options={"pixels": 3})
    assert isinstance(batches(data, "").inputs, DevicePixels)
    assert len(batches(data, "").at(1).y) == 12
    with pytest.raises(ConfigError, match="pixels"):
        registry.load("digits-seg", imbalance_factor=10, data_options={"pixels": 0})
