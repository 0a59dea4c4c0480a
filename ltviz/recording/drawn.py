"""A part of many samples that speaks for all of them."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording import tensors
from ltviz.recording.arrays import check_points
from ltviz.recording.frame import Frame, file_name, parse_metrics, parse_step
from ltviz.recording.probe import Probe
from ltviz.recording.recording import Recording

MANY = 50_000
"""Points from which on a first look at some comes before all of them."""
DRAWN = 20_000
"""Points that stand for all of so many: views are fitted to them."""
_kept: OrderedDict[tuple[int, int], np.ndarray] = OrderedDict()
_guard = threading.Lock()


def draw_evenly(labels: np.ndarray, most: int, *, least: int = 2, seed: int = 0) -> np.ndarray:
    """(M,) growing indices of `most` samples, or of all where they are not more: as large a share of each class as of
    all, and `least` of each at least, or all it has, where half of them are room enough; the same for the same labels.

    >>> draw_evenly(np.array([0] * 90 + [1] * 10), 20).searchsorted(90)
    np.int64(18)
    >>> draw_evenly(np.array([0] * 90 + [1] * 10), 20, least=5).searchsorted(90)
    np.int64(15)
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    _, first, counts = np.unique(labels[order], return_index=True, return_counts=True)
    if 2 * least * len(counts) > most:
        return np.sort(order[np.arange(most) * len(labels) // most])
    sure = np.minimum(counts, least)
    wanted = counts * (most / len(labels))
    share = np.maximum(np.floor(wanted).astype(np.int64), sure)
    if (over := int(share.sum()) - most) > 0:  # what the small ones have more comes from the large ones
        spare = share - sure
        share -= np.ceil(spare * (over / spare.sum())).astype(np.int64)
    # What rounding left over goes to those it took most from.
    behind = np.argsort(np.where(share < counts, share - wanted, np.inf), kind="stable")
    share[behind[: most - int(share.sum())]] += 1
    place = np.arange(len(labels)) - np.repeat(first, counts)
    return np.sort(order[place < np.repeat(share, counts)])


def drawn_rows(labels: np.ndarray) -> np.ndarray | None:
    """(M,) growing indices of `DRAWN` of more than `MANY` samples, as many of a rare class as make a centre; None for
    fewer samples, which stand for themselves. The same for the same labels, and only drawn once."""
    if len(labels) <= MANY:
        return None
    key = len(labels), zlib.crc32(np.ascontiguousarray(labels).data)
    with _guard:
        if key not in _kept:
            classes = len(np.unique(labels))
            _kept[key] = draw_evenly(labels, DRAWN, least=max(2, DRAWN // (2 * classes)))
            while len(_kept) > 4:
                _kept.popitem(last=False)
        return _kept[key]


def drawn_of(frame: Frame) -> Frame:
    """What stands for a frame of many samples: its step, and the drawn ones; the frame itself where they are few."""
    rows = drawn_rows(frame.labels)
    if rows is None:
        return frame
    return Frame(step=frame.step, embeddings=frame.embeddings[rows], labels=frame.labels[rows], metrics=frame.metrics)


def split_of(frame: Frame, probe: Probe) -> np.ndarray | None:
    """(M,) the split of the samples of a frame, which may be those that `drawn_of` gives; None where it is unknown."""
    split, rows = probe.known_split, drawn_rows(probe.labels)
    if split is None or rows is None or len(frame.labels) == len(split):
        return split
    return split[rows]


def first_look(recording: Recording, step: int) -> tuple[np.ndarray, Frame] | None:
    """`drawn_of` a frame of many samples, before all of it is read: which rows (M,) they are, and the frame.

    None where it has few samples, not all of them are there at this step, or it cannot be read, which reading all of
    it will tell.
    """
    try:
        labels = recording.probe.labels
        if (rows := drawn_rows(labels)) is None:
            return None
        path = recording.path / "frames" / file_name(step)
        embeddings, names = tensors.read_rows(path, "embeddings", rows)
        metadata = tensors.read_metadata(path)
        if "present" in names or parse_step(metadata) != step:
            return None
        embeddings = check_points("embeddings", embeddings, "its step", None)
        metrics = parse_metrics(metadata)
    except (RecordingError, OSError):
        return None
    return rows, Frame(step=step, embeddings=embeddings, labels=labels[rows], metrics=metrics)
