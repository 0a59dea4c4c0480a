"""The probe: the fixed samples whose embeddings every frame holds. probe.safetensors, written once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording import tensors
from ltviz.recording.info import MAX_CLASSES, UNLABELLED

MAX_POINTS = 1_000_000
THUMBNAIL_SIDE = 32
THUMBNAIL_BYTES = 512 << 20
"""Of all thumbnails of a run: a probe must stay within what a reader takes."""
_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """N samples: `labels` (N,) int32, -1 where a sample has none, `split` (N,) uint8 (0 train, 1 test, 2 validation),
    `sample_ids` (N,) int64 in the data set, `thumbnails` uint8, grey (N, H, W) or in colour (N, H, W, 3) with
    H, W <= 32, or None.

    Where samples have several labels, `label_sets` (N, C) uint8 is 1 for every class that a sample shows, and `labels`
    holds one of them; it is None where they have one.
    """

    labels: np.ndarray
    split: np.ndarray
    sample_ids: np.ndarray
    thumbnails: np.ndarray | None = None
    label_sets: np.ndarray | None = None

    @property
    def known_split(self) -> np.ndarray | None:
        """`split`; None where all samples are training samples, as those of a run are to whom nobody gave a split: what
        is said of them is not said of training samples, and not of test samples."""
        return self.split if self.split.any() else None


def make_probe(
    labels: Any,
    *,
    num_classes: int,
    split: Any = None,
    sample_ids: Any = None,
    images: Any = None,
    label_sets: Any = None,
) -> Probe:
    """A probe from arrays, checked and copied; RecordingError says which one does not fit.

    Args:
        labels: (N,) ints in [0, num_classes), or -1 for a sample without a label.
        split: (N,) 0 for train, 1 for test, 2 for validation; all train where left out.
        sample_ids: (N,) ints; 0 ... N-1 where left out.
        images: as in `make_thumbnails`.
        label_sets: (N, C) of 0 and 1, C at most num_classes; sample i's own `labels[i]` is among them, and none is of
            a sample without a label.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not 1 <= len(labels) <= MAX_POINTS:
        raise RecordingError(
            f"labels must be 1 to {MAX_POINTS:,} whole numbers, shape (N,); got {labels.dtype} of shape {labels.shape}."
        )
    if labels.min() < UNLABELLED or labels.max() >= num_classes:
        raise RecordingError(
            f"labels must lie in [0, {num_classes}), one number a class, or be -1 for none; "
            f"got {labels.min()} to {labels.max()}."
        )
    count = len(labels)
    split = np.zeros(count, np.uint8) if split is None else np.asarray(split)
    if split.shape != (count,) or not np.isin(split, (0, 1, 2)).all():
        raise RecordingError(
            f"split must be 0 (train), 1 (test) or 2 (validation) for each of {count} samples; "
            f"got {split.dtype} of shape {split.shape}."
        )
    sample_ids = np.arange(count) if sample_ids is None else np.asarray(sample_ids)
    if sample_ids.shape != (count,) or sample_ids.dtype.kind not in "iu" or int(sample_ids.max()) >= 2**63:
        raise RecordingError(
            f"sample_ids must be {count} whole numbers below 2^63; got {sample_ids.dtype} of shape {sample_ids.shape}."
        )
    thumbnails = None if images is None else make_thumbnails(images, count)
    if label_sets is not None:
        label_sets = _check_label_sets(np.asarray(label_sets), labels, num_classes)
    return Probe(labels.astype(np.int32), split.astype(np.uint8), sample_ids.astype(np.int64), thumbnails, label_sets)


