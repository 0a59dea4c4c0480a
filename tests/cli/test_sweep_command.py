"""`ltviz sweep` with real workers: killed in the middle and started again, it repeats no finished run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ltviz import launch
from ltviz.cli import main
from ltviz.recording import list_runs
from ltviz.recording.notes import read_notes

FILE = """
methods = ["ce", "supcon"]
seed = [0, 1, 2]
steps = 120
batch_size = 16
max_per_class = 30
probe_points = 100
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(FILE)
    return path


def finished(home: Path) -> dict[str, tuple[int, int]]:
    """run id -> inode and time of its run.json, of runs that are finished."""
    found = [run for run in list_runs(home) if run.status().state == "finished"]
    stats = {run.run_id: (run.path / "run.json").stat() for run in found}
    return {run: (stat.st_ino, stat.st_mtime_ns) for run, stat in stats.items()}


def start(file: Path, *flags: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ltviz", "sweep", str(file), "--slots", "1", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_killed_in_the_middle_and_started_again(home: Path, file: Path) -> None:
    first = start(file)
    try:
        deadline = time.monotonic() + 120
        while len(finished(home)) < 2 and time.monotonic() < deadline:
            assert first.poll() is None, first.communicate()
            time.sleep(0.02)
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate()
    before = finished(home)
    assert 2 <= len(before) < 6, "killed in the middle"
    try:
        again = start(file, "--json", "--judge", "linear")
        out, err = again.communicate(timeout=180)
    finally:
        for worker in launch.workers(home):
            launch.end_worker(worker, patience=2)
    assert again.returncode == 0, err
    told = json.loads(out.splitlines()[-1])
    after = finished(home)
    assert len(after) == 6 and {run: after[run] for run in before} == before, "no finished run was touched"
    assert told["skipped"] >= 2 and {row["state"] for row in told["runs"]} == {"finished"}
    assert [(row["method"], row["seeds"]) for row in told["summary"]] == [("ce", [0, 1, 2]), ("supcon", [0, 1, 2])]
    ce, supcon = told["summary"]
    assert 0 < ce["accuracy_many"]["mean"] <= 1 and ce["final_centre_sum_test_features"]["sd"] > 0
    assert "final_centre_sum_test" in supcon and "final_centre_sum_test" not in ce, "CE's sphere is a read-out"
    assert told["judge"] == "linear"
    assert {one["measure"] for one in told["differences"]} >= {"final_accuracy_few_linear"}
    assert all(read_notes(home / run).tags == ("small",) for run in after)
    fingerprints = {(run.info.seed, run.info.fingerprints.weights) for run in list_runs(home)}
    assert len(fingerprints) == 3, "methods of a seed start alike"
    assert launch.jobs(home) == []


def test_ctrl_c_ends_politely_and_a_dry_run_tells_what_is_left(
    home: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(FILE.replace("steps = 120", "steps = 100000"))
    sweep = start(file)
    try:
        deadline = time.monotonic() + 120
        while not any(run.status().state == "running" for run in list_runs(home)) and time.monotonic() < deadline:
            assert sweep.poll() is None, sweep.communicate()
            time.sleep(0.02)
        sweep.send_signal(signal.SIGINT)
        out, err = sweep.communicate(timeout=120)
    finally:
        sweep.kill()
        for worker in launch.workers(home):
            launch.end_worker(worker, patience=2)
    assert sweep.returncode == 130 and "6 runs are left; the same line goes on with them" in err, (out, err)
    assert "Traceback" not in out + err
    runs = list_runs(home)
    assert [run.status().reason for run in runs] == ["stopped", "stopped"] and all(run.last() for run in runs)
    assert [worker for worker in launch.workers(home) if worker.state != "dead"] == []
    assert main(["sweep", str(file), "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["state"] for row in told["runs"]] == ["waiting"] * 6
    assert {run.run_id for run in runs} <= {row["run_id"] for row in told["runs"]}


def test_the_help_shows_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["sweep", "--help"])
    told = capsys.readouterr().out
    assert not stop.value.code and "--dry-run" in told and "--slots" in told and "imbalance_factor = [10," in told


@pytest.mark.parametrize(
    "text, said",
    [
        ("methods = ['supkon']", "methods must name one of"),
        ("methods = ['ce']\nencoder = 'resnet99'", "got 'resnet99'; try resnet"),
        ("methods = ['supcon']\n[supcon]\ntemperature = -1", "temperature must be greater than or equal to 0.01"),
    ],
)
def test_bad_files_leave_nothing(home: Path, file: Path, text: str, said: str, capsys) -> None:
    file.write_text(text)
    assert main(["sweep", str(file)]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1 and list(home.iterdir()) == []
