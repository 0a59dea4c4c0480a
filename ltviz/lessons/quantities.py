"""Quantities that a lesson names, and the book that looks them up in recordings.

centre_sum(demo-bcl)              a measure of a run's last frame
spread_tail(demo-ce, 50)          of its newest frame at or before step 50; `first` and `last` are words for steps
territory_of(demo-ce, last, 7)    of one class, by its number (0 has most samples)
ideal_angle(10, 3)                what geometry alone says: here of 10 classes in 3 dimensions
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ltviz.errors import DataError, RecordingError
from ltviz.geometry import optimal_targets
from ltviz.metrics import MEASURES, Spread, spread, territory
from ltviz.metrics.classes import Classes
from ltviz.recording import Frame, Recording
from ltviz.recording.measured import measure_frame
from ltviz.recording.names import RUN_ID

_CALL = re.compile(r"\s*([a-z][a-z0-9_]{0,60})\(([^()]{1,120})\)\s*")
_WHOLE = re.compile(r"\d{1,9}")
MOST_MEASURED = 31
"""Frames of a run in which a quantity of a class is measured for a curve."""
_BOUNDS = {"classes": (2, 100), "dim": (2, 128)}


@cache
def _cosines(classes: int, dim: int) -> np.ndarray:
    targets = optimal_targets(classes, dim)
    return (targets @ targets.T)[~np.eye(classes, dtype=bool)]


GEOMETRY: Mapping[str, tuple[str, str, Callable[[int, int], float]]] = {
    "ideal_angle": (
        "degrees",
        "smallest angle of the best arrangement",
        lambda c, d: float(np.degrees(np.arccos(np.clip(_cosines(c, d).max(), -1, 1)))),
    ),
    "ideal_deviation": (
        "",
        "deviation of the best arrangement from a simplex",
        lambda c, d: float(np.abs(_cosines(c, d) + 1 / (c - 1)).max()),
    ),
}
"""Name -> unit, what it is in words, and the function of the number of classes and dimensions."""


def _accuracy(frame: Frame, recording: Recording, count: int) -> np.ndarray:
    said, split = frame.samples.get("prediction"), recording.probe.known_split
    if said is None or split is None or recording.probe.label_sets is not None:
        raise DataError("accuracy_of needs a frame with predictions and samples with one label of a known split")
    right = np.full(count, np.nan)
    for c in range(count):
        members = (frame.labels == c) & (split == 1)
        right[c] = (said[members] == c).mean() if members.any() else np.nan
    return right


def _clouds(frame: Frame, recording: Recording, count: int) -> Spread:
    here = frame.labels >= 0
    return spread(frame.embeddings[here], frame.labels[here], count)


def _territory(frame: Frame, recording: Recording, count: int) -> np.ndarray:
    here = frame.labels >= 0
    return territory(Classes.of(frame.embeddings[here], frame.labels[here], count).normalised().centres)


BY_CLASS: Mapping[str, tuple[str, str, Callable[[Frame, Recording, int], np.ndarray]]] = {
    "samples_of": ("", "training samples", lambda f, r, c: np.asarray(r.info.counts, float)),
    "spread_of": ("degrees", "mean angle to its centre", lambda *given: _clouds(*given).mean_angle),
    "kappa_of": ("", "concentration", lambda *given: _clouds(*given).kappa),
    "territory_of": ("share", "share of the sphere", _territory),
    "accuracy_of": ("share", "test samples that are right", _accuracy),
}
"""Name -> unit, what it is in words, and the function that gives (C,) numbers."""


@dataclass(frozen=True)
class Quantity:
    """A number that is named, and not yet known."""

    name: str
    run: str | None
    """None: geometry alone."""
    step: int | str = "last"
    class_index: int | None = None
    sizes: tuple[int, int] = (0, 0)
    """Classes and dimensions, where geometry is asked."""

    @property
    def by_class(self) -> bool:
        """Whether it is a number for each class, of which none has been named."""
        return self.name in BY_CLASS and self.class_index is None

    @staticmethod
    def parse(text: str) -> Quantity:
        """Reads "centre_sum(demo-bcl, 50)".

        Raises:
            ValueError: it is no quantity; one sentence.
        """
        found = _CALL.fullmatch(text)
        if found is None:
            raise ValueError(f"a quantity is written as centre_sum(demo-bcl, last), got {text[:60]!r}")
        name, arguments = found.group(1), [part.strip() for part in found.group(2).split(",")]
        if name in GEOMETRY:
            return _geometric(name, arguments, text)
        if name not in BY_CLASS and name not in MEASURES:
            raise ValueError(f"{name!r} is no measure; try centre_sum, spread_tail, territory_of or ideal_angle")
        most = 3 if name in BY_CLASS else 2
        if len(arguments) > most:
            raise ValueError(f"{name} takes a run, a step{' and a class' if most == 3 else ''}, got {text[:60]!r}")
        run, step, at = [*arguments, *("", "last", "")[len(arguments) :]]
        if RUN_ID.fullmatch(run) is None:
            raise ValueError(f"a run is 3 to 64 lower-case letters, digits and hyphens, got {run[:60]!r}")
        if step not in ("first", "last") and not _WHOLE.fullmatch(step):
            raise ValueError(f"a step is a whole number, first or last, got {step[:60]!r}")
        if at and not _WHOLE.fullmatch(at):
            raise ValueError(f"a class is given by its number from 0, got {at[:60]!r}")
        return Quantity(name, run, int(step) if step.isdigit() else step, int(at) if at else None)


def _geometric(name: str, arguments: list[str], text: str) -> Quantity:
    if len(arguments) != 2 or not all(_WHOLE.fullmatch(part) for part in arguments):
        raise ValueError(f"{name} takes a number of classes and of dimensions, as {name}(10, 3), got {text[:60]!r}")
    sizes = int(arguments[0]), int(arguments[1])
    for value, (what, (low, high)) in zip(sizes, _BOUNDS.items(), strict=True):
        if not low <= value <= high:
            raise ValueError(f"{what} must lie from {low} to {high}, got {value}")
    return Quantity(name, None, sizes=sizes)


def unit_of(quantity: Quantity) -> str:
    """ "degrees", "share", or "" for a plain number."""
    if quantity.name in GEOMETRY:
        return GEOMETRY[quantity.name][0]
    return BY_CLASS[quantity.name][0] if quantity.name in BY_CLASS else MEASURES[quantity.name].unit


def name_of(quantity: Quantity) -> str:
    """What a person calls it."""
    if quantity.name in BY_CLASS:
        return BY_CLASS[quantity.name][1]
    return GEOMETRY[quantity.name][1] if quantity.name in GEOMETRY else MEASURES[quantity.name].title.lower()


class Book:
    """Looks quantities up in runs, and remembers what it found. A run that still grows is better asked by a new book.

    Args:
        find: a run's recording by its id; None where there is no such run.
    """

    def __init__(self, find: Callable[[str], Recording | None]) -> None:
        self._find = find
        self._runs: dict[str, Recording] = {}
        self._frames: dict[tuple[str, int], Frame] = {}
        self._measured: dict[tuple[str, int], Mapping[str, float]] = {}
        self._by_class: dict[tuple[str, str, int], np.ndarray] = {}

    def run(self, name: str) -> Recording:
        """A run that has frames.

        Raises:
            RecordingError: there is none.
        """
        if name not in self._runs:
            recording = self._find(name)
            if recording is None or not recording.steps():
                raise RecordingError(f"there is no run {name!r} with frames; `ltviz runs` lists those that there are")
            self._runs[name] = recording
        return self._runs[name]

    def step(self, run: str, step: int | str) -> int:
        """The step of the frame that shows a step: the newest at or before it, or the first one.

        Raises:
            RecordingError: no such run.
        """
        steps = self.run(run).steps()
        if isinstance(step, str):
            return steps[0 if step == "first" else -1]
        return steps[max(0, bisect_right(steps, step) - 1)]

    def value(self, quantity: Quantity) -> float:
        """The number.

        Raises:
            LtvizError: no such run, or what it has not measured and cannot.
        """
        if quantity.run is None:
            return GEOMETRY[quantity.name][2](*quantity.sizes)
        if quantity.name in BY_CLASS:
            every = self.values(quantity)
            at = quantity.class_index
            if at is None or at >= len(every):
                raise DataError(f"{quantity.name} needs a class from 0 to {len(every) - 1} of {quantity.run}")
            found = float(every[at])
        else:
            found = self._measure(quantity.name, quantity.run, self.step(quantity.run, quantity.step))
        if not np.isfinite(found):
            raise DataError(f"{quantity.name} cannot be measured of {quantity.run} there")
        return found

    def values(self, quantity: Quantity) -> np.ndarray:
        """(C,) the quantity of every class, NaN where it cannot be measured.

        Raises:
            LtvizError: no such run, or a quantity that classes do not have.
        """
        if quantity.run is None or quantity.name not in BY_CLASS:
            raise DataError(f"{quantity.name} is no quantity of single classes; those are {', '.join(BY_CLASS)}")
        step = self.step(quantity.run, quantity.step)
        key = quantity.name, quantity.run, step
        if key not in self._by_class:
            recording = self.run(quantity.run)
            count = recording.info.num_classes
            self._by_class[key] = BY_CLASS[quantity.name][2](self._frame(quantity.run, step), recording, count)
        return self._by_class[key]

    def curve(self, quantity: Quantity) -> tuple[tuple[int, ...], np.ndarray]:
        """A measure, or a quantity of one class, over a run: steps, and (F,) its number at each of them.

        Raises:
            LtvizError: no such run, or what its frames do not note and is too dear to be measured in each.
        """
        if quantity.run is None or quantity.by_class:
            raise DataError(f"a curve is of a measure or of one class of a run, and {quantity.name} is neither")
        run = self.run(quantity.run)
        steps = run.steps()
        if quantity.name in BY_CLASS:
            kept = sorted({round(at) for at in np.linspace(0, len(steps) - 1, min(len(steps), MOST_MEASURED))})
            found = {steps[at]: self.value(replace(quantity, step=steps[at])) for at in kept}
        else:
            noted = run.frame_metrics()
            found = {s: float(noted[s][quantity.name]) for s in steps if quantity.name in noted.get(s, {})}
        found = {step: value for step, value in found.items() if np.isfinite(value)}
        if len(found) < 2:
            raise DataError(f"{quantity.run} does not note {quantity.name} in its frames, so that it has no curve")
        return tuple(found), np.array(list(found.values()))

    def centres(self, run: str, step: int | str) -> np.ndarray:
        """(C, D) unit centres of the classes in a frame, NaN where a class has no samples.

        Raises:
            LtvizError: no such run.
        """
        frame, count = self._frame(run, self.step(run, step)), self.run(run).info.num_classes
        here = frame.labels >= 0
        return Classes.of(frame.embeddings[here], frame.labels[here], count).normalised().centres

    def class_names(self, run: str) -> list[str]:
        """Names of a run's classes.

        Raises:
            LtvizError: no such run.
        """
        return list(self.run(run).info.class_names)

    def _frame(self, run: str, step: int) -> Frame:
        if (run, step) not in self._frames:
            self._frames[run, step] = self.run(run).frame(step)
        return self._frames[run, step]

    def _measure(self, name: str, run: str, step: int) -> float:
        noted = self.run(run).frame_metrics().get(step, {})
        if name in noted:
            return float(noted[name])
        if (run, step) not in self._measured:
            self._measured[run, step] = measure_frame(self.run(run), self._frame(run, step))
        found = self._measured[run, step].get(name)
        if found is None:
            raise DataError(f"{name} cannot be measured of {run} at step {step}")
        return float(found)
