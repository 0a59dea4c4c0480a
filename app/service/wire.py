"""The bytes of `/ltviz/stream`: little-endian uint32 header length, JSON header, payload.

A header is padded with spaces so that the payload starts on a multiple of four: the browser can lay typed arrays over
it without a copy. Frames carry a `step`; all other messages do not.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ltviz.metrics.agreement import LEAST, recorded_for
from ltviz.recording import Cloud, Frame, Links, Probe, RunInfo
from ltviz.recording.probe import shrink

INT16_SCALE = 32767
LOSS_SCALE = 4096
NO_CLASS = 65535
"""The label of a sample that has none, and the prediction where there is none."""
THUMBNAIL_LIMIT = 16 * 2**20
"""Bytes that all thumbnails of a run take on the wire at most."""
SMALLEST_THUMBNAIL = 8
"""Pixels on the longer side; smaller ones are left out, and the page works without them."""


@dataclass(frozen=True)
class View:
    """A frame as one picture shows it: three coordinates for everything on it, inside the unit ball."""

    points: np.ndarray
    """(N, 3) float."""
    centres: np.ndarray
    """(C, 3) float; rows of NaN for classes without points."""
    landmarks: Mapping[str, np.ndarray]
    """Name -> (K, 3) float."""
    projection: Mapping[str, Any] | None
    """None where the picture is the embedding itself, else the projection's name and honesty; see `Look.header`."""
    links: Mapping[str, Links] = field(default_factory=dict)
    """Name -> pairs whose places are (K, 3) float."""
    clouds: Mapping[str, Cloud] = field(default_factory=dict)
    """Name -> remembered points, (K, 3) float."""
    forces: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    """Method -> part -> (C, 3) float; empty where a picture cannot show directions."""


@dataclass(frozen=True)
class EncodedFrame:
    """A frame, encoded once for all viewers; `message` adds what differs between them."""

    run: str
    step: int
    written: float
    """Unix seconds: when the frame was complete on disk."""
    head: str
    """The header without its opening brace and without seq, time and live."""
    payload: bytes
    pending: str | None = None
    """The projection that was asked for and is still being computed; the frame is in another one."""
    trouble: str | None = None
    """Why the projection that was asked for is not shown, where it cannot be."""

    @property
    def nbytes(self) -> int:
        return len(self.head) + len(self.payload)

    def message(self, *, seq: int, time: float, live: bool) -> bytes:
        """The message for one viewer: `seq` counts its frames, `time` is Unix seconds."""
        return pack(f'{{"seq":{seq},"time":{time:.4f},"live":{"true" if live else "false"},{self.head}', self.payload)


def pack(header: str, payload: bytes = b"") -> bytes:
    """One message from a JSON text and its payload."""
    text = header.encode()
    text += b" " * (-len(text) % 4)
    return b"".join((struct.pack("<I", len(text)), text, payload))


