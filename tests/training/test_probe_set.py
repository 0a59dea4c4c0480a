"""The samples that frames show: the tail whole, the rest evenly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltviz.data import registry
from ltviz.data.inputs import HeldInputs
from ltviz.data.longtail import LongTailed
from ltviz.training.probe_set import TEST, TRAIN, VALIDATION, ProbeSet, choose, quotas


@given(st.lists(st.integers(0, 500), min_size=1, max_size=30), st.integers(0, 3000))
def test_quotas_are_as_equal_as_the_sizes_allow(sizes: list[int], budget: int) -> None:
    available = np.array(sizes)
    taken = quotas(available, budget)
    assert (taken <= available).all() and taken.sum() == min(budget, available.sum())
    cut = taken[taken < available]
    if cut.size:
        assert cut.max() - cut.min() <= 1 and taken.max() <= cut.max() + 1


def make(counts: list[int], test: int) -> LongTailed:
    """A set whose image i is filled with i / 10,000."""
    train_labels, test_labels = np.repeat(np.arange(len(counts)), counts), np.repeat(np.arange(len(counts)), test)
    ids = np.arange(len(train_labels) + len(test_labels))
    images = np.broadcast_to(ids[:, None, None] / 10_000, (len(ids), 3, 2)).astype(np.float32)
    cut = len(train_labels)
    return LongTailed(
        name="made",
        train_inputs=HeldInputs(images[:cut]),
        train_labels=train_labels,
        test_inputs=HeldInputs(images[cut:]),
        test_labels=test_labels,
        class_names=tuple(map(str, range(len(counts)))),
        counts=np.array(counts),
        train_ids=ids[:cut],
        test_ids=ids[cut:],
    )


def test_small_classes_are_shown_whole_and_the_test_part_is_balanced() -> None:
    data = make([5000, 1000, 200, 40, 8], 300)
    probe = choose(data, points=1000, seed=0)
    train = np.bincount(probe.labels[probe.split == TRAIN], minlength=5)
    assert len(probe.labels) == 1000
    assert train.tolist() == [151, 151, 150, 40, 8]
    assert np.bincount(probe.labels[probe.split == TEST]).tolist() == [100] * 5


@pytest.mark.parametrize(
    "counts, test, points, expected",
    [([30, 5], 10, 1000, (35, 20)), ([300, 5], 1, 100, (98, 2)), ([4, 3], 500, 100, (7, 93))],
)
def test_what_one_part_leaves_goes_to_the_other(
    counts: list[int], test: int, points: int, expected: tuple[int, int]
) -> None:
    probe = choose(make(counts, test), points=points, seed=0)
    assert (int((probe.split == TRAIN).sum()), int((probe.split == TEST).sum())) == expected


def test_images_labels_and_ids_belong_together_and_no_sample_comes_twice() -> None:
    data = make([500, 50, 5], 40)
    probe = choose(data, points=200, seed=3)
    np.testing.assert_allclose(probe.inputs.whole()[:, 0, 0], probe.sample_ids / 10_000, rtol=1e-6)
    labels = np.concatenate([data.train_labels, data.test_labels])
    np.testing.assert_array_equal(labels[probe.sample_ids], probe.labels)
    np.testing.assert_array_equal(probe.split, (probe.sample_ids >= 555).astype(np.uint8))
    assert len(set(probe.sample_ids)) == 200
    assert (probe.labels.dtype, probe.split.dtype, probe.sample_ids.dtype) == (np.int32, np.uint8, np.int64)


def test_the_choice_depends_on_the_seed_alone() -> None:
    data = make([500, 50, 5], 40)
    ids = [choose(data, points=100, seed=seed).sample_ids.tolist() for seed in (0, 0, 1)]
    assert ids[0] == ids[1] != ids[2]


def test_validation_samples_are_a_share_of_each_class_and_no_test_samples() -> None:
    data = make([500, 50, 5], 40)
    whole, shared = (choose(data, points=200, seed=3, validation_share=share) for share in (0.0, 0.25))
    np.testing.assert_array_equal(whole.sample_ids, shared.sample_ids)
    np.testing.assert_array_equal(whole.split == TRAIN, shared.split == TRAIN)
    assert not (whole.split == VALIDATION).any()
    for c in range(3):
        held = (shared.labels == c) & (shared.split != TRAIN)
        assert (shared.split[held] == VALIDATION).sum() == round(0.25 * held.sum()) > 0
    lone = choose(make([20, 5], 1), points=20, seed=0, validation_share=0.5)
    assert (lone.split != VALIDATION).all(), "a class keeps its only test sample"


def test_thumbnails_are_the_images_in_bytes() -> None:
    probe = choose(registry.load("digits-lt", imbalance_factor=50), points=2000, seed=0)
    images = probe.inputs.whole() / 16
    assert probe.thumbnails is not None and probe.thumbnails.dtype == np.uint8
    assert probe.thumbnails.shape == images.shape and np.abs(probe.thumbnails / 255 - images).max() <= 0.5 / 255 + 1e-6


def test_thumbnails_keep_their_colours_and_large_images_become_small() -> None:
    def shown(array: np.ndarray) -> np.ndarray | None:
        one, labels = HeldInputs(array), np.zeros(len(array), np.int32)
        return ProbeSet(
            inputs=one, labels=labels, split=labels.astype(np.uint8), sample_ids=np.arange(len(array))
        ).thumbnails

    chance = np.random.default_rng(0)
    small = chance.integers(0, 256, (300, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(shown(small), small)
    large = chance.integers(0, 256, (3, 64, 96, 3), dtype=np.uint8)
    means = large[:, :63].reshape(3, 21, 3, 32, 3, 3).mean((2, 4)).round()
    assert np.abs(np.asarray(shown(large), int) - means[:, :21]).max() <= 1
    assert shown(np.zeros((4, 7), np.float32)) is None, "vectors have no picture"


def test_all_labels_of_a_sample_stay_with_it() -> None:
    data = registry.load("digits-ml", imbalance_factor=20)
    probe = choose(data, points=300, seed=2)
    assert probe.multi is not None and data.train_multi is not None and data.test_multi is not None
    known = dict(zip(data.train_ids, data.train_multi, strict=True)) | dict(
        zip(data.test_ids, data.test_multi, strict=True)
    )
    for sample, row, label in zip(probe.sample_ids, probe.multi, probe.labels, strict=True):
        np.testing.assert_array_equal(row, known[sample])
        assert row[label] == 1 and not row[label + 1 :].any()
