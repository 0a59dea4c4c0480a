from __future__ import annotations

import numpy as np
import pytest

from ltviz.errors import ConfigError
from ltviz.geometry import fits, ideal_cosine, simplex


@pytest.mark.parametrize(("num_classes", "dim"), [(2, 1), (2, 5), (3, 2), (4, 3), (10, 9), (10, 128), (300, 299)])
def test_simplex_has_unit_rows_equal_angles_and_sum_zero(num_classes: int, dim: int) -> None:
    targets = simplex(num_classes, dim)
    cosines = targets @ targets.T
    expected = np.full((num_classes, num_classes), -1 / (num_classes - 1))
    np.fill_diagonal(expected, 1.0)
    assert targets.shape == (num_classes, dim)
    np.testing.assert_allclose(cosines, expected, atol=1e-14)
    np.testing.assert_allclose(targets.sum(axis=0), 0.0, atol=1e-13)


@pytest.mark.parametrize(("num_classes", "dim"), [(10, 8), (3, 1), (1, 3), (0, 3)])
def test_simplex_that_does_not_exist_is_refused(num_classes: int, dim: int) -> None:
    with pytest.raises(ConfigError, match="simplex"):
        simplex(num_classes, dim)


def test_fits_is_the_rule_dim_at_least_classes_minus_one() -> None:
    assert fits(4, 3)
    assert not fits(5, 3)
    assert ideal_cosine(5) == -0.25
    with pytest.raises(ConfigError):
        ideal_cosine(1)
