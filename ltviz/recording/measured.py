"""What a recording measures beside what its writer noted: all measures of a frame, and what went wrong in the run.

A module of its own, so that a run can be read without the library's mathematics.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ltviz.metrics import measure
from ltviz.metrics.alarms import Alarm, Observation, find_alarms, observe
from ltviz.recording.frame import Frame
from ltviz.recording.recording import Recording


def measure_frame(recording: Recording, frame: Frame) -> dict[str, float]:
    """`measure` of a frame with all that the recording holds, the slow measures too.

    What a trainer withholds stays so: one predicted class says little of a sample with several labels, and nobody knows
    of samples without a split whether they were trained on. Features and classifiers are not recorded: neural collapse
    is that of the embeddings here.

    Raises:
        DataError: of a stranger's run, arrays that cannot be measured.
    """
    probe, info, index = recording.probe, recording.info, frame.target_index
    targets = frame.landmarks.get("targets")
    matched = targets is not None and index is not None and bool((index >= 0).all())
    one_label = probe.label_sets is None
    return measure(
        frame.embeddings,
        frame.labels,
        num_classes=info.num_classes,
        counts=np.array(info.counts),
        split=probe.known_split,
        predictions=frame.samples.get("prediction") if one_label else None,
        confidence=frame.samples.get("confidence") if one_label else None,
        targets=targets[index] if matched and targets is not None else None,
        full=True,
    )


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
