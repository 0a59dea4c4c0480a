"""`ltviz open`: a file of embeddings becomes a run, and is shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions
from ltviz.errors import ConfigError, DataError
from ltviz.launch.app import load_app
from ltviz.launch.opening import copy_run, make_run, understand
from ltviz.recording import Home, Recording
from ltviz.recording.names import typed_path


class OpenOptions(HomeOptions):
    files: list[str] = positional([], many=True, description="files of embeddings, folders of the projector, or runs")
    labels: str | None = Field(None, description="File of labels: .npy, a table, or one label a line.")
    name: str | None = Field(None, min_length=1, max_length=200, description="What the run is called.")
    label_column: str | None = Field(None, description="Column that holds the labels; empty for none.")
    vector_columns: str | None = Field(None, description="Columns that hold the vectors, separated by commas.")
    compare: bool = Field(False, description="Several files become a run each, not the steps of one.")
    no_app: bool = Field(False, description="Make the run and end.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")
    port: int | None = Field(None, ge=0, le=65535, description="Port of the app; the first free one from 8501 on.")


def run(argv: Sequence[str]) -> int:
    """Makes the runs, prints what was understood, and serves the app that shows them until it is interrupted.

    Raises:
        ConfigError: no file.
        DataError: a file that is refused; no run is made.
        RecordingError: the home cannot be written; no run is left.
    """
    options = parse_one("ltviz open", argv, OpenOptions, about="A file of embeddings becomes a run, and is shown.")
    if not options.files:
        raise ConfigError("`ltviz open` needs FILE, a file of embeddings; try `ltviz open embeddings.npz`")
    home = options.open_home()
    made, told = open_files(home, options)
    if options.json_:
        print(json.dumps(told), flush=True)
    else:
        _say(told)
    if not options.no_app:
        load_app()
        from ltviz_app import server  # the name exists once `load_app` has found the app's folder

        server.serve(options.port, home.root, follow_links=options.follow_links, runs=[run.run_id for run in made])
    return 0


def open_files(home: Home, options: OpenOptions) -> tuple[list[Recording], dict[str, Any]]:
    """The runs that were made, and what is told of them."""
    paths = list(map(typed_path, options.files))
    folders = [recording for path in paths if path.is_dir() and (recording := Recording(path)).exists]
    if folders:
        if len(folders) < len(paths):
            raise DataError("Runs and files of embeddings cannot be opened together; open them one after the other.")
        made = [copy_run(recording, home, name=options.name) for recording in folders]
        return made, {"runs": [run.run_id for run in made], **_described(made[0])}
    found = understand(
        paths,
        labels=None if options.labels is None else typed_path(options.labels),
        label_column=options.label_column,
        vector_columns=None if options.vector_columns is None else _columns(options.vector_columns),
        compare=options.compare,
    )
    made = []
    for series in found:
        name = options.name if len(found) == 1 or options.name is None else f"{options.name} {series.name}"
        made.append(make_run(series, home, name=name))
    notes = dict.fromkeys(note for series in found for note in series.notes)
    return made, {"runs": [run.run_id for run in made], **found[0].describe(), "notes": list(notes)}


def _described(recording: Recording) -> dict[str, Any]:
    """What a run that was one before holds."""
    probe, info = recording.probe, recording.info
    return {
        "points": len(probe.labels),
        "dim": info.dim,
        "steps": len(recording.steps()),
        "classes": len(set(probe.labels[probe.labels >= 0].tolist())),
        "unlabelled": int((probe.labels < 0).sum()),
        "attributes": [attribute.name for attribute in recording.attributes],
        "notes": [f"{bad.path.name} was left out: {bad.reason}" for bad in recording.bad_frames()],
    }


def _columns(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _say(told: dict[str, Any]) -> None:
    print(
        f"{told['points']:,} points of {told['dim']:,} dimensions, {told['classes']:,} classes, "
        f"{told['unlabelled']:,} unlabelled: {', '.join(told['runs'])}",
        flush=True,
    )
    for note in told["notes"]:
        print(f"ltviz: {' '.join(note.split())}", file=sys.stderr)
