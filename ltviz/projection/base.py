"""What a projection is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry.threads import one_blas_thread
from ltviz.projection.honesty import honesty
from ltviz.projection.placement import Placement


@dataclass(frozen=True)
class Fit:
    """One frame's picture."""

    placement: Placement
    shown: np.ndarray
    """(N, 3) float32: where the frame's own samples are drawn."""
    honesty: dict[str, float]
    """How far it can be trusted; see `honesty`."""


class Projection(ABC):
    """A view of the sphere in 3-D that follows a run frame by frame, so that what moves are the points, not the eye."""

    name: ClassVar[str]
    """Lower-case letters, digits and hyphens: part of links and folder names."""
    title: ClassVar[str]
    """Name in menus."""
    short: ClassVar[str]
    """One sentence for hover text."""
    order: ClassVar[int] = 1000
    """Position in menus: smaller comes first, and the first is the default."""
    chosen_classes: ClassVar[int] = 0
    """How many classes a person may choose for it. Where there are any, the class takes them as `classes`, a tuple of
    ranks, or None, and "name:0-3-8-9" is it with these four."""
    slow: ClassVar[bool] = False
    """Takes seconds and other people's libraries: an app fits it in a process of its own."""
    walk: ClassVar[int] = 0
    """Frames at most that are visited on the way from the last known view to a later frame; see `RunProjections`."""

    def __init__(self) -> None:
        self._before: Fit | None = None

    @abstractmethod
    def fit(
        self, embeddings: np.ndarray, centres: np.ndarray, landmarks: Mapping[str, np.ndarray], before: Fit | None
    ) -> Placement:
        """The placement of a frame.

        Args:
            embeddings: (N, D) finite.
            centres: (C, D) float64 class centres, from most to fewest samples; NaN rows are absent classes.
            before: the fit to follow, of the same run and with the same N and D; None at the start.
        """

    @abstractmethod
    def restore(self, arrays: Mapping[str, np.ndarray], embeddings: np.ndarray) -> Placement:
        """The placement whose `arrays` these are; DataError where they are not of this projection and frame."""

    @one_blas_thread()
    def follow(
        self,
        embeddings: np.ndarray,
        centres: np.ndarray,
        landmarks: Mapping[str, np.ndarray] | None = None,
        before: Fit | None = None,
        *,
        measured: bool = True,
    ) -> Fit:
        """The picture of a frame that comes after `before`; arguments and errors as of `update`, changes nothing.

        Without `measured` its honesty stays empty.
        """
        points, middle = np.asarray(embeddings), np.asarray(centres, dtype=np.float64)
        if points.ndim != 2 or middle.ndim != 2 or points.shape[1] != middle.shape[1] or len(points) == 0:
            raise DataError(
                f"A projection takes embeddings (N, D) and class centres (C, D), got {points.shape} and {middle.shape}."
            )
        placement = self.fit(points, middle, landmarks or {}, before)
        return draw(placement, points, before, None if measured else {}, middle)

    def update(
        self, embeddings: np.ndarray, centres: np.ndarray, landmarks: Mapping[str, np.ndarray] | None = None
    ) -> Fit:
        """The picture of the next frame of the run, and how far it can be trusted.

        Args:
            embeddings: (N, D) finite.
            centres: (C, D) class centres, from most to fewest samples; NaN rows are absent classes.
            landmarks: name -> (K, D).

        Returns:
            The fit: no point of the sphere leaves the unit ball, and the origin stays the origin.

        Raises:
            DataError: shapes that do not match, another dimension than in the frame before, or too few points.
        """
        self._before = self.follow(embeddings, centres, landmarks, self._before)
        return self._before


def draw(
    placement: Placement,
    embeddings: np.ndarray,
    before: Fit | None,
    meter: dict[str, float] | None = None,
    centres: np.ndarray | None = None,
) -> Fit:
    """A fit from its placement; its honesty is measured where it is not given as `meter`, that of class centres (C, D)
    where they are given."""
    shown = placement.arrays.get("shown")
    # A neighbour map knows its own samples; where two are equal in the space, it still draws both.
    shown = placement.place(embeddings) if shown is None else shown
    if meter is None:
        moved_from = None if before is None else before.shown
        both = None if centres is None else (centres, placement.place(centres))
        meter = honesty(embeddings, shown, moved_from, linear=placement.linear, centres=both)
    return Fit(placement, shown, meter)


def failure(name: str, error: Exception) -> str:
    """A sentence on a projection that raised what nobody foresaw."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return f"The view {name} of this frame failed ({reason})."


def anchors(centres: np.ndarray, embeddings: np.ndarray) -> np.ndarray:
    """What a view of the classes is laid through: the finite class centres, all points where no class has any."""
    found = present(centres)
    return found if len(found) else embeddings.astype(np.float64)


def present(centres: np.ndarray) -> np.ndarray:
    """The finite rows of class centres (C, D)."""
    return centres[np.isfinite(centres).all(axis=1)]
