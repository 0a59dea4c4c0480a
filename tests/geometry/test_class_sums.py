"""Sums by class, whichever way they are taken."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz.geometry import blocks
from ltviz.geometry.blocks import gram_of, total_variance
from ltviz.geometry.class_sums import class_sums


@pytest.mark.parametrize("classes", [3, 700])
def test_sums_are_those_of_each_class_and_other_labels_count_nowhere(classes: int) -> None:
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(1000, 5)).astype(np.float32), rng.integers(-1, classes + 2, 1000)
    sums, counts = class_sums(rows, labels, classes)
    for label in range(classes):
        assert np.allclose(sums[label], rows[labels == label].sum(axis=0, dtype=np.float64), atol=1e-12)
        assert counts[label] == (labels == label).sum()


def test_a_part_at_a_time_gives_what_all_at_once_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (100 + np.random.default_rng(1).normal(size=(1000, 6))).astype(np.float32)
    monkeypatch.setattr(blocks, "BLOCK", 64)
    wide = rows.astype(np.float64)
    assert np.allclose(gram_of(rows), wide.T @ wide, rtol=1e-12)
    assert total_variance(rows) == pytest.approx(wide.var(axis=0).sum(), rel=1e-9)
    assert total_variance(rows[:1]) == 0
