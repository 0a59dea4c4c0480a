"""How far a run is, and how it ended. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ltviz.recording import Recording


@dataclass(kw_only=True)
class Progress:
    """How far a run is. The recording itself holds what must outlive the process, so `of` needs no file of its own.

    Attributes:
        step: last step that changed the weights; 0 before training.
        saved: step of the last saved weights, -1 for none.
        last_frame, last_logged: last step that the recording has a frame or a line of loss terms of, -1 for none.
        metrics: measures of the last frame.
        seconds, seconds_before: of training up to the last frame; up to the end of earlier attempts.
        steps_here, frames_here: steps trained and frames written in this attempt.
        busy: seconds of this attempt's steps, without frames and without the other lanes.
    """

    step: int = 0
    saved: int = -1
    last_frame: int = -1
    last_logged: int = -1
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    seconds_before: float = 0.0
    steps_here: int = 0
    frames_here: int = 0
    busy: float = 0.0

    @classmethod
    def of(cls, recording: Recording, *, saved: int) -> Progress:
        """Where a run goes on whose last saved weights are those of step `saved`, -1 for none.

        Frames and loss terms may be ahead of the weights; they are not written again.
        """
        found = cls(step=max(saved, 0), saved=saved)
        if (last := recording.last()) is not None:
            found.last_frame, found.metrics = last.step, dict(last.metrics)
            found.seconds = found.seconds_before = last.seconds
        found.last_logged = max((row["step"] for row in recording.metrics()), default=-1)
        return found

    @property
    def ms_per_step(self) -> float:
        """Mean milliseconds of this method's own part of a step."""
        return 1000 * self.busy / max(self.steps_here, 1)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended."""

    path: Path
    method: str
    state: str
    reason: str | None
    step: int
    frames: int
    seconds: float
    ms_per_step: float
    watch_share: float
    metrics: dict[str, float]
