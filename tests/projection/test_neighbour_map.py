"""UMAP's maps. numba compiles for some ten seconds, so one process fits all that these tests look at."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

from ltviz.errors import DataError
from ltviz.geometry import procrustes
from ltviz.projection import REGISTRY, Fit, NeighbourMap, NeighbourPlacement, SphereNeighbourMap, neighbour_map
from ltviz.projection.neighbour_map import nearest

CLASSES = 4


def clusters(step: int, n: int = 80, dim: int = 10) -> np.ndarray:
    """(n, dim) float32 unit rows: four clusters that move a little from step to step."""
    rng = np.random.default_rng(0)
    start, drift = rng.standard_normal((2, CLASSES, dim))
    z = (start + 0.02 * step * drift)[np.arange(n) % CLASSES] + 0.5 * rng.standard_normal((n, dim))
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)


def centres() -> np.ndarray:
    return np.full((CLASSES, 10), np.nan)


@pytest.fixture(scope="module")
def maps() -> dict[str, list[Fit]]:
    """The same run of three frames twice under each map."""
    found: dict[str, list[Fit]] = {}
    for name in ("umap", "umap-sphere"):
        one, again = REGISTRY[name](), REGISTRY[name]()
        found[name] = [one.update(clusters(step), centres()) for step in range(3)]
        found[f"{name} again"] = [again.update(clusters(step), centres()) for step in range(3)]
    return found


def test_maps_keep_neighbours_inside_the_ball_and_say_how_well(maps: dict[str, list[Fit]]) -> None:
    for name in ("umap", "umap-sphere"):
        for step, fit in enumerate(maps[name]):
            radius = np.linalg.norm(fit.shown, axis=1)
            assert fit.shown.shape == (80, 3) and radius.max() <= 1.0 + 1e-5
            if name == "umap-sphere":
                np.testing.assert_allclose(radius, 1, atol=1e-5)
            else:
                assert radius.max() > 0.5
            assert set(fit.honesty) == {"kept_angle_order", "trustworthiness"} | ({"jitter"} if step else set())
            assert fit.honesty["trustworthiness"] > 0.85
            np.testing.assert_allclose(fit.placement.place(clusters(step)), fit.shown, atol=1e-5)
            assert fit.placement.linear is False
            # a point beside a sample is drawn beside it
            beside = clusters(step) + 1e-4 * clusters(step)[::-1]
            assert np.abs(fit.placement.place(beside) - fit.shown).max() < 0.05


def test_the_same_frames_give_the_same_maps(maps: dict[str, list[Fit]]) -> None:
    for name in ("umap", "umap-sphere"):
        for one, again in zip(maps[name], maps[f"{name} again"], strict=True):
            np.testing.assert_array_equal(one.shown, again.shown)


def test_points_that_move_little_are_drawn_moving_little(maps: dict[str, list[Fit]]) -> None:
    for name in ("umap", "umap-sphere"):
        for before, after in zip(maps[name], maps[name][1:], strict=False):
            moved = np.linalg.norm(after.shown - before.shown, axis=1)
            assert after.honesty["jitter"] == pytest.approx(moved.mean(), rel=1e-4)
            across = np.linalg.norm(before.shown - before.shown[::-1], axis=1).mean()
            assert moved.mean() < 0.35 * across
            # no turn is left that would bring the frames closer
            turn = procrustes(after.shown - after.shown.mean(0), before.shown - before.shown.mean(0))
            assert np.linalg.norm(turn - np.eye(3)) < (0.2 if name == "umap" else 0.5)


def test_more_samples_than_the_graph_takes_are_placed_between_their_neighbours(monkeypatch, maps) -> None:
    monkeypatch.setattr(neighbour_map, "MOST", 60)
    fit = REGISTRY["umap"]().update(clusters(0), centres())
    assert fit.shown.shape == (80, 3) and fit.honesty["trustworthiness"] > 0.8
    assert isinstance(fit.placement, NeighbourPlacement)


# ---------------------------------------------------------------------- without umap


@pytest.fixture
def still(monkeypatch) -> None:
    """The map without its descent."""
    monkeypatch.setattr(NeighbourMap, "_descend", lambda self, points, start, epochs, rate: np.array(start))


@pytest.mark.parametrize("kind", [NeighbourMap, SphereNeighbourMap])
def test_a_turned_and_scaled_map_lies_on_the_one_before(kind: type[NeighbourMap], monkeypatch, still) -> None:
    projection = kind()
    first = projection.update(clusters(0), centres())
    turn = np.linalg.qr(np.random.default_rng(5).standard_normal((3, 3)))[0]

    def turned(self: Any, points: np.ndarray, start: np.ndarray, epochs: int, rate: float) -> np.ndarray:
        return start @ turn * 1.3 + (0.0 if kind is SphereNeighbourMap else 2.0)

    monkeypatch.setattr(NeighbourMap, "_descend", turned)
    second = projection.update(clusters(0), centres())
    np.testing.assert_allclose(second.shown, first.shown, atol=1e-5)
    assert second.honesty["jitter"] < 1e-5


def test_fewer_points_than_a_map_needs_are_refused(still) -> None:
    with pytest.raises(DataError, match="at least 10 points"):
        REGISTRY["umap"]().update(clusters(0, n=9), centres())
    assert REGISTRY["umap"]().update(clusters(0, n=10), centres()).shown.shape == (10, 3)


def test_points_that_coincide_are_still_drawn(still) -> None:
    z = np.repeat(clusters(0, n=1), 30, axis=0)
    for name in ("umap", "umap-sphere"):
        shown = REGISTRY[name]().update(z, centres()).shown
        assert np.isfinite(shown).all() and np.linalg.norm(shown, axis=1).max() <= 1.001


def test_without_umap_there_is_a_sentence(monkeypatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *more: Any) -> Any:
        if name == "umap":
            raise ImportError("No module named 'umap'")
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(DataError, match=r"umap-learn.*No module named"):
        REGISTRY["umap"]().update(clusters(0), centres())


def test_nearest_neighbours_are_exact(monkeypatch) -> None:
    monkeypatch.setattr(neighbour_map, "BLOCK", 32)
    z = clusters(0)
    indices, chords = nearest(z, 6)
    distance = np.linalg.norm(z[:, None].astype(np.float64) - z[None], axis=2)
    np.testing.assert_array_equal(indices[:, 0], np.arange(80))
    np.testing.assert_array_equal(indices, np.argsort(distance, axis=1)[:, :6])
    np.testing.assert_allclose(chords, np.sort(distance, axis=1)[:, :6], atol=1e-3)
