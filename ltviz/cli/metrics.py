"""`ltviz metrics`: what the last frame of a run measures, or a file of embeddings of which no run is made."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions, named
from ltviz.errors import DataError, RecordingError
from ltviz.launch.opening import measure_series, understand
from ltviz.metrics import BEHIND, described
from ltviz.recording import Recording
from ltviz.recording.estimate import Measured
from ltviz.recording.evaluation import read_evaluation
from ltviz.recording.measured import measure_frame
from ltviz.recording.names import is_url, typed_path


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
    home = options.open_home()
    recording = named(home, options.path) if is_url(options.path) else home.find(options.path)
    if recording is None and (path := typed_path(options.path)).exists():
        head, found = _of_file(path, options)
    else:
        head, found = _of_run(recording, options.path)
    if options.json_:
        estimated = {"sampled": found.drawn, "points": found.points, "standard_errors": found.errors}
        print(json.dumps({**head, **(estimated if found.sampled else {}), **found}))
        return 0
    if not found:
        print(f"step {head['step']}: nothing can be measured of {found.points:,} samples", file=sys.stderr)
    if found.errors:
        print(
            f"ltviz: where ± stands, {found.drawn:,} of {found.points:,} points were measured, drawn evenly from each "
            "class; it is the standard error that this leaves.",
            file=sys.stderr,
        )
    width = max(map(len, found), default=0)
    for key, value in found.items():
        known = described(key) or BEHIND.get(key)
        error = found.errors.get(key, found.get(f"{key}_error"))
        told = " " * 11 * bool(found.errors) if error is None else f" ± {error:<8.2g}"
        print(f"{key:{width}}  {value:10.4f}{told}  {known.short if known else ''}")
    return 0


class _Told:
    """Says on stderr, a line a second at most, how far the measuring of many points is."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, share: float) -> None:
        if (now := time.monotonic()) - self._said >= 1 and share < 1:
            self._said = now
            print(f"ltviz: measuring, {share:.0%}", file=sys.stderr, flush=True)


def _of_run(recording: Recording | None, name: str) -> tuple[dict[str, Any], Measured]:
    """What is said of a run, the measures of its last frame, and its evaluation where it is of that."""
    frame = recording.last() if recording else None
    if recording is None or frame is None:
        raise RecordingError(
            f"`ltviz metrics` needs the folder of a run with frames, or a file of embeddings, but none is there: {name}"
        )
    found = measure_frame(recording, frame, _Told())
    known = dict(frame.metrics)  # what its writer noted stands, and was measured of all points
    evaluation = read_evaluation(recording.path)
    if evaluation is not None and evaluation.step == frame.step:
        known |= evaluation.measures()
    errors = {key: error for key, error in found.errors.items() if key not in known}
    return {"run_id": recording.run_id, "step": frame.step}, Measured(
        {**found, **known}, errors, found.drawn, found.points
    )


def _of_file(path: Path, options: MetricsOptions) -> tuple[dict[str, Any], Measured]:
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
    return head, measure_series(found[0], _Told())
