from __future__ import annotations

import numpy as np
import pytest

from ltviz.errors import ConfigError, DataError
from ltviz.geometry import simplex
from ltviz.projection import REGISTRY, ChosenClasses, Fit, LinearPlacement, make_projection

FLAT = sorted(name for name, kind in REGISTRY.items() if name != "none" and not kind.slow)


def matrix_of(fit: Fit) -> np.ndarray:
    assert isinstance(fit.placement, LinearPlacement) and fit.placement.linear
    return fit.placement.matrix


def frames(dim: int, count: int = 6, n: int = 300, num_classes: int = 8) -> list[tuple[np.ndarray, np.ndarray]]:
    """A run that drifts: (embeddings (n, dim) float32 unit, centres (C, dim)) of a few frames."""
    rng = np.random.default_rng(0)
    y = rng.integers(num_classes, size=n)
    centres = rng.standard_normal((num_classes, dim))
    noise = 0.3 * rng.standard_normal((n, dim)) / np.sqrt(dim)
    run = []
    for _ in range(count):
        centres = centres + 0.05 * rng.standard_normal(centres.shape)
        units = centres / np.linalg.norm(centres, axis=1, keepdims=True)
        z = units[y] + noise
        run.append(((z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32), units))
    return run


@pytest.mark.parametrize("name", FLAT)
@pytest.mark.parametrize("dim", [3, 5, 64])
def test_every_view_is_an_orthonormal_projection_with_its_meter(name: str, dim: int) -> None:
    projection = REGISTRY[name]()
    for step, (z, centres) in enumerate(frames(dim)):
        fit = projection.update(z, centres, {})
        matrix, meter = matrix_of(fit), fit.honesty
        assert matrix.shape == (dim, 3)
        np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-5)
        np.testing.assert_allclose(fit.shown, z @ matrix, atol=1e-6)
        np.testing.assert_array_equal(fit.placement.place(z), fit.shown)
        known = {"kept_variance", "kept_angle_order", "kept_centre_order", "trustworthiness"} | (
            {"jitter"} if step else set()
        )
        assert set(meter) == known
        assert 0 < meter["kept_variance"] <= 1 and -1 <= meter["kept_angle_order"] <= 1
        assert 0 <= meter["trustworthiness"] <= 1
        if dim == 3:
            assert meter["kept_variance"] == pytest.approx(1.0) and meter["kept_angle_order"] > 0.999
            assert meter["trustworthiness"] > 0.999


@pytest.mark.parametrize("name", FLAT)
def test_the_same_run_gives_the_same_views(name: str) -> None:
    once, again = REGISTRY[name](), REGISTRY[name]()
    for z, centres in frames(12, count=3):
        np.testing.assert_array_equal(matrix_of(once.update(z, centres)), matrix_of(again.update(z, centres)))


# "spread" is left out: it may settle in another of its equally good views
@pytest.mark.parametrize("name", ["centres", "pca", "simplex"])
def test_views_follow_a_rotated_run(name: str) -> None:
    """A space that turns by itself must not turn the picture: the view turns with it."""
    rotation = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))[0]
    projection = REGISTRY[name]()
    z, centres = frames(6, count=1)[0]
    before = projection.update(z, centres).shown
    for _ in range(60 if projection.memory else 1):  # smoothing follows in steps
        after = projection.update((z @ rotation).astype(np.float32), centres @ rotation).shown
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), np.linalg.norm(before, axis=1), atol=2e-3)


def test_the_default_jitters_less_than_unlocked_principal_axes() -> None:
    locked, moved, last = REGISTRY["centres"](), [], None
    jitter = []
    for z, centres in frames(64, count=12):
        jitter.append(locked.update(z, centres).honesty.get("jitter", 0.0))
        shown = REGISTRY["pca"]().update(z, centres).shown  # a fresh object each frame locks to nothing
        if last is not None:
            moved.append(np.linalg.norm(shown - last, axis=1).mean())
        last = shown
    assert np.mean(jitter[1:]) < 0.6 * np.mean(moved)


def test_principal_views_keep_the_most_variance() -> None:
    z, centres = frames(20, count=1)[0]
    all_points = REGISTRY["pca"]().update(z, centres).honesty
    for name in FLAT:
        assert REGISTRY[name]().update(z, centres).honesty["kept_variance"] <= all_points["kept_variance"] + 1e-6
    variance = np.linalg.eigvalsh(np.cov(z.T))
    assert all_points["kept_variance"] == pytest.approx(variance[-3:].sum() / variance.sum(), rel=1e-4)


