"""`ltviz export`: which runs, into which file, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from ltviz.cli import main
from ltviz.cli.choice import Choice, choose_runs
from ltviz.recording import mark_failed, record
from ltviz.recording.notes import note_run, tag_run

LABELS = np.repeat(np.arange(3), [20, 10, 5])


@pytest.fixture
def runs(home: Path) -> Path:
    """Three recorded runs, one tagged, and one that failed at start."""
    for name in ("one-run", "two-run", "three-run"):
        with record(home / name, labels=LABELS, title=name.title()) as recorder:
            recorder.frame(0, embeddings=np.random.default_rng(0).normal(size=(35, 3)))
    tag_run(home / "two-run", ["paper", "seen"])
    note_run(home / "three-run", "the Tail falls apart")
    mark_failed(home / "dead-run", "it died")
    return home


def chosen(home: Path, names: tuple[str, ...] = (), **flags: object) -> list[str]:
    return [run.run_id for run in choose_runs(home, Choice(**flags), names)]  # type: ignore[arg-type]


def test_flags_choose_runs(runs: Path) -> None:
    assert sorted(chosen(runs)) == ["dead-run", "one-run", "three-run", "two-run"]
    assert chosen(runs, tag="paper") == chosen(runs, tag="seen, paper") == ["two-run"]
    assert chosen(runs, tag="paper,other") == []
    assert chosen(runs, search="TAIL") == ["three-run"] and chosen(runs, search="two-r") == ["two-run"]
    assert chosen(runs, state="failed") == ["dead-run"]
    assert sorted(chosen(runs, state="finished", dim=3)) == ["one-run", "three-run", "two-run"]
    assert chosen(runs, method="bcl,ce") == [] == chosen(runs, seed=0) == chosen(runs, data="digits-lt")


def test_the_help_tells_the_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["export", "--help"])
    told = capsys.readouterr().out
    assert not stop.value.code and all(f"--{flag}" in told for flag in ("to", "out", "tag", "imbalance-factor"))


def test_named_runs_keep_their_order_and_may_be_folders(runs: Path, tmp_path: Path) -> None:
    assert chosen(runs, ("two-run", str(runs / "one-run"), "two-run")) == ["two-run", "one-run"]
    assert chosen(runs, ("two-run", "one-run"), tag="seen") == ["two-run"]


@pytest.mark.parametrize(
    "to, first",
    [("report", b"<!DOCTYPE html>"), ("html", b"<!DOCTYPE html>"), ("csv", b"run_id,"), ("parquet", b"PAR1")],
)
def test_it_writes_what_is_asked_for(
    runs: Path, tmp_path: Path, to: str, first: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.file"
    assert main(["export", "one-run", "two-run", "--to", to, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert out.read_bytes().startswith(first)
    assert (told["runs"], told["used"], told["path"]) == (["one-run", "two-run"], 2, str(out))
    assert told["bytes"] == out.stat().st_size


def test_one_run_and_a_small_file_are_told_as_such(runs: Path, tmp_path: Path, capsys) -> None:
    assert main(["export", "one-run", "--to", "csv", "--out", str(tmp_path / "one.csv")]) == 0
    assert re.search(r"one\.csv: 1 run, 1 rows, \d\.\d kB\n$", capsys.readouterr().out)


def test_a_hyphen_is_no_file(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["export", "one-run", "--to", "csv"], ["pack", "one-run"], ["publish", "one-run"]):
        assert main([*argv, "--out", "-"]) == 2
        told = capsys.readouterr()
        assert "never to the terminal; give --out FILE" in told.err and not told.out
        assert not Path("-").exists()


def test_a_file_that_is_there_is_kept(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.csv"
    out.write_text("mine")
    argv = ["export", "one-run", "--to", "csv", "--out", str(out)]
    assert main(argv) == 2 and "try --overwrite" in capsys.readouterr().err and out.read_text() == "mine"
    assert main([*argv, "--overwrite"]) == 0 and out.read_text().startswith("run_id")


@pytest.mark.parametrize(
    "argv, said",
    [
        (["no-such-run"], "RUN must be the id or the folder of a run"),
        (["../../etc"], "RUN must be the id or the folder of a run"),
        (["--tag", "none"], "needs at least one run, but none was chosen"),
        (["--state", "done"], "--state must name states among queued"),
        (["one-run", "--to", "pdf"], "--to must be 'report', 'html', 'csv', 'parquet', 'atlas', "),
        (["dead-run", "--to", "csv"], "needs at least one run with frames, but dead-run"),
        (["dead-run"], "a report needs at least one run with frames"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    argv: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    assert main(["export", *argv]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
    assert list(work.iterdir()) == []


def test_folders_of_any_name_are_replayed_even_two_of_one(tmp_path: Path, capsys) -> None:
    folders = [tmp_path / "a" / "ce", tmp_path / "b" / "ce", tmp_path / "b" / "logit_adjust"]
    for folder in folders:
        with record(folder, labels=np.arange(4) % 2) as run:
            run.frame(0, embeddings=np.eye(4)[:, :3] + 0.1)
    out = tmp_path / "replay.html"
    assert main(["export", *map(str, folders), "--to", "html", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["used"] == 3
    assert all(f'"run":"{name}"' in out.read_text() for name in ("run-ce", "run-ce-2", "logit-adjust"))
