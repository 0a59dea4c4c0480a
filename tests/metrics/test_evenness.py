"""Measures of evenness, of two spaces, and of variability, where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz import metrics
from ltviz.errors import DataError
from ltviz.geometry.uniform_law import expected_kernel


def uniform(n: int, dim: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, dim))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


EVENNESS = (metrics.uniformity_wasserstein, metrics.mmd_sphere, metrics.sliced_wasserstein_sphere)


@pytest.mark.parametrize("evenness", EVENNESS)
def test_uniform_points_are_more_even_than_those_of_a_cap_or_a_circle(evenness):
    even = uniform(2000, 3)
    cap, circle = even + np.array([0, 0, 2]), even * [1, 1, 0.01]
    worse = [evenness(rows / np.linalg.norm(rows, axis=1, keepdims=True)) for rows in (cap, circle)]
    assert abs(evenness(even)) < 0.05 < min(worse)


@pytest.mark.parametrize("evenness", EVENNESS)
@pytest.mark.parametrize("bad", [np.ones(3), np.ones((0, 3)), np.full((4, 3), np.nan), "rows"])
def test_what_is_no_cloud_is_refused(evenness, bad):
    with pytest.raises(DataError):
        evenness(bad)


def test_the_expected_kernel_is_that_of_uniform_points():
    for dim, t in ((2, 0.5), (3, 2.0), (16, 2.0)):
        rows, others = uniform(200_000, dim), uniform(200_000, dim, 1)
        mean = np.exp(-t * np.square(rows - others).sum(1)).mean()
        assert expected_kernel(dim, t) == pytest.approx(mean, rel=0.01)
    # both ways of computing it meet
    assert expected_kernel(5, 250.0) == pytest.approx(expected_kernel(5, 250.0001), rel=1e-5)


def test_an_exact_plane_is_no_worse_for_rounding():
    rows = np.zeros((50, 10))
    rows[:, :5] = uniform(50, 5)
    expected = np.sqrt(max(0, 2 - 2 / np.sqrt(10) * np.linalg.svd(rows - rows.mean(0))[1].sum() / np.sqrt(50)))
    assert metrics.uniformity_wasserstein(rows) == pytest.approx(expected, abs=1e-12)


def test_sliced_distance_does_not_care_where_the_circle_is_cut():
    angles = np.linspace(0, 1.3, 40) ** 2
    cut = [np.column_stack([np.cos(angles + turn), np.sin(angles + turn)]) for turn in (0, 2.5, 3.1, 4)]
    found = [metrics.sliced_wasserstein_sphere(rows, planes=np.eye(2)[None]) for rows in cut]
    assert found == pytest.approx([found[0]] * 4, abs=1e-12)
    even = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    rows = np.column_stack([np.cos(even), np.sin(even)])
    assert metrics.sliced_wasserstein_sphere(rows, planes=np.eye(2)[None]) == pytest.approx(1 / np.sqrt(12) / 100)


def test_drawn_planes_follow_the_seed():
    rows = uniform(30, 6)
    found = [metrics.sliced_wasserstein_sphere(rows, seed=seed) for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


def slow_unbiased_hsic(a, b):
    k, ell = (rows @ rows.T * (1 - np.eye(len(rows))) for rows in (a, b))
    n, one = len(a), np.ones(len(a))
    return (
        np.trace(k @ ell) + one @ k @ one * (one @ ell @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * one @ k @ ell @ one
    )


def test_cka_without_a_matrix_of_pairs_is_song_s_estimator():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((20, 3)) + 5, rng.standard_normal((20, 30))
    expected = slow_unbiased_hsic(a, b) / np.sqrt(slow_unbiased_hsic(a, a) * slow_unbiased_hsic(b, b))
    assert metrics.cka(a, b) == pytest.approx(expected, abs=1e-10)


def test_unrelated_spaces_have_no_unbiased_cka_and_chance_neighbours():
    rng = np.random.default_rng(0)
    pairs = [(rng.standard_normal((40, 60)), rng.standard_normal((40, 60))) for _ in range(20)]
    assert abs(np.mean([metrics.cka(a, b) for a, b in pairs])) < 0.02
    assert np.mean([metrics.cka(a, b, unbiased=False) for a, b in pairs]) > 0.5
    assert np.mean([metrics.mutual_knn(a, b) for a, b in pairs]) == pytest.approx(10 / 39, abs=0.03)


def test_a_turn_changes_no_similarity(rotation):
    a = np.random.default_rng(0).standard_normal((60, 5))
    b = a + 0.3 * np.random.default_rng(1).standard_normal((60, 5))
    for similarity in (metrics.cka, metrics.mutual_knn, metrics.procrustes_distance):
        assert similarity(a, b @ rotation(5)) == pytest.approx(similarity(a, b), abs=1e-9)
        assert similarity(a @ rotation(5), a) == pytest.approx(similarity(a, a), abs=1e-6)


@pytest.mark.parametrize("similarity", [metrics.cka, metrics.mutual_knn, metrics.procrustes_distance])
def test_spaces_of_other_samples_or_without_spread_are_refused(similarity):
    rows = uniform(12, 3)
    with pytest.raises(DataError, match="12 and 11 rows"):
        similarity(rows, rows[:11])
    with pytest.raises(DataError):
        similarity(rows, np.zeros((12, 3)))
    with pytest.raises(DataError, match="finite"):
        similarity(rows, np.full((12, 3), np.inf))


@pytest.mark.parametrize("k", [0, 12, 2.5, True])
def test_k_lies_in_its_range(k):
    with pytest.raises(DataError, match="k from 1 to N - 1 = 11"):
        metrics.mutual_knn(uniform(12, 3), uniform(12, 3), k=k)


def test_of_equally_near_neighbours_the_lower_index_counts():
    a = np.array([[1.0, 0], [0, 1], [0, 1], [0, -1]])
    b = np.array([[1.0, 0], [0, 1], [-1, 0], [-1, 0]])
    assert metrics.shared_neighbours(a, b, k=1)[0] == 1


def test_normalised_variance_is_infinite_or_absent_where_means_coincide():
    z, y = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]]), np.array([0, 0, 1, 1])
    assert metrics.cdnv(z, y) == np.inf
    assert "cdnv" not in metrics.measure(z, y)
    with pytest.raises(DataError, match="two classes"):
        metrics.cdnv(z, np.zeros(4, int))
    assert "cdnv" not in metrics.measure(uniform(4, 3), np.arange(4)), "one sample a class has no scatter"


def test_lengths_head_to_tail_are_of_features_and_weights():
    features, y = np.array([[4.0, 0], [4, 0], [0, 2]]), np.array([0, 0, 1])
    found = metrics.measure(uniform(3, 2), y, features=features, weights=np.diag([3.0, 1.0]), full=True)
    assert found["norm_ratio"] == 2 and found["norm_ratio_weights"] == 3
    equal = metrics.measure(uniform(2, 2), np.arange(2), full=True)
    assert "norm_ratio" not in equal
    for rows, counts in ((np.eye(3), [1, 2]), (np.diag([1.0, 0.0]), [2, 1])):
        with pytest.raises(DataError):
            metrics.norm_ratio(rows, np.array(counts))


def test_views_that_differ_as_samples_do_leave_little_to_lidar():
    rng = np.random.default_rng(0)
    samples, noise = rng.standard_normal((300, 1, 6)), rng.standard_normal((300, 2, 6))
    samples[..., 3:] = 0
    assert metrics.lidar(samples + 0.05 * noise) == pytest.approx(3, abs=0.2)
    for bad in (samples, samples[:1].repeat(2, 1), samples[:, 0]):
        with pytest.raises(DataError):
            metrics.lidar(bad)


def test_a_spectrum_that_is_too_short_has_no_exponent():
    with pytest.raises(DataError, match="3 eigenvalues"):
        metrics.alpha_req(uniform(100, 12))
    assert "alpha_req" not in metrics.measure(uniform(100, 12), np.arange(100) % 2, full=True)
    assert "alpha_req" in metrics.measure(uniform(100, 13), np.arange(100) % 2, full=True)


def test_of_many_points_the_moments_are_taken_in_parts(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    for rows in (rng.normal(size=(300, 5)) + 1, rng.normal(size=(300, 5)) * [1, 1, 0, 0, 0], np.ones((300, 5))):
        z = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        whole = metrics.uniformity_wasserstein(z)
        with monkeypatch.context() as few:
            few.setattr("ltviz.metrics.evenness.BLOCK", 64)
            few.setattr("ltviz.geometry.blocks.BLOCK", 64)
            assert metrics.uniformity_wasserstein(z) == pytest.approx(whole, abs=1e-6)
            with pytest.raises(DataError, match="finite"):
                metrics.uniformity_wasserstein(np.where(np.arange(300)[:, None] == 9, np.nan, z))