def _check_label_sets(sets: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    if sets.ndim != 2 or len(sets) != len(labels) or sets.shape[1] > num_classes or sets.dtype.kind not in "bui":
        raise RecordingError(
            f"label_sets must be 0 or 1 for each of {len(labels)} samples and at most {num_classes} classes; "
            f"got {sets.dtype} of shape {sets.shape}."
        )
    if sets.min(initial=0) < 0 or sets.max(initial=0) > 1 or labels.max() >= sets.shape[1]:
        raise RecordingError("label_sets must hold 0 and 1 alone, with a column for every label.")
    labelled = np.flatnonzero(labels != UNLABELLED)
    own = sets[labelled, labels[labelled]]
    if not own.all():
        row = int(labelled[own == 0][0])
        raise RecordingError(f"label_sets must hold each sample's own label; sample {row} lacks {labels[row]}.")
    if sets[labels == UNLABELLED].any():
        raise RecordingError("label_sets must be 0 throughout for a sample without a label (-1).")
    return sets.astype(np.uint8)


def make_thumbnails(images: Any, count: int, *, most_bytes: int | None = THUMBNAIL_BYTES) -> np.ndarray:
    """Small pictures, uint8: grey (N, H, W), or red, green and blue (N, H, W, 3), of at most 32 x 32 pixels.

    Args:
        images: (N, H, W), (N, H, W, channels) or (N, channels, H, W) with 1, 3 or 4 channels, the fourth (how opaque)
            left out: uint8, or numbers that are taken as brightness from 0 to 1 where they lie in that range and are
            stretched to it where they do not.
        most_bytes: they get fewer pixels where all together would need more.
    """
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[3] not in (1, 3, 4) and images.shape[1] in (1, 3, 4):
        images = np.moveaxis(images, 1, 3)
    fits = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3, 4))
    if not fits or len(images) != count or images.dtype.kind not in "buif" or 0 in images.shape:
        raise RecordingError(
            f"images must be {count} pictures, shape (N, H, W) or with 1, 3 or 4 channels; "
            f"got {images.dtype} of shape {images.shape}."
        )
    if images.ndim == 4:
        images = images[..., 0] if images.shape[3] == 1 else images[..., :3]
    step = math.ceil(max(images.shape[1:3]) / THUMBNAIL_SIDE)
    depth = images[0, 0, 0].size
    largest = max(images.shape[1:3])
    while step < largest and most_bytes and count * depth * math.prod(_shrunk(images.shape[1:3], step)) > most_bytes:
        step += 1
    small = shrink(images, step)
    if images.dtype == np.uint8:
        return small
    if not np.isfinite(small).all():
        raise RecordingError("images must be finite; some pixels are NaN or infinite.")
    low, high = float(small.min()), float(small.max())
    if low < 0 or high > 1:
        small = (small - low) / max(high - low, 1e-12)
    return np.round(small * 255).astype(np.uint8)


def shrink(images: np.ndarray, step: int) -> np.ndarray:
    """(N, H / step, W / step, ...) means over squares of `step` pixels, what is over left out: uint8 of uint8, float32
    of others."""
    height, width = _shrunk(images.shape[1:3], step)
    tall, wide = min(step, images.shape[1]), min(step, images.shape[2])
    whole = images.dtype == np.uint8
    if step == 1:
        return images.astype(np.uint8 if whole else np.float32)
    small = np.empty((len(images), height, width, *images.shape[3:]), np.uint8 if whole else np.float32)
    # Block by block: large photographs of many samples would need four times their own room as floats.
    block = max(1, _BLOCK // images[0].size)
    for start in range(0, len(images), block):
        some = images[start : start + block, : height * tall, : width * wide].astype(np.float32)
        some = some.reshape(len(some), height, tall, width, wide, *images.shape[3:]).mean(axis=(2, 4))
        small[start : start + block] = np.round(some) if whole else some
    return small


def _shrunk(size: tuple[int, ...], step: int) -> tuple[int, int]:
    return max(1, size[0] // step), max(1, size[1] // step)


def encode_probe(probe: Probe) -> bytes:
    """The bytes of probe.safetensors."""
    arrays = {"labels": probe.labels, "split": probe.split, "sample_ids": probe.sample_ids}
    if probe.thumbnails is not None:
        arrays["thumbnails"] = probe.thumbnails
    if probe.label_sets is not None:
        arrays["label_sets"] = probe.label_sets
    return tensors.encode(arrays, {"kind": "probe"})


def decode_probe(data: bytes) -> Probe:
    """The probe in the bytes of probe.safetensors; RecordingError says what does not hold."""
    arrays, metadata = tensors.decode(data)
    if metadata.get("kind") != "probe" or not {"labels", "split", "sample_ids"} <= arrays.keys():
        raise RecordingError("It is not a probe.")
    thumbnails = arrays.get("thumbnails")
    if thumbnails is not None and (thumbnails.dtype != np.uint8 or max(thumbnails.shape, default=0) > MAX_POINTS):
        raise RecordingError(f"Its thumbnails are {thumbnails.dtype} of shape {thumbnails.shape}.")
    probe = make_probe(
        arrays["labels"],
        num_classes=MAX_CLASSES,
        split=arrays["split"],
        sample_ids=arrays["sample_ids"],
        label_sets=arrays.get("label_sets"),
    )
    if thumbnails is None:
        return probe
    return replace(probe, thumbnails=make_thumbnails(thumbnails, len(probe.labels), most_bytes=None))
