"""Settings that were changed while a run trained, and what the measures did from then to the next change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ltviz.recording.recording import Recording


@dataclass(frozen=True)
class Changed:
    """A setting that took another value.

    Attributes:
        step: the first one that felt it.
        before, value: of the setting; `before` is None where the frame does not say.
        at: steps of the frames that are compared, the last one before the change and the last one before the next
            change; None where one of them is missing.
        measures: key -> value in the two frames, of those that both have.
    """

    step: int
    name: str
    before: Any
    value: Any
    at: tuple[int, int] | None
    measures: Mapping[str, tuple[float, float]]


def changes_of(recording: Recording) -> list[Changed]:
    """Every change that the run's frames tell of, in its order; what followed may have had other causes too."""
    events = [event for at in recording.frame_events().values() for event in at if _is_change(event)]
    events.sort(key=lambda event: int(event["step"]))
    measured = recording.frame_metrics()
    steps = sorted({int(event["step"]) for event in events})
    found = []
    for event in events:
        step = int(event["step"])
        until = next((later for later in steps if later > step), None)
        earlier = [known for known in measured if known < step]
        later = [known for known in measured if known >= step and (until is None or known < until)]
        at = (max(earlier), max(later)) if earlier and later else None
        measures = {} if at is None else _both(measured[at[0]], measured[at[1]])
        found.append(Changed(step, str(event["name"]), event.get("before"), event["value"], at, measures))
    return found


def _is_change(event: Mapping[str, Any]) -> bool:
    return event.get("kind") == "setting" and isinstance(event.get("step"), int) and {"name", "value"} <= set(event)


def _both(first: Mapping[str, float], last: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    return {key: (value, last[key]) for key, value in first.items() if key in last}
