"""What is known of the samples of a frame, as columns for other tools."""

from __future__ import annotations

import numpy as np

from ltviz.recording import Frame, RunInfo
from ltviz.recording.probe import Probe

SPLITS = ("train", "test", "validation")
UNLABELLED = "unlabelled"


def shown_rows(frame: Frame) -> np.ndarray:
    """(M,) rows of the samples that are there, growing."""
    return np.arange(len(frame.embeddings)) if frame.present is None else np.flatnonzero(frame.present)


def class_words(info: RunInfo, labels: np.ndarray) -> list[str]:
    """Each label's class by its name; a sample without a label has a word of its own."""
    return [info.class_names[label] if label >= 0 else UNLABELLED for label in labels.tolist()]


def columns(info: RunInfo, probe: Probe, frame: Frame) -> dict[str, list]:
    """Name -> value of each sample that is there: class name and number, split, id, and what its method says of it."""
    rows = shown_rows(frame)
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
    return found
