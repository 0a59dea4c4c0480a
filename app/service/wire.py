"""The bytes of `/ltviz/stream`: little-endian uint32 header length, JSON header, payload.

A header is padded with spaces so that the payload starts on a multiple of four: the browser can lay typed arrays over
it without a copy. What headers hold, and how numbers lie in payloads, stands in `messages`.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np

from ltviz.marks import Vectors
from ltviz.metrics.agreement import LEAST, recorded_for
from ltviz.recording import Attribute, Frame, Probe, RunInfo
from ltviz.recording.older import sphere_is_readout
from ltviz.recording.probe import shrink

from .messages import (
    CLASS,
    COLUMNS,
    CONFIDENCE,
    LOSS,
    NO_CLASS,
    NUMBER,
    PLACE,
    AttributeHeader,
    Delivery,
    FrameHeader,
    Header,
    Kind,
    RunHeader,
    VectorsByClass,
    WhatIfTrust,
    is_nothing,
    is_optional,
)
from .picture import Picture

THUMBNAIL_LIMIT = 16 * 2**20
"""Bytes that all thumbnails of a run take on the wire at most."""
SMALLEST_THUMBNAIL = 8
"""Pixels on the longer side; smaller ones are left out, and the page works without them."""
_IDS, _BYTES = Kind("int32", 1, -(2**31), 2**31 - 1), Kind("uint8", 1, 0, 255)


@dataclass(frozen=True)
class EncodedFrame:
    """A frame, encoded once for all viewers; `message` adds what differs between them."""

    run: str
    step: int
    written: float
    """Unix seconds: when the frame was complete on disk."""
    head: bytes
    """The header without what differs, and without the brace before it: made once, for hundreds of viewers."""
    payload: bytes
    pending: str | None = None
    """The projection that was asked for and is still being computed; the frame is in another one."""
    trouble: str | None = None
    """Why the projection that was asked for is not shown, where it cannot be."""
    partial: bool = False
    """Whether it is a first look, after which all points of the same frame come."""

    @property
    def nbytes(self) -> int:
        return len(self.head) + len(self.payload)

    def message(self, *, seq: int, time: float, live: bool) -> bytes:
        """The message for one viewer: `seq` counts its frames, `time` is Unix seconds."""
        own = _json(vars(Delivery(seq=seq, time=round(time, 4), live=live)))
        return pack(b"".join((own[:-1].encode(), b",", self.head)), self.payload)


def pack(header: str | bytes, payload: bytes = b"") -> bytes:
    """One message from a JSON text and its payload."""
    text = header.encode() if isinstance(header, str) else header
    text += b" " * (-len(text) % 4)
    return b"".join((struct.pack("<I", len(text)), text, payload))


def encode_frame(
    run: str,
    frame: Frame,
    picture: Picture,
    order: np.ndarray,
    written: float,
    first: tuple[np.ndarray, int] | None = None,
) -> EncodedFrame:
    """A frame as `FrameHeader` and payload; as a first look where `first` says which rows of how many samples it has.

    `order` (C,) are the classes from most to fewest samples: on the wire class k is `order[k]`, so that every picture
    can colour by rarity.
    """
    payload, rank = Payload(), ranks(order).astype(np.uint16)
    payload.begin(quantise(picture.points, PLACE).tobytes())
    if first is not None:
        payload.align(4)
        payload.add("rows", first[0], _IDS)
    predictions = frame.samples.get("prediction")
    if predictions is not None:
        payload.add("prediction", ranked(predictions, rank), CLASS)
    for key, shown in picture.marks.items():
        if isinstance(shown, Vectors):
            continue
        for column, values in shown._asdict().items():
            if values is not None:
                payload.add(f"marks.{key}.{column}", rank[values] if column == "y" else values, COLUMNS[column])
    for name, kind in (("loss", LOSS), ("confidence", CONFIDENCE)):
        if (values := frame.samples.get(name)) is not None:
            payload.add(name, values, kind)
    if frame.present is not None:
        payload.add("present", frame.present.astype(np.uint8), _BYTES)
    header = FrameHeader(
        run=run,
        step=int(frame.step),
        epoch=_number(frame.epoch),
        seconds=_number(frame.seconds),
        n=len(picture.points) if first is None else first[1],
        centres=_rows(picture.centres),
        landmarks={name: _rows(points) for name, points in picture.landmarks.items()},
        target_index=None if frame.target_index is None else frame.target_index[order].tolist(),
        metrics={key: value for key, given in frame.metrics.items() if (value := _number(given)) is not None},
        events=frame.events,
        projection=picture.projection,
        predictions=predictions is not None,
        arrays=payload.arrays,
        readings={
            name: [_number(value) for value in (values[order] if len(values) == len(order) else values)]
            for name, values in frame.readings.items()
        },
        vectors={key: _vectors(m.rows[order]) for key, m in picture.marks.items() if isinstance(m, Vectors)},
        forces={
            method: {part: _vectors(force[order]) for part, force in parts.items()}
            for method, parts in picture.forces.items()
        },
    )
    told = picture.projection
    pending, trouble = (None, None) if told is None else (told.pending, told.error)
    head = _json(header).encode()[1:]
    return EncodedFrame(run, header.step, written, head, payload.bytes(), pending, trouble, first is not None)


class Payload:
    """The bytes after a header, and where in them each array lies. Add the widest types first: every array starts on a
    multiple of its item size then.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, tuple[int, int, str]] = {}
        """Name -> byte offset, items, the browser's word for their type."""
        self._parts: list[bytes] = []
        self._size = 0

    def begin(self, data: bytes) -> None:
        """Appends bytes that no header names."""
        self._parts.append(data)
        self._size += len(data)

    def align(self, size: int) -> None:
        """Fills up to a multiple of `size` bytes."""
        self.begin(bytes(-self._size % size))

    def add(self, name: str, values: np.ndarray, kind: Kind) -> None:
        """Appends an array of numbers of this kind."""
        data = quantise(values, kind).tobytes()
        self.arrays[name] = (self._size, int(np.size(values)), kind.type)
        self.begin(data)

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


