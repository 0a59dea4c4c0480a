"""Benchmarks take the command line's arguments, whichever they are, and print a table."""

from __future__ import annotations

import inspect
import json
import math
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import ltviz
from ltviz.bench import live, load, metrics, record, train
from ltviz.cli import bench
from ltviz.launch.app import load_app
from ltviz.recording import Recording

CASES = train.cases


@pytest.mark.parametrize("name", bench.names())
def test_every_benchmark_takes_the_command_lines_arguments(name: str) -> None:
    parameters = inspect.signature(import_module(f"ltviz.bench.{name}").run).parameters
    assert list(parameters) == ["argv"]


def test_the_metrics_table_has_a_row_a_case(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(metrics, "CASES", ((40, 3, 4, 3.0), (60, 8, 5, None)))
    assert bench.run(["metrics", "--repeats", "2"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["points", "dim", "classes"]
    assert [row.split()[:3] for row in rows] == [["40", "3", "4"], ["60", "8", "5"]]
    assert all(float(row.split()[3]) > 0 for row in rows)


def test_the_scale_table_has_a_row_a_way_of_listing(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.run(["scale", "--runs", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["runs"] == 3 and list(told["list"]) == ["new", "known", "again", "command"]
    assert all(row["seconds"] > 0 for row in told["list"].values())


def test_the_record_table_has_a_row_a_case(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(record, "CASES", ((40, 3, 4, 2.0), (900, 16, 5, 2.0)))
    assert bench.run(["record", "--repeats", "2"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[3:6] == ["call_ms", "copy_ms", "call/copy"]
    assert [row.split()[:3] for row in rows] == [["40", "3", "4"], ["900", "16", "5"]]
    numbers = [dict(zip(head.split(), map(float, row.split()), strict=True)) for row in rows]
    # a tiny call or copy may take less than the hundredth of a millisecond that is printed, and so may their ratio
    assert all(math.isfinite(number) and number >= 0 for row in numbers for number in row.values())
    # what no clock can make too small to print: a file that reaches the disk, and memory for it
    assert all(row["on_disk_ms"] > 0 and row["on_disk_ms"] >= row["call_ms"] for row in numbers)
    assert [row["target_ms"] for row in numbers] == [2.0, 2.0]


def test_training_is_measured_beside_a_plain_loop_that_computes_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "MOST_STEPS", 12)
    monkeypatch.setattr(train, "cases", lambda options, folder: CASES(options, folder)[:1])
    assert bench.run(["train", "--device", "cpu", "--seconds", "0.1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert [row["method"] for row in rows] == [*train.RACE, "race of 4"]
    for row in rows[:-1]:
        assert (row["network"], row["batch"]) == ("mlp", 64) and row["ratio"] > 0 < row["plain_steps_per_second"]
        assert sorted(row["shares"]) == sorted(train.PARTS) and sum(row["shares"].values()) == pytest.approx(1)
        assert all(share >= 0 for share in row["shares"].values())


def test_a_plain_loop_that_computes_something_else_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    loss, views = train.LOSSES["supcon"]
    monkeypatch.setitem(train.LOSSES, "supcon", (lambda *given: 1.01 * loss(*given), views))
    with pytest.raises(AssertionError):
        train.check_equal("supcon", train.prepare(train.RunSettings(device="cpu")))


def test_what_a_load_costs_is_held_against_the_windows_beside_it(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def window(viewers: int, steps: float, **more) -> load.Window:
        return load.Window(viewers, 15.0, steps, 0.1, 0.2, app_mb=200.0 + steps, **more)

    seen = {"lags": [[0.1] * 100, [0.1] * 94 + [0.5] * 6], "unanswered": [2, 3]}
    windows = [window(0, 100), window(2, 96, **seen), window(0, 60), window(2, 57, **seen)]
    monkeypatch.setattr(load, "measure", lambda options, home: windows)
    assert bench.run(["load", "--viewers", "2", "--silent", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["trainer_slower"] == pytest.approx(np.median([1 - 96 / 80, 1 - 57 / 60]), abs=2e-3)
    assert (told["lag_p50_ms"], told["slowest_viewer_p95_ms"], told["silent_frames"]) == (100, 500, 3)
    assert told["frames_a_second"] == pytest.approx(200 / 30, abs=0.1) and told["app_mb_gained"] == -39


def test_a_viewer_of_a_load_answers_each_frame_and_reads_no_more_of_it() -> None:
    wire = import_module(f"{load_app().__name__}.service.wire")
    head = '{"seq":7,"time":12.5,"live":true,"run":"a","step":3}'
    assert load.FRAME.match(
        wire.EncodedFrame("a", 3, 0.0, b'"run":"a","step":3}', b"").message(seq=7, time=12.5, live=True)[4:]
    )
    found = load.FRAME.match(head.encode())
    assert found is not None and found.groups() == (b"7", b"12.5")
    assert load.FRAME.match(head.replace("true", "false").encode()) is None


def test_a_live_page_is_told_beside_the_same_page_without_training() -> None:
    trained, written = live.Live(300.0, 900.0, 4.0, 3.0, 9.0, 50.0), live.Live(30.0, 60.0, 4.0, 30.0, 3.0, 0.0)
    told = live.describe_live(trained, written, 0.125)
    assert told["race of 5, frame to picture, ms, p50 (asked <= 100)"] == "300, only written 30, ratio 10.00"
    assert told["reload to points, s (asked <= 5)"] == "9.0, only written 3.0, ratio 3.00"
    assert told["the race is slower while the page is open, % (asked <= 5)"] == "12.5"


def test_the_frames_of_a_race_are_written_again_as_they_were(tmp_path: Path) -> None:
    runs = []
    for name in ("live-a", "live-b"):
        with ltviz.record(tmp_path / name, labels=[0, 1, 2]) as run:
            for step in range(3):
                run.frame(step, embeddings=np.roll(np.eye(3), step, 0))
        runs.append(Recording(tmp_path / name))
    with live.written_again(tmp_path, runs) as again:
        copies = [Recording(tmp_path / name) for name in again]
        live.wait_until(lambda: all(len(copy.frame_files()) > 3 for copy in copies))
    for copy, run in zip(copies, runs, strict=True):
        assert np.array_equal(copy.frame(3).embeddings, run.frame(0).embeddings), "over and over"
