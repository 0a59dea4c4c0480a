"""Frames thinned with age: by a rule that says itself when it is none, whole frames at a time, under any reader."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ltviz.cli import main
from ltviz.errors import RunLocked
from ltviz.recording import Recording, RunWriter, keep
from ltviz.recording.frame import file_name
from ltviz.recording.keep import Aged, KeepRule, aged, thin

RULE = KeepRule.parse("all 10s, 1/10s 1min, 1/min")
EVENT = {"kind": "setting", "name": "temperature", "value": 0.2, "before": 0.1, "step": 33}


@pytest.fixture
def long(create: Callable[..., RunWriter], embeddings: Callable[..., np.ndarray]) -> Path:
    """A finished run of 200 seconds with a frame in each, that of 33 with an event."""
    with create() as writer:
        for step in range(201):
            writer.frame(step, embeddings=embeddings(step), seconds=step, events=[EVENT] if step == 33 else [])
    return writer.path


LEFT = [0, 33, 60, 120, 140, 150, 160, 170, 180, *range(190, 201)]


def test_what_is_old_is_thinned_and_the_first_the_last_and_events_stay(long: Path):
    before = {path.name: path.read_bytes() for path in (long / "frames").iterdir()}
    assert thin(Recording(long), RULE, dry=True) == (
        201 - len(LEFT),
        sum(map(len, before.values())) - _size(LEFT, before),
        len(LEFT),
    )
    recording = Recording(long)
    assert len(recording.steps()) == 201, "a dry run deletes nothing"
    thin(recording, RULE)
    assert recording.steps() == Recording(long).steps() == LEFT and not recording.bad_frames()
    assert recording.frame_events() == {33: [EVENT]}
    assert all((long / "frames" / name).read_bytes() == before[name] for name in map(file_name, LEFT))
    assert thin(recording, RULE).frames == 0, "again: nothing"


def _size(steps: list[int], files: dict[str, bytes]) -> int:
    return sum(len(files[file_name(step)]) for step in steps)


def test_a_run_that_grows_or_was_thinned_in_part_comes_to_the_same():
    frames = [Aged(step, step / 7, step % 500 == 499) for step in range(3000)]
    now = {*range(3000)} - {*RULE.spent(frames)}
    held: list[Aged] = []
    for frame in frames:
        held.append(frame)
        spent = RULE.spent(held)
        spent = spent[len(spent) // 2 :]  # killed half-way, each time
        held = [one for one in held if one.step not in spent] if frame.step % 10 == 0 else held
    assert {one.step for one in held} - {*RULE.spent(held)} == now


KILLED = """
import os, sys
from pathlib import Path
from ltviz.recording import Recording
from ltviz.recording.keep import KeepRule, thin
unlink, count = Path.unlink, [0]
def slow(path, missing_ok=False):
    count[0] += 1
    if count[0] == 50:
        os.kill(os.getpid(), 9)
    unlink(path, missing_ok)
