"""What a recording measures beside what its writer noted: all measures of a frame, and what went wrong in the run.

A module of its own, so that a run can be read without the library's mathematics.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ltviz.marks import THEORY
from ltviz.metrics import measure
from ltviz.metrics.alarms import Alarm, Observation, find_alarms, observe
from ltviz.recording.frame import Frame
from ltviz.recording.info import RunInfo
from ltviz.recording.probe import Probe
from ltviz.recording.recording import Recording

MOST_MEASURED = 20_000
"""Points that all measures are taken of, the slow ones among them."""


def measure_frame(recording: Recording, frame: Frame) -> dict[str, float]:
    """`measure` of a frame with all that the recording holds, the slow measures too.

    What a trainer withholds stays so: one predicted class says little of a sample with several labels, and nobody knows
    of samples without a split whether they were trained on. Features and classifiers are not recorded: neural collapse
    is that of the embeddings here.

    Of more than `MOST_MEASURED` points so many are measured, drawn evenly from each class: the slow measures take all
    pairs, which of a million points nobody waits for.

    Raises:
        DataError: of a stranger's run, arrays that cannot be measured.
    """
    probe = recording.probe
    return measure_present(frame, probe, recording.info, split=probe.known_split, full=True)


def measure_present(
    frame: Frame, probe: Probe, info: RunInfo, *, split: np.ndarray | None, full: bool = False
) -> dict[str, float]:
    """`measure` of the samples of a frame that are there; `split` (N,) is that of all, None where nobody knows it."""
    targets, index = frame.landmarks.get("targets") if full else None, frame.target_index
    matched = targets is not None and index is not None and bool((index >= 0).all())
    here = _measured_rows(frame, MOST_MEASURED if full else None)
    one_label = probe.label_sets is None
    samples = {name: values[here] for name, values in frame.samples.items()} if one_label else {}
    return measure(
        frame.embeddings[here],
        frame.labels[here],
        num_classes=info.num_classes,
        counts=np.array(info.counts),
        targets=targets[index] if matched and targets is not None else None,
        theory=_theory(frame, info),
        full=full,
        split=None if split is None else split[here],
        predictions=samples.get("prediction"),
        confidence=samples.get("confidence"),
    )


def _theory(frame: Frame, info: RunInfo) -> np.ndarray | None:
    """(C, D) where the frame says that theory puts the class means; None where it does not."""
    places = frame.landmarks.get(THEORY.key)
    return places if places is not None and len(places) == info.num_classes else None


def _measured_rows(frame: Frame, most: int | None) -> Any:
    """Which rows of a frame are measured: those that are there, `most` of them."""
    there = slice(None) if frame.present is None else frame.present
    if most is None or len(frame.labels) <= most:
        return there
    rows = np.arange(len(frame.labels))[there]
    return rows[draw_evenly(frame.labels[there], most)]


def draw_evenly(labels: np.ndarray, most: int, *, seed: int = 0) -> np.ndarray:
    """(M,) growing indices of at most `most` samples: as large a share of each class as of all, and two of each at
    least where there is room; the same for the same labels.

    >>> draw_evenly(np.array([0] * 90 + [1] * 10), 20).searchsorted(90)
    np.int64(18)
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    _, first, counts = np.unique(labels[order], return_index=True, return_counts=True)
    share = np.maximum(np.floor(counts * (most / len(labels))).astype(np.int64), np.minimum(counts, 2))
    if share.sum() > most:  # more classes than there is room for two of each
        return np.sort(order[:: -(-len(labels) // most)])
    place = np.arange(len(labels)) - np.repeat(first, counts)
    return np.sort(order[place < np.repeat(share, counts)])


def find_alarms_of(recording: Recording, observations: Iterable[Observation] | None = None) -> list[Alarm]:
    """The alarms of a run, by step, from its loss terms and what `observe` sees in its frames; in all where None.

    Raises:
        LtvizError: of a stranger's run, a run.json or frames that cannot be used.
    """
    info, status = recording.info, recording.status()
    settings = info.config.get("run")
    size = settings.get("batch_size") if isinstance(settings, dict) else None
    match info.config.get("share"):
        case [int(rows), _]:  # of this method's own batches
            size = rows
    if observations is None:
        observations = (observe(frame, np.array(info.counts)) for frame in recording.since(None))
    return find_alarms(
        observations,
        total_steps=info.total_steps,
        losses=recording.metrics(),
        batch_size=size if isinstance(size, int) else None,
        failure=status.reason if status.state == "failed" else None,
        class_names=info.class_names,
    )
