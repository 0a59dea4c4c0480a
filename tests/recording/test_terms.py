"""Loss terms: as they were written, in little memory however many."""

from __future__ import annotations

import json
import tracemalloc

from ltviz.recording.terms import Terms


def test_lines_are_as_they_were_written_and_follow_a_file_that_grows(tmp_path):
    path = tmp_path / "metrics.jsonl"
    terms = Terms(path)
    assert terms.read() == [] and len(terms.read()) == 0
    lines = [{"step": 1, "a": 0.5}, {"step": 2, "a": 1, "b": None}, {"step": 3, "b": -2.5, "a": 0.25}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"step": 4')
    before = terms.read()
    assert before == lines and list(before) == lines and before[-1] == lines[-1] and before[1:] == lines[1:]
    with path.open("a") as file:
        file.write(', "a": 7}\nno line\n[1]\n{"a": 1}\n{"step": "5"}\n{"step": 6, "a": "text", "c": 1e999}\n')
    assert terms.read() == [*lines, {"step": 4, "a": 7.0}, {"step": 6, "a": None, "c": None}]
    assert before == lines, "what was given stays what it is"
    path.write_text('{"step": 9}\n')
    assert terms.read() == [{"step": 9}]


def test_two_hundred_thousand_lines_take_a_few_megabytes(tmp_path):
    """As objects they took 1 KB each: 2 GB for a run of two million steps."""
    path = tmp_path / "metrics.jsonl"
    line = '{"step": %d, "contrast": 0.123456, "classify": 1.5, "total": 1.623456, "learning_rate": 0.001}\n'
    path.write_text("".join(line % step for step in range(200_000)))
    tracemalloc.start()
    lines = Terms(path).read()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(lines) == 200_000 and lines[199_999]["step"] == 199_999
    assert kept < 15e6 and peak < 60e6
