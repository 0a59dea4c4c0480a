"""A frame: the probe's embeddings at one step, and what a method knew at that step. frames/<step>.safetensors.

`Frame` spells every field once: who measures, writes, reads and sends frames hands on the object. A field of tensors
carries its rule, and is checked, written and read by it: another one is one line and one rule.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from ltviz.errors import RecordingError
from ltviz.marks import Shown
from ltviz.recording import older, tensors
from ltviz.recording.arrays import Sizes, check_column, check_mapping, check_name, check_points
from ltviz.recording.info import MAX_STEP, UNLABELLED
from ltviz.recording.marks import check_forces, check_marks, check_pulls, check_readings
from ltviz.text import plain

_FILE = re.compile(r"\d{9}\.safetensors")
_NO_STEP = "a step that is no whole number in range"


def _check_landmarks(given: Mapping[str, Any], sizes: Sizes) -> dict[str, np.ndarray]:
    given = check_mapping("landmarks", given, sizes.where)
    return {check_name(name): check_points(name, array, sizes.where, sizes.dim) for name, array in given.items()}


def _check_samples(given: Mapping[str, Any], sizes: Sizes) -> dict[str, np.ndarray]:
    given = check_mapping("samples", given, sizes.where)
    return {
        check_name(name): check_column(f"samples['{name}']", array, sizes.where, sizes.samples)
        for name, array in given.items()
    }


def _check_target_index(given: Any, sizes: Sizes) -> np.ndarray | None:
    if given is None:
        return None
    index = np.asarray(given)
    shape = (index.size,) if sizes.classes is None else (sizes.classes,)
    if index.shape != shape or index.dtype.kind not in "iu":
        raise RecordingError(
            f"target_index at {sizes.where} must be one whole number for each of {sizes.classes} classes; "
            f"got {index.dtype} of shape {index.shape}."
        )
    if index.min(initial=-1) < -1 or index.max(initial=-1) >= sizes.targets:
        raise RecordingError(
            f"target_index at {sizes.where} must point at the {sizes.targets} rows of landmarks['targets'] or be -1."
        )
    return index.astype(np.int32)


def _check_present(given: Any, sizes: Sizes) -> np.ndarray | None:
    if given is None:
        return None
    present = np.asarray(given)
    if present.shape != (sizes.samples,) or present.dtype.kind not in "bu" or not np.isin(present, (0, 1)).all():
        raise RecordingError(
            f"present at {sizes.where} must be true or false for each of {sizes.samples} samples; "
            f"got {present.dtype} of shape {present.shape}."
        )
    if not present.any():
        raise RecordingError(f"A frame must hold one sample at least; at {sizes.where} all are absent.")
    return None if present.all() else present.astype(bool)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Frame:
    """One step of a run. Only what `check_frame` gave, and what was read, is sure to be as described.

    A field with a rule, "check", stands in the file as tensors "<field>.<name>...", None as nothing.
    """

    step: int
    epoch: float = 0.0
    """Passes over the data."""
    seconds: float = 0.0
    """Since the run began."""
    embeddings: np.ndarray
    """(N, D) float32, unit rows. That of an absent sample only fills its place."""
    labels: np.ndarray
    """(N,) int32, those of the probe: -1 for a sample without a label or that is absent, and for all where the probe
    cannot be read."""
    present: np.ndarray | None = field(default=None, metadata={"check": _check_present})
    """(N,) bool, False for a sample of which nothing is known at this step: it is not drawn, and never measured. None
    where all are there."""
    landmarks: dict[str, np.ndarray] = field(default_factory=dict, metadata={"check": _check_landmarks})
    """Name -> (K, D) float32 points that the method owns."""
    target_index: np.ndarray | None = field(default=None, metadata={"check": _check_target_index})
    """(C,) int32 or None: `landmarks["targets"][target_index[c]]` is class c's target, -1 for a class without one."""
    samples: dict[str, np.ndarray] = field(default_factory=dict, metadata={"check": _check_samples})
    """Name -> (N,): "prediction" int32, "confidence" float32 (probability of the predicted class), "loss" float16."""
    marks: dict[str, Shown] = field(default_factory=dict, metadata={"check": check_marks})
    """Key -> what is shown of a mark; run.json declares the keys."""
    readings: dict[str, np.ndarray] = field(default_factory=dict, metadata={"check": check_readings})
    """Key -> (C,) or (1,) float32, NaN where nothing is known; run.json declares the keys."""
    forces: dict[str, dict[str, np.ndarray]] = field(default_factory=dict, metadata={"check": check_forces})
    """Method -> part -> (C, D) float32, the force on the batch's samples of each class, zero where it had none; the
    run's own method is one, the others are what-ifs. Parts: "total", "positives", "head", "medium", "tail", "targets",
    "prior"."""
    pulls: np.ndarray | None = field(default=None, metadata={"check": check_pulls})
    """(C, C, D) float32, [c, k] the part of the run's own method's force on class c that partners of class k exert:
    over k they sum to all of it but "targets" and "prior". None where it has not been told apart."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Name -> finite number."""
    events: Sequence[dict[str, Any]] = field(default_factory=list)
    """What happened at this step, such as {"kind": "setting", "name": "temperature", "value": 0.2}."""


