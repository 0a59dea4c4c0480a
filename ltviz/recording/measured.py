"""What a recording measures beside what its writer noted: all measures of a frame, and what went wrong in the run.

A module of its own, so that a run can be read without the library's mathematics.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from ltviz.marks import THEORY
from ltviz.metrics import measure
from ltviz.metrics.alarms import Alarm, Observation, find_alarms, observe
from ltviz.metrics.loss_watch import LossWatch, stuck_window
from ltviz.recording.drawn import draw_evenly
from ltviz.recording.estimate import MOST_MEASURED, Measured, Progress, estimate
from ltviz.recording.frame import Frame
from ltviz.recording.info import RunInfo
from ltviz.recording.probe import Probe
from ltviz.recording.recording import Recording


def measure_frame(recording: Recording, frame: Frame, progress: Progress = lambda share: None) -> Measured:
    """`measure` of a frame with all that the recording holds, the slow measures too.

    What a trainer withholds stays so: one predicted class says little of a sample with several labels, and nobody knows
    of samples without a split whether they were trained on. Features and classifiers are not recorded: neural collapse
    is that of the embeddings here.

    Of more than `MOST_MEASURED` points so many are measured, and the error of that is told, see `estimate`: the slow
    measures take all pairs, which of a million points nobody waits for.

    Raises:
        DataError: of a stranger's run, arrays that cannot be measured.
    """
    probe, info = recording.probe, recording.info
    there = np.arange(len(frame.labels)) if frame.present is None else np.flatnonzero(frame.present)

    def measuring(rows: np.ndarray, tell: Progress) -> dict[str, float]:
        return _measure_rows(there[rows], frame, probe, info, split=probe.known_split, full=True, progress=tell)

    return estimate(measuring, frame.labels[there], progress=progress)


def measure_present(frame: Frame, probe: Probe, info: RunInfo, *, split: np.ndarray | None) -> dict[str, float]:
    """`measure` of the samples of a frame that are there, as a live frame has it; `split` (N,) is that of all, None
    where nobody knows it."""
    here = slice(None) if frame.present is None else frame.present
    return _measure_rows(here, frame, probe, info, split=split)


def _measure_rows(
    here: Any, frame: Frame, probe: Probe, info: RunInfo, *, split: np.ndarray | None, **more: Any
) -> dict[str, float]:
    targets, index = frame.landmarks.get("targets") if more else None, frame.target_index
    matched = targets is not None and index is not None and bool((index >= 0).all())
    one_label = probe.label_sets is None
    samples = {name: values[here] for name, values in frame.samples.items()} if one_label else {}
    return measure(
        frame.embeddings[here],
        frame.labels[here],
        num_classes=info.num_classes,
        counts=np.array(info.counts),
        targets=targets[index] if matched and targets is not None else None,
        theory=_theory(frame, info),
        split=None if split is None else split[here],
        predictions=samples.get("prediction"),
        confidence=samples.get("confidence"),
        **more,
    )


def _theory(frame: Frame, info: RunInfo) -> np.ndarray | None:
    """(C, D) where the frame says that theory puts the class means; None where it does not."""
    places = frame.landmarks.get(THEORY.key)
    return places if places is not None and len(places) == info.num_classes else None


def observed_of(frame: Frame, split: np.ndarray | None = None) -> tuple[Frame, np.ndarray | None]:
    """What the alarms look at of a frame: the frame itself, or `MOST_MEASURED` of more points, drawn evenly; and the
    split of these, where that of all (N,) is known."""
    if len(frame.labels) <= MOST_MEASURED:
        return frame, split
    rows = np.arange(len(frame.labels)) if frame.present is None else np.flatnonzero(frame.present)
    rows = rows[draw_evenly(frame.labels[rows], MOST_MEASURED)]
    some = replace(frame, embeddings=frame.embeddings[rows], labels=frame.labels[rows], present=None)
    return some, None if split is None else split[rows]


def find_alarms_of(
    recording: Recording, observations: Iterable[Observation] | None = None, watch: LossWatch | None = None
) -> list[Alarm]:
    """The alarms of a run, by step, from its loss terms and what `observe` sees in its frames; in all where None.
    `watch` is `watch_losses` of the same run, kept from one time to the next.

    Raises:
        LtvizError: of a stranger's run, a run.json or frames that cannot be used.
    """
    info, status = recording.info, recording.status()
    if observations is None:
        counts, split = np.array(info.counts), recording.probe.known_split
        seen = (observed_of(frame, split) for frame in recording.since(None))
        observations = (observe(some, counts, theirs) for some, theirs in seen)
    return find_alarms(
        observations,
        total_steps=info.total_steps,
        losses=recording.metrics() if watch is None else recording.passing_metrics(),
        batch_size=_batch_size(info),
        failure=status.reason if status.state == "failed" else None,
        class_names=info.class_names,
        watch=watch,
    )


def watch_losses(info: RunInfo) -> LossWatch | None:
    """What takes in the loss terms of a run as they come; None where it does not say how long it is."""
    return None if not info.total_steps else LossWatch(_batch_size(info), 2, stuck_window(info.total_steps))


def _batch_size(info: RunInfo) -> int | None:
    """Samples of this method's own batches."""
    settings = info.config.get("run")
    size = settings.get("batch_size") if isinstance(settings, dict) else None
    match info.config.get("share"):
        case [int(rows), _]:
            size = rows
    return size if isinstance(size, int) else None
