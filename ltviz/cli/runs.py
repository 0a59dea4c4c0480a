"""`ltviz runs`: what there is, newest first; filters, tags, notes and deletion."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions, choose_runs, tell_skipped
from ltviz.cli.curation import Curation, curate
from ltviz.errors import RecordingError
from ltviz.recording import Home, Recording
from ltviz.recording.notes import read_notes
from ltviz.text import plain


class RunsOptions(Curation, HomeOptions):
    run: list[str] = positional([], description="ids or folders of runs; all runs where none is named", many=True)
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


ABOUT = "List runs and how they are doing, or tag, note and delete them. RUN... are ids or folders; without them, all."


def run(argv: Sequence[str]) -> int:
    """Prints a line, or a JSON object, for every run that is chosen; or tags, notes or deletes them.

    Raises:
        ConfigError, RecordingError: a run that is not there, or a change that cannot be made.
    """
    options = parse_one("ltviz runs", argv, RunsOptions, about=ABOUT)
    home, names = options.open_home(), options.run
    chosen = choose_runs(home, options, names)[:: 1 if names else -1]
    if options.changes:
        done = curate(chosen, options, named=bool(names) or options.filters)
        print(json.dumps({"home": str(home.root), "done": done}) if options.json_ else done)
        return 0
    rows = [_row(home, recording) for recording in chosen]
    if options.json_:
        skipped = [one._asdict() for one in home.skipped]
        print(json.dumps({"home": str(home.root), "runs": rows, "skipped": skipped}))
        return 0
    if not rows and not names and not options.filters:
        print(f"no runs in {home.root}; make one with `ltviz train supcon`, or `ltviz app`")
    _print(rows)
    tell_skipped(home.skipped)
    return 0


def _print(rows: Sequence[dict[str, Any]]) -> None:
    """A line a run; the folder stands at its end where it is not what the run goes by."""
    width = max((len(row["run_id"]) for row in rows), default=0)
    for row in rows:
        steps = f"{row['step'] if row['step'] is not None else '-'}/{row['total_steps'] or '-'}"
        more = [*("#" + tag for tag in row["tags"]), plain(row["reason"] or "")]
        more += [f"in {plain(row['folder'])}"] if row["folder"] != row["run_id"] else []
        print(
            f"{row['run_id']:{width}}  {row['state']:8}  {steps:>11}  {row['method'] or '-':14}  "
            f"{' '.join(filter(None, more))}".rstrip()
        )


def _row(home: Home, recording: Recording) -> dict[str, Any]:
    status = recording.status()
    row: dict[str, Any] = {
        "run_id": recording.run_id,
        "folder": home.place(recording),
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
