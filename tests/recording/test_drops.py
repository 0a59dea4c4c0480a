"""After its first good frame `record` never ends its caller's loop: what does not fit is dropped, counted, and said."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

import ltviz
from ltviz.errors import DiskFull, RecordingError, RecordingWarning
from ltviz.recording import Recording
from ltviz.recording import writer as writer_module

Y = np.array([2, 0, 0, 1, 0, 1])
SPOILT = np.eye(6, 3) + 0.1
SPOILT[4, 1] = np.nan


@pytest.fixture
def heard():
    """The warnings of the test, as a loop sees them: none of them is an error."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        yield heard


def said(heard) -> list[str]:
    return [str(warning.message) for warning in heard if warning.category is RecordingWarning]


def test_a_sanity_check_and_a_nan_do_not_end_a_training(tmp_path, embeddings, heard):
    run = ltviz.record(tmp_path / "run", labels=Y)
    run.frame(0, embeddings=embeddings(0))
    run.frame(0, embeddings=embeddings(5))
    run.frame(1, embeddings=embeddings(1))
    run.frame(9000, embeddings=SPOILT)
    for step in (9000, 9001):
        run.frame(step, embeddings=SPOILT)
    run.frame(9001, embeddings=embeddings(2))
    assert len(said(heard)) == 2, "once a kind"
    assert "step 0 is dropped, and your loop goes on: Steps must grow" in said(heard)[0]
    assert "row 4 holds NaN or infinity" in said(heard)[1] and "on_error='raise'" in said(heard)[1]
    assert {warning.filename for warning in heard} == {__file__}, "it points at the caller's line"
    counts = {"a step not later than the one before": 1, "NaN or infinity in embeddings": 3}
    assert run.dropped == counts
    run.close()
    run.close()
    assert said(heard)[2:] == [
        "4 of 7 frames were dropped: 1 for a step not later than the one before, 3 for NaN or infinity in embeddings; "
        f"the others are recorded ({run.path})."
    ]
    seen = Recording(tmp_path / "run")
    assert seen.steps() == [0, 1, 9001] and seen.bad_frames() == []
    np.testing.assert_array_equal(seen.frame(0).embeddings, embeddings(0), "the first of a step stays")
    status = seen.status()
    assert (status.state, status.details) == ("finished", {"dropped": counts})
    assert status.reason is not None and status.reason.startswith("4 of 7 frames were dropped")
    told = {step: [event["text"] for event in events] for step, events in seen.frame_events().items()}
    assert list(told) == [1, 9001], "the next good frame says what is missing before it"
    assert told[1][0].startswith("The frame given as step 0 was dropped: Steps must grow")
    assert told[9001][0].startswith("The frame given as step 9000 was dropped: embeddings at step 9000 must be finite")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"step": 1}, "a step not later than the one before"),
        ({"step": 2.5}, "a step that is no whole number in range"),
        ({"step": "3"}, "a step that is no whole number in range"),
        ({"step": -1}, "a step that is no whole number in range"),
        ({"step": None}, "a step that is no whole number in range"),
        ({"embeddings": SPOILT}, "NaN or infinity in embeddings"),
        ({"embeddings": np.full((6, 3), np.inf)}, "NaN or infinity in embeddings"),
        ({"embeddings": np.zeros((6, 3))}, "a row of zeros in embeddings"),
        ({"embeddings": np.ones((5, 3))}, "embeddings of another shape"),
        ({"embeddings": np.ones((6, 4))}, "embeddings of another shape"),
        ({"embeddings": np.ones(6)}, "embeddings of another shape"),
        ({"embeddings": None}, "embeddings of another shape"),
        ({"metrics": {"loss": [1, 2]}}, "a metric that is no number"),
        ({"metrics": {"loss": None}}, "a metric that is no number"),
        ({"metrics": 3}, "an unexpected AttributeError"),
        ({"landmarks": {"prototypes": SPOILT}}, "NaN or infinity in prototypes"),
        ({"landmarks": {"prototypes": np.ones((2, 5))}}, "prototypes of another shape"),
        ({"landmarks": {"a b": np.ones((2, 3))}}, "an argument that does not fit"),
        ({"targets": np.ones((3, 4))}, "targets of another shape"),
        ({"predictions": [7] * 6}, "predictions of unknown classes"),
        ({"predictions": [0]}, "an argument that does not fit"),
        ({"loss": [np.nan] * 6}, "NaN or infinity in samples['loss']"),
        ({"confidence": [1, 2]}, "samples['confidence'] of another shape"),
        ({"epoch": np.nan}, "NaN or infinity in epoch"),
        ({"seconds": "soon"}, "an argument that does not fit"),
        ({"events": [{"kind": object()}]}, "an argument that does not fit"),
        ({"events": 3}, "an unexpected TypeError"),
    ],
)
def test_whatever_is_wrong_with_a_frame_drops_that_frame(tmp_path, embeddings, heard, given, kind):
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(1, embeddings=embeddings(0))
        for _ in range(2):
            run.frame(**({"step": 2, "embeddings": embeddings(1)} | given))
        run.frame(3, embeddings=embeddings(2))
        assert run.dropped == {kind: 2} and len(said(heard)) == 1
    assert Recording(run.path).steps() == [1, 3] and Recording(run.path).bad_frames() == []