_RULES: list[tuple[str, Callable[[Any, Sizes], Any]]] = [
    (one.name, one.metadata["check"]) for one in fields(Frame) if "check" in one.metadata
]
"""The fields of tensors, each with its rule."""


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


def check_frame(frame: Frame, *, num_classes: int | None, dim: int | None) -> Frame:
    """The frame as it is stored; RecordingError says which value does not fit.

    Metrics that are not finite are left out (what cannot be measured is absent) and noted among the events.

    Args:
        num_classes: None where it is not known; numbers of classes are not compared then.
        dim: of all embeddings of the run; None where this is its first frame.
    """
    where = f"step {frame.step}"
    embeddings = check_points("embeddings", frame.embeddings, where, dim)
    if len(embeddings) != len(frame.labels):
        raise RecordingError(
            f"embeddings at {where} must have one row for each of {len(frame.labels)} labels; "
            f"got {len(embeddings)} rows, name the samples that they are with sample_ids.",
            kind="embeddings of another shape",
        )
    sizes = Sizes(where, len(embeddings), num_classes, embeddings.shape[1])
    held = {}
    for name, check in _RULES:
        held[name] = check(getattr(frame, name), sizes)
        if name == "landmarks":
            sizes = sizes._replace(targets=len(held[name].get("targets", ())))
    metrics, notes = _numbers(frame.metrics, where)
    return replace(
        frame,
        epoch=_number("epoch", frame.epoch, where),
        seconds=_number("seconds", frame.seconds, where),
        embeddings=embeddings,
        metrics=metrics,
        events=[*(dict(event) for event in frame.events), *notes],
        **held,
    )


def encode_frame(frame: Frame) -> bytes:
    """The bytes of the frame's file; its labels stand in the probe."""
    arrays = {"embeddings": frame.embeddings}
    for name, _ in _RULES:
        arrays |= _flatten(name, getattr(frame, name))
    metadata = {
        "kind": "frame",
        "step": str(frame.step),
        "epoch": repr(frame.epoch),
        "seconds": repr(frame.seconds),
        "metrics": json.dumps(frame.metrics, allow_nan=False),
        "events": encode_events(frame),
    }
    return tensors.encode(arrays, metadata)


def encode_events(frame: Frame) -> str:
    """The events as they stand in the file; RecordingError where they are no JSON."""
    try:
        return json.dumps(frame.events, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RecordingError(f"events at step {frame.step} must be plain JSON values ({error}).") from error


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
        labels = np.full(len(embeddings), UNLABELLED, np.int32)
    tree = _nest(older.translate(arrays))
    made = Frame(
        step=step,
        epoch=_float(metadata, "epoch"),
        seconds=parse_seconds(metadata),
        embeddings=embeddings,
        labels=labels.copy(),
        metrics=parse_metrics(metadata),
        events=parse_events(metadata),
        **{name: tree[name] for name, _ in _RULES if name in tree},
    )
    frame = check_frame(made, num_classes=num_classes, dim=None)
    if frame.present is not None:
        frame.labels[~frame.present] = UNLABELLED
    return frame


def _flatten(name: str, held: Any) -> dict[str, np.ndarray]:
    """Tensors "<name>.<name>..." of an array, a mapping or a value of a mark; None gives none."""
    if held is None or isinstance(held, np.ndarray):
        return {} if held is None else {name: held}
    parts = held if isinstance(held, Mapping) else held._asdict()
    return {key: array for part, inner in parts.items() for key, array in _flatten(f"{name}.{part}", inner).items()}


def _nest(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The mappings that `_flatten` took apart."""
    tree: dict[str, Any] = {}
    for name, array in arrays.items():
        *path, last = name.split(".")
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
            if not isinstance(branch, dict):
                raise RecordingError(f"Its tensor '{name[:60]}' lies inside another one.")
        if last in branch:
            raise RecordingError(f"Its tensor '{name[:60]}' holds others.")
        branch[last] = array
    return tree


def parse_step(metadata: Mapping[str, str]) -> int:
    """The step in a frame's metadata; RecordingError where it is not a frame's."""
    text = metadata.get("step", "")
    if metadata.get("kind") != "frame" or not re.fullmatch(r"[0-9]{1,9}", text):
        raise RecordingError("It is not a frame.")
    return int(text)


def parse_seconds(metadata: Mapping[str, str]) -> float:
    """The run's time in a frame's metadata, in seconds; RecordingError where it is no finite number."""
    if not math.isfinite(seconds := _float(metadata, "seconds")):
        raise RecordingError("Its seconds are not finite.")
    return seconds


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
    return [{plain(key): plain(value) if isinstance(value, str) else value for key, value in e.items()} for e in events]


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