@cache
def _dtype(word: str) -> np.dtype:
    """A type of the browser's, little-endian."""
    return np.dtype(word).newbyteorder("<")


@cache
def _sent(kind: type) -> list[tuple[str, bool]]:
    """Names of a message's fields, and whether each may be left out."""
    return [(one.name, is_optional(one)) for one in fields(kind)]


def quantise(values: np.ndarray, kind: Kind) -> np.ndarray:
    """Numbers as they lie in a payload, little-endian; what lies outside of the kind's range is clipped."""
    values, dtype = np.asarray(values), _dtype(kind.type)
    if dtype.kind == "f":
        return values.astype(dtype)
    if values.dtype == dtype and kind.scale == 1:
        return values
    scaled = np.rint(np.asarray(values, np.float32) * kind.scale) if values.dtype.kind == "f" else values * kind.scale
    return np.clip(scaled, kind.least, kind.most).astype(dtype)


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
    attributes: Sequence[Attribute] = (),
    thumbnails: int = THUMBNAIL_LIMIT,
) -> bytes:
    """A run as `RunHeader` and payload; classes by rank.

    Args:
        dim: dimension of the embedding.
        groups: 0 head, 1 medium, 2 tail for each class of run.json; `rule` says in words how they were cut.
        thumbnails: bytes that all of them may take; where they are more they travel with fewer pixels. Attributes may
            take as many; those that do not fit are left out, by name.
    """
    order = info.order
    payload = Payload()
    ids = np.asarray(probe.sample_ids)
    if ids.size and ids.min() >= -(2**31) and ids.max() < 2**31:
        payload.add("ids", ids, _IDS)
    sent, left = _fitting(attributes, thumbnails)
    for index, attribute in enumerate(sent):
        payload.add(f"attribute.{index}", attribute.values, NUMBER if attribute.texts is None else _IDS)
    payload.add("labels", ranked(probe.labels, ranks(order)), CLASS)
    payload.add("split", np.asarray(probe.split), _BYTES)
    if probe.label_sets is not None:
        payload.add("label_sets", _label_bits(probe.label_sets, order), _BYTES)
    thumbs = None if probe.thumbnails is None else _thumbnails(probe.thumbnails, thumbnails)
    if thumbs is not None:
        payload.add("thumbs", thumbs, _BYTES)
    header = RunHeader(
        run=run,
        title=info.title,
        method=info.method,
        colour=colour,
        readout=sphere_is_readout(info),
        state=state,
        reason=reason,
        dim=dim,
        num_classes=info.num_classes,
        class_names=[info.class_names[c] for c in order],
        counts=[info.counts[c] for c in order],
        groups=[int(groups[c]) for c in order],
        rule=rule,
        total_steps=info.total_steps,
        n=len(probe.labels),
        readings=info.readings,
        marks=info.marks,
        what_if=WhatIfTrust(LEAST, recorded_for(info.method)),
        arrays=payload.arrays,
        thumb=None if thumbs is None else list(thumbs.shape[1:]),
        attributes=[_about(attribute) for attribute in sent],
        attributes_left=left,
    )
    return pack(_json(header), payload.bytes())


def _fitting(attributes: Sequence[Attribute], most: int) -> tuple[list[Attribute], list[str]]:
    """The attributes that take at most so many bytes together, in their order, and the names of the others."""
    sent, left, taken = [], [], 0
    for attribute in attributes:
        size = 4 * len(attribute.values) + sum(map(len, attribute.texts or ()))
        if taken + size <= most:
            sent.append(attribute)
            taken += size
        else:
            left.append(attribute.name)
    return sent, left


def _about(attribute: Attribute) -> AttributeHeader:
    if attribute.texts is not None:
        return AttributeHeader(name=attribute.name, texts=list(attribute.texts))
    finite = attribute.values[np.isfinite(attribute.values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (None, None)
    return AttributeHeader(name=attribute.name, low=low, high=high)


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


def encode_message(header: Header, payload: bytes = b"") -> bytes:
    """A message, most without a payload."""
    return pack(_json(header), payload)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    """Headers and what lies in them, and numpy's scalars and arrays, which events and metrics may hold."""
    if is_dataclass(value) and not isinstance(value, type):
        name = getattr(value, "type", None)
        kind = {} if name is None else {"type": name}
        held = ((name, getattr(value, name), optional) for name, optional in _sent(type(value)))
        return kind | {name: got for name, got, optional in held if not (optional and is_nothing(got))}
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _number(value: Any) -> float | None:
    """A float that JSON can hold, or None; six significant digits are more than a picture shows."""
    number = float(value)
    return float(f"{number:.6g}") if math.isfinite(number) else None


def _vectors(vectors: np.ndarray) -> VectorsByClass:
    """(K, 3) as lists of four significant digits; None for a zero row, which stands for nothing to show."""
    rows = np.asarray(vectors, float).tolist()
    return [[float(f"{x:.4g}") for x in row] if any(row) and all(map(math.isfinite, row)) else None for row in rows]


def _rows(points: np.ndarray) -> VectorsByClass:
    """(K, 3) as lists of four decimals; a row that is not finite becomes None."""
    points = np.asarray(points, np.float64)
    good = np.logical_and.reduce(np.isfinite(points), axis=1)
    return [row if ok else None for row, ok in zip(np.round(points, 4).tolist(), good.tolist(), strict=True)]
