from __future__ import annotations

import numpy as np
import pytest

from ltviz import geometry, metrics
from ltviz.errors import DataError


@pytest.mark.parametrize(("n", "dim"), [(400, 6), (6, 400)])
def test_orthonormal_directions_have_their_number_as_rank(n: int, dim: int) -> None:
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((max(n, dim), 6)))[0]
    z = basis if n > dim else basis.T
    assert metrics.effective_rank(z) == pytest.approx(6.0, rel=1e-9)


def test_a_line_has_rank_one_and_a_simplex_one_less_than_its_classes() -> None:
    rng = np.random.default_rng(0)
    line = np.outer(rng.standard_normal(50), rng.standard_normal(128))
    assert metrics.effective_rank(line) == pytest.approx(1.0, abs=1e-9)
    assert metrics.effective_rank(geometry.simplex(10, 64)) == pytest.approx(9.0)


def test_rank_equals_the_definition_by_singular_values(cloud, rotation) -> None:
    z, _ = cloud([80, 20], 7)
    share = np.linalg.svd(z, compute_uv=False)
    share /= share.sum()
    expected = np.exp(-np.sum(share * np.log(share)))
    assert metrics.effective_rank(z) == pytest.approx(expected, rel=1e-10)
    assert metrics.effective_rank(4 * z[::-1] @ rotation(7)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("z", [np.zeros((3, 2)), np.ones(3), np.full((2, 2), np.inf), np.zeros((0, 3))])
def test_what_has_no_rank_is_refused(z: np.ndarray) -> None:
    with pytest.raises(DataError, match="effective rank"), np.errstate(invalid="ignore"):
        metrics.effective_rank(z)
