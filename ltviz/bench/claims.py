"""`ltviz bench claims`: tests what ltviz's own sentences say about methods, each against the runs that it rests on."""

from __future__ import annotations

import json
import math
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, Field

import ltviz
from ltviz.bench.evidence import Arm, Claim, Claims, Evidence, choose, fingerprint, read_claims
from ltviz.cli.arguments import parse_one
from ltviz.errors import TrainingError
from ltviz.export import results
from ltviz.export.findings import shared_image_error
from ltviz.launch.slots import Slots
from ltviz.launch.sweep import Cell, Sweep, plan
from ltviz.launch.tally import SweepStatus
from ltviz.methods import registry
from ltviz.metrics.comparison import Comparison, compare, correct, p_words, scale_of
from ltviz.recording import Recording, checkpoints_home, run_path
from ltviz.recording.measured import measure_frame
from ltviz.recording.names import typed_path
from ltviz.training.judges import OWN, judge
from ltviz.training.shared_start import parse_settings
from ltviz.training.stop import Stop

MEASURED = Path(__file__).with_name("claims_measured.json")
"""What the claims measured when they were last tested, as `--out` writes it."""
FALLEN = 1
STOPPED = 130


class ClaimsOptions(BaseModel):
    only: str | None = Field(None, description="Ids of claims, separated by commas; all where empty.")
    home: str | None = Field(
        None, description="Folder of run folders (300 MB); `claims` in the home of runs where empty."
    )
    data_dir: str | None = Field(None, description="Folder of the MNIST files; the variable LTVIZ_DATA where empty.")
    slots: int = Field(1, ge=1, le=256, description="Races at a time.")
    out: str | None = Field(None, description="JSON file to write what was measured to.")
    json_: bool = Field(False, alias="json", description="Print one JSON object instead of the table.")


@dataclass(frozen=True)
class Verdict:
    """A claim and what was found for each piece of its evidence."""

    claim: Claim
    found: tuple[Comparison, ...]

    @property
    def holds(self) -> bool:
        return all(evidence.holds(one) for evidence, one in self.pairs)

    @property
    def pairs(self) -> list[tuple[Evidence, Comparison]]:
        return list(zip(self.claim.evidence, self.found, strict=True))


def run(argv: Sequence[str] = ()) -> int:
    """Trains what is not finished in the folder of runs, then tests every claim.

    Returns:
        0 where all hold, 1 where one has fallen, 130 after a stop; the same line goes on then.

    Raises:
        LtvizError: no such claim, missing data or bad options; nothing was trained.
        TrainingError: runs failed.
    """
    options = parse_one("ltviz bench claims", argv, ClaimsOptions, about="Whether ltviz's own sentences are true.")
    if options.data_dir:
        os.environ["LTVIZ_DATA"] = str(typed_path(options.data_dir).absolute())  # workers read it too
    file = read_claims()
    claims = choose(file, options.only)
    cells = cells_of(file, claims)
    home, stop = typed_path(options.home) if options.home else checkpoints_home() / "claims", Stop()
    with stop.on_signals():
        races = [cell for planned in cells.values() for cell in planned]
        status = Slots(home, races, slots=options.slots, tag="claims", stop=stop, progress=_tell).run()
    print(file=sys.stderr)
    if failed := [name for name, state in status.states.items() if state == "failed"]:
        reason = Recording(run_path(home, failed[0])).status().reason
        raise TrainingError(f"{len(failed)} of {len(status.states)} runs failed, {failed[0]}: {reason}")
    if status.count("finished") < len(status.states):
        return STOPPED
    verdicts = examine(claims, Endings(home, cells))
    record = as_record(verdicts, file)
    if options.out:
        typed_path(options.out).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record) if options.json_ else table(verdicts))
    return 0 if all(verdict.holds for verdict in verdicts) else FALLEN


# ---------------------------------------------------------------------- runs


