"""The commands that read, and what they say of bad input."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import ltviz
from ltviz import metrics
from ltviz.cli import COMMANDS, main
from ltviz.recording import Recording, record, run_id_of


@pytest.fixture
def run(home: Path) -> Path:
    """A small recorded run."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), [20, 10, 5, 3])
    with record(home / "small-run", labels=labels) as recorder:
        for step in (0, 7):
            z = rng.normal(size=(38, 3)) + 2 * np.eye(4, 3)[labels]
            recorder.frame(step, embeddings=(z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32))
    return home / "small-run"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in ([], ["--help"], ["-h"]):
        assert main(argv) == 0
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name}" in text for name in COMMANDS)
    assert main(["--version"]) == 0 and capsys.readouterr().out.strip() == ltviz.__version__


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        assert main([command, "--help"]) == 0
    except SystemExit as stop:
        assert stop.code in (0, None)
    assert capsys.readouterr().out.startswith(f"usage: ltviz {command}")


@pytest.mark.parametrize(
    "argv, says",
    [
        (["trian"], "try `ltviz train`"),
        (["phase", "suppcon"], "LOSS must be"),
        (["runs", "--hom", "x"], "try --home"),
        (["metrics"], "PATH"),
        (["metrics", "/nowhere"], "needs the folder of a run with frames"),
        (["app", "--port", "99999"], "--port must be less than or equal to 65535"),
        (["app", "--address", "0.0.0.0"], "has no login"),
        (["app", "--allow-host", "hub.example", "--allow-host", "https://x.example/"], "try --allow-host x.example"),
        (["app", "--base-path", "https://hub.example/x"], "try --base-path /proxy/8501"),
        (["bench", "nothing"], "must be one of"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(argv: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("ltviz: ") and says in err


def test_runs_lists_what_is_there(run: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "died-early").mkdir()
    (home / "died-early" / "status.json").write_text('{"state": "failed", "reason": "no torch"}')
    assert main(["runs", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    rows = {row["run_id"]: row for row in told["runs"]}
    assert rows["small-run"]["state"] == "finished" and rows["small-run"]["step"] == 7
    assert rows["died-early"]["state"] == "failed" and rows["died-early"]["reason"] == "no torch"
    assert main(["runs"]) == 0
    assert "small-run" in capsys.readouterr().out


def test_an_empty_home_says_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    assert "ltviz train" in capsys.readouterr().out
    assert main(["runs", "--home", str(home / "not-there"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == []


def test_metrics_are_those_of_the_last_frame(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", str(run), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    frame, info = Recording(run).frame(7), Recording(run).info
    expected = metrics.measure(frame.embeddings, frame.labels, num_classes=4, counts=np.array(info.counts))
    assert told["step"] == 7
    for key in ("simplex_deviation_mean", "centre_sum", "uniformity", "spread_tail"):
        assert told[key] == pytest.approx(expected[key], rel=1e-6)
    assert main(["metrics", str(run)]) == 0
    assert "centre_sum" in capsys.readouterr().out


def test_metrics_of_what_cannot_be_measured_say_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with record(home / "lone-run", labels=[0]) as lone:
        lone.frame(7, embeddings=[[1.0, 0.0]])
    assert main(["metrics", "lone-run"]) == 0
    assert capsys.readouterr().err == "step 7: nothing can be measured of 1 samples\n"


def test_a_damaged_description_is_named_once(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "run.json").write_text("{")
    assert main(["metrics", str(run)]) == 2
    said = capsys.readouterr().err
    assert (
        said.startswith("ltviz: run.json cannot be read: It breaks a rule (Invalid JSON") and said.count(str(run)) == 1
    )


def test_runs_of_any_name_and_place_are_told_and_can_be_named(run: Path, home: Path, capsys) -> None:
    names = ["ce", "my_run", "lr=0.1,bs=64", "seeds/version_0"]
    for name in names:
        shutil.copytree(run, home / name)
    (home / "latest").symlink_to(run)
    assert main(["runs", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = {row["folder"]: row for row in told["runs"]}
    assert set(rows) == {*names, "small-run"}
    assert [one["folder"] for one in told["skipped"]] == ["latest"] and "links" in told["skipped"][0]["reason"]
    for name, row in rows.items():
        for spelling in (name, row["run_id"], str(home / name)):
            assert main(["metrics", spelling, "--json"]) == 0
            assert json.loads(capsys.readouterr().out)["run_id"] == row["run_id"]
            assert main(["runs", spelling]) == 0
            assert row["run_id"] in capsys.readouterr().out
    assert main(["runs"]) == 0
    out, err = capsys.readouterr()
    assert "in seeds/version_0" in out and out.count("\n") == 5
    assert err.startswith("ltviz: skipped latest: a link to") and "--follow-links" in err
    assert main(["runs", "--follow-links"]) == 0 and "which is here already" in capsys.readouterr().err


def test_an_export_holds_runs_of_any_name_and_names_what_it_leaves_out(run: Path, home: Path, tmp_path: Path, capsys):
    run.rename(home / "ce")
    shutil.copytree(home / "ce", home / "empty" / "ce", ignore=shutil.ignore_patterns("*.safetensors"))
    out = str(tmp_path / "all.csv")
    assert main(["export", "--to", "csv", "--home", str(home), "--out", out]) == 0
    told, err = capsys.readouterr()
    assert "1 run, 2 rows" in told and err.startswith(f"ltviz: left out {run_id_of('empty/ce')}: ")
    assert run_id_of("ce") in Path(out).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["metrics", "runs", "help", "--help"])
def test_a_reader_that_leaves_ends_a_command_quietly(command: str, run: Path, home: Path) -> None:
    line = {"metrics": f"metrics {run}", "help": "runs --help"}.get(command, command)
    for number in range(3 if command == "runs" else 0):
        shutil.copytree(run, home / f"copy-{number}")
    reading, writing = os.pipe()
    os.close(reading)
    argv = [sys.executable, "-m", "ltviz", *line.split()]
    done = subprocess.run(argv, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=300)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_the_output_is_one_line(run: Path) -> None:
    with Path("/dev/full").open("w") as full:
        argv = [sys.executable, "-m", "ltviz", "metrics", str(run)]
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300)
    assert done.returncode == 2 and done.stderr.startswith("ltviz: the system refused it (No space left on device)")
    assert done.stderr.count("\n") == 1


def test_an_interruption_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    # set anew: a shell's background jobs begin with this signal ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr("ltviz.cli.runs.run", lambda argv: signal.raise_signal(signal.SIGINT))
    try:
        assert main(["runs"]) == 130 and capsys.readouterr().err == "ltviz: interrupted\n"
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("name", ["x" * 300, "~no-such-user/x", "/etc/hostname/x"])
@pytest.mark.parametrize("command", ["runs", "metrics", "judge", "export", "train --resume", "sweep", "runs --home"])
def test_a_path_that_cannot_be_one_is_one_line(command: str, name: str, run: Path, capsys) -> None:
    code = main([*command.split(), name])
    told = capsys.readouterr().err
    if code != 0:  # a home may not be there yet, and then holds no runs
        assert code == 2 and told.startswith("ltviz: ") and told.count("\n") == 1
    else:
        assert command == "runs --home"


def test_bench_dispatches_with_the_other_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    from ltviz.cli import bench

    seen: list[list[str]] = []
    module = types.ModuleType("ltviz.bench.fast")
    module.run = lambda argv: seen.append(list(argv))  # type: ignore[attr-defined]
    monkeypatch.setattr(bench, "names", lambda: ["fast"])
    monkeypatch.setitem(sys.modules, "ltviz.bench.fast", module)
    assert main(["bench", "fast", "--large"]) == 0 and main(["bench", "--large", "fast"]) == 0
    assert seen == [["--large"]] * 2


def test_the_doctor_finds_a_home_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LTVIZ_HOME", str(tmp_path / "fine"))
    code = main(["doctor", "--json"])
    told = json.loads(capsys.readouterr().out)
    findings = {f["name"]: f for f in told["findings"]}
    assert findings["home"]["ok"] and findings["digits-lt"]["ok"] and findings["torch"]["ok"]
    assert told["ok"] == (code == 0) and not (tmp_path / "fine").exists(), "looking changes nothing"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LTVIZ_HOME", str(tmp_path / "file" / "below"))
    assert main(["doctor"]) == 1
    assert "BAD home" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["--help", "runs", "metrics"])
def test_reading_commands_start_without_torch(command: str, run: Path) -> None:
    argv = [command, str(run)] if command == "metrics" else [command]
    code = (
        f"import sys; from ltviz.cli import main; main({argv!r});"
        "print([m for m in ('torch', 'lightning_fabric', 'sklearn', 'streamlit', 'plotly') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out.splitlines()[-1] == "[]"


def test_a_port_that_is_taken_is_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["app", "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"ltviz: --port {port} on 127.0.0.1 cannot be used (") and "try --port 0" in said
