"""`ltviz export RUN... --to report|csv|parquet --out PATH`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from ltviz.cli.arguments import parse_one
from ltviz.cli.choice import Choice, choose_runs, take_runs
from ltviz.errors import ConfigError
from ltviz.export import report, table
from ltviz.export.results import read_results
from ltviz.recording import Recording, checkpoints_home

ABOUT = (
    "Write chosen runs into one file: a report that opens anywhere, or a table of every number. RUN is an id or a "
    "folder; without RUN, the flags choose among all runs."
)
SUFFIXES = {"report": ".html", "csv": ".csv", "parquet": ".parquet"}


class ExportOptions(Choice):
    to: Literal["report", "csv", "parquet"] = Field("report", description="Kind of file.")
    out: str | None = Field(None, description="File to write; ltviz-report.html or alike where empty.")
    title: str = Field("Comparison of runs", max_length=200, description="Heading of a report.")
    theme: Literal["light", "dark"] = Field("light", description="Colours of a report.")
    home: str | None = Field(None, description="Folder of run folders; the variable LTVIZ_HOME where empty.")
    overwrite: bool = Field(False, description="Replace a file that is there.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Writes the file.

    Raises:
        ConfigError: no runs, a file that is there already, or a kind that cannot be written here.
        RecordingError: a run or the file cannot be read or written.
    """
    names, flags = take_runs(argv)
    options = parse_one("ltviz export", flags, ExportOptions, about=ABOUT)
    home = Path(options.home).expanduser() if options.home else checkpoints_home()
    runs = choose_runs(home, options, names)
    if not runs:
        raise ConfigError(f"`ltviz export` needs at least one run, but none was chosen among those in {home}")
    out = Path(options.out or f"ltviz-{options.to}{SUFFIXES[options.to]}").expanduser()
    if out.exists() and not options.overwrite:
        raise ConfigError(f"`ltviz export` writes a new file, but this one is there; try --overwrite: {out}")
    done = _write(options, out, runs)
    size = out.stat().st_size
    if options.json_:
        print(json.dumps({"path": str(out), "to": options.to, "runs": [r.run_id for r in runs], "bytes": size, **done}))
    else:
        rows = f", {done['rows']} rows" if "rows" in done else ""
        print(f"{out}: {done['used']} runs{rows}, {size / 1e6:.1f} MB")
    return 0


def _write(options: ExportOptions, out: Path, runs: list[Recording]) -> dict[str, int]:
    if options.to == "report":
        return {"used": report.write_report(out, runs, title=options.title, theme=options.theme)}
    results, left_out = read_results(runs)
    if not results:
        raise ConfigError(f"a table needs at least one run with frames, but {left_out[0]}")
    write: Callable[..., int] = table.write_csv if options.to == "csv" else table.write_parquet
    return {"used": len(results), "rows": write(out, results)}
