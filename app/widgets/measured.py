"""What costs time to know of a single frame, found once and kept: all its measures, its point of a portrait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import TypeVar

import numpy as np
import streamlit as st

from ltviz.errors import LtvizError
from ltviz.export import charts
from ltviz.export.results import Result
from ltviz.metrics import Classes, ShotGroups, distance_within, shot_groups, uniformity
from ltviz.recording import Frame
from ltviz.recording.estimate import Measured, Progress
from ltviz.recording.measured import measure_frame

from .. import words
from ..service.kept import Kept, identify

PATH_POINTS = 24
"""Points of a path through a portrait: more of them lie on one another."""
PATIENCE = 0.4
"""Seconds after which a person is shown how far it is."""

T = TypeVar("T")


_kept = Kept()


def at_step(result: Result, step: int | None) -> Result | None:
    """The run as it was at its newest frame at or before a step; None before its first frame. No step: its last."""
    if step is None:
        return result
    frames = {known: metrics for known, metrics in result.frames.items() if known <= step}
    return replace(result, frames=frames) if frames else None


def measured(result: Result, *progress: Progress) -> Result:
    """The run with the full measures at its step; what its trainer has measured itself stays as it is.

    A `progress` is told how far the measuring is, and may end it.
    """
    step = result.step
    if step is None:
        return result
    found = _kept.get(_key("full", result, step), lambda: _measure(result, *progress))
    return replace(result, frames={**result.frames, step: {**found, **result.metrics}})


def errors_of(result: Result) -> Mapping[str, float]:
    """Standard errors of the measures of a run that `measured` has estimated from some of its points."""
    found = None if result.step is None else _kept.find(_key("full", result, result.step))
    if not isinstance(found, Measured):
        return {}
    return {key: error for key, error in found.errors.items() if result.metrics.get(key) == found[key]}


def is_measured(result: Result) -> bool:
    """Whether `measured` takes no time."""
    return result.step is None or _kept.find(_key("full", result, result.step)) is not None


def portrait(result: Result) -> dict[str, tuple[list[float], list[float], list[float]]]:
    """Group ("head", ...) -> steps, distance within classes and uniformity: the path of a run through that plane."""
    steps = sorted(result.frames)
    stride = max(1, -(-len(steps) // PATH_POINTS))
    chosen = steps[::-1][::stride][::-1]
    found = {step: _kept.get(_key("portrait", result, step), lambda step=step: _place(result, step)) for step in chosen}
    paths: dict[str, tuple[list[float], list[float], list[float]]] = {}
    for step, places in found.items():
        for name, (inside, between) in places.items():
            path = paths.setdefault(name, ([], [], []))
            for column, value in zip(path, (step, inside, between), strict=True):
                column.append(value)
    return paths


def with_progress(items: Sequence[T], said: str) -> Iterator[T]:
    """The items; where the work between them takes a while, a bar shows how far it is and how long it will take."""
    began, bar = monotonic(), None
    try:
        for done, item in enumerate(items):
            spent = monotonic() - began
            if done and spent > PATIENCE:
                left = words.shared.time_left(spent / done * (len(items) - done))
                bar = bar or st.empty()
                bar.progress(
                    done / len(items), words.shared.WORKING.format(what=said, done=done, all=len(items), left=left)
                )
            yield item
    finally:
        if bar is not None:
            bar.empty()


def _key(kind: str, result: Result, step: int) -> tuple:
    path = result.recording.path
    return kind, path, identify(path), step


def _measure(result: Result, *progress: Progress) -> dict[str, float]:
    frame = charts.frame_of(result)
    if frame is None:
        return {}
    try:
        return measure_frame(result.recording, frame, *progress)
    except LtvizError:  # of a stranger's run: what its own trainer measured still stands
        return {}


def _frame(result: Result, step: int) -> Frame | None:
    return charts.frame_of(replace(result, frames={step: {}}))


def _place(result: Result, step: int) -> dict[str, tuple[float, float]]:
    frame = _frame(result, step)
    if frame is None:
        return {}
    labels = charts.labels_of(result, frame, "test")
    unit = Classes.of_labelled(frame.embeddings, labels, result.info.num_classes).normalised()
    return dict(_places(unit, shot_groups(np.array(result.info.counts))))


def _places(unit: Classes, groups: ShotGroups) -> Iterable[tuple[str, tuple[float, float]]]:
    for name, members in groups.items():
        here = np.isin(unit.y, members)
        if here.sum() < 2:
            continue
        inside = distance_within(Classes.of(unit.z[here], unit.y[here], unit.num_classes).normalised())
        if inside is not None:
            yield name, (float(inside), float(uniformity(unit.z[here])))
