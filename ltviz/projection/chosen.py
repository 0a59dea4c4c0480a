"""A view spanned by four chosen classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltviz.projection.base import Projection, principal_axes


class ChosenClasses(Projection):
    """The three directions in which four classes differ: two of the head and two of the tail, unless others are chosen.

    In a perfect simplex the four form an exact tetrahedron, and all other centres fall on one point.
    """

    name = "simplex"
    title = "Four classes"
    short = "The space of two head and two tail classes; all others are seen only from the side."

    def __init__(self, classes: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.classes = classes

    def fit(self, embeddings: np.ndarray, centres: np.ndarray, landmarks: Mapping[str, np.ndarray]) -> np.ndarray:
        last = len(centres) - 1
        classes = self.classes if self.classes is not None else (0, 1, last - 1, last)
        chosen = sorted({c for c in classes if 0 <= c <= last})
        return principal_axes(centres[chosen], embeddings.shape[1])
