"""Who has moved the classes and samples of a run: forces that its frames hold, and the ways between these frames."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import numpy as np

from ltviz.errors import RecordingError
from ltviz.marks import class_of, of_class
from ltviz.metrics import Classes
from ltviz.metrics.work import Gains, Work, gains, summed, work
from ltviz.recording.frame import Frame
from ltviz.recording.recording import Recording

TOTAL = "total"
"""The part of a force that is all others together."""
_NEITHER = ("targets", "prior")
"""Parts that no class exerts."""


class Pulls:
    """Reads each frame of a run once, however often it is asked, and keeps what came of it: a number a part and class.

    The places of classes are their centres among the training samples of the frame; the forces are those of the run's
    own method on the batch of the step that follows. A frame without them is left out, so that the way between two that
    have them counts as one great circle.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._guard = threading.Lock()
        self._at = -1
        self._recent: list[tuple[np.ndarray, Mapping[str, np.ndarray]]] = []
        self._centres: dict[int, np.ndarray] = {}
        self._singles: list[Gains] = []
        self._doubles: list[Gains] = []

    def of_classes(self, since: int = 0, *, by_class: bool = False) -> Work | None:
        """The work on each class's centre from the first frame with forces at or after `since` on; None with fewer than
        two such frames.

        Args:
            by_class: all that pulls and pushes by the class it is of (`of_class`), beside targets and prior, instead of
                positives, head, medium and tail; None too where a frame of them does not tell it.

        Raises:
            RecordingError: run.json or the probe cannot be read. Damaged frames are left out.
        """
        with self._guard:
            self._read()
            steps = [step for step in self._centres if step >= since]
            if len(steps) < 2:
                return None
            centres = np.stack([self._centres[step] for step in steps])
            singles, doubles = self._singles[1 - len(steps) :], self._doubles[2 - len(steps) :][: len(steps) - 2]
        if (names := _chosen(singles, by_class=by_class)) is None:
            return None
        return summed(np.array(steps), _joined(singles, names, centres), _joined(doubles, names, centres), centres)

    def of_sample(self, row: int, since: int = 0, *, by_class: bool = False) -> Work | None:
        """As `of_classes`, (T, 1), on the way of one sample: a row of the probe, under the mean force on its class, for
        frames hold no others. None where it has no class, and where it is absent from all but one of these frames.

        Raises:
            RecordingError: no such row, or as `of_classes`.
        """
        labels = self.recording.probe.labels
        if not 0 <= row < len(labels):
            raise RecordingError(f"A sample is a row from 0 to {len(labels) - 1:,} of the probe, got {row}.")
        label = int(labels[row])
        with self._guard:
            self._read()
            steps = [step for step in self._centres if step >= since]
        frames = [
            frame for step in steps if label >= 0 and (frame := self._load(step)) is not None and _holds(frame, row)
        ]
        if len(frames) < 2:
            return None
        held = [self._forces(frame) for frame in frames]
        if (names := _chosen(held, by_class=by_class)) is None:
            return None
        nothing = np.zeros(frames[0].embeddings.shape[1])
        parts = {
            name: np.stack([forces[name][label] if name in forces else nothing for forces in held])[:, None]
            for name in names
        }
        places = np.stack([frame.embeddings[row] for frame in frames])[:, None]
        return work(np.array([frame.step for frame in frames]), places, parts)

    def _read(self) -> None:
        for step in self.recording.steps():
            if step <= self._at:
                continue
            self._at = step
            frame = self._load(step)
            if frame is not None and (forces := self._forces(frame)):
                self._take(frame, forces)

    def _take(self, frame: Frame, forces: Mapping[str, np.ndarray]) -> None:
        count = len(next(iter(forces.values())))
        centres = self._centres_of(frame, count)
        self._recent = [*self._recent[-2:], (centres, forces)]
        for kept, count in ((self._singles, 2), (self._doubles, 3)):
            if len(self._recent) >= count:
                there = [self._recent[-count], self._recent[-1]]
                parts = {name: np.stack([of[name] for _, of in there]) for name in forces if name in there[0][1]}
                found = gains(np.stack([place for place, _ in there]), parts)
                kept.append({name: gained[0] for name, gained in found.items()})
        self._centres[frame.step] = centres.astype(np.float32)

    def _centres_of(self, frame: Frame, num_classes: int) -> np.ndarray:
        split = self.recording.probe.known_split
        chosen = frame.labels >= 0
        if split is not None and (chosen & (split == 0)).any():
            chosen &= split == 0
        return Classes.of(frame.embeddings[chosen], frame.labels[chosen], num_classes).centres

    def _forces(self, frame: Frame) -> dict[str, np.ndarray]:
        """The parts of the own method's force, the whole one where it has not been told apart; none where unknown."""
        found = dict(frame.forces.get(self.recording.info.method or "", {}))
        of_classes = {} if frame.pulls is None else {of_class(k): frame.pulls[:, k] for k in range(len(frame.pulls))}
        return {name: force for name, force in found.items() if name != TOTAL} | of_classes or found

    def _load(self, step: int) -> Frame | None:
        try:
            return self.recording.frame(step)
        except RecordingError:  # the page lists damaged frames by themselves
            return None


def _chosen(held: Sequence[Mapping[str, np.ndarray]], *, by_class: bool) -> list[str] | None:
    """Names of the parts that are told of; None where partners are asked for by class and a frame does not tell."""
    if by_class and not all(any(class_of(name) is not None for name in of) for of in held):
        return None
    names = dict.fromkeys(name for of in held for name in of)
    return [name for name in names if name in _NEITHER or (class_of(name) is not None) == by_class]


def _holds(frame: Frame, row: int) -> bool:
    return frame.present is None or bool(frame.present[row])


def _joined(gained: Sequence[Gains], names: Sequence[str], centres: np.ndarray) -> Gains:
    """Parts -> (T, C); one that a frame does not tell of gains nothing there."""
    nothing = np.zeros(centres.shape[1])
    return {name: np.array([of.get(name, nothing) for of in gained]).reshape(-1, len(nothing)) for name in names}
