"""What the projections make of one followed run: views at once, or a stand-in while the background is at work."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltviz.errors import DataError, LtvizError
from ltviz.projection import REGISTRY, Fit, ProjectionCache, RunProjections, make_projection
from ltviz.projection.background import FitJob, FitResult
from ltviz.projection.base import draw
from ltviz.projection.fitter import BackgroundFitter
from ltviz.recording import Frame, Recording

from .messages import ProjectionHeader

DEFAULT_PROJECTION = next(iter(REGISTRY))


@dataclass(frozen=True)
class Projected:
    """A frame's projection, and what viewers are told of it."""

    fit: Fit
    told: ProjectionHeader


class Projections:
    """The projections of one run.

    Args:
        order: (C,) the classes from most to fewest samples.
        fitter: computes slow projections.
        wanted: whether anybody still looks at the run; asked from another thread.
        keeps: whether views may be written into the run's folder; asked from another thread.
        land: called from another thread with a projection's name and a step when a pending one is there, or has failed.
    """

    def __init__(
        self,
        recording: Recording,
        order: np.ndarray,
        fitter: BackgroundFitter,
        wanted: Callable[[], bool],
        land: Callable[[str, int], None],
        keeps: Callable[[], bool] = lambda: True,
    ):
        self._recording, self._order, self._fitter = recording, order, fitter
        self._wanted, self._land = wanted, land
        self._cache = ProjectionCache(recording.path, keeps)
        self._views: dict[str, RunProjections] = {}
        self._failed: dict[tuple[str, int], str] = {}
        self._guard = threading.Lock()

    def project(self, frame: Frame, name: str) -> Projected:
        """The view `name` of a frame of more than three dimensions; another one while, or because, it is not there."""
        views, error = self._of(name), None
        try:
            fit = views.find(frame) if views.projection.slow else views.at(frame)
            if fit is not None:
                return Projected(fit, _tell(views.name, fit))
            error = self._failed.get((views.name, frame.step))
        except DataError as refusal:
            error = str(refusal)
        stand_in = self._of(DEFAULT_PROJECTION).at(frame)
        if error is not None:
            return Projected(stand_in, _tell(DEFAULT_PROJECTION, stand_in, error=error))
        self._ask(views, frame.step)
        return Projected(stand_in, _tell(DEFAULT_PROJECTION, stand_in, pending=views.name))

    def _of(self, name: str) -> RunProjections:
        with self._guard:
            if name not in self._views:
                self._views[name] = RunProjections(name, self._recording, self._order, self._cache)
            return self._views[name]

    def _ask(self, views: RunProjections, step: int) -> None:
        # The frame is read again when its turn comes: many may wait, and each is as large as a frame.
        def prepare() -> FitJob | None:
            if not self._wanted():
                return None
            try:
                frame = self._recording.frame(step)
            except (LtvizError, OSError) as error:
                self._settle(views.name, step, str(error))
                return None
            if views.find(frame) is not None:
                self._settle(views.name, step, None)
                return None
            before = views.nearest(step)
            arrays = None if before is None or len(before.shown) != len(frame.embeddings) else before.placement.arrays
            return FitJob(views.name, frame.embeddings, views.centres(frame), arrays)

        def done(result: FitResult) -> None:
            error = result.error
            if error is None:
                try:
                    frame = self._recording.frame(step)
                    placement = views.projection.restore(result.arrays, frame.embeddings)
                    views.keep(frame, draw(placement, frame.embeddings, None, result.honesty))
                except (LtvizError, OSError) as refusal:
                    error = str(refusal)
            self._settle(views.name, step, error)

        self._fitter.ask((self, views.name, step), prepare, done)

    def _settle(self, name: str, step: int, error: str | None) -> None:
        if error is not None:
            self._failed[name, step] = error
        self._land(name, step)


def check_projection(name: str) -> str:
    """The name under which a projection is known; ConfigError where there is none."""
    return make_projection(name)[0]


def is_slow(name: str) -> bool:
    """Whether a projection takes seconds, and is computed in the background; ConfigError where there is none."""
    return make_projection(name)[1].slow


def _tell(name: str, fit: Fit, *, pending: str | None = None, error: str | None = None) -> ProjectionHeader:
    kept = _finite(fit.honesty)
    return ProjectionHeader(name=name, linear=fit.placement.linear, pending=pending, error=error, **kept)


def _finite(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """Six significant digits, as headers have them; None for what is not finite."""
    return {name: float(f"{value:.6g}") if math.isfinite(value) else None for name, value in numbers.items()}


def describe_projection(name: str) -> dict[str, Any]:
    """What the View menu says of a projection of the registry, as JSON, and how many classes it takes."""
    kind = REGISTRY[name]
    return {"name": name, "title": kind.title, "short": kind.short, "classes": kind.chosen_classes}
