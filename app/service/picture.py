"""A frame as three coordinates: the embedding itself at d = 3, flat at d = 2, through a projection beyond."""

from __future__ import annotations

import numpy as np

from ltviz.errors import DataError
from ltviz.projection.centres import class_centres
from ltviz.recording import Cloud, Frame, Links

from .. import words
from .projections import Look
from .wire import View


def picture(frame: Frame, order: np.ndarray, look: Look | None = None) -> View:
    """What a panel shows of a frame, classes from most to fewest samples.

    Args:
        order: (C,) the classes from most to fewest samples; centre k of the picture is that of class `order[k]`.
        look: where the embedding has more than three dimensions, how it is drawn.
    """
    centres = class_centres(frame.embeddings, frame.labels, len(order))
    dim = frame.embeddings.shape[1]
    if look is None and dim > 3:
        raise DataError(words.NO_PICTURE.format(dim=dim))

    def place(points: np.ndarray) -> np.ndarray:
        if look is not None:
            return look.fit.placement.place(points)
        return points if dim == 3 else np.asarray(points, np.float32) @ np.eye(dim, 3, dtype=np.float32)

    seen = frame.insight
    # A force is a direction, and only a linear picture has the same directions everywhere.
    forces = seen.forces if look is None or look.fit.placement.linear else {}
    return View(
        points=place(frame.embeddings) if look is None else look.fit.shown,
        centres=place(centres[order]),
        landmarks={name: place(points) for name, points in frame.landmarks.items()},
        links={name: Links(place(held.a), place(held.b), held.y) for name, held in seen.links.items()},
        clouds={name: Cloud(place(held.points), held.y, held.age) for name, held in seen.clouds.items()},
        forces={method: {part: place(force) for part, force in parts.items()} for method, parts in forces.items()},
        projection=None if look is None else look.header,
    )
