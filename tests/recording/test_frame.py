from __future__ import annotations

import numpy as np
import pytest

from ltviz.errors import RecordingError
from ltviz.recording.frame import Frame, check_frame, check_step, decode_frame, encode_frame, file_name, step_of

LABELS = np.array([0, 1, 1], np.int32)
Z = np.eye(3, dtype=np.float32)


def frame(**changes):
    given = {"labels": LABELS, "dim": 3, "embeddings": Z} | changes
    dim = given.pop("dim")
    return check_frame(Frame(step=7, **given), num_classes=2, dim=dim)


def test_a_frame_comes_back_as_it_was():
    made = frame(
        landmarks={"targets": Z[:2], "prototypes": -Z},
        target_index=[1, -1],
        samples={"prediction": LABELS, "confidence": np.array([0.5, 0.25, 1])},
        metrics={"loss": np.float32(0.5), "epoch_loss": 2},
        epoch=1.5,
        seconds=0.1,
        events=[{"kind": "setting", "name": "temperature", "value": 0.2}],
    )
    read = decode_frame(encode_frame(made), step=7, labels=LABELS)
    assert (read.step, read.epoch, read.seconds) == (7, 1.5, 0.1)
    assert read.metrics == {"loss": 0.5, "epoch_loss": 2.0}
    assert read.events == [{"kind": "setting", "name": "temperature", "value": 0.2}]
    np.testing.assert_array_equal(read.embeddings, Z)
    np.testing.assert_array_equal(read.labels, LABELS)
    np.testing.assert_array_equal(read.landmarks["prototypes"], -Z)
    assert read.target_index is not None and read.target_index.tolist() == [1, -1]
    assert read.samples["prediction"].dtype == np.int32
    assert read.samples["confidence"].dtype == np.float32


def test_a_reader_may_change_what_it_got():
    data = encode_frame(frame())
    first = decode_frame(data, step=7, labels=LABELS)
    first.embeddings[0] = 9
    first.labels[0] = 9
    second = decode_frame(data, step=7, labels=LABELS)
    np.testing.assert_array_equal(second.embeddings, Z)
    np.testing.assert_array_equal(second.labels, LABELS)


def test_metrics_that_are_not_finite_are_absent_and_noted():
    made = frame(metrics={"loss": float("nan"), "accuracy": 0.5})
    assert made.metrics == {"accuracy": 0.5}
    assert made.events == [{"kind": "note", "text": "The metric 'loss' was not finite (nan)."}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"embeddings": np.where(Z == 1, np.nan, Z)}, "row 0 holds NaN"),
        ({"embeddings": np.array([[1, 0, 0], [0, np.inf, 0], [0, 0, 1.0]])}, "row 1 holds NaN or infinity"),
        ({"embeddings": Z[:2]}, "one row for each of 3 labels; got 2"),
        ({"embeddings": Z[:, :2]}, "must have 3 columns"),
        ({"embeddings": np.ones(3)}, r"shape \(rows, D\)"),
        ({"embeddings": np.ones((3, 1)), "dim": None}, "D >= 2"),
        ({"embeddings": Z.astype(complex)}, "must be numbers"),
        ({"landmarks": {"targets": np.ones((2, 2))}}, "targets at step 7 must have 3 columns"),
        ({"landmarks": {"a/b": Z}}, "name of landmarks"),
        ({"target_index": [0, 1]}, "must point at the 0 rows"),
        ({"target_index": [0], "landmarks": {"targets": Z}}, "each of 2 classes"),
        ({"target_index": [0, 3], "landmarks": {"targets": Z}}, "must point at the 3 rows"),
        ({"samples": {"prediction": [1, 2]}}, "one number for each of 3 points"),
        ({"samples": {"confidence": [1, 2, np.nan]}}, "must be finite"),
        ({"metrics": {"loss": "low"}}, "must be a number; got 'low'"),
        ({"seconds": float("inf")}, "seconds at step 7 must be finite"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_name(changes, message):
    with pytest.raises(RecordingError, match=message):
        frame(**changes)


def test_events_must_be_plain():
    with pytest.raises(RecordingError, match="plain JSON"):
        encode_frame(frame(events=[{"kind": object()}]))


@pytest.mark.parametrize("step", [-1, 1_000_000_000, 1.5, "3", None])
def test_steps_are_whole_and_bounded(step):
    with pytest.raises(RecordingError, match="step must"):
        check_step(step)


def test_steps_of_numpy_are_steps():
    assert check_step(np.int64(5)) == 5


@pytest.mark.parametrize("name", ["42.safetensors", ".000000042.safetensors.1-2.tmp", "000000042.safetensors.bak", "x"])
def test_other_files_are_not_frames(name):
    assert step_of(name) is None


def test_file_names_say_the_step():
    assert file_name(42) == "000000042.safetensors"
    assert step_of(file_name(42)) == 42


def test_a_frame_under_another_steps_name_is_refused():
    with pytest.raises(RecordingError, match="another step"):
        decode_frame(encode_frame(frame()), step=8, labels=LABELS)


def test_without_the_probe_labels_are_unknown():
    assert decode_frame(encode_frame(frame()), step=7, labels=None).labels.tolist() == [-1, -1, -1]
