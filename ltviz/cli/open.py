"""`ltviz open`: a file of embeddings becomes a run, and is shown."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions
from ltviz.errors import ConfigError, DataError
from ltviz.launch.app import load_app
from ltviz.launch.making import MakingBehind, copy_run, make_run
from ltviz.launch.opening import Series, understand
from ltviz.recording import Home, Recording
from ltviz.recording.names import typed_path

LARGE = 16 << 20
"""Bytes of files from which on it is said how far their opening is."""


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
    home, paths = options.own_home("ltviz open"), list(map(typed_path, options.files))
    folders = [recording for path in paths if path.is_dir() and (recording := Recording(path)).exists]
    if folders and len(folders) < len(paths):
        raise DataError("Runs and files of embeddings cannot be opened together; open them one after the other.")
    if not options.no_app:
        # What a server is made of takes a second to import, in which the files are read.
        threading.Thread(target=_load_server, name="ltviz-server").start()
    if folders:
        runs = [copy_run(recording, home, name=options.name) for recording in folders]
        each = [_described(run) | {"run": run.run_id} for run in runs]
        notes = list(dict.fromkeys(note for one in each for note in one["notes"]))
        _tell({"runs": [run.run_id for run in runs], **_described(runs[0]), "notes": notes, "each": each}, options)
        if not options.no_app:
            _serve(home, options, runs)
        return 0
    say = _said_of(paths)
    found = _understood(paths, options)
    say(f"{len(found[0].embeddings[0]):,} points are read; measuring and writing them")
    named = [(one, options.name if len(found) == 1 else _several(options.name, one)) for one in found]
    if options.no_app:
        runs = [make_run(one, home, name=name) for one, name in named]
        say("written")
        _tell(_told(found, runs), options)
        return 0
    behind = MakingBehind(named, home, _end_server)
    _tell(_told(found, behind.recordings), options)
    try:
        _serve(home, options, behind.recordings)
    finally:
        behind.wait()
    return 0


def _understood(paths: Sequence[Path], options: OpenOptions) -> list[Series]:
    return understand(
        paths,
        labels=None if options.labels is None else typed_path(options.labels),
        label_column=options.label_column,
        vector_columns=None if options.vector_columns is None else _columns(options.vector_columns),
        compare=options.compare,
    )


def _several(name: str | None, series: Series) -> str | None:
    return None if name is None else f"{name} {series.name}"


def _load_server() -> Any:
    load_app()
    from ltviz_app import server  # the name exists once `load_app` has found the app's folder

    return server


def _serve(home: Home, options: OpenOptions, runs: Sequence[Recording]) -> None:
    shown = [run.run_id for run in runs]
    _load_server().serve(options.port, home.root, follow_links=options.follow_links, runs=shown)


def _end_server() -> None:
    """As Ctrl-C does, from any thread."""
    os.kill(os.getpid(), signal.SIGINT)


def _told(found: Sequence[Series], runs: Sequence[Recording]) -> dict[str, Any]:
    """What is told of the runs that are made; `points` and the like are of the first, `each` has those of all."""
    notes = dict.fromkeys(note for series in found for note in series.notes)
    each = [series.describe() | {"run": run.run_id} for series, run in zip(found, runs, strict=True)]
    return {"runs": [run.run_id for run in runs], **found[0].describe(), "notes": list(notes), "each": each}


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


def _said_of(paths: Sequence[Path]) -> Any:
    """What tells on stderr how far the opening of files is, with the seconds; of small ones nothing is told."""
    began = time.monotonic()
    if sum(path.stat().st_size for path in paths if path.is_file()) < LARGE:
        return lambda sentence: None

    def say(sentence: str) -> None:
        print(f"ltviz: {sentence} ({time.monotonic() - began:.1f} s)", file=sys.stderr, flush=True)

    say(f"reading {paths[0].name}" if len(paths) == 1 else f"reading {len(paths)} files")
    return say


def _tell(told: dict[str, Any], options: OpenOptions) -> None:
    if options.json_:
        print(json.dumps(told), flush=True)
        return
    for one in told["each"]:
        print(
            f"{one['points']:,} points of {one['dim']:,} dimensions, {one['classes']:,} classes, "
            f"{one['unlabelled']:,} unlabelled: {one['run']}",
            flush=True,
        )
    for note in told["notes"]:
        print(f"ltviz: {' '.join(note.split())}", file=sys.stderr)
