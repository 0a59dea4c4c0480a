"""`ltviz sweep FILE`: methods x data x factor x dimension x seed from one TOML file."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from ltviz.cli.arguments import parse_one, positional
from ltviz.errors import ConfigError, TrainingError
from ltviz.export import basis, findings, repeats, results, summary
from ltviz.export.told import told_in
from ltviz.launch.apart import shared_storage
from ltviz.launch.slots import Slots, default_slots
from ltviz.launch.sweep import Cell, plan, read_sweep
from ltviz.launch.tally import State, SweepStatus, states_of
from ltviz.launch.trials import Site, Trials
from ltviz.metrics.judged import COMMON
from ltviz.recording import Recording, checkpoints_home, run_path
from ltviz.recording.names import typed_path
from ltviz.recording.storage import Storage
from ltviz.training.stop import Stop

ABOUT = (
    'Train every combination that a TOML file names: methods = ["ce", "supcon"], imbalance_factor = [10, 50], '
    "seed = [0, 1, 2], steps = 200, any other run setting, and [supcon] tables with settings of one method. "
    "What is finished is skipped, so the same line goes on after a stop."
)
STOPPED = 130
_BAR = 24  # characters
_IMAGE = (32, 32, 3)  # any, for the names of policies to be looked up; whether they fit the data is seen with the data


class SweepOptions(BaseModel):
    file: str = positional(description="TOML file of the sweep.")
    slots: int | None = Field(None, ge=1, le=256, description="Races at a time; the number of cores where empty.")
    home: str | None = Field(None, description="Folder of run folders; the variable LTVIZ_HOME where empty.")
    judge: Literal["ncm", "linear", "own"] = Field(
        COMMON,
        description="Who judges the accuracies of the table: nearest class mean, a linear probe, or each method's own "
        "classifier, which stands beside the others in any case.",
    )
    only: str = Field(
        "", max_length=100_000, description="Train only the races that hold these runs, ids separated by commas."
    )
    on: Literal["here", "ray", "slurm"] = Field(
        "here",
        description="Where races train: in slots on this machine; as jobs of a Ray cluster, whose job server is found "
        "in RAY_API_SERVER_ADDRESS or RAY_ADDRESS; as an array of Slurm jobs. Nodes share the home, or a mirror.",
    )
    mirror: str | None = Field(
        None,
        description="On ray: an address that nodes and this machine reach, such as s3://bucket/runs. A node that does "
        "not see the home brings its runs there, and they are fetched from there while they train.",
    )
    trial_cpus: float = Field(1, ge=0, le=1024, description="On ray: CPUs that a race takes.")
    trial_gpus: float = Field(0, ge=0, le=64, description="On ray: GPUs that a race takes, or a part of one.")
    slurm: str = Field(
        "",
        max_length=2000,
        description="On slurm: options of submitit's executor, such as slurm_partition=gpu,gpus_per_node=1,"
        "timeout_min=240.",
    )
    dry_run: bool = Field(False, description="Say what would be trained, and train nothing.")
    json_: bool = Field(False, alias="json", description="Print one JSON object at the end, and nothing else.")


def run(argv: Sequence[str]) -> int:
    """Trains what is not finished, then prints the table of means over seeds.

    Returns:
        0 where every run is finished, 130 after a stop.

    Raises:
        LtvizError: bad input; nothing was trained.
        TrainingError: runs failed; the others are finished.
    """
    options = parse_one("ltviz sweep", argv, SweepOptions, about=ABOUT)
    sweep = read_sweep(typed_path(options.file))
    home = typed_path(options.home) if options.home else checkpoints_home()

    from ltviz import encoders
    from ltviz.data import views
    from ltviz.methods import registry
    from ltviz.training.shared_start import check_labels

    cells = plan(sweep, {name: kind.Settings for name, kind in registry.methods().items()})
    for name in sorted({cell.run.encoder for cell in cells}):
        encoders.find(name)
    for names in sorted({cell.run.policies for cell in cells}):
        views.chosen(names, _IMAGE)
    for cell in cells:
        check_labels([registry.method(one.method) for one in cell.job.runs], cell.run.data)
    cells = _chosen(cells, options.only)
    if options.dry_run:
        _tell_plan(home, cells, options.json_)
        return 0

    mirror, stop, began = _mirror(options), Stop(), time.monotonic()
    told = _Quiet() if options.json_ else _Bar() if sys.stderr.isatty() else _Lines(home)
    with stop.on_signals():
        said: dict[str, Any] = {"tag": sweep.name, "stop": stop, "progress": told.progress, "ended": told.ended}
        if options.on == "here":
            status = Slots(home, cells, slots=options.slots or default_slots(), **said).run()
        else:
            home = home.absolute()
            trials = Trials(home, cells, site=_site(home, sweep.name, options), mirror=mirror, **said)
            status = trials.run()
            if mirror is not None and trials.arrivals is not None and trials.arrivals.apart and not options.json_:
                print(f"ltviz: nodes do not see {home}, so their runs came by {mirror.url}", file=sys.stderr)
    told.clear()
    return _tell_end(sweep.name, home, cells, status, time.monotonic() - began, options)


def _chosen(cells: Sequence[Cell], only: str) -> list[Cell]:
    """The cells that hold these runs; all where none is named. ConfigError: a run that is not of the plan."""
    if not only:
        return list(cells)
    wanted = {name.strip() for name in only.split(",")}
    found = [cell for cell in cells if wanted & {run.run_id for run in cell.job.runs}]
    if missing := wanted - {run.run_id for cell in found for run in cell.job.runs}:
        raise ConfigError(
            f"only must name runs of the sweep, got {min(missing):.80}; `--dry-run` lists the {len(cells)} races"
        )
    return found


def _mirror(options: SweepOptions) -> Storage | None:
    """Where nodes bring what they train apart. ConfigError: no such address, or a place that has no such nodes."""
    if options.mirror is None:
        return None
    if options.on != "ray":
        raise ConfigError(f"mirror is for nodes of a Ray cluster, got on {options.on}; try --on ray, or leave it out")
    return shared_storage(options.mirror)


def _site(home: Path, tag: str, options: SweepOptions) -> Site:
    """The cluster that the line names. ConfigError, TrainingError: it cannot be reached from here."""
    if options.on == "ray":
        from ltviz.launch.ray_site import RaySite

        return RaySite(tag=tag, cpus=options.trial_cpus, gpus=options.trial_gpus)
    from ltviz.launch.slurm_site import SlurmSite, slurm_options

    return SlurmSite(home, tag=tag, options=slurm_options(options.slurm))


def _tell_plan(home: Path, cells: Sequence[Cell], as_json: bool) -> None:
    states = states_of(home, cells)
    if as_json:
        rows = [
            {**run.model_dump(), "run": cell.run.model_dump(mode="json"), "state": states[run.run_id]}
            for cell in cells
            for run in cell.job.runs
        ]
        print(json.dumps({"home": str(home), "runs": rows}))
        return
    width = max(map(len, states))
    for run, state in states.items():
        print(f"{run:{width}}  {state}")
    done = sum(state == "finished" for state in states.values())
    print(f"{len(states)} runs in {len(cells)} races, {done} of them finished already; nothing was trained")


def _tell_end(
    name: str, home: Path, cells: Sequence[Cell], status: SweepStatus, seconds: float, options: SweepOptions
) -> int:
    recordings = {run: Recording(run_path(home, run)) for run in status.states}
    finished = [recordings[run] for run, state in status.states.items() if state == "finished"]
    groups = results.group_results(results.read_results(finished)[0])
    failed = {run: recordings[run].status().reason for run, state in status.states.items() if state == "failed"}
    left = len(status.states) - status.count("finished") - len(failed)
    if options.json_:
        told: dict[str, Any] = {"name": name, "home": str(home), "seconds": round(seconds, 3), "judge": options.judge}
        against = findings.against_baseline(groups, judge=options.judge)
        told |= {"skipped": status.skipped, "runs": _rows(cells, status, failed), "summary": summary.as_json(groups)}
        print(json.dumps(told | {"differences": findings.as_json(against)}), flush=True)
    else:
        print(summary.markdown(groups, judge=options.judge), flush=True)
        for said in _said(groups, options.judge):
            print(f"{said}\n", flush=True)
        if found := findings.markdown(groups, judge=options.judge):
            print(found, flush=True)
        print(f"{_count(status)} in {seconds:.0f} s; tagged {name} in {home}", flush=True)
    if left:
        print(f"ltviz: {left} runs are left; the same line goes on with them", file=sys.stderr)
        return STOPPED
    if failed:
        run, reason = next(iter(failed.items()))
        raise TrainingError(f"{len(failed)} of {len(status.states)} runs failed, {run} first: {reason}")
    return 0


def _said(groups: Sequence[results.Group], judge: str) -> list[str]:
    """What one must know to read the table."""
    seen = [basis.images_seen_note(basis.images_a_step(group)) for group in groups]
    once = repeats.repeats_note(groups, [one.key for one in told_in("summary", groups, judge)])
    return list(filter(None, [basis.judge_note(groups, judge), *dict.fromkeys(seen), basis.readout_note(groups), once]))


def _rows(cells: Sequence[Cell], status: SweepStatus, failed: dict[str, str | None]) -> list[dict[str, Any]]:
    return [
        {
            "run_id": run.run_id,
            "method": run.method,
            "settings": run.settings,
            **cell.run.model_dump(mode="json", include={"data", "imbalance_factor", "dim", "seed", "steps"}),
            "state": status.states[run.run_id],
            "reason": failed.get(run.run_id),
        }
        for cell in cells
        for run in cell.job.runs
    ]


def _count(status: SweepStatus) -> str:
    skipped = f" ({status.skipped} before)" if status.skipped else ""
    failed = f", {status.count('failed')} failed" if status.count("failed") else ""
    return f"{status.count('finished')}/{len(status.states)} runs finished{skipped}{failed}"


class _Quiet:
    """Says nothing: the JSON object at the end is all."""

    def progress(self, status: SweepStatus) -> None:
        pass

    def ended(self, run: str, state: State) -> None:
        pass

    def clear(self) -> None:
        pass


class _Bar(_Quiet):
    """One line on the terminal that is written over."""

    def progress(self, status: SweepStatus) -> None:
        done = status.steps / max(status.total_steps, 1)
        bar = "█" * round(done * _BAR)
        left = "" if status.seconds_left is None else f", {_duration(status.seconds_left)} left"
        print(f"\r\x1b[K{_count(status)} ▕{bar:{_BAR}}▏ {done:4.0%}{left}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class _Lines(_Quiet):
    """A line for each run that ends: for log files."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._waiting: list[tuple[str, State]] = []

    def progress(self, status: SweepStatus) -> None:
        left = "" if status.seconds_left is None else f", {_duration(status.seconds_left)} left"
        for run, state in self._waiting:
            reason = Recording(run_path(self._home, run)).status().reason if state == "failed" else None
            print(f"{state} {run}{f' ({reason})' if reason else ''}: {_count(status)}{left}", flush=True)
        self._waiting.clear()

    def ended(self, run: str, state: State) -> None:
        self._waiting.append((run, state))


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