def cells_of(file: Claims, chosen: Sequence[Claim]) -> dict[str, list[Cell]]:
    """Condition -> the races that some claims rest on; arms with default settings race together."""
    kinds = {name: kind.Settings for name, kind in registry.methods().items()}
    found: dict[str, list[Cell]] = {}
    for name, arms in _arms(chosen).items():
        setting = file.setting[name]
        axes = {**{key: (value,) for key, value in setting.run.items()}, "seed": setting.seeds}
        plain = tuple(arm.method for arm in arms if not arm.settings)
        sweeps = [Sweep(name="claims", methods=plain, run=axes, settings={})] if plain else []
        for arm in arms:
            if arm.settings:
                own = {arm.method: {key: (value,) for key, value in arm.settings.items()}}
                sweeps.append(Sweep(name="claims", methods=(arm.method,), run=axes, settings=own))
        found[name] = [cell for sweep in sweeps for cell in plan(sweep, kinds)]
    return found


def _arms(chosen: Sequence[Claim]) -> dict[str, list[Arm]]:
    """Condition -> every arm that is compared there, each once."""
    found: dict[str, list[Arm]] = {}
    for evidence in (evidence for claim in chosen for evidence in claim.evidence):
        known = found.setdefault(evidence.setting, [])
        for arm in evidence.arms:
            if settings_of(arm) not in map(settings_of, known):
                known.append(arm)
    return found


def settings_of(arm: Arm) -> tuple[str, dict[str, Any]]:
    """Method and all of its settings."""
    return arm.method, parse_settings(registry.method(arm.method), arm.settings).model_dump(mode="json")


class Endings:
    """What trained runs measure at their last frames, each looked at once.

    Args:
        home: folder of run folders.
        cells: setting -> its races, all finished.
    """

    def __init__(self, home: Path, cells: Mapping[str, Sequence[Cell]]):
        self._home, self._cells = home, cells
        self._known: dict[tuple[str, str | None], results.Result] = {}

    def arm(self, setting: str, arm: Arm, judged_by: str | None) -> results.Arm:
        """Its runs, one a seed; accuracies are those of the whole test set where a judge is named."""
        runs = [run for cell in self._cells[setting] for run in cell.job.runs]
        mine = [run.run_id for run in runs if (run.method, run.settings) == settings_of(arm)]
        return results.Arm({}, arm.name, arm.method, tuple(self._look(run, judged_by) for run in mine))

    def _look(self, run: str, judged_by: str | None) -> results.Result:
        key = run, judged_by
        if key not in self._known:
            recording = Recording(run_path(self._home, run))
            frame = recording.last()
            assert frame is not None, run  # a finished run has one
            if judged_by is None:
                values = {**measure_frame(recording, frame), **frame.metrics}
            else:
                shares = judge(recording, [] if judged_by == OWN else [judged_by])["judges"][judged_by]
                values = {f"accuracy_{group}": share for group, share in shares.items()}
            self._known[key] = results.Result(recording, recording.info, {frame.step: values})
        return self._known[key]


# ---------------------------------------------------------------------- tests


def examine(chosen: Sequence[Claim], runs: Endings) -> list[Verdict]:
    """Every claim with what was found, p corrected for all differences that these claims rest on together."""
    found = [(evidence, _compare(evidence, claim, runs)) for claim in chosen for evidence in claim.evidence]
    differences = iter(correct([one for evidence, one in found if evidence.direction != "same"]))
    corrected = iter([one if evidence.direction == "same" else next(differences) for evidence, one in found])
    return [Verdict(claim, tuple(next(corrected) for _ in claim.evidence)) for claim in chosen]


