"""Tables: every number of every step, exactly, and text that stays text."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from ltviz.errors import ConfigError, RecordingError
from ltviz.export.results import read_results
from ltviz.export.table import IDENTITY, write_csv, write_parquet
from ltviz.recording import Recording


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_step_is_a_row_with_all_its_numbers(six: list[Recording], tmp_path: Path) -> None:
    results, _ = read_results(six)
    rows = read(tmp_path / "t.csv") if write_csv(tmp_path / "t.csv", results) else []
    assert len(rows) == 6 * 6, "three frames and three lines of loss terms at other steps"
    assert list(rows[0])[: len(IDENTITY)] == list(IDENTITY)
    assert {"run.batch_size", "run.steps", "step", "centre_sum", "own", "loss.contrast"} <= rows[0].keys()
    for result in results:
        mine = [row for row in rows if row["run_id"] == result.recording.run_id]
        assert [int(row["step"]) for row in mine] == [0, 1, 10, 11, 20, 21]
        for row in mine:
            for name, value in result.frames.get(int(row["step"]), {}).items():
                assert float(row[name]) == value, "no digit is lost"
        assert mine[0]["loss.contrast"] == "" and float(mine[1]["loss.contrast"]) == 3.0
        assert mine[0]["seed"] == str(result.info.seed) and mine[0]["weights_fingerprint"] == "ab" * 32


def test_parquet_holds_the_same(six: list[Recording], tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    results, _ = read_results(six)
    assert write_csv(tmp_path / "t.csv", results) == write_parquet(tmp_path / "t.parquet", results) == 36
    table = parquet.read_table(tmp_path / "t.parquet")
    rows = read(tmp_path / "t.csv")
    assert table.column_names == list(rows[0])
    for name in ("centre_sum", "loss.total", "own"):
        assert table.column(name).to_pylist() == [float(row[name]) if row[name] else None for row in rows]
    assert table.column("method").to_pylist() == [row["method"] for row in rows]
    assert table.column("seed").to_pylist()[0] == 0


def test_text_is_no_formula(make_run, tmp_path: Path) -> None:
    run = make_run("bcl", title='=HYPERLINK("http://x")', settings={"form": "@sum", "k": -3})
    write_csv(tmp_path / "t.csv", read_results([run])[0])
    row = read(tmp_path / "t.csv")[0]
    assert row["title"] == '\'=HYPERLINK("http://x")' and row["method.form"] == "'@sum"
    assert row["method.k"] == "-3", "a negative number is a number"


def test_mixed_columns_become_text(make_run, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    runs = [make_run("bcl", settings={"k": 3, "w": 1}), make_run("bcl", settings={"k": "all", "w": 0.5})]
    write_parquet(tmp_path / "t.parquet", read_results(runs)[0])
    table = parquet.read_table(tmp_path / "t.parquet")
    assert set(table.column("method.k").to_pylist()) == {"3", "all"}
    assert set(table.column("method.w").to_pylist()) == {1.0, 0.5}


def test_without_pyarrow_it_says_what_to_do(
    six: list[Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match="needs the package pyarrow; try `pip install pyarrow`, or --to csv"):
        write_parquet(tmp_path / "t.parquet", read_results(six)[0])
    assert list(tmp_path.glob("*.parquet")) == []


def test_a_place_that_cannot_be_written(six: list[Recording], tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"t\.csv cannot be written"):
        write_csv(tmp_path / "missing" / "t.csv", read_results(six)[0])


def test_runs_without_frames_are_named(make_run, home: Path) -> None:
    good = make_run("bcl")
    empty = make_run("ce", frames=0)
    found, left_out = read_results([good, empty, Recording(home / "nowhere")])
    assert [result.recording.run_id for result in found] == [good.run_id]
    assert "no frame that can be read" in left_out[0] and left_out[1].startswith("nowhere: The run has no run.json")
