"""`ltviz metrics`: what the last frame of a run measures."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions
from ltviz.errors import RecordingError
from ltviz.metrics import BEHIND, described
from ltviz.recording.evaluation import read_evaluation
from ltviz.recording.measured import measure_frame


class MetricsOptions(HomeOptions):
    path: str = positional(description="folder or id of a run")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Prints the measures of the last frame, and those of the whole test set where the run was evaluated there.

    Raises:
        RecordingError: no run there, or no frame in it.
    """
    options = parse_one(
        "ltviz metrics",
        argv,
        MetricsOptions,
        about="What the last frame of a run measures, and what it is worth on its whole test set.",
    )
    recording = options.open_home().find(options.path)
    frame = recording.last() if recording else None
    if recording is None or frame is None:
        raise RecordingError(
            f"`ltviz metrics` needs the folder of a run with frames, but none is there: {options.path}"
        )
    values = {**measure_frame(recording, frame), **frame.metrics}  # what its writer noted stands
    evaluation = read_evaluation(recording.path)
    if evaluation is not None and evaluation.step == frame.step:
        values |= evaluation.measures()
    if options.json_:
        print(json.dumps({"run_id": recording.run_id, "step": frame.step, **values}))
        return 0
    if not values:
        print(f"step {frame.step}: nothing can be measured of {len(frame.labels):,} samples", file=sys.stderr)
    width = max(map(len, values), default=0)
    for key, value in values.items():
        known = described(key) or BEHIND.get(key)
        print(f"{key:{width}}  {value:10.4f}  {known.short if known else ''}")
    return 0
