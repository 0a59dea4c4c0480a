"""digits-lt against scikit-learn's own reader."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from sklearn.datasets import load_digits

from ltviz.data.source import Where
from ltviz.data.sources.digits import Digits


def test_the_pool_is_every_digit_of_scikit_learn_once() -> None:
    pool, reference = Digits().read(Where()), load_digits()
    ids = np.concatenate([pool.train_ids, pool.test_ids])
    np.testing.assert_array_equal(np.sort(ids), np.arange(1797))
    images, labels = (
        np.concatenate([pool.train_inputs.whole(), pool.test_inputs.whole()]),
        np.r_[pool.train_labels, pool.test_labels],
    )
    np.testing.assert_array_equal(images, reference.images[ids])
    np.testing.assert_array_equal(labels, reference.target[ids])
    assert np.bincount(pool.train_labels).min() >= Digits.max_per_class


def test_reading_it_imports_neither_torch_nor_scikit_learn() -> None:
    code = (
        "import sys; from ltviz.data import registry; registry.load('digits-lt', imbalance_factor=10);"
        "print([m for m in ('torch', 'sklearn', 'scipy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"