Path.unlink = slow
thin(Recording(sys.argv[1]), KeepRule.parse(sys.argv[2]))
"""


def test_a_thinning_that_is_killed_leaves_a_sound_run_and_is_gone_on_with(long: Path):
    rule = "all 10s, 1/10s 1min, 1/min"
    assert subprocess.run([sys.executable, "-c", KILLED, str(long), rule], check=False).returncode == -9
    recording = Recording(long)
    assert len(recording.steps()) == 201 - 49 and not recording.bad_frames()
    assert {*LEFT} < {*recording.steps()} and recording.status().state == "finished"
    thin(recording, KeepRule.parse(rule))
    assert recording.steps() == LEFT


def test_a_reader_that_is_at_it_takes_what_is_gone_for_gone_and_not_for_damaged(long: Path, monkeypatch):
    reader = Recording(long)
    steps, load = reader.steps(), reader._load

    def thinned_under_its_hands(step: int):
        if step == 100:
            thin(Recording(long), RULE)
        return load(step)

    monkeypatch.setattr(reader, "_load", thinned_under_its_hands)
    read = [frame.step for frame in reader.since(None)]
    assert read == [step for step in steps if step < 100 or step in LEFT]
    assert not reader.bad_frames() and reader.steps() == LEFT


def test_what_cannot_be_read_stays_for_the_doctor(long: Path):
    bad = long / "frames" / file_name(50)
    bad.write_bytes(b"x" * 100)
    thin(Recording(long), RULE)
    assert bad.exists() and [one.path for one in Recording(long).bad_frames()] == [bad]


def test_views_of_a_frame_go_with_it_and_nothing_else(long: Path):
    views = long / "projections" / "pca"
    views.mkdir(parents=True)
    for name in (file_name(50), file_name(60), "mine.txt"):
        (views / name).touch()
    thin(Recording(long), RULE)
    assert sorted(path.name for path in views.iterdir()) == [file_name(60), "mine.txt"]


def test_a_run_that_is_written_is_thinned_by_its_writer_alone(create, embeddings, monkeypatch):
    monkeypatch.setattr(keep, "EVERY_SECONDS", 0.0)
    with create() as writer:
        for step in range(150):
            writer.frame(step, embeddings=embeddings(step), seconds=step)
        with pytest.raises(RunLocked):
            thin(Recording(writer.path), RULE)
        writer.keeper.rule = RULE
        writer.keeper.work()
        assert len(Recording(writer.path).steps()) < 30
        for step in range(150, 201):
            writer.frame(step, embeddings=embeddings(step), seconds=step, events=[EVENT] if step == 155 else [])
            writer.keeper.work()
    with RunWriter.resume(writer.path) as again:
        again.keeper.rule = RULE
    assert Recording(writer.path).steps() == sorted({*LEFT, 155} - {33})


def test_frames_that_cannot_be_deleted_end_no_training(create, embeddings, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(13, "no")

    with create() as writer:
        writer.keeper.rule = KeepRule.parse("1/h")
        monkeypatch.setattr(keep, "delete_frames", refuse)
        for step in range(5):
            writer.frame(step, embeddings=embeddings(step))
            writer.keeper.work(at_once=True)
    assert Recording(writer.path).steps() == [0, 1, 2, 3, 4]
    assert sum("cannot be thinned" in record.message for record in caplog.records) == 1


@pytest.mark.parametrize(
    "text",
    [
        *("some", "0/s", "1/0s", "1/10", "-1/s", "1/10y", "all 10min", "10min all", "all 1min 2min, 1/s", "1/s,", ","),
        *("all 1d, 1/s 1h, 1/min", "1/min 1d, 1/s", "1/s 1h, all", "1/99999999w", "1/s " + "9" * 400, "all, 1/s"),
        ", ".join(f"1/{n}s {n}h" for n in range(1, 30)),
    ],
)
def test_a_rule_that_is_none_ends_in_a_sentence(text: str, long: Path, capsys):
    with pytest.raises(ValueError, match=r"must .* as 'all 10min"):
        KeepRule.parse(text)
    assert main(["runs", str(long), "--thin", text, "--yes"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "thin" in told and len(Recording(long).steps()) == 201


def test_runs_are_thinned_from_the_command_line_once_it_is_said(long: Path, capsys):
    line = ["runs", "--home", str(long.parent), "--thin", "all 10s, 1/10s 1min, 1/min"]
    assert main([*line, "--yes"]) == 2 and "name them" in capsys.readouterr().err
    assert main([*line, long.name]) == 2
    assert f"--thin would delete {201 - len(LEFT)} of 201 frames" in capsys.readouterr().err
    assert main([*line, long.name, "--yes"]) == 0 and Recording(long).steps() == LEFT
    assert "deleted" in capsys.readouterr().out


def test_as_many_frames_are_left_as_the_rule_says(long: Path):
    assert len(aged(Recording(long))) == 201
    assert RULE.expected(rate=1.0, seconds=200.0) == pytest.approx(10 + 5 + 140 / 60)
    assert KeepRule.parse(" ").keeps_all and KeepRule.parse("all").expected(rate=10, seconds=5) == 50
