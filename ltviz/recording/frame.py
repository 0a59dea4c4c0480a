"""A frame: the probe's embeddings at one step, and what a method knew at that step. frames/<step>.safetensors."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording import tensors
from ltviz.recording.arrays import check_column, check_name, check_points, group
from ltviz.recording.info import MAX_STEP
from ltviz.recording.insight import Insight, decode_insight, encode_insight, make_insight

_FILE = re.compile(r"\d{9}\.safetensors")
_NO_STEP = "a step that is no whole number in range"


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One step of a run.

    `embeddings` (N, D) float32, unit rows; `labels` (N,) int32, those of the probe: -1 for a sample without a label,
    and for all where the probe cannot be read.
    `landmarks`: name -> (K, D) float32 points that the method owns. `target_index` (C,) int32 or None:
    `landmarks["targets"][target_index[c]]` is class c's target, -1 for a class without one.
    `samples`: name -> (N,), such as "prediction" int32 and "confidence" float32 (probability of the predicted class).
    `metrics`: name -> finite number. `events`: what happened at this step, such as
    {"kind": "setting", "name": "temperature", "value": 0.2}. `epoch` in passes over the data, `seconds` since the run
    began. `insight`: what the method lets be seen beside its points.
    """

    step: int
    epoch: float
    seconds: float
    embeddings: np.ndarray
    labels: np.ndarray
    landmarks: dict[str, np.ndarray] = field(default_factory=dict)
    target_index: np.ndarray | None = None
    samples: dict[str, np.ndarray] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    insight: Insight = field(default_factory=Insight)


def file_name(step: int) -> str:
    """Name of the frame's file: "000000042.safetensors"."""
    return f"{step:09d}.safetensors"


def step_of(name: str) -> int | None:
    """The step in a frame's file name; None for any other name."""
    return int(name[:9]) if _FILE.fullmatch(name) else None


def check_step(step: Any) -> int:
    """`step` as an int, 3 for 3.0 too; RecordingError where it is none in [0, 999,999,999]."""
    given: Any = int(step) if isinstance(step, float | np.floating) and float(step).is_integer() else step
    try:
        number = given.__index__()
    except (AttributeError, TypeError) as error:
        raise RecordingError(f"step must be a whole number; got {step!r:.80}.", kind=_NO_STEP) from error
    if not 0 <= number <= MAX_STEP:
        raise RecordingError(f"step must lie in [0, {MAX_STEP:,}]; got {number}.", kind=_NO_STEP)
    return number


def make_frame(
    step: int,
    *,
    labels: np.ndarray,
    num_classes: int,
    dim: int | None,
    embeddings: Any,
    landmarks: Mapping[str, Any] | None = None,
    target_index: Any = None,
    samples: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
    epoch: float = 0.0,
    seconds: float = 0.0,
    events: Sequence[Mapping[str, Any]] = (),
    **insight: Any,
) -> Frame:
    """A frame from a writer's values, checked; RecordingError says which one does not fit.

    Metrics that are not finite are left out (what cannot be measured is absent) and noted among the events. `insight`
    are the arguments of `make_insight`.
    """
    where = f"step {step}"
    embeddings = check_points("embeddings", embeddings, where, dim)
    if len(embeddings) != len(labels):
        raise RecordingError(
            f"embeddings at {where} must have one row for each of {len(labels)} labels; got {len(embeddings)} rows.",
            kind="embeddings of another shape",
        )
    points = {
        check_name(name): check_points(name, array, where, embeddings.shape[1])
        for name, array in (landmarks or {}).items()
    }
    if target_index is not None:
        target_index = np.asarray(target_index)
        limit = len(points.get("targets", ()))
        if target_index.shape != (num_classes,) or target_index.dtype.kind not in "iu":
            raise RecordingError(
                f"target_index at {where} must be one whole number for each of {num_classes} classes; "
                f"got {target_index.dtype} of shape {target_index.shape}."
            )
        if target_index.min(initial=-1) < -1 or target_index.max(initial=-1) >= limit:
            raise RecordingError(
                f"target_index at {where} must point at the {limit} rows of landmarks['targets'] or be -1."
            )
        target_index = target_index.astype(np.int32)
    columns = {
        check_name(name): check_column(f"samples['{name}']", array, where, len(labels))
        for name, array in (samples or {}).items()
    }
    numbers, notes = _numbers(metrics or {}, where)
    return Frame(
        step=step,
        epoch=_number("epoch", epoch, where),
        seconds=_number("seconds", seconds, where),
        embeddings=embeddings,
        labels=labels,
        landmarks=points,
        target_index=target_index,
        samples=columns,
        metrics=numbers,
        events=[*(dict(event) for event in events), *notes],
        insight=make_insight(where, num_classes=num_classes, dim=embeddings.shape[1], **insight),
    )


