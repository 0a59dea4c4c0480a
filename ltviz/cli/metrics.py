"""`ltviz metrics`: what the last frame of a run measures, or a file of embeddings of which no run is made."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions
from ltviz.errors import DataError, RecordingError
from ltviz.launch.opening import measure_series, understand
from ltviz.metrics import BEHIND, described
from ltviz.recording import Recording
from ltviz.recording.evaluation import read_evaluation
from ltviz.recording.measured import measure_frame
from ltviz.recording.names import typed_path


class MetricsOptions(HomeOptions):
    path: str = positional(description="folder or id of a run, or a file of embeddings")
    labels: str | None = Field(None, description="File of labels of the same points.")
    label_column: str | None = Field(None, description="Column that holds the labels; empty for none.")
    vector_columns: str | None = Field(None, description="Columns that hold the vectors, separated by commas.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Prints the measures of the last frame, and those of the whole test set where the run was evaluated there.

    Raises:
        RecordingError: no run there, or no frame in it.
        DataError: a file that holds no embeddings.
    """
    about = (
        "What the last frame of a run measures and what the run is worth on its whole test set, or what a file of "
        "embeddings measures."
    )
    options = parse_one("ltviz metrics", argv, MetricsOptions, about=about)
    recording = options.open_home().find(options.path)
    path = typed_path(options.path)
    if recording is None and path.exists():
        head, count, values = _of_file(path, options)
    else:
        head, count, values = _of_run(recording, options.path)
    if options.json_:
        print(json.dumps({**head, **values}))
        return 0
    if not values:
        print(f"step {head['step']}: nothing can be measured of {count:,} samples", file=sys.stderr)
    width = max(map(len, values), default=0)
    for key, value in values.items():
        known = described(key) or BEHIND.get(key)
        print(f"{key:{width}}  {value:10.4f}  {known.short if known else ''}")
    return 0


def _of_run(recording: Recording | None, name: str) -> tuple[dict[str, Any], int, dict[str, float]]:
    """What is said of a run, its samples, the measures of its last frame, and its evaluation where it is of that."""
    frame = recording.last() if recording else None
    if recording is None or frame is None:
        raise RecordingError(
            f"`ltviz metrics` needs the folder of a run with frames, or a file of embeddings, but none is there: {name}"
        )
    values = {**measure_frame(recording, frame), **frame.metrics}  # what its writer noted stands
    evaluation = read_evaluation(recording.path)
    if evaluation is not None and evaluation.step == frame.step:
        values |= evaluation.measures()
    return {"run_id": recording.run_id, "step": frame.step}, len(frame.labels), values


def _of_file(path: Path, options: MetricsOptions) -> tuple[dict[str, Any], int, dict[str, float]]:
    """The same of a file of embeddings, of which no run is made."""
    columns = options.vector_columns
    found = understand(
        [path],
        labels=None if options.labels is None else typed_path(options.labels),
        label_column=options.label_column,
        vector_columns=None if columns is None else [name.strip() for name in columns.split(",") if name.strip()],
    )
    if len(found) > 1:
        names = ", ".join(f"'{series.name[:40]}'" for series in found)
        raise DataError(f"The folder holds {len(found)} sets of embeddings ({names}); open it, and measure one run.")
    told = found[0].describe()
    for note in told.pop("notes"):
        print(f"ltviz: {note}", file=sys.stderr)
    head = {"file": path.name, "step": found[0].steps[-1], "points": told["points"], "dim": told["dim"]}
    return head, told["points"], measure_series(found[0])
