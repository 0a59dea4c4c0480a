from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from ltviz.cli import main, phase
from ltviz.training.stop import Stop

LINE = ["phase", "ce", "--heads", "2", "--tails", "2", "--ratios", "1:100:3", "--rows", "5", "--json", "--out"]


def test_a_diagram_is_a_csv_and_a_figure_and_its_cells_are_not_run_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, figure = tmp_path / "cells.csv", tmp_path / "diagram.html"
    assert main([*LINE, str(out), "--figure", str(figure)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ratios"] == [1.0, 10.0, 100.0]
    assert told["tail_angle"][0][0] == pytest.approx(109.47, abs=0.01)
    assert told["tail_angle"][0][2] < 0.5
    assert told["predicted_border"] == [pytest.approx(47.685, rel=1e-4)]
    assert told["border_of_runs"] == [pytest.approx(47.685, rel=0.02)]
    assert b"predicted border" in figure.read_bytes()
    lines = list(csv.DictReader(out.read_text().splitlines()))
    assert [float(line["ratio"]) for line in lines] == [1.0, 10.0, 100.0]

    def fail(*given: object) -> float:
        raise AssertionError("run again")

    monkeypatch.setattr("ltviz.geometry.phase.tail_angle", fail)
    assert main([*LINE, str(out)]) == 0
    assert json.loads(capsys.readouterr().out) == told


def test_a_figure_that_is_there_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, figure = tmp_path / "cells.csv", tmp_path / "diagram.html"
    figure.write_text("mine")
    argv = [*LINE, str(out), "--figure", str(figure)]
    assert main(argv) == 2 and "try --overwrite" in capsys.readouterr().err
    assert figure.read_text() == "mine" and not out.exists(), "said before anything is computed"
    assert main([*argv, "--overwrite"]) == 0 and b"predicted border" in figure.read_bytes()


def test_other_planes_in_the_file_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "cells.csv"
    one = ["phase", "supcon", "--heads", "2", "--tails", "2", "--ratios", "1,2", "--rows", "0.5", "--out", str(out)]
    assert main(one) == 0
    assert "never" not in capsys.readouterr().out
    assert main([*one, "--average", "class"]) == 0
    assert {line["average"] for line in csv.DictReader(out.read_text().splitlines())} == {"sample", "class"}


def test_a_stop_keeps_what_was_run(tmp_path: Path) -> None:
    out = tmp_path / "cells.csv"
    plane = phase.Plane(loss="ce", against="energy", num_head=2, num_tail=2)
    stop = Stop()
    stop.ask()
    rows, ratios = phase.grid("rows", "5"), phase.grid("ratios", "1,2,4")
    assert not phase.fill(phase.Table(out, plane), rows, ratios, refine=False, stop=stop)
    assert len(phase.Table(out, plane).angles) == 1
    assert phase.fill(phase.Table(out, plane), rows, ratios, refine=False, stop=Stop())
    assert len(phase.Table(out, plane).angles) == 3


def test_two_at_once_keep_one_anothers_cells(tmp_path: Path) -> None:
    out, ratios = tmp_path / "cells.csv", phase.grid("ratios", "1,2")
    plane = phase.Plane(loss="ce", against="energy", num_head=2, num_tail=2)
    one, other = phase.Table(out, plane), phase.Table(out, plane)
    assert phase.fill(one, phase.grid("rows", "5"), ratios, refine=False, stop=Stop())
    assert phase.fill(other, phase.grid("rows", "6"), ratios, refine=False, stop=Stop())
    assert {row for row, _ in phase.Table(out, plane).angles} == {5.0, 6.0}


def test_a_log_holds_no_line_that_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*LINE, str(tmp_path / "cells.csv")]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--ratios", "1:x:3"], "ratios must be FIRST:LAST:NUMBER"),
        (["--ratios", "0.5,2"], "the imbalance must be 1 or more"),
        (["--rows", "-1"], "rows must be"),
        (["--against", "temperature"], "rows of ce differ in energy"),
        (["--ratios", "1:10:200", "--rows", "1:10:100"], "10,000 cells at most"),
        (["--ratios", "1:10:9999999999"], "--ratios must be FIRST:LAST:NUMBER, at most 10,000"),
        (["--ratios", "1:1e400:5"], "--ratios must be"),
        (["--figure", "cells.csv"], "--figure must be another file"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    flags: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "cells.csv"
    assert main(["phase", "ce", "--heads", "2", "--tails", "2", "--out", str(out), *flags]) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mine.csv"
    out.write_text("a,b\n1,2\n")
    assert main(["phase", "ce", "--out", str(out)]) == 2
    assert "no CSV of `ltviz phase`" in capsys.readouterr().err
    assert out.read_text() == "a,b\n1,2\n"


def test_what_no_file_can_be_written_to_is_said_before_anything_is_computed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> float:
        raise AssertionError("computed")

    monkeypatch.setattr("ltviz.geometry.phase.tail_angle", fail)
    monkeypatch.setattr("ltviz.cli.targets.make_targets", fail)
    for argv in (
        [*LINE, str(tmp_path / "none" / "cells.csv")],
        [*LINE, str(tmp_path / "cells.csv"), "--figure", str(tmp_path / "none" / "diagram.html")],
        [*LINE, str(tmp_path / "cells.csv"), "--figure", str(tmp_path), "--overwrite"],
        ["targets", "--out", str(tmp_path / "none" / "targets.npz")],
    ):
        assert main(argv) == 2 and " folder " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_border_beyond_what_was_searched_is_not_said_to_be_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    line = ["phase", "ce", "--heads", "2", "--tails", "2", "--ratios", "2", "--rows", "1000", "--no-refine"]
    assert main([*line, "--json", "--out", str(tmp_path / "cells.csv")]) == 0
    assert json.loads(capsys.readouterr().out)["predicted_border"] == ["beyond 1e+12"]
    assert not [str(one.message) for one in recwarn if one.category is RuntimeWarning]
