"""What no reader would take, no writer takes; and what can go wrong around a recording."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
import torch

import ltviz
from ltviz.errors import RecordingError
from ltviz.recording import Recording, tensors, writer
from ltviz.recording.notes import delete_run

Y = np.array([2, 0, 0, 1, 0, 1])


class Sparse:
    shape = (6, 3)

    def toarray(self):
        return np.eye(6, 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"metrics": {f"a metric with a long name {i}": 0.1 for i in range(30_000)}}, "header takes .* metrics"),
        ({"events": [{"kind": "note", "text": "x" * 1_500_000}]}, "header takes .* events"),
        ({"confidence": [0, 0, 0, 0, 0, 7]}, r"must lie in \[0, 1\]; got 0 to 7"),
        ({"confidence": [-0.5, 0, 0, 0, 0, 1]}, r"must lie in \[0, 1\]; got -0.5 to 1"),
        ({"loss": [-1, 0, 0, 0, 0, 1]}, "must be 0 or more; got -1 to 1"),
        ({"seconds": -5}, "seconds at step 0 must be 0 or more; got -5"),
        ({"epoch": -0.5}, "epoch at step 0 must be 0 or more"),
        ({"embeddings": [[1, 0, 0]] * 5 + [[1, 0]]}, "rows of one length; a list cannot be read"),
        ({"embeddings": Sparse()}, r"must be dense; got a sparse Sparse, give its .toarray\(\)"),
        ({"embeddings": torch.eye(6, 3).to_sparse()}, r"must be dense; got a sparse Tensor, give its .to_dense\(\)"),
        ({"loss": [[1], [1, 2]]}, "rows of one length"),
        ({"predictions": [[1], [1, 2]]}, "rows of one length"),
    ],
)
def test_frames_beyond_the_limits_are_refused_whole(tmp_path, embeddings, given, message):
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        with pytest.raises(RecordingError, match=message) as refusal:
            run.frame(0, **({"embeddings": embeddings(0)} | given))
        assert "\n" not in str(refusal.value)
        run.frame(1, embeddings=embeddings(1))
    assert Recording(tmp_path / "run").steps() == [1] and Recording(tmp_path / "run").bad_frames() == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"config": {"all": "x" * 40_000_000}}, "description of the run takes 4"),
        ({"labels": [2**63, -5, 0]}, "labels must be whole numbers"),
        ({"labels": [2**64, 1, 0]}, "labels must be whole numbers"),
        ({"labels": [1e300, 1, 0]}, "labels must be whole numbers"),
        ({"labels": [[0], [1, 2], [0]]}, "rows of one length"),
        ({"labels": [0, 1, 1], "sample_ids": np.array([1, 2, 2**64 - 1], np.uint64)}, "whole numbers below 2"),
        ({"labels": [0, 1, 1], "split": [[0], [1, 1], [0]]}, "rows of one length"),
        ({"labels": [[0, 1], [1, 2], [0, 0]]}, "0 and 1 of shape"),
        ({"labels": [[0, 1], [1, 0]], "class_names": ["a"]}, "must name each of the 2 classes"),
        ({"labels": [[0, 1], [1, 0]], "class_names": {0: "a"}}, "every column of labels; 1 has no name"),
    ],
)
def test_runs_beyond_the_limits_are_not_begun(tmp_path, given, message):
    with pytest.raises(RecordingError, match=message):
        ltviz.record(tmp_path / "run", **{"labels": [0, 1]} | given)
    assert list(tmp_path.iterdir()) == []


def test_a_frame_larger_than_a_reader_takes_is_refused(tmp_path, embeddings, monkeypatch):
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        monkeypatch.setitem(tensors.encode.__kwdefaults__, "most", tensors.MAX_HEADER + 50)
        with pytest.raises(RecordingError, match=r"arrays take .* bytes with their header"):
            run.frame(0, embeddings=embeddings(0))


def test_a_line_longer_than_a_reader_takes_is_refused(create, monkeypatch):
    with create() as made:
        monkeypatch.setattr(writer, "MAX_LINE", 100)
        with pytest.raises(RecordingError, match="loss terms of step 0 take"):
            made.log(0, {f"term {i}": 0.5 for i in range(20)})
        made.log(1, {"loss": 0.5})
    assert [line["step"] for line in Recording(made.path).metrics()] == [1]


def test_what_is_rounded_a_little_beyond_lies_on_the_bound(tmp_path, embeddings):
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0), confidence=[1.0001, 1, 1, 1, 0.5, -1e-7], loss=[-1e-6, 0, 0, 0, 0, 9])
    samples = Recording(tmp_path / "run").frame(0).samples
    assert samples["confidence"].max() == 1 and samples["confidence"].min() == samples["loss"].min() == 0


def test_a_relative_path_is_meant_from_where_the_run_began(tmp_path, embeddings, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with ltviz.record("here/run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0))
        monkeypatch.chdir(tmp_path / "elsewhere")
        run.frame(1, embeddings=embeddings(1))
    assert Recording(tmp_path / "here" / "run").steps() == [0, 1] and run.path.is_absolute()
    assert Recording(run.path).status().state == "finished" and list((tmp_path / "elsewhere").iterdir()) == []


def test_deleting_a_run_leaves_what_is_not_the_runs(tmp_path, embeddings):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "epoch_10.pt").write_bytes(b"mine")
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0))
    delete_run(run.path)
    assert [path.name for path in run.path.iterdir()] == ["epoch_10.pt"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"] and not Recording(run.path).exists


@pytest.mark.parametrize("rank", ["1", "7"])
def test_other_ranks_write_nothing(tmp_path, embeddings, monkeypatch, rank):
    monkeypatch.setenv("RANK", rank)
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0))
        run.frame(0, embeddings=None, anything=3)  # type: ignore[call-arg]
        run.flush()
        assert run.path == tmp_path / "run" and run.dropped == {}
    run.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rank", ["0", "", "first"])
def test_rank_0_and_who_has_no_rank_writes(tmp_path, embeddings, monkeypatch, rank):
    monkeypatch.setenv("RANK", rank)
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0))
    assert Recording(tmp_path / "run").steps() == [0]


def test_several_labels_a_sample(tmp_path, embeddings):
    sets = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 1]])
    with ltviz.record(tmp_path / "run", labels=torch.tensor(sets), class_names=["cat", "dog", "fox"]) as run:
        run.frame(0, embeddings=embeddings(0), predictions=[0, 0, 2, 1, -1, 2])
    seen = Recording(tmp_path / "run")
    assert (seen.info.class_names, seen.info.counts) == (["cat", "dog", "fox"], [4, 3, 2])
    assert seen.probe.label_sets is not None and seen.probe.label_sets.tolist() == sets.tolist()
    assert seen.probe.labels.tolist() == [1, 0, 2, 1, -1, 2], "the rarest that a sample shows"
    assert "centre_sum" in seen.frame(0).metrics


FORKED = """
import os, sys, time, numpy as np, ltviz, warnings
warnings.simplefilter("ignore")
run = ltviz.record(sys.argv[1], labels=[0, 0, 1])
with run:
    run.frame(0, embeddings=np.eye(3))
    child = os.fork()
    if not child:
        if sys.argv[2] == "leaves":
            run.frame(1, embeddings=np.eye(3))
            sys.exit(0)  # unwinds the `with` block
        time.sleep(60)
    print(child, flush=True)
    if sys.argv[2] == "leaves":
        os.waitpid(child, 0)
        run.frame(2, embeddings=np.eye(3))
        print(ltviz.Recording(run.path).status().state, run.dropped, flush=True)
    else:
        time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_lock_does_not_outlive_its_owner_in_a_forked_child(tmp_path):
    program = [sys.executable, "-c", FORKED, str(tmp_path / "run"), "stays"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        try:
            assert Recording(tmp_path / "run").status().state == "running"
            os.kill(parent.pid, signal.SIGKILL)
            parent.wait()
            os.kill(child, 0)  # it lives
            seen, until = Recording(tmp_path / "run"), time.monotonic() + 20
            while seen.status().state != "lost" and time.monotonic() < until:
                time.sleep(0.01)  # on a busy machine the child may only be waking up
            assert seen.status().state == "lost"
            delete_run(tmp_path / "run")
        finally:
            os.kill(child, signal.SIGKILL)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_neither_writes_nor_ends_its_parents_run(tmp_path):
    program = [sys.executable, "-c", FORKED, str(tmp_path / "run"), "leaves"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.splitlines()[-1] == "running {}", done.stdout + done.stderr
    seen = Recording(tmp_path / "run")
    assert seen.steps() == [0, 2] and seen.status().state == "finished"


def test_large_frames_are_written_behind_the_loop_in_their_order(tmp_path):
    rng, y = np.random.default_rng(0), np.arange(1500) % 5
    frames = [rng.normal(size=(1500, 32)).astype(np.float32) for _ in range(8)]
    with ltviz.record(tmp_path / "run", labels=y) as run:
        for step, z in enumerate(frames):
            given = z.copy()
            run.frame(step, embeddings=given, loss=(loss := np.full(1500, step, np.float32)), metrics={"step": step})
            given[:], loss[:] = np.nan, -1  # the caller's arrays are the caller's again
        run.flush()
        assert Recording(run.path).steps() == list(range(8))
    seen = Recording(run.path)
    for step, z in enumerate(frames):
        frame = seen.frame(step)
        np.testing.assert_allclose(frame.embeddings, z / np.linalg.norm(z, axis=1, keepdims=True), atol=1e-6)
        assert frame.samples["loss"].tolist() == [step] * 1500 and frame.metrics["step"] == step
        assert "uniformity" in frame.metrics


def test_what_fails_behind_the_loop_is_told_at_the_next_line(tmp_path, monkeypatch):
    y, z = np.arange(1500) % 5, np.random.default_rng(0).normal(size=(1500, 32))
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with ltviz.record(tmp_path / "run", labels=y) as run:
            run.frame(0, embeddings=z)
            with monkeypatch.context() as patch:
                patch.setattr(writer, "write_whole", lambda *_, **__: 1 / 0)
                run.frame(1, embeddings=z)
                run._behind.wait()
            run.frame(2, embeddings=z)
            assert run.dropped == {"an unexpected ZeroDivisionError": 1}
            run.frame(3, embeddings=z)
    assert [warning.filename for warning in heard] == [__file__] * 2
    seen = Recording(tmp_path / "run")
    assert seen.steps() == [0, 2, 3]
    assert "The frame given as step 1 was dropped" in str(seen.frame_events())


def test_a_step_given_twice_is_refused_though_the_first_is_still_being_written(tmp_path):
    y, z = np.arange(1500) % 5, np.random.default_rng(0).normal(size=(1500, 32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with ltviz.record(tmp_path / "run", labels=y) as run:
            for step in (0, 1, 2, 2, 1, 3):
                run.frame(step, embeddings=z)
            assert run.dropped == {"a step not later than the one before": 2}
    assert Recording(tmp_path / "run").steps() == [0, 1, 2, 3]


def test_a_program_that_ends_without_closing_loses_nothing(tmp_path):
    code = (
        "import sys, numpy as np, ltviz\n"
        "z = np.random.default_rng(0).normal(size=(4000, 64)).astype(np.float32)\n"
        "run = ltviz.record(sys.argv[1], labels=np.arange(4000) % 3)\n"
        "for step in range(12):\n"
        "    run.frame(step, embeddings=z)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "run")], check=True, timeout=300)
    assert Recording(tmp_path / "run").steps() == list(range(12))


def test_on_error_raise_writes_before_it_returns(tmp_path):
    y, z = np.arange(1500) % 5, np.random.default_rng(0).normal(size=(1500, 32))
    with ltviz.record(tmp_path / "run", labels=y, on_error="raise") as run:
        for step in range(3):
            run.frame(step, embeddings=z)
            assert Recording(run.path).steps() == list(range(step + 1))
