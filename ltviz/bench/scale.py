"""`ltviz bench scale`: listing a home of many runs, in seconds of one processor and of the clock.

`new` is a home that nobody has listed, `known` the first list of another process, `again` the next one of the same;
`command` is all of `ltviz runs`, from its start to its last line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, Field

from ltviz.cli.arguments import parse_one
from ltviz.recording import Home, RunInfo, Status

AGE = 3600
"""Seconds since the runs' last change: what changed just now is never taken as known."""


class ScaleOptions(BaseModel):
    runs: int = Field(10_000, ge=1, le=150_000, description="Runs in the home, which is made and removed.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> None:
    """Prints one line a way of listing: seconds of the clock and of the processor."""
    options = parse_one("ltviz bench scale", argv, ScaleOptions, about="Listing a home of many runs.")
    with tempfile.TemporaryDirectory(prefix="ltviz-scale-") as folder:
        home = Path(folder)
        make_home(home, options.runs)
        kept = Home(home)
        rows = {
            "new": _timed(lambda: Home(home).summaries()),
            "known": _timed(lambda: kept.summaries()),
            "again": _timed(lambda: kept.summaries()),
            "command": _timed(lambda: _command(home)),
        }
    if options.json_:
        told = {name: {"seconds": wall, "cpu_seconds": cpu} for name, (wall, cpu) in rows.items()}
        print(json.dumps({"runs": options.runs, "list": told}))
        return
    print(f"{'list':8} {'runs':>8} {'seconds':>8} {'cpu_s':>8}")
    for name, (wall, cpu) in rows.items():
        print(f"{name:8} {options.runs:8} {wall:8.2f} {cpu:8.2f}")


def make_home(home: Path, runs: int) -> None:
    """Folders of finished runs without a frame, which look as if they had been there for an hour."""
    past = time.time() - AGE
    status = Status(state="finished", step=300, beat=past).model_dump_json()
    for number in range(runs):
        folder = home / f"run-{number:06d}"
        (folder / "frames").mkdir(parents=True)
        info = RunInfo(
            run_id=folder.name,
            method="supcon",
            created=past + number / runs,
            num_classes=10,
            class_names=[f"class {c}" for c in range(10)],
            counts=[100] * 10,
            total_steps=300,
            marks=[],
        )
        (folder / "run.json").write_text(info.model_dump_json(), encoding="utf-8")
        (folder / "status.json").write_text(status, encoding="utf-8")
        for path in (folder / "run.json", folder / "status.json", folder):
            os.utime(path, (past, past))


def _timed(act: Callable[[], object]) -> tuple[float, float]:
    before, begun = os.times(), time.perf_counter()
    act()
    wall, after = time.perf_counter() - begun, os.times()
    return wall, sum(after[:4]) - sum(before[:4])


def _command(home: Path) -> None:
    command = [sys.executable, "-m", "ltviz", "runs", "--home", str(home)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
