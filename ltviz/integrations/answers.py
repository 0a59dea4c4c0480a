"""What is asked about runs by somebody who cannot look: plain values, as an assistant's tools give them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ltviz.errors import ConfigError, RecordingError
from ltviz.export.findings import against_baseline, as_json, notes, sentences
from ltviz.export.results import group_results, read_results
from ltviz.launch.app import demo_home
from ltviz.metrics import BEHIND, MEASURES
from ltviz.metrics.agreement import LEAST, agreement, recorded_for
from ltviz.recording import Frame, Home, Recording
from ltviz.recording.attention import read_attention
from ltviz.recording.measured import find_alarms_of, measure_frame
from ltviz.recording.notes import read_notes

MOST_RUNS = 200
MOST_SAMPLES = 500


def homes(root: Home) -> list[Home]:
    """The home, and the demo recordings where it has no runs, as the app shows them."""
    demo = demo_home()
    return [root] if root.recordings() or demo is None else [root, Home(demo)]


def find(root: Home, run: str) -> Recording:
    """The run of an id.

    Raises:
        RecordingError: there is none. Paths are not taken: what is asked from outside stays in the home.
    """
    for home in homes(root):
        if run in home.look().runs:
            return Recording(home.folder(run), run_id=run)
    raise RecordingError(f"there is no run {run!r:.100} in {root.root}; list the runs and take a run_id from there")


def list_runs(root: Home, *, state: str | None = None, method: str | None = None, most: int = 50) -> dict[str, Any]:
    """The runs, newest first: what they are and how they are doing."""
    rows = []
    for home in homes(root):
        rows += [row for recording in home.recordings() if _fits(row := describe(recording), state, method)]
    most = max(1, min(most, MOST_RUNS))
    return {"home": str(root.root), "runs": rows[:most], "left_out": max(0, len(rows) - most)}


def describe(recording: Recording) -> dict[str, Any]:
    """One run: id, method, data, state, steps, sizes, tags, note; what is not known is null."""
    status = recording.status()
    steps = recording.frame_files()
    row: dict[str, Any] = {
        "run_id": recording.run_id,
        "state": status.state,
        "reason": status.reason,
        "first_step": steps[0] if steps else None,
        "last_step": steps[-1] if steps else None,
        "frames": len(steps),
    }
    names = ("title", "method", "data", "imbalance_factor", "dim", "num_classes", "seed", "total_steps", "race")
    row |= dict.fromkeys(names)
    try:
        info = recording.info
        row |= {name: getattr(info, name) for name in names}
        row |= read_notes(recording.path).model_dump(include={"tags", "note"})
    except RecordingError as error:
        row["reason"] = status.reason or str(error)
    return row


def measure(root: Home, run: str, *, step: int | None = None, keys: Sequence[str] = ()) -> dict[str, Any]:
    """The measures of one step, the last one where None, each with what it means.

    Raises:
        RecordingError: no such run or step. ConfigError: a key that this step does not have.
    """
    recording = find(root, run)
    frame = _frame(recording, step)
    values = {**measure_frame(recording, frame), **frame.metrics}
    if unknown := [key for key in keys if key not in values]:
        raise ConfigError(f"step {frame.step} has no measure {unknown[0]!r:.60}; it has {', '.join(sorted(values))}")
    chosen = {key: value for key, value in values.items() if not keys or key in keys}
    known = {key: MEASURES.get(key) or BEHIND.get(key) for key in chosen}
    meaning = {key: one.short for key, one in known.items() if one is not None}
    return {"run_id": run, "step": frame.step, "measures": chosen, "meaning": meaning}


def course(root: Home, run: str, key: str, *, most: int = 60) -> dict[str, Any]:
    """One measure over the recorded steps, at most `most` of them, evenly chosen, with the first and the last.

    Raises:
        RecordingError: no such run. ConfigError: a measure that no frame has.
    """
    found = {step: m[key] for step, m in find(root, run).frame_metrics().items() if key in m}
    if not found:
        raise ConfigError(f"no frame of {run} has the measure {key!r:.60}; measure the run to see which there are")
    steps = list(found)
    chosen = [steps[at] for at in sorted({round(at) for at in np.linspace(0, len(steps) - 1, min(most, len(steps)))})]
    return {"run_id": run, "key": key, "values": [{"step": step, "value": found[step]} for step in chosen]}


def alarms(root: Home, run: str, *, since: int = 0) -> dict[str, Any]:
    """What went wrong at or after a step: kind, first step, reason, what to try.

    Raises:
        RecordingError: no such run.
    """
    recording = find(root, run)
    found = [alarm for alarm in find_alarms_of(recording) if alarm.step >= since]
    told = [{name: getattr(alarm, name) for name in ("kind", "step", "reason", "advice")} for alarm in found]
    return {"run_id": run, "since": since, "last_step": max(recording.frame_files(), default=None), "alarms": told}


def compare(root: Home, runs: Sequence[str], *, keys: Sequence[str] = ()) -> dict[str, Any]:
    """The last steps of runs side by side, and what can be said about their differences over seeds.

    Raises:
        RecordingError: no such run, or none with frames. ConfigError: fewer than two.
    """
    if len(set(runs)) < 2:
        raise ConfigError(f"comparing needs two runs or more, got {len(set(runs))}")
    results, left_out = read_results([find(root, run) for run in dict.fromkeys(runs)])
    if not results:
        raise RecordingError(f"comparing needs runs with frames, but {left_out[0]}")
    wanted = list(keys) or [key for key in MEASURES if any(key in result.metrics for result in results)]
    rows = [
        {
            "run_id": result.recording.run_id,
            "method": result.info.method,
            "seed": result.info.seed,
            "step": result.step,
            "measures": {key: result.metrics[key] for key in wanted if key in result.metrics},
        }
        for result in results
    ]
    groups = group_results(results)
    found = against_baseline(groups, list(keys) or None)
    return {
        "runs": rows,
        "differ_in": _unlike([result.cell for result in results]),
        "sentences": [*sentences(found), *notes([one.comparison for one in found])],
        "findings": as_json(found),
        "left_out": left_out,
    }


def what_if(root: Home, run: str, *, step: int | None = None) -> dict[str, Any]:
    """How each method's loss would move the classes at one step: the size of its force by class, and how much it agrees
    with the run's own, which comes first.

    Raises:
        RecordingError: no such run or step. ConfigError: a run that recorded no forces.
    """
    recording = find(root, run)
    frame, info = _frame(recording, step), recording.info
    if not frame.forces:
        raise ConfigError(f"step {frame.step} of {run} holds no forces; runs of `ltviz train` record them")
    own = frame.forces.get(info.method or "", {}).get("total")
    trusted = recorded_for(info.method)
    rows = []
    for method, parts in sorted(frame.forces.items(), key=lambda item: (item[0] != info.method, item[0])):
        size = np.linalg.norm(parts["total"], axis=1)
        row: dict[str, Any] = {
            "method": method,
            "own": method == info.method,
            "force_by_class": {info.class_names[c]: _rounded(size[c]) for c in info.order.tolist()},
            "cosine_with_own": None if own is None else agreement(own, parts["total"]),
        }
        if method != info.method:
            row["trusted_to"] = trusted.get(method)
            row["can_be_trusted"] = trusted.get(method, 0.0) >= LEAST
        rows.append(row)
    return {"run_id": run, "step": frame.step, "methods": rows}


def selection(root: Home, *, run: str | None = None) -> dict[str, Any]:
    """The samples that somebody has selected on the app's stage: their ids, and what a run says of them.

    Raises:
        RecordingError: no such run.
    """
    seen = read_attention(root.root)
    if seen is None or not seen.sample_ids:
        return {"sample_ids": [], "runs": [] if seen is None else seen.runs, "note": "nothing is selected in the app"}
    told: dict[str, Any] = {
        "sample_ids": seen.sample_ids[:MOST_SAMPLES],
        "count": len(seen.sample_ids),
        "runs": seen.runs,
        "selected_at": seen.at,
    }
    name = run or next(iter(seen.runs), None)
    if name is None:
        return told
    recording = find(root, name)
    frame, info, probe = _frame(recording, None), recording.info, recording.probe
    rows = np.flatnonzero(np.isin(probe.sample_ids, np.asarray(seen.sample_ids, np.int64)))
    guesses = frame.samples.get("prediction")
    told["samples"] = [
        {
            "sample_id": int(probe.sample_ids[row]),
            "class": _class(info.class_names, int(probe.labels[row])),
            "prediction": None if guesses is None else _class(info.class_names, int(guesses[row])),
        }
        for row in rows[:MOST_SAMPLES].tolist()
    ]
    return {**told, "of_run": name, "step": frame.step}


def _frame(recording: Recording, step: int | None) -> Frame:
    frame = recording.last() if step is None else recording.frame(step)
    if frame is None:
        raise RecordingError(f"{recording.run_id} has no frame that can be read; choose another run")
    return frame


def _fits(row: Mapping[str, Any], state: str | None, method: str | None) -> bool:
    return state in (None, "", row["state"]) and method in (None, "", row["method"])


def _unlike(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Settings besides the method in which the runs differ, so that a comparison says nothing of methods alone."""
    names = dict.fromkeys(name for cell in cells for name in cell)
    return [name for name in names if any(a.get(name) != b.get(name) for a, b in pairwise(cells))]


def _class(names: Sequence[str], label: int) -> str | None:
    return names[label] if 0 <= label < len(names) else None


def _rounded(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None
