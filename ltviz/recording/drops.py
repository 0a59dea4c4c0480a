"""Frames that could not be recorded: dropped, counted by kind, and said once a kind, so that training goes on."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from ltviz.errors import LtvizError, RecordingError, RecordingWarning

MOST_KINDS = 20
_OTHER = "other reasons"
_LIBRARY = f"{Path(__file__).parents[1]}{os.sep}"

log = logging.getLogger("ltviz")


class Drops:
    """What one recorder dropped."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        """Kind, such as "NaN or infinity in embeddings", -> how many frames."""
        self.untold: list[dict[str, Any]] = []
        """Events that the next good frame shall hold, so that a reader of the run finds them at their place."""

    def add(self, step: Any, error: Exception) -> None:
        """Count the frame of `step`; the first of each kind is warned of, at the line that called the recorder."""
        given = getattr(error, "kind", RecordingError.kind)
        if not isinstance(error, LtvizError):
            given = f"an unexpected {type(error).__name__}"
        kind = given if given in self.counts or len(self.counts) < MOST_KINDS else _OTHER
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] > 1:
            return
        about = " ".join(str(error).split())[:500] or type(error).__name__
        self.untold.append(
            {"kind": "note", "about": "dropped", "text": f"The frame given as step {step!r:.40} was dropped: {about}"}
        )
        warn(
            f"The frame of step {step!r:.40} is dropped, and your loop goes on: {about} "
            "More of this kind are only counted; record(on_error='raise') raises them instead."
        )

    def sentence(self, recorded: int) -> str | None:
        """How many frames were dropped, and why; None where none was. `recorded` is the number of those that were
        not."""
        dropped = sum(self.counts.values())
        if not dropped:
            return None
        reasons = ", ".join(f"{count:,} for {kind}" for kind, count in self.counts.items())
        return f"{dropped:,} of {dropped + recorded:,} frames were dropped: {reasons}; the others are recorded."


def warn(text: str) -> None:
    """A RecordingWarning at the line that called the recorder. Where a filter makes warnings errors it is logged
    instead: it must not end the loop either."""
    try:
        warnings.warn(text, RecordingWarning, stacklevel=_callers_level())
    except RecordingWarning:
        log.warning("%s", text)


def _callers_level() -> int:
    """Frames of the stack from `warn` up to whoever called this library."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_LIBRARY):
        level, frame = level + 1, frame.f_back
    return level
