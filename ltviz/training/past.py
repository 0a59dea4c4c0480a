"""What a setting was at each step of a run: from run.json, the curves that it follows, and the events of its frames.

No torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from ltviz.training.controls import SCHEDULES
from ltviz.training.schedules import scheduled


def schedules_of(config: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> str:
    """The schedules in force behind the last event, as `past_of` takes its arguments."""
    told = [event for event in _changes(events) if event["name"] == SCHEDULES]
    return str(told[-1]["value"] if told else _part(config, "run").get(SCHEDULES) or "")


def past_of(
    config: Mapping[str, Any],
    events: Iterable[Mapping[str, Any]],
    name: str,
    *,
    total_steps: int,
    taken: int,
    most: int = 128,
) -> list[tuple[int, float]]:
    """(steps taken before, number) along the way, the last one after `taken` steps; empty for a setting without one.

    Where something changes at once there are two points, one on either side.

    Args:
        config: of run.json.
        events: of the frames, in their order; an event's step is the first that felt it.
        name: of the setting.
        most: places that are looked at between two events.

    >>> events = [{"kind": "setting", "name": "tau", "value": 3.0, "before": 1.0, "step": 5}]
    >>> past_of({"method": {"tau": 1.0}}, events, "tau", total_steps=20, taken=10)
    [(0, 1.0), (4, 1.0), (4, 3.0), (10, 3.0)]
    """
    own, run = _part(config, "method"), _part(config, "run")
    start = own.get(name, run.get(name))
    if isinstance(start, bool) or not isinstance(start, int | float):
        return []
    whole, text, held = isinstance(start, int), str(run.get(SCHEDULES) or ""), start
    changes = [event for event in _changes(events) if event["name"] in (name, SCHEDULES) and event["step"] - 1 <= taken]
    edges = sorted({0, taken, *(event["step"] - 1 for event in changes)})
    found: list[tuple[int, float]] = []
    for first, last in pairwise([*edges, taken]):
        for event in changes:
            if event["step"] - 1 != first:
                continue
            if event["name"] == SCHEDULES:
                text = str(event["value"])
            elif isinstance(event["value"], int | float):
                held = event["value"]
        begun = held
        for step in sorted({*range(first, last, max(1, (last - first) // most)), last - 1, last}):
            if step < first:
                continue
            value = scheduled(text, step, total_steps).get(name, begun)
            found.append((step, round(value) if whole else value))
            held = found[-1][1] if step < last else held  # what the setting is left at
    return _thinned(found)


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Without what lies within a level stretch, or twice at one place."""
    kept: list[tuple[int, float]] = []
    for i, point in enumerate(points):
        if kept and point == kept[-1]:
            continue
        before, after = points[max(0, i - 1)], points[min(len(points) - 1, i + 1)]
        if 0 < i < len(points) - 1 and before[1] == point[1] == after[1]:
            continue
        kept.append(point)
    return kept


def _changes(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    found = [event for event in events if event.get("kind") == "setting" and isinstance(event.get("step"), int)]
    return sorted((event for event in found if {"name", "value"} <= set(event)), key=lambda event: event["step"])


def _part(config: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    part = config.get(kind)
    return part if isinstance(part, Mapping) else {}
