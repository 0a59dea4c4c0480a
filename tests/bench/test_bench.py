"""Benchmarks take the command line's arguments, whichever they are, and print a table."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from ltviz.bench import metrics, record
from ltviz.cli import bench


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


def test_the_record_table_has_a_row_a_case(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(record, "CASES", ((40, 3, 4, 2.0), (900, 16, 5, 2.0)))
    assert bench.run(["record", "--repeats", "2"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[3:6] == ["call_ms", "copy_ms", "call/copy"]
    assert [row.split()[:3] for row in rows] == [["40", "3", "4"], ["900", "16", "5"]]
    assert all(float(cell) > 0 for row in rows for cell in row.split())