def encode_frame(run: str, frame: Frame, view: View, order: np.ndarray, written: float) -> EncodedFrame:
    """Quantises a frame: (N, 3) little-endian int16 of 1/32767, then the arrays that its header lists.

    `arrays` is name -> byte offset in the payload, items, type: prediction (class by rank), loss (units of 1/4096,
    clipped from 16 on), confidence (1/255), and the columns of links and clouds; ages are steps, clipped at 65,535.

    `order` (C,) are the classes from most to fewest samples: on the wire class k is `order[k]`, so that every picture
    can colour by rarity.
    """
    payload = Payload(quantise(view.points))
    rank = ranks(order)
    predictions = frame.samples.get("prediction")
    if predictions is not None:
        payload.add("prediction", ranked(predictions, rank), "<u2", "uint16")
    for name, links in view.links.items():
        payload.add(f"links.{name}.a", _int16(links.a), "<i2", "int16")
        payload.add(f"links.{name}.b", _int16(links.b), "<i2", "int16")
        payload.add(f"links.{name}.y", rank[links.y], "<u2", "uint16")
    for name, cloud in view.clouds.items():
        payload.add(f"clouds.{name}.points", _int16(cloud.points), "<i2", "int16")
        payload.add(f"clouds.{name}.y", rank[cloud.y], "<u2", "uint16")
        payload.add(f"clouds.{name}.age", np.clip(np.rint(cloud.age), 0, 65535), "<u2", "uint16")
    if (loss := frame.samples.get("loss")) is not None:
        payload.add("loss", np.clip(np.rint(loss.astype(np.float32) * LOSS_SCALE), 0, 65535), "<u2", "uint16")
    if (confidence := frame.samples.get("confidence")) is not None:
        payload.add("confidence", np.clip(np.rint(confidence.astype(np.float32) * 255), 0, 255), "u1", "uint8")
    header = {
        "run": run,
        "step": int(frame.step),
        "epoch": _number(frame.epoch),
        "seconds": _number(frame.seconds),
        "n": len(view.points),
        "centres": _rows(view.centres),
        "landmarks": {name: _rows(points) for name, points in view.landmarks.items()},
        "target_index": None if frame.target_index is None else frame.target_index[order].tolist(),
        "metrics": {key: value for key, given in frame.metrics.items() if (value := _number(given)) is not None},
        "events": list(frame.events),
        "projection": None if view.projection is None else {k: _plain_value(v) for k, v in view.projection.items()},
        "predictions": predictions is not None,
        "arrays": payload.arrays,
        "readings": {
            name: [_number(value) for value in (values[order] if len(values) == len(order) else values)]
            for name, values in frame.insight.readings.items()
        },
        "forces": {
            method: {part: _vectors(forces[order]) for part, forces in parts.items()}
            for method, parts in view.forces.items()
        },
    }
    told = view.projection or {}
    return EncodedFrame(
        run,
        int(frame.step),
        written,
        _json(header)[1:],
        payload.bytes(),
        pending=told.get("pending"),
        trouble=told.get("error"),
    )


class Payload:
    """The bytes after a header, and where in them each array lies. Add the widest types first: every array starts on a
    multiple of its item size then.
    """

    def __init__(self, start: bytes = b""):
        self.arrays: dict[str, tuple[int, int, str]] = {}
        """Name -> byte offset, items, the browser's word for their type."""
        self._parts = [start]
        self._size = len(start)

    def add(self, name: str, values: np.ndarray, dtype: str, word: str) -> None:
        """Appends an array as `dtype`."""
        data = np.ascontiguousarray(values, dtype).tobytes()
        self.arrays[name] = (self._size, int(values.size), word)
        self._parts.append(data)
        self._size += len(data)

    def bytes(self) -> bytes:
        return b"".join(self._parts)


def ranks(order: np.ndarray) -> np.ndarray:
    """(C,) the inverse of `order`: class -> its rank by number of samples."""
    inverse = np.empty(len(order), np.int64)
    inverse[order] = np.arange(len(order))
    return inverse


