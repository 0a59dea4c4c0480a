"""`ltviz bench results`: trains every method on the sets it fits and prints the tables of `.github/RESULTS.md`."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from pydantic import BaseModel, Field

import ltviz
from ltviz.cli.arguments import parse_one
from ltviz.errors import TrainingError
from ltviz.export import findings, repeats, results
from ltviz.export.cells import aligned, text
from ltviz.launch.slots import Slots
from ltviz.launch.sweep import Cell, plan, read_sweep
from ltviz.launch.tally import SweepStatus
from ltviz.methods import registry
from ltviz.metrics.judged import COMMON, JUDGES
from ltviz.recording import Recording, checkpoints_home, run_path
from ltviz.recording.names import typed_path
from ltviz.training.stop import Stop

FILES = ("digits", "mnist", "digits-ml")
"""Data sets in the order of training: what is most worth knowing comes first."""
STOPPED = 130
SINGLE = (
    "images_seen",
    *(f"final_accuracy_{group}_{COMMON}" for group in ("many", "medium", "few")),
    *(f"final_accuracy_few_{judge}" for judge in JUDGES if judge != COMMON),
    *(f"final_centre_sum_{part}{space}" for space in ("", "_features") for part in ("train", "test")),
    *(f"final_spread_tail_{part}_features" for part in ("train", "test")),
)
SINGLE_COMPARED = (f"final_accuracy_few_{COMMON}", "final_accuracy_few_own", "final_centre_sum_test_features")
SEVERAL = (
    "images_seen",
    *(f"final_map_{group}_own" for group in ("many", "medium", "few")),
    *(f"final_centre_sum_{part}_features" for part in ("train", "test")),
)
SEVERAL_COMPARED = ("final_map_few_own", "final_centre_sum_test_features")
NOTES = """\
Every method sees equally many images: three views of the same samples in each step (two where images have several
labels), augmented afresh. Numbers are means and sample standard deviations over seeds, at the end of training.
Accuracies are in % of the whole test set; every method is judged by the nearest class mean of its frozen features
(ncm), and beside it by its own classifier (own) and by a class-balanced linear probe, trained to convergence (linear).
Geometry is that of all training and of all test samples, of the points on the sphere and of the encoder's features at
length 1. The spheres of CE, re-weighting, logit adjustment, BCE, focal loss and LTML are read-outs beside the encoder:
their geometry is left out, and that of their features is comparable. The best mean of each column is in bold;
differences stand below.
"""


class ResultsOptions(BaseModel):
    only: str | None = Field(
        None, pattern="^(digits|digits-ml|mnist)$", description="One of digits, digits-ml and mnist; all where empty."
    )
    home: str | None = Field(
        None, description="Folder of run folders (4 GB); `results` in the home of runs where empty."
    )
    data_dir: str | None = Field(None, description="Folder of the MNIST files; the variable LTVIZ_DATA where empty.")
    slots: int = Field(1, ge=1, le=256, description="Races at a time.")
    out: str | None = Field(None, description="Markdown file to write; the terminal where empty.")


def run(argv: Sequence[str] = ()) -> int:
    """Trains what is not finished in the folder of runs, then writes the tables.

    Returns:
        0, or 130 after a stop; the same line goes on then.

    Raises:
        LtvizError: missing data or bad options; nothing was trained.
        TrainingError: runs failed.
    """
    options = parse_one("ltviz bench results", argv, ResultsOptions, about="Few, medium and many of all methods.")
    if options.data_dir:
        os.environ["LTVIZ_DATA"] = str(typed_path(options.data_dir).absolute())  # workers read it too
    cells = [cell for file in sweep_files(options.only) for cell in cells_of(file)]
    home, stop = typed_path(options.home) if options.home else checkpoints_home() / "results", Stop()
    with stop.on_signals():
        status = Slots(home, cells, slots=options.slots, tag="results", stop=stop, progress=_tell).run()
    print(file=sys.stderr)
    if status.count("finished") < len(status.states) and not status.count("failed"):
        return STOPPED
    runs = [Recording(run_path(home, run)) for run in status.states]
    if failed := [r for r in runs if status.states[r.run_id] == "failed"]:
        raise TrainingError(
            f"{len(failed)} of {len(runs)} runs failed, {failed[0].run_id}: {failed[0].status().reason}"
        )
    report = tables(runs)
    if options.out:
        typed_path(options.out).write_text(report, encoding="utf-8")
    else:
        print(report)
    return 0


def sweep_files(only: str | None = None) -> list[Path]:
    """The sweep files beside this module, in the order in which they are trained."""
    return [Path(__file__).parent / f"results_{name}.toml" for name in ([only] if only else FILES)]


def cells_of(file: Path) -> list[Cell]:
    """The races of a sweep file."""
    return plan(read_sweep(file), {name: kind.Settings for name, kind in registry.methods().items()})


def tables(runs: Sequence[Recording]) -> str:
    """Markdown: for each setting the numbers of every method, and what differs from the baseline."""
    groups = results.group_results(results.read_results(runs)[0])
    parts = [NOTES, *(_section(group, groups) for group in groups)]
    made = f"ltviz {ltviz.__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    return "\n".join([*parts, f"{made}, {platform.machine()}, {time.strftime('%Y-%m-%d')}.\n"])


def _section(group: results.Group, groups: Sequence[results.Group]) -> str:
    several = any(arm.mean(SEVERAL[1]) is not None for arm in group.arms)
    measures, compared = (SEVERAL, SEVERAL_COMPARED) if several else (SINGLE, SINGLE_COMPARED)
    best = {key: results.best_of(group.arms, key) for key in measures}
    rows = []
    for arm in group.arms:
        told = {key: repeats.shown_once(group, arm, key, groups) for key in measures}
        values = [f"**{told[key]}**" if best[key] is arm else told[key] for key in measures]
        rows.append([text(arm.label), str(len(arm.results)), *values])
    heads = ["method", "seeds", *(results.head(key) for key in measures)]
    kept = [arm for arm in group.arms if arm is group.baseline or not _is_listed(group, arm, compared, groups)]
    found = findings.markdown([replace(group, arms=tuple(kept))], compared)
    steps = group.arms[0].cell.get("steps")
    shown = {name: group.shown[name] for name in ("data", "imbalance_factor", "dim")}
    title = f"## {shown['data']}, IF {shown['imbalance_factor']:g}, d {shown['dim']}, {steps} steps"
    return "\n".join([title, "", aligned(heads, rows, 1), found])


def _is_listed(
    group: results.Group, arm: results.Arm, measures: Sequence[str], groups: Sequence[results.Group]
) -> bool:
    """Whether all that an arm is compared in is listed at a smaller d."""
    known = [key for key in measures if arm.mean(key) is not None]
    return all(repeats.listed_at(group, arm, key, groups) is not None for key in known)


def _tell(status: SweepStatus) -> None:
    left = "" if status.seconds_left is None else f", {status.seconds_left:.0f} s left"
    print(f"\r{status.count('finished')}/{len(status.states)} runs{left}   ", end="", file=sys.stderr, flush=True)
