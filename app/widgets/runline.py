"""What a list of runs knows of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ltviz.recording import Status

from ..service.tail import LIVE

STOPPED = ("finished", "stopped")
"""State and reason of a run that a person has stopped."""


@dataclass(frozen=True)
class RunLine:
    """What the list knows of one run."""

    run: str
    title: str
    method: str | None
    status: Status
    total: int | None
    config: dict[str, Any]
    folder: str | None = None
    """Where it lies below the home, where that is not what it goes by."""
    cluster: str | None = None
    """Where it trains, where that is not this machine."""

    @property
    def live(self) -> bool:
        return self.status.state in LIVE

    @property
    def resumes(self) -> bool:
        """Whether the trainer can go on with it: it ended before its last step, by whatever end."""
        ended = self.status.state in ("failed", "lost") or (self.status.state, self.status.reason) == STOPPED
        return ended and "run" in self.config and self.method is not None
