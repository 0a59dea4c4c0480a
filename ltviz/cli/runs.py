"""`ltviz runs`: what there is, newest first; filters, tags, notes and deletion."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from ltviz.cli.arguments import parse_one
from ltviz.cli.choice import choose_runs, take_runs
from ltviz.cli.curation import Curation, curate
from ltviz.errors import RecordingError
from ltviz.recording import Recording, checkpoints_home
from ltviz.recording.notes import read_notes


class RunsOptions(Curation):
    home: str | None = Field(None, description="Folder of run folders; the variable LTVIZ_HOME where empty.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


ABOUT = "List runs and how they are doing, or tag, note and delete them. RUN... are ids or folders; without them, all."


def run(argv: Sequence[str]) -> int:
    """Prints a line, or a JSON object, for every run that is chosen; or tags, notes or deletes them.

    Raises:
        ConfigError, RecordingError: a run that is not there, or a change that cannot be made.
    """
    names, flags = take_runs(argv)
    options = parse_one("ltviz runs", flags, RunsOptions, about=ABOUT)
    home = Path(options.home).expanduser() if options.home else checkpoints_home()
    chosen = choose_runs(home, options, names)[:: 1 if names else -1]
    if options.changes:
        done = curate(chosen, options, named=bool(names) or options.filters)
        print(json.dumps({"home": str(home), "done": done}) if options.json_ else done)
        return 0
    rows = [_row(recording) for recording in chosen]
    if options.json_:
        print(json.dumps({"home": str(home), "runs": rows}))
        return 0
    if not rows and not names and not options.filters:
        print(f"no runs in {home}; make one with `ltviz train supcon`, or `ltviz app`")
    width = max((len(row["run_id"]) for row in rows), default=0)
    for row in rows:
        steps = f"{row['step'] if row['step'] is not None else '-'}/{row['total_steps'] or '-'}"
        print(
            f"{row['run_id']:{width}}  {row['state']:8}  {steps:>11}  {row['method'] or '-':14}  "
            f"{' '.join('#' + tag for tag in row['tags'])} {row['reason'] or ''}".rstrip()
        )
    return 0


def _row(recording: Recording) -> dict[str, Any]:
    status = recording.status()
    row: dict[str, Any] = {
        "run_id": recording.path.name,
        "state": status.state,
        "reason": status.reason,
        "step": status.step,
        "method": None,
        "total_steps": None,
        "data": None,
        "tags": [],
        "note": "",
    }
    try:
        info = recording.info
        row |= {"method": info.method, "total_steps": info.total_steps, "data": info.data}
        row |= read_notes(recording.path).model_dump(include={"tags", "note"})
    except RecordingError as error:  # a worker that died at start leaves a status and nothing else
        row["reason"] = status.reason or str(error)
    return row
