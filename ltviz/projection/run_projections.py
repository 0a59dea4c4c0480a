"""The views of one run under one projection, step by step in any order.

A view follows the one before it, so it depends on what was seen before. Which one that is follows from the run and its
cache alone, never from who is looking:

    linear views   start from the nearest earlier step that has a view, the run's first frame where there is none, and
                   walk through the frames between: all of them up to `Projection.walk` (64), else as many, evenly
                   spread, and fewer where frames are large. Up to that gap a view is a function of the run's frames,
                   the same on any machine and in any order of asking; beyond it the first to ask settles it.
    UMAP           starts from the nearest step that has a map, the earlier one of two; the first to ask settles it.

What is settled is cached, and from then on the same for everybody. A linear view of very many samples is fitted to
those that `ltviz.recording.drawn` draws of them, so that a first look at these is already the view of all.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import numpy as np

from ltviz.errors import DataError, LtvizError, RecordingError
from ltviz.projection.base import Fit, draw, failure
from ltviz.projection.cache import Kept, ProjectionCache, fingerprint
from ltviz.projection.centres import class_centres, training_labels
from ltviz.projection.linear import LinearProjection
from ltviz.projection.registry import make_projection
from ltviz.recording import Frame, Recording
from ltviz.recording.drawn import drawn_of, split_of

WALK_BYTES = 64 << 20
"""Embeddings read at most on the way from one view to another."""


class RunProjections:
    """Fits and finds the views of `recording` under the projection `name`. Any thread may use it.

    Args:
        order: (C,) the classes from most to fewest samples.
        cache: where views are kept; the run's own folder where left out.

    Raises:
        ConfigError: there is no projection of that name.
    """

    def __init__(
        self, name: str, recording: Recording, order: Sequence[int] | np.ndarray, cache: ProjectionCache | None = None
    ):
        self.name, self.projection = make_projection(name)
        self._recording, self._order = recording, np.asarray(order)
        self._cache = ProjectionCache(recording.path) if cache is None else cache
        self._lock = threading.RLock()
        self._last: tuple[int, Fit] | None = None

    def at(self, frame: Frame) -> Fit:
        """The view of a frame of this run, fitted now unless it was before.

        Raises:
            DataError: this frame has no such view, such as a map of too few points, or a plug-in failed at it.
        """
        few = self._few(frame)
        with self._lock:
            found = self.find(few)
            if found is None:
                found = self._follow(few, self._approach(few))
                self.keep(few, found)
            self._last = (frame.step, found)
        return found if few is frame else draw(found.placement, frame.embeddings, None, found.honesty)

    def find(self, frame: Frame) -> Fit | None:
        """The view of a frame if it was fitted before."""
        kept = self._cache.read(self.name, frame.step, fingerprint(frame))
        if kept is None:
            return None
        try:
            placement = self.projection.restore(kept.arrays, frame.embeddings)
        except LtvizError:
            # Sound as a file, but not what this projection makes of this frame: a stranger's.
            return None
        return draw(placement, frame.embeddings, None, kept.honesty)

    def keep(self, frame: Frame, fit: Fit) -> None:
        """Keeps a view for everybody."""
        kept = Kept(fingerprint(frame), dict(fit.placement.arrays), fit.honesty)
        self._cache.write(self.name, frame.step, kept)

    def nearest(self, step: int) -> Fit | None:
        """The view that a map of this step starts from: of the nearest step that has one."""
        for other in sorted(self._cache.steps(self.name), key=lambda known: (abs(known - step), known)):
            if other != step and (found := self._known(other)) is not None:
                return found
        return None

    def _approach(self, frame: Frame) -> Fit | None:
        """The view that a frame's own view follows."""
        if not self.projection.walk:
            return self.nearest(frame.step)
        earlier = [step for step in self._recording.frame_files() if step < frame.step]
        known = [step for step in self._cache.steps(self.name) if step < frame.step]
        fit, start = None, -1
        while known and fit is None:
            start = known.pop()
            fit = self._known(start)
        if fit is None:
            start = -1
        most = min(self.projection.walk, WALK_BYTES // max(self._frame_bytes(frame), 1))
        for step in _spread([step for step in earlier if step > start], most):
            if (other := self._read(step)) is not None and other.embeddings.shape == frame.embeddings.shape:
                fit = self._follow(other, fit, measured=False)
        return fit

    def _known(self, step: int) -> Fit | None:
        if self._last is not None and self._last[0] == step:
            return self._last[1]
        frame = self._read(step)
        return None if frame is None else self.find(frame)

    def _read(self, step: int) -> Frame | None:
        try:
            return self._few(self._recording.frame(step))
        except (LtvizError, OSError):
            # Damaged, or gone with its run: the view follows the one before.
            return None

    def _frame_bytes(self, frame: Frame) -> int:
        """Embeddings of a whole frame, however many samples stand for it."""
        try:
            return 4 * len(self._recording.probe.labels) * frame.embeddings.shape[1]
        except (LtvizError, OSError):
            return frame.embeddings.nbytes

    def _few(self, frame: Frame) -> Frame:
        """The samples that a linear view of a frame is fitted to, and its honesty measured of."""
        return drawn_of(frame) if isinstance(self.projection, LinearProjection) else frame

    def _follow(self, frame: Frame, before: Fit | None, *, measured: bool = True) -> Fit:
        centres = self.centres(frame)
        try:
            return self.projection.follow(frame.embeddings, centres, frame.landmarks, before, measured=measured)
        except LtvizError:
            raise
        except Exception as error:  # another package's, about values that we cannot foresee
            raise DataError(failure(self.name, error)) from error

    def centres(self, frame: Frame) -> np.ndarray:
        """(C, D) class centres of a frame by rank, of training samples (`training_labels`); NaN rows for classes
        without points."""
        try:
            split = split_of(frame, self._recording.probe)
        except RecordingError:  # gone with its run; whoever shows the run says so
            split = None
        labels = training_labels(frame.labels, split)
        return class_centres(frame.embeddings, labels, len(self._order))[self._order]


def _spread(steps: Sequence[int], most: int) -> list[int]:
    """At most `most` of the steps, evenly spread; the first is always among them."""
    if len(steps) <= most:
        return list(steps)
    places: Mapping[int, None] = dict.fromkeys(np.linspace(0, len(steps) - 1, max(most, 1)).astype(int).tolist())
    return [steps[place] for place in places]