def _compare(evidence: Evidence, claim: Claim, runs: Endings) -> Comparison:
    """First minus second; the other arms of the same claim, measured alike, help to estimate the error."""

    def seen(arm: Arm, measure: str) -> results.Arm:
        return runs.arm(evidence.setting, arm, evidence.judge if measure.startswith("accuracy_") else None)

    first = seen(evidence.first, evidence.measure)
    values = first.by_seed(evidence.measure)
    if not isinstance(evidence.second, Arm):
        constant = dict.fromkeys(values, evidence.second)
        return compare(values, constant, measure=evidence.measure, names=evidence.names)
    second = seen(evidence.second, evidence.other_measure)
    if evidence.against:
        errors = [
            shared_image_error(first, first, evidence.measure),
            shared_image_error(second, second, evidence.against),
        ]
        beside, error = [], math.hypot(*errors) / math.sqrt(2)
    else:
        alike = {"setting", "measure", "against", "judge"}
        kin = [e for e in claim.evidence if e.model_dump(include=alike) == evidence.model_dump(include=alike)]
        others = {arm.name: arm for e in kin for arm in e.arms if arm not in evidence.arms}
        beside = [seen(arm, evidence.measure).by_seed(evidence.measure) for arm in others.values()]
        error = shared_image_error(first, second, evidence.measure)
    return compare(
        values,
        second.by_seed(evidence.other_measure),
        measure=evidence.measure,
        names=evidence.names,
        beside=beside,
        image_error=error,
    )


# ---------------------------------------------------------------------- what is said


def table(verdicts: Sequence[Verdict]) -> str:
    """Markdown: a row for each piece of evidence, then how many claims hold."""
    lines = [
        "| claim | holds | evidence | measured | 95 % interval | corrected p | seeds |",
        "|---|---|---|---|---|---|---:|",
    ]
    for verdict in verdicts:
        for evidence, one in verdict.pairs:
            amount, interval = _amounts(one)
            p = "–" if evidence.direction == "same" or one.corrected is None else p_words(one.corrected)
            holds = "yes" if evidence.holds(one) else "NO"
            lines.append(
                f"| {verdict.claim.id} | {holds} | {_told(evidence)} | {amount} | {interval} | {p} | {one.n} |"
            )
    fallen = [verdict.claim.id for verdict in verdicts if not verdict.holds]
    said = f"{len(fallen)} of {len(verdicts)} claims have fallen: {', '.join(fallen)}." if fallen else ""
    return "\n".join([*lines, "", said or f"All {len(verdicts)} claims hold."])


def _told(evidence: Evidence) -> str:
    """ "accuracy_few by ncm, gml - ce: higher, 10 points or more; digits-3"."""
    measure = f"{evidence.measure} - {evidence.against}" if evidence.against else evidence.measure
    by = f" by {evidence.judge}" if evidence.measure.startswith("accuracy_") else ""
    factor, unit, digits = scale_of(evidence.measure, evidence.size)
    size = f"{factor * evidence.size:.{digits}f}{unit}"
    wanted = f"within {size}" if evidence.direction == "same" else f"{evidence.direction}, {size} or more"
    return f"{measure}{by}, {' - '.join(dict.fromkeys(evidence.names))}: {wanted}; {evidence.setting}"


def _amounts(one: Comparison) -> tuple[str, str]:
    if one.difference is None:
        return "–", "–"
    factor, unit, digits = scale_of(one.measure, one.difference)
    amount = f"{factor * one.difference:+.{digits}f}{unit}"
    if one.low is None or one.high is None:
        return amount, "–"
    return amount, f"{factor * one.low:+.{digits}f} to {factor * one.high:+.{digits}f}"


def as_record(verdicts: Sequence[Verdict], file: Claims) -> dict[str, Any]:
    """What was measured, when and with what, as JSON values in the measures' own units."""
    kept = ("difference", "low", "high", "p", "corrected", "family", "n", "methods", "image_error")
    claims = {
        verdict.claim.id: {
            "holds": verdict.holds,
            "fingerprint": fingerprint(verdict.claim, file),
            "evidence": [
                {
                    "told": _told(evidence),
                    "holds": evidence.holds(one),
                    **{name: _short(getattr(one, name)) for name in kept},
                }
                for evidence, one in verdict.pairs
            ],
        }
        for verdict in verdicts
    }
    return {
        "date": time.strftime("%Y-%m-%d"),
        "ltviz": ltviz.__version__,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "claims": claims,
    }


def _short(value: float | None) -> float | None:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _tell(status: SweepStatus) -> None:
    left = "" if status.seconds_left is None else f", {status.seconds_left:.0f} s left"
    print(f"\r{status.count('finished')}/{len(status.states)} runs{left}   ", end="", file=sys.stderr, flush=True)
