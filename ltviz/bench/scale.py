"""`ltviz bench scale`: listing a home of many runs, in seconds of one processor and of the clock; and what the frames
of a run take on the disk after a day and a week, with and without a rule that thins them.

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
from typing import Any

import numpy as np
from pydantic import BaseModel, Field, field_validator

from ltviz.cli.arguments import parse_one
from ltviz.recording import Frame, Home, RunInfo, Status
from ltviz.recording.frame import encode_frame
from ltviz.recording.keep import EXAMPLE, KeepRule

AGE = 3600
"""Seconds since the runs' last change: what changed just now is never taken as known."""

PROBES = ((2_000, 3), (2_000, 128), (50_000, 128))
"""Samples and dimensions of the frames whose storage is told."""
DAY = 86_400.0


class ScaleOptions(BaseModel):
    runs: int = Field(10_000, ge=1, le=150_000, description="Runs in the home, which is made and removed.")
    rate: float = Field(10.0, gt=0, le=1000, description="Frames a second of the run whose storage is told.")
    keep: str = Field(EXAMPLE, description="The rule that thins its frames.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")

    @field_validator("keep")
    @classmethod
    def _read_rule(cls, text: str) -> str:
        KeepRule.parse(text)
        return text


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
    stored = [storage(n, dim, rate=options.rate, rule=KeepRule.parse(options.keep)) for n, dim in PROBES]
    if options.json_:
        told = {name: {"seconds": wall, "cpu_seconds": cpu} for name, (wall, cpu) in rows.items()}
        print(json.dumps({"runs": options.runs, "list": told, "keep": options.keep, "storage": stored}))
        return
    print(f"{'list':8} {'runs':>8} {'seconds':>8} {'cpu_s':>8}")
    for name, (wall, cpu) in rows.items():
        print(f"{name:8} {options.runs:8} {wall:8.2f} {cpu:8.2f}")
    print(f"\nGB of frames, {options.rate:g} a second; kept: '{options.keep}'")
    print(f"{'samples':>8} {'dim':>5} {'MB_each':>8} {'day':>9} {'day_kept':>9} {'week':>9} {'week_kept':>9}")
    for row in stored:
        size = [f"{row[name] / 1e9:9.2f}" for name in ("day", "day_kept", "week", "week_kept")]
        print(f"{row['samples']:8} {row['dim']:5} {row['frame'] / 1e6:8.3f} {' '.join(size)}")


def storage(samples: int, dim: int, *, rate: float, rule: KeepRule) -> dict[str, Any]:
    """Bytes of a frame of so many samples, and of all frames after a day and a week at `rate` frames a second: of all
    that were written, and of those that `rule` keeps. Frames with an event are kept besides.

    >>> row = storage(2_000, 3, rate=10.0, rule=KeepRule.parse("all 10min, 1/10s 1d, 1/min"))
    >>> row["day"] > 50 * row["day_kept"]
    True
    """
    z = np.eye(samples, dim, dtype=np.float32)
    z[dim:, 0] = 1.0
    size = len(encode_frame(Frame(step=0, embeddings=z, labels=np.zeros(samples, np.int32))))
    row: dict[str, Any] = {"samples": samples, "dim": dim, "frame": size}
    for name, seconds in (("day", DAY), ("week", 7 * DAY)):
        row[name] = round(size * rate * seconds)
        row[f"{name}_kept"] = round(size * rule.expected(rate=rate, seconds=seconds))
    return row


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
