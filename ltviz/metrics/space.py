"""A feature space at one moment, as measures see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.classes import Classes
from ltviz.metrics.shots import ShotGroups, shot_groups

T = TypeVar("T")


@dataclass(frozen=True, eq=False, kw_only=True)
class Space:
    """Labelled points and all else that `measure` was given. What several measures need is computed once.

    Nothing here may be changed: all measures share it.
    """

    unit: Classes
    """The points as unit rows."""
    seen: Classes
    """The same points as the classifier reads them, with lengths of their own; as given where none are known."""
    counts: np.ndarray
    """(C,) training samples of each class."""
    groups: ShotGroups
    """Head, medium and tail classes, by these counts."""
    full: bool = False
    """Whether time does not matter, as it does in a live frame."""
    own_features: bool = False
    """Whether `seen` are features of their own."""
    parts: Mapping[str, np.ndarray] = field(default_factory=dict)
    """"train", "test" and "validation" -> (N,) bool; empty where nobody knows."""
    predictions: np.ndarray | None = None
    """(N,) classes that the method's own classifier predicts."""
    confidence: np.ndarray | None = None
    """(N,) probability of the predicted class."""
    views: tuple[np.ndarray, np.ndarray] | None = None
    """Two (M, D) arrays of unit rows: two views of the same samples."""
    weights: np.ndarray | None = None
    """(C, F) of a linear classifier on the features."""
    bias: np.ndarray | None = None
    """(C,) of the same."""
    targets: np.ndarray | None = None
    """(C, D), row c is class c's target."""
    theory: np.ndarray | None = None
    """(C, R) directions that theory predicts for the class means, in coordinates of their own."""
    theory_weights: np.ndarray | None = None
    """(C, R) the same for the classifier's rows; the means are those of the features then."""
    scores: np.ndarray | None = None
    """(N, C) of samples that carry several labels."""
    labels: np.ndarray | None = None
    """(N, C) 0 or 1, their labels."""
    images: np.ndarray | None = None
    """(N,) integers, the image that each point is a part of, where several may be of one."""
    _known: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def z(self) -> np.ndarray:
        """(N, D) unit rows, float32 or float64."""
        return self.unit.z

    @property
    def y(self) -> np.ndarray:
        """(N,) int64 classes; 0 has most training samples."""
        return self.unit.y

    @property
    def num_classes(self) -> int:
        return self.unit.num_classes

    @property
    def centres(self) -> np.ndarray:
        """(C, D) float64 unit class centres; NaN rows where a class has none."""
        return self.unit.centres

    @cached_property
    def present(self) -> np.ndarray:
        """(C,) bool: classes that have a centre."""
        return np.isfinite(self.centres[:, 0])

    def part(self, name: str) -> Space | None:
        """The points of "train" or "test" alone, without what belongs to all; None where there are none, or nobody
        knows which they are."""
        here = self.parts.get(name)
        if here is None or not here.any():
            return None
        if name not in self._known:
            self._known[name] = self._only(here)
        return self._known[name]

    def once(self, compute: Callable[[Space], T]) -> T:
        """`compute(self)` where it is first asked for, and then the same again: for what several measures need.

        Example:
            >>> import numpy as np
            >>> def cosines(space):
            ...     return space.z @ space.z.T
            >>> space = space_of(np.eye(3), np.arange(3))
            >>> space.once(cosines) is space.once(cosines)
            True
        """
        if compute not in self._known:
            self._known[compute] = compute(self)
        return cast(T, self._known[compute])

    def one_each(self, name: str) -> np.ndarray | None:
        """What was given as `name`, (N,); None where it was not.

        Raises:
            DataError: it holds not one value for each point.
        """
        given = getattr(self, name)
        if given is None:
            return None
        array = np.asarray(given)
        if array.shape != self.y.shape:
            raise DataError(f"{name} must hold one value for each of the {len(self.y)} points, got {array.shape}.")
        return array

    def _only(self, here: np.ndarray) -> Space:
        unit = _rows(self.unit, here)
        seen = unit if self.seen is self.unit else _rows(self.seen, here)
        kept = {"counts": self.counts, "groups": self.groups, "full": self.full, "own_features": self.own_features}
        images = self.one_each("images")
        return Space(unit=unit, seen=seen, images=None if images is None else images[here], **kept)


def space_of(z: np.ndarray, y: np.ndarray, *, counts: np.ndarray | None = None, full: bool = True) -> Space:
    """The space of embeddings and labels alone, to try a measure on.

    Args:
        z: (N, D) embeddings, normalised here.
        y: (N,) integers in 0 ... C-1.
        counts: (C,) training samples of each class; default: counted in y.
        full: see `Space.full`.

    Raises:
        DataError: shapes, labels or values that cannot be used.

    Example:
        >>> import numpy as np
        >>> space_of(np.eye(3), np.array([0, 0, 1])).present.tolist()
        [True, True]
    """
    raw = Classes.of(z, y, None if counts is None else len(counts))
    n = raw.count if counts is None else np.asarray(counts)
    return Space(unit=raw.normalised(), seen=raw, counts=n, groups=shot_groups(n), full=full)


def _rows(classes: Classes, here: np.ndarray) -> Classes:
    return Classes.of(classes.z[here], classes.y[here], classes.num_classes)