def ranked(classes: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """(N,) ranks of classes (N,); NO_CLASS for -1 and whatever else is no class of the run."""
    known = (classes >= 0) & (classes < len(rank))
    out = np.full(len(classes), NO_CLASS, np.uint16)
    out[known] = rank[classes[known]]
    return out


def quantise(points: np.ndarray) -> bytes:
    """(N, 3) coordinates in [-1, 1] as little-endian int16 in units of 1/32767; what lies outside is clipped."""
    return _int16(points).astype("<i2").tobytes()


def _int16(points: np.ndarray) -> np.ndarray:
    scaled = np.asarray(points, np.float32) * INT16_SCALE
    return np.clip(np.rint(scaled), -INT16_SCALE, INT16_SCALE)


def encode_run(
    run: str,
    info: RunInfo,
    probe: Probe,
    *,
    dim: int,
    colour: str,
    state: str,
    reason: str | None,
    groups: Sequence[int],
    rule: str,
    thumbnails: int = THUMBNAIL_LIMIT,
) -> bytes:
    """The message that a viewer gets once per run: names, counts, and what every sample is; classes by rank.

    Args:
        dim: dimension of the embedding.
        groups: 0 head, 1 medium, 2 tail for each class of run.json; `rule` says in words how they were cut.
        thumbnails: bytes that all of them may take; where they are more they travel with fewer pixels.

    `thumb` is [height, width] of grey thumbnails, [height, width, 3] of those in colour, None where there are none.
    """
    order = info.order
    payload = Payload()
    ids = np.asarray(probe.sample_ids)
    if ids.size and ids.min() >= -(2**31) and ids.max() < 2**31:
        payload.add("ids", ids, "<i4", "int32")
    payload.add("labels", ranked(probe.labels, ranks(order)), "<u2", "uint16")
    payload.add("split", np.asarray(probe.split), "u1", "uint8")
    if probe.label_sets is not None:
        payload.add("label_sets", _label_bits(probe.label_sets, order), "u1", "uint8")
    thumbs = None if probe.thumbnails is None else _thumbnails(probe.thumbnails, thumbnails)
    if thumbs is not None:
        payload.add("thumbs", thumbs, "u1", "uint8")
    header = {
        "type": "run",
        "run": run,
        "title": info.title,
        "method": info.method,
        "colour": colour,
        "state": state,
        "reason": reason,
        "dim": dim,
        "num_classes": info.num_classes,
        "class_names": [info.class_names[c] for c in order],
        "counts": [info.counts[c] for c in order],
        "groups": [int(groups[c]) for c in order],
        "rule": rule,
        "total_steps": info.total_steps,
        "n": len(probe.labels),
        "readings": [reading.model_dump() for reading in info.readings],
        "what_if": {"least": LEAST, "cosines": recorded_for(info.method)},
        "arrays": payload.arrays,
        "thumb": None if thumbs is None else list(thumbs.shape[1:]),
    }
    return pack(_json(header), payload.bytes())


def _thumbnails(thumbs: np.ndarray, most: int) -> np.ndarray | None:
    """As they are, or with as many fewer pixels as it takes to travel; None where too little would be left."""
    for step in range(1, max(thumbs.shape[1:3]) // SMALLEST_THUMBNAIL + 1):
        if (small := thumbs if step == 1 else shrink(thumbs, step)).nbytes <= most:
            return small
    return thumbs if thumbs.nbytes <= most else None


def _label_bits(sets: np.ndarray, order: np.ndarray) -> np.ndarray:
    """(N, ceil(C / 8)) uint8: bit c % 8 of byte c // 8 says whether a sample shows class c by rank."""
    whole = np.zeros((len(sets), len(order)), np.uint8)
    whole[:, : sets.shape[1]] = sets
    return np.packbits(whole[:, order], axis=1, bitorder="little")


def encode_message(kind: str, **fields: Any) -> bytes:
    """A message without payload: `state`, `clock` or `error`. A step that it speaks of has another name, as `at`."""
    if "step" in fields:
        raise ValueError(f"A {kind} message is no frame, and only frames carry a step; call the field something else.")
    return pack(_json({"type": kind, **fields}))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    """numpy's scalars and arrays, which events and metrics may hold."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _plain_value(value: Any) -> Any:
    return value if value is None or isinstance(value, str | bool) else _number(value)


def _number(value: Any) -> float | None:
    """A float that JSON can hold, or None; six significant digits are more than a picture shows."""
    number = float(value)
    return float(f"{number:.6g}") if math.isfinite(number) else None


def _vectors(vectors: np.ndarray) -> list[list[float | None] | None]:
    """(K, 3) as lists of four significant digits; None for a zero row, which stands for nothing measured."""
    return [[_number(f"{x:.4g}") for x in row] if any(row) else None for row in np.asarray(vectors, float).tolist()]


def _rows(points: np.ndarray) -> list[list[float] | None]:
    """(K, 3) as lists of four decimals; a row that is not finite becomes None."""
    points = np.asarray(points, np.float64)
    good = np.isfinite(points).all(axis=1)
    return [row if ok else None for row, ok in zip(np.round(points, 4).tolist(), good.tolist(), strict=True)]
