"""What is known of the samples of a frame, as columns for other tools."""

from __future__ import annotations

import math

import numpy as np

from ltviz.recording import Attribute, Frame, Recording, RunInfo

SPLITS = ("train", "test", "validation")
UNLABELLED = "unlabelled"
_TAKEN = ("run_id", "step", "vector", "x", "y")


def shown_rows(frame: Frame) -> np.ndarray:
    """(M,) rows of the samples that are there, growing."""
    return np.arange(len(frame.embeddings)) if frame.present is None else np.flatnonzero(frame.present)


def class_words(info: RunInfo, labels: np.ndarray) -> list[str]:
    """Each label's class by its name; a sample without a label has a word of its own."""
    return [info.class_names[label] if label >= 0 else UNLABELLED for label in labels.tolist()]


def columns(recording: Recording, frame: Frame) -> dict[str, list]:
    """Name -> value of each sample that is there: class name and number, split, id, what its method says of it, and
    its attributes, which get "attribute." in front where their name is taken; None where nothing is known."""
    info, probe, rows = recording.info, recording.probe, shown_rows(frame)
    labels = probe.labels[rows]
    found = {
        "label": class_words(info, labels),
        "class": labels.tolist(),
        "split": [SPLITS[split] for split in probe.split[rows].tolist()],
        "sample_id": probe.sample_ids[rows].tolist(),
    }
    for name, values in frame.samples.items():
        found[name] = values[rows].tolist()
    if "prediction" in found:
        found["prediction"] = class_words(info, np.asarray(found["prediction"]))
    for one in recording.attributes:
        name = one.name if one.name not in (*found, *_TAKEN) else f"attribute.{one.name}"
        found[name] = [_value(one, row) for row in rows.tolist()]
    return found


def _value(attribute: Attribute, row: int) -> float | str | None:
    if attribute.texts is not None:
        return attribute.text_of(row) if attribute.values[row] >= 0 else None
    value = float(attribute.values[row])
    return None if math.isnan(value) else value
