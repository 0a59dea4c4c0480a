"""No projection: the embedding itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltviz.errors import DataError
from ltviz.projection.base import Projection


class Identity(Projection):
    """The first three coordinates are the picture; a flat embedding gets a third that is zero."""

    name = "none"
    title = "The embedding itself"
    short = "No projection: the coordinates are those that the network was trained in."

    def fit(self, embeddings: np.ndarray, centres: np.ndarray, landmarks: Mapping[str, np.ndarray]) -> np.ndarray:
        dim = embeddings.shape[1]
        if dim > 3:
            raise DataError(
                f"An embedding of {dim} dimensions has no picture without a projection; choose one of them."
            )
        return np.eye(dim, 3)

    def _follow(self, matrix: np.ndarray) -> np.ndarray:
        return matrix
