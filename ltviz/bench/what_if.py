"""`ltviz bench what_if`: how far each method's what-if on its own run is its own force, for runs of other methods."""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, Field

import ltviz
from ltviz.bench.results import STOPPED, cells_of
from ltviz.cli.arguments import parse_one
from ltviz.errors import TrainingError
from ltviz.launch.slots import Slots
from ltviz.launch.tally import SweepStatus
from ltviz.metrics.agreement import LEAST, LENT, STAND_INS
from ltviz.recording import Recording, checkpoints_home, run_path
from ltviz.recording.names import typed_path
from ltviz.training.stop import Stop

SWEEP = Path(__file__).with_suffix(".toml")
LATE = 0.5
"""Share of training before which nothing is counted: forces of networks that have not learned say little."""


class WhatIfOptions(BaseModel):
    home: str | None = Field(None, description="Folder of run folders; `what-if` in the home of runs where empty.")
    slots: int = Field(1, ge=1, le=256, description="Races at a time.")
    out: str | None = Field(None, description="JSON file to write; ltviz/metrics/agreement.json is what the app reads.")


def run(argv: Sequence[str] = ()) -> int:
    """Trains what is not finished, then prints the cosines and writes them.

    Returns:
        0, or 130 after a stop; the same line goes on then.

    Raises:
        LtvizError: bad options; nothing was trained.
        TrainingError: runs failed.
    """
    options = parse_one("ltviz bench what_if", argv, WhatIfOptions, about="How far what-ifs can be trusted.")
    home, stop = typed_path(options.home) if options.home else checkpoints_home() / "what-if", Stop()
    with stop.on_signals():
        status = Slots(home, cells_of(SWEEP), slots=options.slots, tag="what-if", stop=stop, progress=_tell).run()
    print(file=sys.stderr)
    if failed := [name for name, state in status.states.items() if state == "failed"]:
        raise TrainingError(f"{len(failed)} of {len(status.states)} runs failed, such as {failed[0]}")
    if status.count("finished") < len(status.states):
        return STOPPED
    record = as_record([Recording(run_path(home, name)) for name in status.states])
    if options.out:
        typed_path(options.out).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(table(record["methods"]))
    return 0


def as_record(runs: Sequence[Recording]) -> dict[str, Any]:
    """Per method and key the median over frames of the second half and over seeds, of the worst dimension."""
    seen: dict[tuple[str, str, int], list[float]] = {}
    for recording in runs:
        info = recording.info
        for step, metrics in recording.frame_metrics().items():
            for key in (STAND_INS, LENT):
                if step >= LATE * (info.total_steps or 0) and key in metrics:
                    seen.setdefault((str(info.method), key, info.dim or 0), []).append(metrics[key])
    methods: dict[str, dict[str, float]] = {}
    for (method, key, _), values in seen.items():
        row = methods.setdefault(method, {})
        row[key] = round(min(row.get(key, 1.0), float(np.median(values))), 3)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "ltviz": ltviz.__version__,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "lends": [method for method, row in methods.items() if LENT in row],
        "methods": methods,
    }


def table(methods: Mapping[str, Mapping[str, float]]) -> str:
    """Markdown: a row for each method."""
    lines = ["| method | stand-ins | own directions | shown on other runs |", "|---|---:|---:|---|"]
    for method, row in methods.items():
        own = f"{row[LENT]:.2f}" if LENT in row else "–"
        shown = "yes" if row[STAND_INS] >= LEAST else "where they are lent" if row.get(LENT, 0) >= LEAST else "no"
        lines.append(f"| {method} | {row[STAND_INS]:.2f} | {own} | {shown} |")
    return "\n".join(lines)


def _tell(status: SweepStatus) -> None:
    left = "" if status.seconds_left is None else f", {status.seconds_left:.0f} s left"
    print(f"\r{status.count('finished')}/{len(status.states)} runs{left}   ", end="", file=sys.stderr, flush=True)
