from __future__ import annotations

import numpy as np
import pytest

from ltviz import geometry, metrics
from ltviz.errors import DataError


def by_sampling(centres: np.ndarray, n: int = 200_000) -> np.ndarray:
    directions = np.random.default_rng(7).standard_normal((n, centres.shape[1]))
    units = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    return np.bincount((directions @ units.T).argmax(axis=1), minlength=len(centres)) / n


@pytest.mark.parametrize(("num_classes", "dim"), [(4, 3), (6, 3), (3, 2), (7, 2)])
def test_even_arrangements_share_equally(num_classes: int, dim: int) -> None:
    share = metrics.territory(geometry.optimal_targets(num_classes, dim))
    np.testing.assert_allclose(share, 1 / num_classes, atol=1e-4)


@pytest.mark.parametrize(("num_classes", "dim"), [(9, 3), (3, 3), (5, 2), (8, 6)])
def test_shares_agree_with_sampled_directions(num_classes: int, dim: int) -> None:
    centres = np.random.default_rng(1).standard_normal((num_classes, dim))
    share = metrics.territory(centres)
    assert share.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(share, by_sampling(centres), atol=0.012 if dim == 6 or num_classes == 3 else 0.004)


def test_classes_squeezed_into_a_corner_own_little() -> None:
    rng = np.random.default_rng(0)
    head = geometry.optimal_targets(4, 3)
    tail = np.array([0.0, 0, 1]) + 0.05 * rng.standard_normal((3, 3))
    share = metrics.territory(np.vstack([head, tail]))
    assert share[4:].sum() < share[:4].min() + 0.15
    assert share[:4].sum() > 0.7


def test_coinciding_centres_share_a_cell_and_absent_ones_own_nothing() -> None:
    octahedron = np.vstack([np.eye(3), -np.eye(3)])
    share = metrics.territory(np.vstack([octahedron, octahedron[:1], [[np.nan] * 3]]))
    np.testing.assert_allclose(share, [1 / 12, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 12, 0], atol=1e-9)
    np.testing.assert_array_equal(metrics.territory(np.ones((2, 3))), [0.5, 0.5])
    with pytest.raises(DataError):
        metrics.territory(np.full((2, 3), np.nan))


def test_centres_on_a_circle_of_the_sphere_have_shares(rotation) -> None:
    turn = np.arange(6) * np.pi / 3
    equator = np.stack([np.cos(turn), np.sin(turn), np.zeros(6)], axis=1) @ rotation(3)
    np.testing.assert_allclose(metrics.territory(equator), 1 / 6, atol=0.012)
