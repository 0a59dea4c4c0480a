"""Views along the directions of largest variance."""

from __future__ import annotations

import numpy as np

from ltviz.projection.base import anchors
from ltviz.projection.linear import MEMORY, LinearProjection, principal_axes


class CentresPCA(LinearProjection):
    """Principal axes of the class centres, every class counting the same, locked to the frame before and smoothed."""

    name = "centres"
    order = 10
    title = "Class centres"
    short = "The three directions in which class centres differ most, every class counting the same."
    memory = MEMORY

    def axes(self, embeddings: np.ndarray, centres: np.ndarray, before: np.ndarray | None) -> np.ndarray:
        return principal_axes(anchors(centres, embeddings), embeddings.shape[1])


class SamplesPCA(LinearProjection):
    """Principal axes of all points, locked to the frame before. Classes with many points decide where it looks."""

    name = "pca"
    order = 20
    title = "All points"
    short = "The three directions in which points differ most; classes with many points count more."

    def axes(self, embeddings: np.ndarray, centres: np.ndarray, before: np.ndarray | None) -> np.ndarray:
        return principal_axes(embeddings.astype(np.float64), embeddings.shape[1])
