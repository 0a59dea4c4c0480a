"""Going on with a run, cutting it back, replacing it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import ltviz
from ltviz.errors import RecordingError, RecordingWarning, RunLocked
from ltviz.recording import Recording

Y = np.array([2, 0, 0, 1, 0, 1])


def write(path, steps, embeddings, **given):
    with ltviz.record(path, labels=Y, **given) as run:
        for step in steps:
            run.frame(step, embeddings=embeddings(step), metrics={"loss": float(step)})
    return Recording(path)


def test_a_run_goes_on_after_its_last_step(tmp_path, embeddings):
    write(tmp_path / "run", [0, 1, 2], embeddings, title="first", config={"lr": 1})
    seen = write(tmp_path / "run", [3, 4], embeddings, title="second", resume=True)
    assert seen.steps() == [0, 1, 2, 3, 4] and seen.info.title == "first" and seen.config == {"lr": 1}
    assert seen.status().state == "finished" and seen.bad_frames() == []
    seconds = [frame.seconds for frame in seen.since(None)]
    assert seconds == sorted(seconds)


def test_where_there_is_no_run_one_is_begun(tmp_path, embeddings):
    assert write(tmp_path / "new" / "run", [5, 6], embeddings, resume=True).steps() == [5, 6]


def test_steps_that_are_there_already_are_dropped_with_a_warning(tmp_path, embeddings):
    """A loop that restarts from an older checkpoint must not end at its first frame."""
    write(tmp_path / "run", range(5), embeddings)
    with pytest.warns(RecordingWarning) as heard:
        seen = write(tmp_path / "run", range(3, 8), embeddings, resume=True)
    assert len(heard) == 2 and "step 3 is dropped" in str(heard[0].message)
    assert seen.steps() == list(range(8)) and seen.status().details["dropped"] == {
        "a step not later than the one before": 2
    }


@pytest.mark.parametrize(
    ("step", "first", "left"), [(2, 3, [0, 1, 2, 3]), (2, 2, [0, 1, 2]), (3.0, 7, [0, 1, 2, 3, 7])]
)
def test_a_run_is_cut_back(tmp_path, embeddings, step, first, left):
    run = tmp_path / "run"
    write(run, range(5), embeddings)
    (run / "metrics.jsonl").write_text('{"step": 1, "loss": 2.0}\n{"step": 4, "loss": 1.0}\n')
    with ltviz.record(run, labels=Y, resume=True, step=step) as going:
        going.frame(first, embeddings=embeddings(77))
    seen = Recording(run)
    assert seen.steps() == left
    np.testing.assert_array_equal(seen.frame(first).embeddings, embeddings(77))
    np.testing.assert_array_equal(seen.frame(1).embeddings, embeddings(1))
    assert [line["step"] for line in seen.metrics()] == [1]


def test_who_shows_a_run_sees_that_it_was_cut_back(tmp_path, embeddings):
    """The app knows a run by its run.json, and its frames by their steps, which come again after a cut."""
    write(tmp_path / "run", range(5), embeddings)
    before = (tmp_path / "run" / "run.json").stat().st_ino
    write(tmp_path / "run", [5], embeddings, resume=True)
    assert (tmp_path / "run" / "run.json").stat().st_ino == before
    write(tmp_path / "run", [2, 3], embeddings, resume=True, step=1)
    assert (tmp_path / "run" / "run.json").stat().st_ino != before


def test_a_cut_beyond_the_end_cuts_nothing(tmp_path, embeddings):
    write(tmp_path / "run", range(3), embeddings)
    assert write(tmp_path / "run", [9], embeddings, resume=True, step=50).steps() == [0, 1, 2, 9]


def test_another_run_is_not_gone_on_with(tmp_path, embeddings):
    run = tmp_path / "run"
    write(run, [0], embeddings, split=[0, 0, 0, 1, 1, 1])
    for given, what in (
        ({"labels": Y[::-1]}, "labels"),
        ({"labels": Y[:5]}, "labels"),
        ({"class_names": ["a", "b", "c"]}, "class_names"),
        ({"split": np.zeros(6, int)}, "split"),
        ({"sample_ids": range(1, 7)}, "sample_ids"),
        ({"labels": np.eye(3, dtype=int)[Y]}, "labels"),
    ):
        with pytest.raises(RecordingError, match=f"begun with other {what}"):
            ltviz.record(run, **{"labels": Y, "resume": True} | given)
    assert Recording(run).status().state == "finished", "nothing was touched"
    write(run, [1], embeddings, resume=True, split=[0, 0, 0, 1, 1, 1], sample_ids=range(6))


def test_a_run_is_replaced_and_nothing_else(tmp_path, embeddings):
    run = tmp_path / "run"
    write(run, range(4), embeddings)
    (run / "epoch_10.pt").write_bytes(b"mine")
    (run / "frames" / "film.png").write_bytes(b"mine too")
    (run / "plots").mkdir()
    with pytest.raises(RecordingError, match="counts must be"):
        write(run, [], embeddings, overwrite=True, counts=[1])
    assert Recording(run).steps() == [0, 1, 2, 3], "what is wrong with the new run costs nothing"
    assert write(run, [7], embeddings, overwrite=True).steps() == [7]
    assert (run / "epoch_10.pt").read_bytes() == b"mine" and (run / "frames" / "film.png").exists()
    assert (run / "plots").is_dir() and [path.name for path in tmp_path.iterdir()] == ["run"]
    assert write(tmp_path / "fresh", [0], embeddings, overwrite=True).steps() == [0]


def test_a_run_that_is_written_is_not_replaced(tmp_path, embeddings):
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0))
        for way in ("overwrite", "resume"):
            with pytest.raises(RunLocked, match="this very process"):
                ltviz.record(tmp_path / "run", labels=Y, **{way: True})
    assert Recording(tmp_path / "run").steps() == [0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"resume": True, "overwrite": True}, "give one of both"),
        ({"step": 3}, "needs resume=True"),
        ({"resume": True, "step": 2.5}, "step must be a whole number"),
        ({"resume": True, "step": -1}, r"step must lie in \[0"),
    ],
)
def test_ways_that_exclude_one_another(tmp_path, embeddings, given, message):
    write(tmp_path / "run", [0], embeddings)
    with pytest.raises(RecordingError, match=message):
        ltviz.record(tmp_path / "run", labels=Y, **given)
    assert Recording(tmp_path / "run").steps() == [0]


KILLED = """
import sys, time, numpy as np, ltviz
run = ltviz.record(sys.argv[1], labels=[0, 0, 1], resume=True)
for step in range(int(sys.argv[2]), 10**9):
    run.frame(step, embeddings=np.eye(3))
    print(step, flush=True)
    time.sleep(0.002)
"""


def test_a_killed_loop_loses_no_frame_that_was_given_and_goes_on(tmp_path):
    path, begin = tmp_path / "run", 0
    for _ in range(2):
        program = [sys.executable, "-c", KILLED, str(path), str(begin)]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            said = [int(child.stdout.readline()) for _ in range(20)]
            os.kill(child.pid, signal.SIGKILL)
            said += [int(line) for line in child.stdout.read().split()]
        seen = Recording(path)
        assert set(said) <= set(seen.steps()) and seen.status().state == "lost" and seen.bad_frames() == []
        begin = said[-1] + 2