@pytest.mark.parametrize(("num_classes", "degrees"), [(6, 85.0), (10, 62.0), (20, 42.0)])
def test_the_spread_view_keeps_the_centres_of_a_simplex_apart(num_classes: int, degrees: float) -> None:
    centres = simplex(num_classes, 64)
    shown = REGISTRY["spread"]().update(centres.astype(np.float32), centres).shown.astype(np.float64)
    radius = np.linalg.norm(shown, axis=1)
    cosines = (shown / radius[:, None]) @ (shown / radius[:, None]).T
    np.fill_diagonal(cosines, -1)
    assert np.degrees(np.arccos(cosines.max())) > degrees
    assert radius.min() > 0.8 * radius.max()


def test_four_chosen_classes_of_a_simplex_are_a_tetrahedron() -> None:
    centres = simplex(10, 16)
    shown = ChosenClasses((1, 4, 5, 9)).update(centres.astype(np.float32), centres).shown
    chosen = shown[[1, 4, 5, 9]]
    cosines = chosen @ chosen.T / np.linalg.norm(chosen, axis=1) ** 2
    np.testing.assert_allclose(cosines[np.triu_indices(4, 1)], -1 / 3, atol=1e-4)
    np.testing.assert_allclose(np.delete(shown, [1, 4, 5, 9], axis=0), 0.0, atol=1e-5)


def test_chosen_classes_are_found_by_rank_where_others_are_absent() -> None:
    centres = simplex(10, 16)
    gaps = centres.copy()
    gaps[[0, 2]] = np.nan
    z = centres.astype(np.float32)
    whole, part = (ChosenClasses((1, 4, 5, 9)).update(z, c).shown for c in (centres, gaps))
    np.testing.assert_allclose(whole, part, atol=1e-6)
    with pytest.raises(DataError, match="0 to 9"):
        ChosenClasses((1, 4, 5, 10)).update(z, centres)


def test_a_name_is_one_of_the_registry_or_four_classes() -> None:
    name, projection = make_projection("simplex:9-3-8-0")
    assert name == "simplex:0-3-8-9" and isinstance(projection, ChosenClasses) and projection.classes == (0, 3, 8, 9)
    assert make_projection("umap")[0] == "umap"
    for wrong in ("", "nonsense", "simplex:", "simplex:1-2-3", "simplex:1-1-2-3", "simplex:1-2-3-99999", "../umap", 7):
        with pytest.raises(ConfigError, match="no projection called"):
            make_projection(wrong)  # type: ignore[arg-type]


def test_without_projection_the_picture_is_the_embedding() -> None:
    z3, c3 = frames(3, count=1)[0]
    fit = REGISTRY["none"]().update(z3, c3)
    np.testing.assert_array_equal(fit.shown, z3)
    assert fit.honesty["kept_variance"] == pytest.approx(1.0) and fit.honesty["kept_angle_order"] == pytest.approx(1.0)
    z2, c2 = frames(2, count=1)[0]
    flat = REGISTRY["none"]()
    for _ in range(2):
        np.testing.assert_array_equal(flat.update(z2, c2).shown[:, 2], 0.0)
    with pytest.raises(DataError, match="projection"):
        REGISTRY["none"]().update(np.eye(4, dtype=np.float32), np.eye(4))


@pytest.mark.parametrize("name", FLAT)
def test_absent_and_few_classes_still_have_a_view(name: str) -> None:
    z = np.eye(7, dtype=np.float32)
    for centres in (np.full((3, 7), np.nan), np.eye(1, 7), np.vstack([np.eye(2, 7), np.full((1, 7), np.nan)])):
        matrix = matrix_of(REGISTRY[name]().update(z, centres))
        np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-5)


def test_shapes_that_do_not_match_are_refused() -> None:
    projection = REGISTRY["centres"]()
    projection.update(np.eye(5, dtype=np.float32), np.eye(5))
    with pytest.raises(DataError, match="one dimension"):
        projection.update(np.eye(4, dtype=np.float32), np.eye(4))
    with pytest.raises(DataError, match="embeddings"):
        REGISTRY["pca"]().update(np.eye(4, dtype=np.float32), np.eye(5))


def test_registry_names_are_those_of_the_classes_and_the_default_stands_first() -> None:
    assert next(iter(REGISTRY)) == "centres"
    for name, projection in REGISTRY.items():
        assert projection.name == name and projection.title and projection.short.endswith(".")


@pytest.mark.parametrize("name", ["centres", "simplex", "spread", "pca"])
def test_points_without_classes_are_seen_where_they_differ_most(name: str) -> None:
    z = np.random.default_rng(0).normal(size=(50, 6)) * [0.01, 0.01, 0.01, 3, 2, 1]
    fit = make_projection(name)[1].update(z, np.empty((0, 6)))
    assert fit.honesty["kept_variance"] > 0.999
