"""A frame as three coordinates: the embedding itself at d = 3, flat at d = 2, through a projection beyond."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ltviz.errors import DataError
from ltviz.marks import Caps, Points, Segments, Shown, Vectors
from ltviz.projection.centres import class_centres, training_labels
from ltviz.recording import Frame

from .. import words
from .messages import ProjectionHeader
from .projections import Projected


@dataclass(frozen=True)
class Picture:
    """What one panel shows of a frame: three coordinates for everything on it, inside the unit ball."""

    points: np.ndarray
    """(N, 3) float."""
    centres: np.ndarray
    """(C, 3) float; rows of NaN for classes without points."""
    landmarks: Mapping[str, np.ndarray]
    """Name -> (K, 3) float."""
    projection: ProjectionHeader | None
    """None where the picture is the embedding itself."""
    marks: Mapping[str, Shown] = field(default_factory=dict)
    """Key -> places of (K, 3) float."""
    forces: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    """Method -> part -> (C, 3) float; empty where a picture cannot show directions."""


@dataclass(frozen=True)
class _Placing:
    """How things get from the embedding onto the picture."""

    place: Callable[[np.ndarray], np.ndarray]
    """(K, D) -> (K, 3)."""
    linear: bool
    """Whether directions are the same everywhere, so that one can be drawn."""
    itself: bool
    """Whether the picture is the embedding, so that an angle on it is one."""


def draw_frame(
    frame: Frame, order: np.ndarray, split: np.ndarray | None = None, projected: Projected | None = None
) -> Picture:
    """What a panel shows of a frame, classes from most to fewest samples.

    Args:
        order: (C,) the classes from most to fewest samples; centre k of the picture is that of class `order[k]`.
        split: (N,) of the probe, 0 for train: centres are of training samples; of all where it is unknown.
        projected: where the embedding has more than three dimensions, how it is drawn.
    """
    centres = class_centres(frame.embeddings, training_labels(frame.labels, split), len(order))
    dim = frame.embeddings.shape[1]
    if projected is None and dim > 3:
        raise DataError(words.served.NO_PICTURE.format(dim=dim))
    if projected is None:
        placing = _Placing(lambda points: _pad(points, dim), linear=True, itself=dim == 3)
    else:
        placement = projected.fit.placement
        placing = _Placing(placement.place, linear=placement.linear, itself=False)
    place = placing.place
    placed = {key: _PLACED[type(shown)](shown, placing) for key, shown in frame.marks.items()}
    forces = frame.forces if placing.linear else {}
    return Picture(
        points=place(frame.embeddings) if projected is None else projected.fit.shown,
        centres=place(centres[order]),
        landmarks={name: place(points) for name, points in frame.landmarks.items()},
        marks={key: shown for key, shown in placed.items() if shown is not None},
        forces={method: {part: place(force) for part, force in parts.items()} for method, parts in forces.items()},
        projection=None if projected is None else projected.told,
    )


def _pad(points: np.ndarray, dim: int) -> np.ndarray:
    return points if dim == 3 else np.asarray(points, np.float32) @ np.eye(dim, 3, dtype=np.float32)


def _place_points(mark: Points[Any], placing: _Placing) -> Shown | None:
    return mark._replace(places=placing.place(mark.places))


def _place_segments(mark: Segments[Any], placing: _Placing) -> Shown | None:
    return mark._replace(a=placing.place(mark.a), b=placing.place(mark.b))


def _place_caps(mark: Caps[Any], placing: _Placing) -> Shown | None:
    return mark._replace(places=placing.place(mark.places), angle=mark.angle if placing.itself else None)


def _place_vectors(mark: Vectors[Any], placing: _Placing) -> Shown | None:
    return mark._replace(rows=placing.place(mark.rows)) if placing.linear else None


_PLACED: dict[type, Callable[[Any, _Placing], Shown | None]] = {
    Points: _place_points,
    Segments: _place_segments,
    Caps: _place_caps,
    Vectors: _place_vectors,
}
"""What a picture makes of each primitive; None where it cannot show it."""
