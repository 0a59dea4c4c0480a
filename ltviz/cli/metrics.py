"""`ltviz metrics`: what the last frame of a run measures."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions
from ltviz.errors import RecordingError
from ltviz.metrics import MEASURES, measure
from ltviz.recording import Frame, Recording


class MetricsOptions(HomeOptions):
    path: str = positional(description="folder or id of a run")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Prints the measures of the last frame.

    Raises:
        RecordingError: no run there, or no frame in it.
    """
    options = parse_one("ltviz metrics", argv, MetricsOptions, about="What the last frame of a run measures.")
    recording = options.open_home().find(options.path)
    frame = recording.last() if recording else None
    if recording is None or frame is None:
        raise RecordingError(
            f"`ltviz metrics` needs the folder of a run with frames, but none is there: {options.path}"
        )
    values = _measure(recording, frame)
    if options.json_:
        print(json.dumps({"run_id": recording.run_id, "step": frame.step, **values}))
        return 0
    width = max(map(len, values))
    for key, value in values.items():
        known = MEASURES.get(key)
        print(f"{key:{width}}  {value:10.4f}  {known.short if known else ''}")
    return 0


def _measure(recording: Recording, frame: Frame) -> dict[str, float]:
    """All measures of a frame, the slow ones too; what its writer noted stands."""
    index = frame.target_index
    measured = measure(
        frame.embeddings,
        frame.labels,
        num_classes=recording.info.num_classes,
        counts=np.array(recording.info.counts),
        split=recording.probe.split,
        predictions=frame.samples.get("prediction"),
        confidence=frame.samples.get("confidence"),
        targets=None if index is None or index.min() < 0 else frame.landmarks["targets"][index],
        full=True,
    )
    return {**measured, **frame.metrics}
