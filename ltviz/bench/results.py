"""`ltviz bench results`: trains every method on the sets it fits and prints the tables of `.github/RESULTS.md`."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from pydantic import BaseModel, Field

from ltviz.cli.arguments import parse_one
from ltviz.errors import TrainingError
from ltviz.export import results
from ltviz.launch.slots import Slots, SweepStatus
from ltviz.launch.sweep import Cell, plan, read_sweep
from ltviz.methods import registry
from ltviz.recording import Recording, checkpoints_home, run_path
from ltviz.recording.names import typed_path
from ltviz.training.stop import Stop

BASELINE = "ce"
FEW = "accuracy_few"
STOPPED = 130


class ResultsOptions(BaseModel):
    only: str | None = Field(
        None, pattern="^(digits|digits-ml|mnist)$", description="One of digits, digits-ml and mnist; all where empty."
    )
    home: str | None = Field(
        None, description="Folder of run folders (1.3 GB); `results` in the home of runs where empty."
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
    text = tables(runs)
    if options.out:
        typed_path(options.out).write_text(text, encoding="utf-8")
    else:
        print(text)
    return 0


def sweep_files(only: str | None = None) -> list[Path]:
    """The sweep files beside this module."""
    return sorted(Path(__file__).parent.glob(f"results_{only or '*'}.toml"))


def cells_of(file: Path) -> list[Cell]:
    """The races of a sweep file."""
    return plan(read_sweep(file), {name: kind.Settings for name, kind in registry.methods().items()})


def tables(runs: Sequence[Recording]) -> str:
    """Markdown: accuracy and centre sum of every method, then its few-shot points over CE seed by seed."""
    groups = results.group_results(results.read_results(runs)[0])
    over = _over_baseline(groups)
    points = f"Few-shot accuracy minus that of CE, in points, seed by seed:\n\n{over}\n" if over else ""
    return (
        "Mean and sample standard deviation over seeds, in % of the test images by the method's own classifier (mean "
        "average precision where images have several labels); centre sum without unit; the best mean of each block in "
        "bold.\n\n"
        f"{results.markdown(groups)}\n"
        f"{points}"
        f"torch {torch.__version__}, Python {platform.python_version()}, {platform.machine()}.\n"
    )


def _over_baseline(groups: Sequence[results.Group]) -> str:
    columns: list[str] = []
    rows: dict[str, list[str]] = {}
    for group in groups:
        base = next((arm for arm in group.arms if arm.method == BASELINE), None)
        if base is None:
            continue
        told = group.shown
        columns.append(f"{told['data']}, IF {told['imbalance_factor']:g}, d {told['dim']}")
        reference = base.by_seed(FEW)
        for arm in group.arms:
            if arm is base:
                continue
            found = arm.by_seed(FEW)
            points = [
                f"{100 * (found[seed] - reference[seed]):+.1f}" for seed in sorted(found.keys() & reference.keys())
            ]
            rows.setdefault(arm.label, []).append(" / ".join(points))
    if not rows:
        return ""
    lines = [["method", *columns], ["---"] * (len(columns) + 1), *([label, *cells] for label, cells in rows.items())]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _tell(status: SweepStatus) -> None:
    left = "" if status.seconds_left is None else f", {status.seconds_left:.0f} s left"
    print(f"\r{status.count('finished')}/{len(status.states)} runs{left}   ", end="", file=sys.stderr, flush=True)
