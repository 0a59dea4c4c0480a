"""`ltviz runs`: what there is, newest first; filters, tags, notes and deletion."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import HomeOptions, choose, choose_runs, tell_skipped
from ltviz.cli.curation import Curation, curate
from ltviz.recording.index import Summary
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
    home, names = options.own_home("ltviz runs") if options.changes else options.open_home(), options.run
    if options.changes:
        chosen = choose_runs(home, options, names)[:: 1 if names else -1]
        done = curate(chosen, options, named=bool(names) or options.filters)
        print(json.dumps({"home": str(home.root), "done": done}) if options.json_ else done)
        return 0
    chosen = choose(home, options, names)[:: 1 if names else -1]
    if options.json_:
        skipped = [one._asdict() for one in home.skipped]
        print(json.dumps({"home": home.name, "runs": [_row(run) for run in chosen], "skipped": skipped}))
        return 0
    if not chosen and not names and not options.filters:
        print(f"no runs in {home.name}; make one with `ltviz train supcon`, or `ltviz app`")
    _print(chosen)
    tell_skipped(home.skipped)
    return 0


def _print(runs: Sequence[Summary]) -> None:
    """A line a run; the folder stands at its end where it is not what the run goes by."""
    width = max((len(run.run_id) for run in runs), default=0)
    for run in runs:
        steps = f"{run.step if run.step is not None else '-'}/{run.total_steps or '-'}"
        more = [*("#" + tag for tag in run.tags), plain(_reason(run) or "")]
        more += [f"in {plain(run.folder)}"] if run.folder != run.run_id else []
        print(
            f"{run.run_id:{width}}  {run.state:8}  {steps:>11}  {run.method or '-':14}  "
            f"{' '.join(filter(None, more))}".rstrip()
        )


def _reason(run: Summary) -> str | None:
    return run.reason or run.problem or run.notes_problem


def _row(run: Summary) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "folder": run.folder,
        "state": run.state,
        "reason": _reason(run),
        "step": run.step,
        "method": run.method,
        "total_steps": run.total_steps,
        "data": run.data,
        "tags": run.tags,
        "note": run.note,
    }
