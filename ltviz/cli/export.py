"""`ltviz export RUN... --to report|html|csv|parquet --out PATH`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.cli.choice import Choice, HomeOptions, choose_runs, tell_skipped
from ltviz.errors import ConfigError
from ltviz.export import report, table
from ltviz.export.results import read_results
from ltviz.integrations.runs import replay_of, run_folders
from ltviz.metrics.final import COMMON
from ltviz.recording import Recording
from ltviz.recording.files import write_whole
from ltviz.recording.names import typed_path

ABOUT = (
    "Write chosen runs into one file: a report that opens anywhere, a page that replays them in 3-D, or a table of "
    "every number. RUN is an id or a folder; without RUN, the flags choose among all runs."
)
NAMES = {"report": "report.html", "html": "replay.html", "csv": "csv.csv", "parquet": "parquet.parquet"}


class ExportOptions(Choice, HomeOptions):
    run: list[str] = positional([], description="ids or folders of runs; all runs where none is named", many=True)
    to: Literal["report", "html", "csv", "parquet"] = Field("report", description="Kind of file; html is the replay.")
    out: str | None = Field(None, description="File to write; ltviz-report.html or alike where empty.")
    title: str = Field("Comparison of runs", max_length=200, description="Heading of a report.")
    theme: Literal["light", "dark"] | None = Field(
        None, description="Colours; a report's are light, a replay's follow the reader's system where empty."
    )
    judge: Literal["ncm", "linear", "own"] = Field(
        COMMON,
        description="Who judges the accuracies of a report, where all runs were evaluated: nearest class mean, a "
        "linear probe, or each method's own classifier.",
    )
    projection: str | None = Field(None, description="How a replay shows more than three dimensions.")
    max_mb: float = Field(12.0, gt=0, le=500, description="Size of a replay; its frames are thinned to stay below.")
    overwrite: bool = Field(False, description="Replace a file that is there.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Writes the file.

    Raises:
        ConfigError: no runs, a file that is there already, or a kind that cannot be written here.
        RecordingError: a run or the file cannot be read or written.
    """
    options = parse_one("ltviz export", argv, ExportOptions, about=ABOUT)
    home = options.open_home()
    runs = choose_runs(home, options, options.run)
    if not runs:
        raise ConfigError(f"`ltviz export` needs at least one run, but none was chosen among those in {home.root}")
    out = typed_path(options.out or f"ltviz-{NAMES[options.to]}")
    if out.exists() and not options.overwrite:
        raise ConfigError(f"`ltviz export` writes a new file, but this one is there; try --overwrite: {out}")
    done = _write(options, out, runs)
    size = out.stat().st_size
    if options.json_:
        print(json.dumps({"path": str(out), "to": options.to, "runs": [r.run_id for r in runs], "bytes": size, **done}))
    else:
        more = {"rows": "{rows} rows", "moments": "{moments} of {recorded} moments"}
        told = "".join(f", {text.format(**done)}" for key, text in more.items() if key in done)
        runs_in = f"{done['used']} run{'' if done['used'] == 1 else 's'}"
        room = f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
        print(f"{out}: {runs_in}{told}, {room}")
        for reason in done["left_out"]:
            print(f"ltviz: left out {reason}", file=sys.stderr)
        tell_skipped(home.skipped)
    return 0


def _write(options: ExportOptions, out: Path, runs: list[Recording]) -> dict[str, Any]:
    """Writes the file; gives how much is in it, and which runs are not."""
    if options.to == "report":
        used = report.write_report(out, runs, title=options.title, theme=options.theme or "light", judge=options.judge)
        left = [f"{len(runs) - used} runs, which the report names"] if used < len(runs) else []
        return {"used": used, "left_out": left}
    if options.to == "html":
        return _write_replay(options, out, runs)
    results, left_out = read_results(runs)
    if not results:
        raise ConfigError(f"a table needs at least one run with frames, but {left_out[0]}")
    write: Callable[..., int] = table.write_csv if options.to == "csv" else table.write_parquet
    return {"used": len(results), "rows": write(out, results), "left_out": left_out}


def _write_replay(options: ExportOptions, out: Path, runs: list[Recording]) -> dict[str, Any]:
    folders = run_folders(runs)
    replay = replay_of(folders, projection=options.projection, theme=options.theme, limit=int(options.max_mb * 1e6))
    write_whole(out, replay.html)
    left_out = [f"{run}: it has no frame that can be read" for run in folders if run not in replay.runs]
    return {"used": len(replay.runs), "moments": replay.moments, "recorded": replay.recorded, "left_out": left_out}
