"""Loss terms for who goes by them once: all that were ever there, and none kept."""

import json
from pathlib import Path

from ltviz.recording.terms import PassingTerms, Terms


def _write(path: Path, first: int, last: int) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps({"step": step, "loss": step / 2}) + "\n" for step in range(first, last))


def test_lines_go_by_once_and_those_before_are_read_again_where_somebody_asks(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    passing, whole = PassingTerms(path), Terms(path)
    assert len(passing.read()) == 0
    for first, last in ((0, 5), (5, 5), (5, 9)):
        _write(path, first, last)
        seen = passing.read()
        assert len(seen) == last
        assert [seen[place]["step"] for place in range(first, last)] == list(range(first, last))
    assert len(seen._columns) == 4, "only what is new is held"
    assert seen == whole.read() and seen[1:3] == whole.read()[1:3] and seen[-1]["step"] == 8


def test_another_file_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    _write(path, 0, 5)
    passing = PassingTerms(path)
    passing.read()
    path.write_text('{"step": 1, "loss": 9.0}\n')
    assert list(passing.read()) == [{"step": 1, "loss": 9.0}]
