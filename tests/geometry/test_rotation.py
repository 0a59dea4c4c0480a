from __future__ import annotations

import numpy as np
import pytest

from ltviz.errors import ConfigError
from ltviz.geometry import procrustes


def test_procrustes_finds_the_rotation_that_was_applied() -> None:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((12, 5))
    rotation = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    found = procrustes(points, points @ rotation)
    np.testing.assert_allclose(found, rotation, atol=1e-12)
    np.testing.assert_allclose(found @ found.T, np.eye(5), atol=1e-12)


def test_without_reflection_the_determinant_is_one_and_the_fit_still_the_best_rotation() -> None:
    rng = np.random.default_rng(1)
    points = rng.standard_normal((20, 3))
    goal = points * np.array([1.0, 1.0, -1.0]) + 0.1 * rng.standard_normal((20, 3))
    free, proper = procrustes(points, goal), procrustes(points, goal, reflect=False)
    assert np.linalg.det(free) == pytest.approx(-1.0)
    assert np.linalg.det(proper) == pytest.approx(1.0)
    residual = np.linalg.norm(points @ proper - goal)
    for _ in range(200):
        other = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        other[:, 0] *= np.linalg.det(other)
        assert residual <= np.linalg.norm(points @ other - goal) + 1e-9


def test_bad_input_is_refused() -> None:
    with pytest.raises(ConfigError, match="one shape"):
        procrustes(np.ones((3, 2)), np.ones((2, 2)))
    with pytest.raises(ConfigError, match="finite"):
        procrustes(np.full((3, 2), np.nan), np.ones((3, 2)))
