from __future__ import annotations

import numpy as np
import pytest

from ltviz import geometry, metrics
from ltviz.errors import DataError


def test_alignment_equals_a_triple_loop(cloud) -> None:
    z, y = cloud([12, 5, 1], 3)
    per_class = []
    for c in range(3):
        rows = z[y == c]
        per_class.append(sum(np.linalg.norm(a - b) for a in rows for b in rows) / len(rows) ** 2)
    assert metrics.intra_class_alignment(metrics.Classes.of(z, y)) == pytest.approx(np.mean(per_class), rel=1e-6)


def test_alignment_of_more_samples_than_a_block(cloud) -> None:
    z, y = cloud([1500], 3)
    distances = np.linalg.norm(z[:, None] - z[None], axis=2)
    assert metrics.intra_class_alignment(metrics.Classes.of(z, y)) == pytest.approx(distances.mean(), rel=1e-6)


def test_uniformity_of_a_simplex_is_its_edge() -> None:
    edge = np.sqrt(2 + 2 / 9)
    assert metrics.inter_class_uniformity(geometry.simplex(10, 12)) == pytest.approx(edge)
    assert metrics.neighbourhood_uniformity(geometry.simplex(10, 12), 3) == pytest.approx(edge)


def test_neighbourhood_uniformity_sees_two_collapsed_classes() -> None:
    centres = geometry.simplex(10, 12)
    centres[9] = centres[8]
    loss_of_u = metrics.inter_class_uniformity(geometry.simplex(10, 12)) - metrics.inter_class_uniformity(centres)
    loss_of_uk = np.sqrt(2 + 2 / 9) - metrics.neighbourhood_uniformity(centres, 1)
    assert metrics.neighbourhood_uniformity(centres, 1) == pytest.approx(0.8 * np.sqrt(2 + 2 / 9))
    assert loss_of_uk > 4 * loss_of_u


def test_neighbourhood_uniformity_equals_a_loop(rotation) -> None:
    centres = np.random.default_rng(0).standard_normal((7, 4))
    units = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    expected = np.mean([np.sort([np.linalg.norm(a - b) for b in units])[1:4].mean() for a in units])
    assert metrics.neighbourhood_uniformity(centres) == pytest.approx(expected)  # half of six others: k = 3
    assert metrics.neighbourhood_uniformity(centres[::-1] @ rotation(4)) == pytest.approx(expected)


def test_impossible_k_and_single_centres_are_refused() -> None:
    for k in (0, 3):
        with pytest.raises(DataError, match="k from 1"):
            metrics.neighbourhood_uniformity(np.eye(3), k)
    with pytest.raises(DataError, match="at least 2 centres"):
        metrics.inter_class_uniformity(np.ones((1, 3)))
