"""No projection: the embedding itself."""

from __future__ import annotations

import numpy as np

from ltviz.errors import DataError
from ltviz.projection.linear import LinearProjection


class Identity(LinearProjection):
    """The first three coordinates are the picture; a flat embedding gets a third that is zero."""

    name = "none"
    order = 70
    title = "The embedding itself"
    short = "No projection: the coordinates are those that the network was trained in."

    def axes(self, embeddings: np.ndarray, centres: np.ndarray, before: np.ndarray | None) -> np.ndarray:
        dim = embeddings.shape[1]
        if dim > 3:
            raise DataError(
                f"An embedding of {dim} dimensions has no picture without a projection; choose one of them."
            )
        return np.eye(dim, 3)

    def _lock(self, matrix: np.ndarray, last: np.ndarray) -> np.ndarray:
        return matrix
