"""The look at a data set before it is trained on: its largest and its smallest classes, as pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cifar_writer import files_of_ten, write_folder

from ltviz.data import registry
from ltviz.data.preview import CLASSES, EACH, preview
from ltviz.errors import DataError


def test_it_shows_training_images_of_head_and_tail():
    shown = preview("digits-lt", imbalance_factor=50, seed=3)
    data = registry.load("digits-lt", imbalance_factor=50, seed=3)
    assert [sample.rank for sample in shown] == [0, 1, 8, 9] and len(shown) == CLASSES
    assert [sample.size for sample in shown] == data.counts[[0, 1, 8, 9]].tolist()
    assert shown[-1].size == 2 == len(shown[-1].images), "no more than there are"
    first = np.flatnonzero(data.train_labels == 0)[:EACH]
    np.testing.assert_array_equal(shown[0].images, data.train_inputs.pictures(first))
    assert shown[0].images.max() == 255, "white is white, also where the file says 16"


def test_colour_stays_and_vectors_have_none(tmp_path):
    write_folder(tmp_path / "cifar-10-batches-py", files_of_ten(20))
    shown = preview("cifar10-lt", imbalance_factor=5, data_dir=str(tmp_path))
    assert [sample.name for sample in shown] == ["airplane", "automobile", "ship", "truck"]
    assert shown[0].images.shape == (EACH, 32, 32, 3) and shown[0].images[0, 0, 0, 0] == 0, "its label is its first red"
    assert shown[3].images[0, 0, 0, 0] == 9
    assert preview("hypersphere", imbalance_factor=5) == ()


def test_images_with_several_labels_show_under_each():
    shown = preview("digits-ml", imbalance_factor=20)
    data = registry.load("digits-ml", imbalance_factor=20)
    assert [sample.size for sample in shown] == data.train_multi.sum(0)[[0, 1, 8, 9]].tolist()


def test_missing_files_are_said(tmp_path):
    with pytest.raises(DataError, match="official archive"):
        preview("cifar10-lt", imbalance_factor=5, data_dir=str(tmp_path))


def test_what_all_inputs_take_follows_from_the_counts():
    for name in ("digits-lt", "hypersphere"):
        about, data = registry.describe(name, imbalance_factor=50), registry.load(name, imbalance_factor=50)
        assert about.bytes == data.train_inputs.nbytes + data.test_inputs.nbytes
    assert registry.describe("digits-ml", imbalance_factor=50).bytes is None, "its samples count for several classes"