def encode_frame(frame: Frame) -> bytes:
    """The bytes of the frame's file; its labels stand in the probe."""
    arrays = {"embeddings": frame.embeddings}
    if frame.target_index is not None:
        arrays["target_index"] = frame.target_index
    arrays |= {f"landmarks.{name}": array for name, array in frame.landmarks.items()}
    arrays |= {f"samples.{name}": array for name, array in frame.samples.items()}
    arrays |= encode_insight(frame.insight)
    try:
        events = json.dumps(frame.events, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RecordingError(f"events at step {frame.step} must be plain JSON values ({error}).") from error
    metadata = {
        "kind": "frame",
        "step": str(frame.step),
        "epoch": repr(frame.epoch),
        "seconds": repr(frame.seconds),
        "metrics": json.dumps(frame.metrics, allow_nan=False),
        "events": events,
    }
    return tensors.encode(arrays, metadata)


def decode_frame(data: bytes, *, step: int, labels: np.ndarray | None, num_classes: int | None = None) -> Frame:
    """The frame of `step` in the bytes of its file. `labels` (N,) come from the probe; None gives -1. `num_classes`
    comes from run.json; None where it cannot be read.

    RecordingError says what does not hold: a checksum, a shape, a value that is not finite.
    """
    arrays, metadata = tensors.decode(data)
    if parse_step(metadata) != step:
        raise RecordingError(f"It holds another step ({metadata['step']:.20}) than its name says.")
    embeddings = check_points("embeddings", arrays.get("embeddings"), "its step", None)
    if labels is None:
        labels = np.full(len(embeddings), -1, np.int32)
    target_index = arrays.get("target_index")
    made = make_frame(
        step,
        labels=labels.copy(),
        num_classes=0 if target_index is None else target_index.size,
        dim=None,
        embeddings=embeddings,
        landmarks=group(arrays, "landmarks."),
        target_index=target_index,
        samples=group(arrays, "samples."),
        metrics=parse_metrics(metadata),
        epoch=_float(metadata, "epoch"),
        seconds=_float(metadata, "seconds"),
        events=parse_events(metadata),
    )
    return replace(made, insight=decode_insight(arrays, num_classes=num_classes, dim=embeddings.shape[1]))


def parse_step(metadata: Mapping[str, str]) -> int:
    """The step in a frame's metadata; RecordingError where it is not a frame's."""
    text = metadata.get("step", "")
    if metadata.get("kind") != "frame" or not re.fullmatch(r"[0-9]{1,9}", text):
        raise RecordingError("It is not a frame.")
    return int(text)


def parse_metrics(metadata: Mapping[str, str]) -> dict[str, float]:
    """The metrics in a frame's metadata; RecordingError where they are no finite numbers."""
    try:
        values = json.loads(metadata.get("metrics", "{}"))
        numbers = {name: float(value) for name, value in values.items() if not isinstance(value, str)}
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise RecordingError("Its metrics cannot be read.") from error
    if len(numbers) < len(values) or not all(map(math.isfinite, numbers.values())):
        raise RecordingError("Its metrics are not finite numbers.")
    return numbers


def parse_events(metadata: Mapping[str, str]) -> list[dict[str, Any]]:
    """The events in a frame's metadata; RecordingError where they are no list of objects."""
    try:
        events = json.loads(metadata.get("events", "[]"))
    except (ValueError, RecursionError) as error:
        raise RecordingError("Its events cannot be read.") from error
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise RecordingError("Its events cannot be read.")
    return events


def _numbers(metrics: Mapping[str, Any], where: str) -> tuple[dict[str, float], list[dict[str, Any]]]:
    numbers: dict[str, float] = {}
    notes: list[dict[str, Any]] = []
    for name, value in metrics.items():
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise RecordingError(
                f"metrics[{name!r}] at {where} must be a number; got {value!r:.80}.", kind="a metric that is no number"
            ) from error
        if math.isfinite(number):
            numbers[str(name)] = number
        else:
            notes.append({"kind": "note", "text": f"The metric '{name}' was not finite ({number})."})
    return numbers, notes


def _number(name: str, value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise RecordingError(f"{name} at {where} must be a number; got {value!r:.80}.") from error
    if not math.isfinite(number):
        raise RecordingError(f"{name} at {where} must be finite; got {number}.", kind=f"NaN or infinity in {name}")
    return number


def _float(metadata: Mapping[str, str], name: str) -> float:
    try:
        return float(metadata.get(name, "0"))
    except ValueError as error:
        raise RecordingError(f"Its {name} is not a number.") from error
