"""`ltviz train` as a user meets it: processes, signals, exit codes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ltviz.cli import main
from ltviz.cli.train import take_method
from ltviz.errors import RecordingError
from ltviz.recording import Recording, load_weights, mirror, send_request
from ltviz.recording.storage import Storage

QUICK = ["--steps", "30", "--batch-size", "16", "--max-per-class", "30", "--probe-points", "100", "--device", "cpu"]


def wait(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def spawn(*argv: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ltviz", "train", *map(str, argv)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for_frame(process: subprocess.Popen[str], folder: Path, *, beyond: int = 0) -> None:
    """Until the run has more than `beyond` frames, or its trainer has ended."""
    wait(lambda: len(Recording(folder).steps()) > beyond or process.poll() is not None)


def last_json(text: str) -> dict:
    return json.loads(text.strip().splitlines()[-1])


def test_a_run_lands_in_the_given_folder(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = home.parent / "My Run"
    assert main(["train", "ce", *QUICK, "--run-dir", str(folder), "--json"]) == 0
    told = last_json(capsys.readouterr().out)
    run = Recording(folder)
    assert told["path"] == str(folder) and told["state"] == "finished" and told["step"] == 30
    assert told["metrics"] == run.frame(30).metrics and told["frames"] == len(run.steps())
    assert run.info.method == "ce" and run.info.run_id == "my-run" and run.info.race is None
    assert list(home.iterdir()) == []


def test_a_mirror_is_whole_at_the_end_and_one_that_cannot_be_written_costs_the_run_nothing(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"file://{tmp_path}/there"
    assert main(["train", "ce", *QUICK, "--run-dir", str(home / "first"), "--mirror", url]) == 0
    assert capsys.readouterr().err == ""
    there, here = Recording(tmp_path / "there" / "first"), Recording(home / "first")
    assert there.steps() == here.steps() and there.status() == here.status() and load_weights(there.path).step == 30

    def refused(*_: object) -> None:
        raise RecordingError("no route to host")

    monkeypatch.setattr(Storage, "write", refused)
    monkeypatch.setattr(mirror, "WAIT_SECONDS", 0.2)
    assert main(["train", "ce", *QUICK, "--run-dir", str(home / "second"), "--mirror", url]) == 0
    told = capsys.readouterr().err
    assert "did not reach the mirror (no route to host)" in told and f"ltviz mirror {home / 'second'} {url}" in told
    assert Recording(home / "second").steps() == here.steps()

    assert main(["train", "ce", *QUICK, "--run-dir", str(home / "third"), "--mirror", "s3://k:secret@b"]) == 2
    assert "secret" not in capsys.readouterr().err and not (home / "third").exists()


def test_a_run_without_a_folder_goes_home(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "ce", *QUICK, "--seed", "3"]) == 0
    (folder,) = home.iterdir()
    assert folder.name.startswith("run-ce-") and Recording(folder).info.seed == 3
    assert str(folder) in capsys.readouterr().out


def test_a_race_makes_one_folder_a_method(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["train", "--race", "ce,supcon", *QUICK, "--run-dir", str(home / "race"), "--supcon.temperature", "0.3"]
    assert main([*argv, "--json"]) == 0
    told = last_json(capsys.readouterr().out)
    assert [(row["method"], row["state"]) for row in told["runs"]] == [("ce", "finished"), ("supcon", "finished")]
    runs = [Recording(home / "race" / name) for name in ("ce", "supcon")]
    assert runs[0].info.fingerprints == runs[1].info.fingerprints and runs[0].info.race == runs[1].info.race
    assert runs[0].steps() == runs[1].steps()
    assert runs[1].config["method"]["temperature"] == 0.3


def test_methods_for_several_labels_race_on_mosaics_and_tell_average_precision(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["train", "--race", "bce,focal,ltml", "--data", "digits-ml", "--steps", "8", "--run-dir", str(home / "race")]
    assert main([*argv, "--json"]) == 0
    rows = last_json(capsys.readouterr().out)["runs"]
    assert [(row["method"], row["state"]) for row in rows] == [(x, "finished") for x in ("bce", "focal", "ltml")]
    for row in rows:
        for frame in Recording(home / "race" / row["method"]).since(None):
            assert all(0 < frame.metrics[f"map_{group}"] <= 1 for group in ("all", "many", "medium", "few"))
    assert (
        len({json.dumps(Recording(home / "race" / row["method"]).info.fingerprints.model_dump()) for row in rows}) == 1
    )


BAD = [
    (["no-such"], "no-such"),
    (["ce", "--imbalance-factor", "0.5"], "--imbalance-factor must be greater than or equal to 1, got 0.5"),
    (["ce", "--dim", "1"], "--dim must be greater than or equal to 2, got 1; try 3"),
    (["ce", "--lr", "3"], "has no flag --lr; try --learning-rate"),
    (["ce", "--stepz", "3"], "has no flag --stepz; try --steps"),
    (["ce", "--steps", "x"], "--steps must be a valid integer"),
    (["ce", "--data", "cifar"], "data must be one of digits-lt"),
    (
        ["ce", "--data", "digits-ml"],
        "one label, but those of digits-ml have several labels; try one of bce, focal, ltml",
    ),
    (["--race", "ce,ltml"], "ltml learns from samples with several labels, but those of digits-lt have one label"),
    (["ce", "--data", "mnist-lt"], "train-images-idx3-ubyte"),
    (["ce", "--max-per-class", "999"], "at most 124"),
    (["ce", "--encoder", "vit"], "encoder must be one of mlp"),
    (["ce", "--precision", "8"], "--precision"),
    (["--race", "ce,ce"], "must be named once"),
    (["--race", "ce,no-such"], "no-such"),
    (["ce", "--race", "supcon"], "exclude one another"),
    ([], "needs a METHOD"),
]


@pytest.mark.parametrize("argv, says", BAD, ids=[" ".join(argv) or "nothing" for argv, _ in BAD])
def test_bad_input_is_one_line_exit_code_2_and_leaves_nothing(
    argv: list[str], says: str, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LTVIZ_DATA", raising=False)
    assert main(["train", *argv, "--run-dir", str(home / "deep" / "run")]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and says in err
    assert list(home.iterdir()) == []


def test_a_folder_that_holds_a_run_is_refused_at_once_and_untouched(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = home / "a-run"
    assert main(["train", "ce", *QUICK, "--run-dir", str(folder)]) == 0
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    capsys.readouterr()
    assert main(["train", "supcon", *QUICK, "--run-dir", str(folder)]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(["train", "--resume", str(folder)]) == 2
    assert "has done all 30" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    code = f"import sys; from ltviz.cli import main; main(['train', 'ce', '--run-dir', {str(folder)!r}]);"
    code += "print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_a_second_trainer_is_turned_away_with_exit_code_3(home: Path) -> None:
    folder = home / "a-run"
    first = spawn("ce", *QUICK[2:], "--steps", 1_000_000, "--run-dir", folder)
    try:
        wait_for_frame(first, folder)
        for argv in (["ce", "--run-dir", folder], ["--resume", folder]):
            second = spawn(*argv)
            _, err = second.communicate(timeout=120)
            assert second.returncode == 3 and err.count("\n") == 1
            assert "already running" in err and f"pid {first.pid}" in err
        send_request(folder, "stop")
        first.communicate(timeout=120)
        assert first.returncode == 0
        assert Recording(folder).status().state == "finished" and Recording(folder).status().reason == "stopped"
    finally:
        first.kill()
        first.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_polite_stop(home: Path, number: int) -> None:
    folder = home / "a-run"
    process = spawn("ce", *QUICK[2:], "--steps", 1_000_000, "--run-dir", folder, "--json")
    try:
        wait_for_frame(process, folder)
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        told = last_json(out)
        assert (told["state"], told["reason"]) == ("finished", "stopped")
        assert Recording(folder).steps()[-1] == told["step"] == load_weights(folder).step
    finally:
        process.kill()
        process.communicate()


def test_a_killed_run_loses_no_frame_and_goes_on_exactly(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """kill -9 at a random moment, again and again; in the end the run equals one that was never touched."""
    argv = ["supcon", *QUICK[2:], "--steps", "500", "--watch-share", "0.5", "--max-fps", "200"]
    assert main(["train", *argv, "--run-dir", str(home / "whole")]) == 0
    folder, rng = home / "killed", random.Random(4)
    for attempt in range(3):
        process = spawn(*argv, "--run-dir", folder) if attempt == 0 else spawn("--resume", folder)
        wait_for_frame(process, folder, beyond=len(Recording(folder).steps()))
        time.sleep(rng.uniform(0, 0.05))
        acknowledged = Recording(folder).steps()
        if attempt and process.poll() == 0:  # faster than whoever was to kill it, on a busy machine
            break
        assert process.poll() is None, process.communicate()
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        after = Recording(folder)
        assert set(acknowledged) <= set(after.steps()) and after.bad_frames() == []
        if after.steps()[-1] < 500:
            assert after.status().state == "lost"
    if Recording(folder).status().state != "finished":
        assert main(["train", "--resume", str(folder)]) == 0, capsys.readouterr().err
    whole, killed = Recording(home / "whole"), Recording(folder)
    assert killed.steps()[-1] == 500 and killed.status().state == "finished"
    for step in set(whole.steps()) & set(killed.steps()):
        np.testing.assert_array_equal(whole.frame(step).embeddings, killed.frame(step).embeddings)
    assert whole.metrics() == killed.metrics()
    one, two = (load_weights(path, 500).tensors["model"] for path in (home / "whole", folder))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_a_failed_run_is_told_and_exits_with_1(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ltviz.methods import registry

    monkeypatch.setattr(registry.method("ce"), "weigh", lambda self, terms: sum(terms.values()) * float("nan"))
    assert main(["train", "ce", *QUICK, "--run-dir", str(home / "a-run"), "--json"]) == 1
    out, err = capsys.readouterr()
    told = last_json(out)
    assert told["state"] == "failed" and "step 1 of 30" in told["reason"]
    assert err.count("\n") == 1 and "is nan" in err
    assert Recording(home / "a-run").steps() == [0]


@pytest.mark.parametrize(
    "line, method, rest",
    [
        ("ce --steps 3", "ce", "--steps 3"),
        ("--steps 3 ce --json", "ce", "--steps 3 --json"),
        ("--json ce --steps=3", "ce", "--json --steps=3"),
        ("--run-dir ce --help bcl", "bcl", "--run-dir ce --help"),
        ("--race ce,bcl --run-dir x", None, "--race ce,bcl --run-dir x"),
        ("--no-evaluate ce --skip-bad", "ce", "--no-evaluate --skip-bad"),
    ],
)
def test_the_method_stands_anywhere_on_the_line(line: str, method: str | None, rest: str) -> None:
    assert take_method(line.split()) == (method, rest.split())


def test_a_race_is_listed_whole_with_the_baseline_of_two_letters(home: Path, capsys) -> None:
    assert main(["train", "--race", "ce,bcl", *QUICK, "--run-dir", str(home / "my-race")]) == 0
    capsys.readouterr()
    assert main(["runs", "--home", str(home / "my-race"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["runs"]
    assert sorted((row["folder"], row["state"]) for row in rows) == [("bcl", "finished"), ("ce", "finished")]
    assert main(["runs", "--json"]) == 0
    assert sorted(row["folder"] for row in json.loads(capsys.readouterr().out)["runs"]) == ["my-race/bcl", "my-race/ce"]
