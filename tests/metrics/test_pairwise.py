from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from threadpoolctl import ThreadpoolController

from ltviz import metrics
from ltviz.errors import DataError
from ltviz.metrics import measure, pairwise, uniformity


def slow_uniformity(z: np.ndarray, t: float = 2.0) -> float:
    terms = [np.exp(-t * np.sum((z[i] - z[j]) ** 2)) for i in range(len(z)) for j in range(i + 1, len(z))]
    return float(np.log(np.mean(terms)))


def test_values_equal_the_official_code(golden: Path) -> None:
    cases = sorted((golden / "align_uniform").glob("*.npz"))
    assert cases
    for case in cases:
        with np.load(case) as stored:
            a, b = stored["input__view1"], stored["input__view2"]
            assert metrics.alignment(a, b) == pytest.approx(float(stored["out__alignment"]), rel=1e-12)
            assert metrics.uniformity(a) == pytest.approx(float(stored["out__uniformity_view1"]), rel=1e-12)


@pytest.mark.parametrize("n", [2, 3, 95, 96, 97, 200])
def test_uniformity_equals_a_double_loop(cloud, n: int) -> None:
    z, _ = cloud([n], 5)
    assert metrics.uniformity(z) == pytest.approx(slow_uniformity(z), rel=1e-12)
    assert metrics.uniformity(z, t=0.5) == pytest.approx(slow_uniformity(z, 0.5), rel=1e-12)
    assert metrics.uniformity(z.astype(np.float32)) == pytest.approx(slow_uniformity(z), abs=1e-6)


@pytest.mark.parametrize(("n", "dim"), [(513, 3), (700, 40)])
def test_uniformity_of_many_points_in_float32_is_right_to_1e6(cloud, n: int, dim: int) -> None:
    z, _ = cloud([n], dim, noise=2.0)
    square = np.sum((z[:, None] - z[None]) ** 2, axis=2)[np.triu_indices(n, 1)]
    expected = np.log(np.mean(np.exp(-2 * square)))
    assert metrics.uniformity(z) == pytest.approx(expected, abs=1e-6)
    assert metrics.uniformity(z.astype(np.float32)) == pytest.approx(expected, abs=1e-6)


def test_closed_forms() -> None:
    assert metrics.uniformity(np.array([[1.0, 0.0], [-1.0, 0.0]])) == pytest.approx(-8.0)
    assert metrics.uniformity(np.ones((600, 3)) / np.sqrt(3)) == pytest.approx(0.0, abs=1e-6)
    assert metrics.alignment(np.eye(3), -np.eye(3)) == pytest.approx(4.0)
    assert metrics.alignment(np.eye(3), np.eye(3)) == 0.0
    assert metrics.alignment(np.eye(2), -np.eye(2), alpha=1.0) == pytest.approx(2.0)


def test_rows_that_are_not_unit_are_taken_as_given() -> None:
    z = 0.3 * np.random.default_rng(0).standard_normal((40, 4))
    assert metrics.uniformity(z) == pytest.approx(slow_uniformity(z), rel=1e-12)


def test_rotation_and_permutation_change_nothing(cloud, rotation) -> None:
    z, _ = cloud([300], 6)
    expected = metrics.uniformity(z)
    order = np.random.default_rng(5).permutation(300)
    assert metrics.uniformity(z[order] @ rotation(6)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("z", [np.ones((1, 3)), np.ones(3), np.full((4, 2), np.nan)])
def test_what_has_no_uniformity_is_refused(z: np.ndarray) -> None:
    with pytest.raises(DataError, match="Uniformity"):
        metrics.uniformity(z)


def test_views_that_do_not_match_are_refused() -> None:
    for a, b in [(np.ones((3, 2)), np.ones((2, 2))), (np.ones(3), np.ones(3)), (np.full((2, 2), np.nan), np.eye(2))]:
        with pytest.raises(DataError, match="Alignment"):
            metrics.alignment(a, b)


def test_uniformity_shared_between_threads_is_the_same(cloud) -> None:
    z, y = cloud([2000, 1100, 150], 4)
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        alone = metrics.uniformity(z)
    expected = np.log(np.mean(np.exp(-2 * pdist(z, "sqeuclidean"))))
    assert alone == pytest.approx(expected, abs=1e-6)
    # the same blocks in the same order, whoever computes them
    assert metrics.uniformity(z) == alone == metrics.measure(z, y)["uniformity"]


def test_a_live_frame_of_many_points_draws_some_and_says_so(monkeypatch):
    monkeypatch.setattr(pairwise, "EXACT_POINTS", 500)
    z, y = vmf_cloud(2000), np.arange(2000) % 4
    live, full = measure(z, y), measure(z, y, full=True)
    assert live["uniformity_n"] == 500 and not {"uniformity_n", "uniformity_error"} & full.keys()
    assert full["uniformity"] == uniformity(z)
    assert 0 < live["uniformity_error"] < 0.05
    assert abs(live["uniformity"] - full["uniformity"]) < 4 * live["uniformity_error"]
    assert measure(z, y)["uniformity"] == live["uniformity"], "the same points are drawn every time"
    assert "uniformity_n" not in measure(z[:500], y[:500]), "as many as are drawn need no draw"


def test_the_error_of_the_draw_is_what_draws_differ_by():
    z = vmf_cloud(3000)
    drawn = np.array([pairwise.uniformity_of_some(z, 600, seed=seed) for seed in range(60)])
    assert drawn[:, 0].std() == pytest.approx(drawn[:, 1].mean(), rel=0.3)
    assert drawn[:, 0].mean() == pytest.approx(uniformity(z), abs=0.01)


def vmf_cloud(count: int) -> np.ndarray:
    """(count, 8) float32 unit rows in four clouds of different widths."""
    rng = np.random.default_rng(0)
    z = np.eye(4, 8)[np.arange(count) % 4] + rng.normal(size=(count, 8)) * (0.1 + 0.1 * (np.arange(count) % 4))[:, None]
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)