@pytest.mark.parametrize("given", [{"embeddings": SPOILT}, {"step": 2.5}, {"metrics": {"loss": "high"}}])
def test_what_is_wrong_with_the_first_frame_is_raised_at_once(tmp_path, embeddings, given):
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        with pytest.raises(RecordingError):
            run.frame(**({"step": 0, "embeddings": embeddings(0)} | given))
        run.frame(0, embeddings=embeddings(0))
    assert run.dropped == {} and Recording(run.path).steps() == [0]


def test_who_wants_errors_gets_them(tmp_path, embeddings):
    with ltviz.record(tmp_path / "run", labels=Y, on_error="raise") as run:
        run.frame(0, embeddings=embeddings(0))
        with pytest.raises(RecordingError, match="Steps must grow"):
            run.frame(0, embeddings=embeddings(0))
        with pytest.raises(RecordingError, match="NaN or infinity"):
            run.frame(1, embeddings=SPOILT)
        run.frame(1, embeddings=embeddings(1))
    assert Recording(run.path).status().reason is None


@pytest.mark.parametrize("step", [3.0, np.float32(3), np.float64(3), torch.tensor(3.0), np.array(3), np.int8(3)])
def test_a_step_that_is_whole_is_taken(tmp_path, embeddings, step):
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(step, embeddings=embeddings(0))
    assert Recording(run.path).steps() == [3]


def test_a_full_disk_costs_the_frames_that_have_no_room(tmp_path, embeddings, heard, monkeypatch):
    def full(*_, **__):
        raise DiskFull("The disk is full: 000000001.safetensors needs 0.05 MB.")

    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0))
        with monkeypatch.context() as patch:
            patch.setattr(writer_module, "write_whole", full)
            run.frame(1, embeddings=embeddings(1))
            run.frame(2, embeddings=embeddings(2))
        run.frame(3, embeddings=embeddings(3))
        assert run.dropped == {"a full disk": 2}
    assert Recording(run.path).steps() == [0, 3] and Recording(run.path).status().state == "finished"


def test_a_folder_that_is_gone_costs_only_the_recording(tmp_path, embeddings, heard):
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0))
        shutil.rmtree(run.path)
        run.frame(1, embeddings=embeddings(1))
        run.frame(2, embeddings=embeddings(2))
        assert run.dropped == {"a folder that cannot be written": 2}
    assert len(said(heard)) == 2 and "The run could not be closed" in said(heard)[1]


def test_a_run_that_was_closed_takes_no_more(tmp_path, embeddings, heard):
    run = ltviz.record(tmp_path / "run", labels=Y)
    run.frame(0, embeddings=embeddings(0))
    run.close()
    run.frame(1, embeddings=embeddings(1))
    assert "The run is closed" in said(heard)[0] and Recording(run.path).steps() == [0]


def test_an_interrupt_passes_through(tmp_path, embeddings, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0))
        monkeypatch.setattr("ltviz.recording.recorder.Recorder._measure", interrupt)
        run.frame(1, embeddings=embeddings(1))
    status = Recording(run.path).status()
    assert (status.state, status.reason) == ("finished", "stopped")


def test_the_reason_of_a_failure_is_kept_beside_the_counts(tmp_path, embeddings, heard):
    with pytest.raises(ZeroDivisionError), ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0))
        run.frame(0, embeddings=embeddings(0))
        _ = 1 / 0
    status = Recording(run.path).status()
    assert status.state == "failed" and status.reason == "ZeroDivisionError: division by zero"
    assert status.details == {"dropped": {"a step not later than the one before": 1}}


def test_a_filter_that_makes_warnings_errors_does_not_end_the_loop(tmp_path, embeddings, caplog):
    with caplog.at_level(logging.WARNING, "ltviz"), ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0))
        run.frame(0, embeddings=embeddings(0))
    assert [record.getMessage()[:30] for record in caplog.records] == [
        "The frame of step 0 is dropped",
        "1 of 2 frames were dropped: 1 ",
    ]


def test_kinds_that_never_end_are_put_together(tmp_path, embeddings, heard):
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0))
        for step in range(1, 41):
            run.frame(step, embeddings=embeddings(0), landmarks={f"m{step}": np.ones((1, 9))})
        assert len(run.dropped) == 21 and run.dropped["other reasons"] == 20 and len(said(heard)) == 21


def test_a_script_sees_each_kind_on_stderr_and_ends_well(tmp_path):
    code = (
        "import numpy as np, ltviz, sys\n"
        "with ltviz.record(sys.argv[1], labels=[0, 0, 1]) as run:\n"
        "    for step in [0, 0, 1, 1, 2]:\n"
        "        run.frame(step, embeddings=np.eye(3))\n"
        "print('trained')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "trained\n"
    assert done.stderr.count("RecordingWarning") == 2, done.stderr
