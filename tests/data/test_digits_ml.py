"""digits-ml: exact label counts, digits that tell the labels, and no digit on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltviz.data import registry
from ltviz.data.longtail import LongTailed, rarest
from ltviz.data.source import Where
from ltviz.data.sources.digits_ml import DigitsMl, deal
from ltviz.errors import ConfigError


@pytest.fixture(scope="module")
def data() -> LongTailed:
    return registry.load("digits-ml", imbalance_factor=50, seed=3)


def cells(images: np.ndarray) -> np.ndarray:
    """(N, 4, 64) the cells of (N, 16, 16) mosaics."""
    return images.reshape(-1, 2, 8, 2, 8).swapaxes(2, 3).reshape(-1, 4, 64)


@given(st.integers(1, 12), st.integers(1, 300), st.floats(1, 100), st.integers(0, 100))
def test_dealing_meets_every_count_with_one_to_four_labels_a_row(
    num_classes: int, n_max: int, factor: float, seed: int
) -> None:
    counts = [max(1, int(n_max * factor ** (-c / max(num_classes - 1, 1)))) for c in range(num_classes)]
    present = deal(counts, np.random.default_rng(seed))
    assert present.sum(0).tolist() == counts
    assert present.sum(1).min() >= 1 and present.sum(1).max() <= 4


def test_the_training_labels_are_long_tailed_and_the_test_labels_balanced(data: LongTailed) -> None:
    told = registry.describe("digits-ml", imbalance_factor=50, seed=3)
    assert data.train_multi is not None and data.test_multi is not None
    assert data.train_multi.sum(0).tolist() == data.counts.tolist() == list(told.counts)
    assert told.counts[0] == 400 and told.counts[-1] == 8 and told.class_names == data.class_names
    assert tuple(data.test_multi.sum(0)) == told.test_counts
    images = data.train_inputs.whole()
    assert images.shape[1:] == told.image_shape and images.dtype == np.uint8
    assert images.min() == 0 and images.max() == data.train_inputs.white
    assert not set(data.train_ids) & set(data.test_ids) and len(set(data.train_ids)) == len(images)


@pytest.mark.parametrize("part", ["train", "test"])
def test_the_labels_are_the_digits_in_the_cells(data: LongTailed, part: str) -> None:
    pool = DigitsMl().read(Where())
    images, present = getattr(data, f"{part}_inputs").whole(), getattr(data, f"{part}_multi")
    known = zip(getattr(pool, f"{part}_inputs").whole(), getattr(pool, f"{part}_labels"), strict=True)
    digit = {image.tobytes(): label for image, label in known}
    for tiles, row in zip(cells(images), present, strict=True):
        shown = sorted(digit[tile.tobytes()] for tile in tiles if tile.any())
        assert shown == sorted(int(data.class_names[rank]) for rank in np.flatnonzero(row))
    np.testing.assert_array_equal(
        getattr(data, f"{part}_labels"), [np.flatnonzero(row).max() for row in present], "the rarest gives the colour"
    )


def test_training_and_test_mosaics_share_no_digit_and_rare_classes_have_few(data: LongTailed) -> None:
    train, test = (
        {tile.tobytes() for tile in cells(x).reshape(-1, 64) if tile.any()}
        for x in (data.train_inputs.whole(), data.test_inputs.whole())
    )
    assert not train & test
    alone = [
        {t.tobytes() for t in cells(data.train_inputs.whole()[data.train_labels == c]).reshape(-1, 64)} for c in (0, 9)
    ]
    assert len(alone[0]) > len(alone[1])


def test_it_depends_on_the_seed_and_the_test_set_does_not(data: LongTailed) -> None:
    again = registry.load("digits-ml", imbalance_factor=50, seed=3)
    first = data.train_inputs.whole()
    np.testing.assert_array_equal(first, again.train_inputs.whole())
    other = registry.load("digits-ml", imbalance_factor=50, seed=4)
    assert other.class_names != data.class_names and not np.array_equal(other.train_inputs.whole()[:50], first[:50])
    np.testing.assert_array_equal(other.test_inputs.whole(), data.test_inputs.whole())
    natural = [np.argsort([int(name) for name in x.class_names]) for x in (data, other)]
    np.testing.assert_array_equal(data.test_multi[:, natural[0]], other.test_multi[:, natural[1]])


def test_the_rarest_label_is_the_last_one() -> None:
    assert rarest(np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [1, 0, 1]], np.uint8)).tolist() == [0, 1, 2, 2]


def test_more_mosaics_than_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="max_per_class of digits-ml must be at most 10000"):
        registry.load("digits-ml", imbalance_factor=10, max_per_class=10_001)
