"""UMAP: maps that keep neighbours together and give up on all else.

umap is imported where it is used: with numba behind it, it takes seconds. The graph of neighbours and the descent are
its own; what is around them is ours, as its estimator stretches every starting place to a cube and so cannot follow a
frame (umap-learn 0.5, `simplicial_set_embedding`).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry import procrustes
from ltviz.projection.base import Fit, Projection
from ltviz.projection.linear import principal_axes
from ltviz.projection.placement import NeighbourPlacement

FEWEST = 10
MOST = 5000
"""Samples in the graph; where there are more, the others are placed between their nearest ones in it."""
NEIGHBOURS = 15
SEED = 0
COLD_EPOCHS, WARM_EPOCHS = 200, 50
COLD_RATE, WARM_RATE = 1.0, 0.25
START_EXTENT = 5.0
"""Radius of the first frame's start, its principal axes, in the map's own units; it grows to about twice as much."""
EXTENT = 10.0
"""Radius that the unit ball of the frame before has when the next one starts from it."""
BLOCK = 1000


class NeighbourMap(Projection):
    """UMAP (McInnes, Healy and Melville 2018) of angles on the sphere into 3-D.

    15 neighbours, exact; from the principal axes of the points at first, then from the frame before, turned and scaled
    onto it (Procrustes), so that the picture moves only where neighbours do. The same frames give the same maps.
    """

    name = "umap"
    order = 50
    title = "Neighbours (UMAP)"
    short = "Keeps near points near; distances and angles between clusters mean nothing."
    slow = True
    on_sphere: ClassVar[bool] = False
    spread: ClassVar[float] = 1.0
    """Scale of the picture in which neighbours are kept, in units of the map (umap's own default)."""

    def fit(
        self, embeddings: np.ndarray, centres: np.ndarray, landmarks: Mapping[str, np.ndarray], before: Fit | None
    ) -> NeighbourPlacement:
        if len(embeddings) < FEWEST:
            raise DataError(f"A map of neighbours needs at least {FEWEST} points, got {len(embeddings)}.")
        rows = np.sort(np.random.default_rng(SEED).permutation(len(embeddings))[:MOST])
        points = np.asarray(embeddings[rows], np.float64)
        length = np.linalg.norm(points, axis=1, keepdims=True)
        points = (points / np.where(length > 0, length, 1)).astype(np.float32)
        last = None if before is None or len(before.shown) != len(embeddings) else before.shown[rows]
        if last is None:
            start, epochs, rate = self._begin(points), COLD_EPOCHS, COLD_RATE
        else:
            start, epochs, rate = EXTENT * last, WARM_EPOCHS, WARM_RATE
        shown = self._settle(self._descend(points, start, epochs, rate), last)
        placement = NeighbourPlacement(points, shown, on_sphere=self.on_sphere)
        if len(rows) == len(embeddings):
            return placement
        return NeighbourPlacement(embeddings, placement.place(embeddings), on_sphere=self.on_sphere)

    def restore(self, arrays: Mapping[str, np.ndarray], embeddings: np.ndarray) -> NeighbourPlacement:
        if "shown" not in arrays:
            raise DataError("A map of neighbours needs the places of its samples.")
        return NeighbourPlacement(embeddings, arrays["shown"], on_sphere=self.on_sphere)

    def _begin(self, points: np.ndarray) -> np.ndarray:
        centred = points - points.mean(axis=0)
        start = centred @ principal_axes(points.astype(np.float64), points.shape[1])
        # Points that coincide would be pushed apart along no direction.
        start += 1e-4 * np.random.default_rng(SEED).standard_normal(start.shape)
        return START_EXTENT * start / np.abs(start).max()

    def _descend(self, points: np.ndarray, start: np.ndarray, epochs: int, rate: float) -> np.ndarray:
        """(N, 3) places in the map's own units after `epochs` passes over the graph."""
        layouts, umap_ = _umap()
        neighbours, distances = nearest(points, min(NEIGHBOURS, len(points) - 1))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of umap's curve fit, about its very first point
            a, b = umap_.find_ab_params(self.spread, 0.1 * self.spread)
            graph = umap_.fuzzy_simplicial_set(
                points, neighbours.shape[1], None, "euclidean", knn_indices=neighbours, knn_dists=distances
            )[0].tocoo()
        # Edges too weak to be drawn once in all epochs.
        graph.data[graph.data < graph.data.max() / epochs] = 0
        graph.eliminate_zeros()
        places = np.array(start, np.float32, order="C")
        state = np.random.default_rng(SEED).integers(-(2**31) + 1, 2**31 - 1, 3)
        common = (places, places, graph.row, graph.col, epochs, len(points))
        return self._optimise(layouts, common, umap_.make_epochs_per_sample(graph.data, epochs), a, b, state, rate)

    def _optimise(
        self, layouts: Any, common: tuple, pace: np.ndarray, a: float, b: float, state: np.ndarray, rate: float
    ) -> np.ndarray:
        return layouts.optimize_layout_euclidean(
            *common, pace, a, b, state, initial_alpha=rate, parallel=False, move_other=True
        )

    def _settle(self, places: np.ndarray, last: np.ndarray | None) -> np.ndarray:
        """Turns and scales places (N, 3) onto those of the frame before, and into the unit ball."""
        centred = np.asarray(places, np.float64) - places.mean(axis=0)
        largest = 1.0 / np.linalg.norm(centred, axis=1).max()
        if last is None:
            return centred * largest
        middle = last.mean(axis=0, dtype=np.float64)
        turned = centred @ procrustes(centred, last - middle)
        scale = float(np.sum(turned * (last - middle)) / np.sum(turned**2))
        return turned * min(max(scale, 0.5 * largest), largest)


class SphereNeighbourMap(NeighbourMap):
    """The same onto the unit sphere: the distance in the picture is the arc between two places.

    umap's own way to the sphere, latitude and longitude, is lopsided at the poles and cannot follow a frame; here
    places are directions and move along great circles.
    """

    name = "umap-sphere"
    order = 60
    title = "Neighbours on a sphere (UMAP)"
    short = "Keeps near points near, on the whole of a sphere; angles between clusters mean nothing."
    on_sphere = True
    spread = 0.4  # a unit sphere has room for less than umap's plane: neighbours within 23 degrees

    def _begin(self, points: np.ndarray) -> np.ndarray:
        return _unit(super()._begin(points))

    def _optimise(
        self, layouts: Any, common: tuple, pace: np.ndarray, a: float, b: float, state: np.ndarray, rate: float
    ) -> np.ndarray:
        # A place of radius 1 turns ten times as fast as one of radius EXTENT.
        rate *= 1.0 if np.linalg.norm(common[0][0]) > 0.5 * EXTENT else self.spread / 3
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return layouts.optimize_layout_generic(
                *common, pace, a, b, state, initial_alpha=rate, output_metric=_arc(), move_other=True
            )

    def _settle(self, places: np.ndarray, last: np.ndarray | None) -> np.ndarray:
        directions = _unit(np.asarray(places, np.float64))
        return directions if last is None else directions @ procrustes(directions, last)


def nearest(points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (N, count) int32 and chords (N, count) float32 of the nearest unit rows, each row's own first, exact."""
    indices = np.empty((len(points), count), np.int32)
    chords = np.empty((len(points), count), np.float32)
    for start in range(0, len(points), BLOCK):
        cosines = points[start : start + BLOCK] @ points.T
        own = np.arange(len(cosines))
        cosines[own, start + own] = 2.0
        near = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        near = np.take_along_axis(near, np.argsort(-np.take_along_axis(cosines, near, 1), axis=1, kind="stable"), 1)
        indices[start : start + BLOCK] = near
        chords[start : start + BLOCK] = np.sqrt(np.maximum(0.0, 2 - 2 * np.take_along_axis(cosines, near, 1)))
    chords[:, 0] = 0.0
    return indices, chords


def _umap() -> tuple[Any, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it speaks of its optional parts
            from umap import layouts, umap_
    except ImportError as error:
        raise DataError(f"This view needs the package umap-learn, which cannot be imported here ({error}).") from error
    return layouts, umap_


_compiled: Any = None


def _arc() -> Any:
    """The angle between two directions and its gradient along the sphere, compiled once."""
    global _compiled
    if _compiled is None:
        from numba import njit

        @njit(fastmath=True)
        def arc(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
            long = np.sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]) + 1e-9
            wide = np.sqrt(y[0] * y[0] + y[1] * y[1] + y[2] * y[2]) + 1e-9
            cosine = min(1.0, max(-1.0, (x[0] * y[0] + x[1] * y[1] + x[2] * y[2]) / (long * wide)))
            sine = np.sqrt(max(1e-8, 1 - cosine * cosine))
            slope = np.empty(3, np.float32)
            for axis in range(3):
                slope[axis] = (cosine * x[axis] / long - y[axis] / wide) / sine
            return np.arccos(cosine), slope

        _compiled = arc
    return _compiled


def _unit(points: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(points, axis=1, keepdims=True)
    return np.where(length > 0, points / np.where(length > 0, length, 1), np.array([0.0, 0.0, 1.0]))
