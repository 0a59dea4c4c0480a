from __future__ import annotations

import numpy as np
import pytest

from ltviz.errors import DataError
from ltviz.projection import LinearPlacement, NeighbourPlacement


def unit(n: int, dim: int, seed: int = 0) -> np.ndarray:
    z = np.random.default_rng(seed).standard_normal((n, dim))
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("on_sphere", [False, True])
def test_samples_are_placed_exactly_where_they_were_put(on_sphere: bool) -> None:
    z, shown = unit(300, 12), unit(300, 3, seed=1)
    placement = NeighbourPlacement(z, shown, on_sphere=on_sphere)
    np.testing.assert_allclose(placement.place(z), shown, atol=1e-6)
    np.testing.assert_allclose(placement.place(7.5 * z[:40]), shown[:40], atol=1e-4)  # a direction is what counts
    assert placement.linear is False


def test_what_lies_between_samples_is_placed_between_them() -> None:
    z = np.vstack([np.eye(12)[:1] + 0.01 * unit(8, 12), np.eye(12)[1:2] + 0.01 * unit(8, 12, seed=1)])
    shown = np.vstack([np.full((8, 3), 0.5), np.full((8, 3), -0.5)])
    placement = NeighbourPlacement(z, shown)
    near, far = placement.place(np.vstack([np.eye(12)[:1] + 0.1 * np.eye(12)[1:2], np.eye(12)[5:6]]))
    np.testing.assert_allclose(near, 0.5, atol=1e-3)
    assert np.abs(far).max() <= 0.5, "inside the hull of the samples, however far away"


def test_on_a_sphere_everything_stays_on_it() -> None:
    placement = NeighbourPlacement(unit(50, 6), unit(50, 3, seed=1), on_sphere=True)
    np.testing.assert_allclose(np.linalg.norm(placement.place(unit(40, 6, seed=2)), axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "placement", [LinearPlacement(np.eye(6, 3)), NeighbourPlacement(unit(30, 6), 0.5 * unit(30, 3, seed=1))]
)
def test_absent_rows_stay_absent_and_the_origin_stays_the_origin(placement) -> None:
    points = np.vstack([np.full((1, 6), np.nan), np.zeros((1, 6)), unit(1, 6)])
    placed = placement.place(points)
    assert placed.shape == (3, 3) and placed.dtype == np.float32
    assert np.isnan(placed[0]).all() and not placed[1].any() and np.isfinite(placed[2]).all()
    assert placement.place(np.zeros((0, 6))).shape == (0, 3)


def test_a_linear_view_keeps_sums_and_multiples() -> None:
    placement = LinearPlacement(np.linalg.qr(np.random.default_rng(0).standard_normal((6, 3)))[0])
    a, b = unit(5, 6), unit(5, 6, seed=1)
    np.testing.assert_allclose(placement.place(a + 2 * b), placement.place(a) + 2 * placement.place(b), atol=1e-6)
    assert placement.linear is True


@pytest.mark.parametrize(
    "matrix", [np.ones((6, 3)), np.eye(6, 2), np.full((6, 3), np.nan), np.zeros((6, 3)), np.eye(6), np.ones(3)]
)
def test_a_matrix_that_is_no_view_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(DataError):
        LinearPlacement(matrix)


@pytest.mark.parametrize(
    "shown",
    [np.ones((30, 3)), np.zeros((29, 3)), np.zeros((30, 2)), np.full((30, 3), np.nan), np.zeros((30, 3), int)],
)
def test_places_beyond_the_ball_are_refused(shown: np.ndarray) -> None:
    with pytest.raises(DataError):
        NeighbourPlacement(unit(30, 6), shown)
    with pytest.raises(DataError):
        NeighbourPlacement(unit(30, 6), np.zeros((30, 3)), on_sphere=True)
