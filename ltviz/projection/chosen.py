"""A view spanned by four chosen classes."""

from __future__ import annotations

import numpy as np

from ltviz.errors import DataError
from ltviz.projection.base import anchors, present
from ltviz.projection.linear import LinearProjection, principal_axes


class ChosenClasses(LinearProjection):
    """The three directions in which four classes differ: two of the head and two of the tail, unless others are chosen.

    In a perfect simplex the four form an exact tetrahedron, and all other centres fall on one point.

    Args:
        classes: four different classes by rank, 0 has most samples; None takes the first and the last two that are
            there.
    """

    name = "simplex"
    order = 40
    chosen_classes = 4
    title = "Four classes"
    short = "The space of two head and two tail classes; all others are seen only from the side."

    def __init__(self, classes: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.classes = classes

    def axes(self, embeddings: np.ndarray, centres: np.ndarray, before: np.ndarray | None) -> np.ndarray:
        if self.classes is None:
            found = present(centres)
            chosen = found[sorted({c for c in (0, 1, len(found) - 2, len(found) - 1) if 0 <= c < len(found)})]
            chosen = anchors(chosen, embeddings)
        elif max(self.classes) >= len(centres):
            raise DataError(
                f"The four chosen classes must lie in 0 to {len(centres) - 1}, the classes of this run by rank; got "
                f"{', '.join(map(str, self.classes))}."
            )
        else:
            chosen = present(centres[list(self.classes)])
        return principal_axes(chosen, embeddings.shape[1])
