"""How fast a run is trained, as its folder tells."""

from __future__ import annotations

from ltviz.recording import Recording


def trained_until(recording: Recording) -> tuple[int, float]:
    """A step, and when it was trained: the loss terms of several come together, with a frame."""
    path = recording.path / "metrics.jsonl"
    written = path.stat().st_mtime
    while True:
        lines = recording.metrics()
        if written == (written := path.stat().st_mtime):
            return lines[-1]["step"], written


def pace_since(recording: Recording, began: tuple[int, float]) -> float:
    """Steps a second since a step and when it was trained."""
    (first, since), (last, until) = began, trained_until(recording)
    return (last - first) / max(until - since, 1e-9)
