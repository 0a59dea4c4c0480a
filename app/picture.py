"""A frame as three coordinates: the embedding itself at d = 3, flat at d = 2, through a projection beyond."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from ltviz_app.wire import View

from ltviz import projection
from ltviz.errors import ConfigError
from ltviz.recording import Cloud, Frame, Links

DEFAULT_PROJECTION = next(iter(projection.REGISTRY))


def class_centres(embeddings: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Normalised class means (C, D) of embeddings (N, D); rows of NaN for classes without points or direction."""
    members = (labels == np.arange(num_classes)[:, None]).astype(np.float32)
    sums = members @ np.asarray(embeddings, np.float32)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(length > 1e-9, sums / np.maximum(length, 1e-9), np.nan)


class Projector:
    """One projection of one run: the same matrix for the same step, whoever asks and how often.

    A projection locks each step's view to the one before, so steps are asked of it one at a time, under a lock.
    """

    def __init__(self, name: str):
        self.name = name
        self._projection = _registered(name)()
        self._made: dict[int, tuple[np.ndarray, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def at(self, frame: Frame, centres: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
        """The matrix (D, 3) float32 of this frame's step, and its name with how far its picture can be trusted."""
        with self._lock:
            if frame.step not in self._made:
                matrix, honesty = self._projection.update(frame.embeddings, centres, frame.landmarks)
                self._made[frame.step] = np.asarray(matrix, np.float32), {"name": self.name, **honesty}
            return self._made[frame.step]


def check_projection(name: str) -> str:
    """The name of a projection that exists; ConfigError otherwise."""
    _registered(name)
    return name


def _registered(name: str) -> Any:
    if name not in projection.REGISTRY:
        raise ConfigError(
            f"There is no projection called {name[:40]!r}; choose one of {', '.join(sorted(projection.REGISTRY))}."
        )
    return projection.REGISTRY[name]


def picture(frame: Frame, order: np.ndarray, projector: Projector) -> View:
    """What a panel shows of a frame, classes from most to fewest samples.

    Args:
        order: (C,) the classes from most to fewest samples; centre k of the picture is that of class `order[k]`.
        projector: used where the embedding has more than three dimensions.
    """
    centres = class_centres(frame.embeddings, frame.labels, len(order))
    dim = frame.embeddings.shape[1]
    if dim > 3:
        matrix, shown = projector.at(frame, centres)
    else:
        matrix, shown = np.eye(dim, 3, dtype=np.float32), None

    def project(points: np.ndarray) -> np.ndarray:
        return points if dim == 3 else np.asarray(points, np.float32) @ matrix

    seen = frame.insight
    return View(
        points=project(frame.embeddings),
        centres=project(centres[order]),
        landmarks={name: project(points) for name, points in frame.landmarks.items()},
        links={name: Links(project(held.a), project(held.b), held.y) for name, held in seen.links.items()},
        clouds={name: Cloud(project(held.points), held.y, held.age) for name, held in seen.clouds.items()},
        forces={
            method: {part: project(force) for part, force in parts.items()} for method, parts in seen.forces.items()
        },
        projection=shown,
    )
