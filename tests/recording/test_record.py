from __future__ import annotations

import logging
import subprocess
import sys

import numpy as np
import pytest
import torch

import ltviz
from ltviz.errors import RecordingError, RunLocked
from ltviz.recording import Recording
from ltviz.recording.measured import measure_frame

Y = np.array([2, 0, 0, 1, 0, 1])


def test_two_lines_make_a_run(tmp_path, embeddings):
    with ltviz.record(tmp_path / "my-run", labels=Y) as run:
        for step in range(3):
            run.frame(step, embeddings=embeddings(step))
    seen = Recording(tmp_path / "my-run")
    assert seen.steps() == [0, 1, 2] and seen.status().state == "finished" and seen.bad_frames() == []
    frame = seen.frame(1)
    np.testing.assert_array_equal(frame.embeddings, embeddings(1))
    np.testing.assert_array_equal(frame.labels, Y)
    assert {"simplex_deviation_mean", "centre_sum", "uniformity"} <= frame.metrics.keys()
    assert (seen.info.dim, seen.info.num_classes, seen.info.counts) == (3, 3, [3, 2, 1])
    assert seen.info.run_id == "my-run"


def test_everything_a_stranger_may_give(tmp_path, embeddings):
    metrics = {"loss": 0.5, "uniformity": -99.0}
    with ltviz.record(
        tmp_path / "run",
        labels=Y.tolist(),
        class_names=["ant", "bee", "cat"],
        images=np.zeros((6, 8, 8), np.uint8),
        split=[0, 1, 0, 1, 0, 1],
        counts=[90, 50, 7],
        method="mine",
        config={"temperature": 0.1},
        total_steps=10,
        seed=3,
    ) as run:
        run.frame(
            np.int64(4),
            embeddings=embeddings(0),
            targets=embeddings(1, rows=3),
            landmarks={"prototypes": embeddings(2, rows=4)},
            predictions=[2, 0, 0, 1, 1, 1],
            confidence=np.full(6, 0.5),
            loss=np.arange(6) / 2,
            metrics=metrics,
            epoch=1,
        )
    assert metrics == {"loss": 0.5, "uniformity": -99.0}
    seen = Recording(tmp_path / "run")
    assert seen.config == {"temperature": 0.1}
    assert (seen.info.method, seen.info.class_names, seen.info.counts) == ("mine", ["ant", "bee", "cat"], [90, 50, 7])
    frame = seen.frame(4)
    assert frame.metrics["loss"] == 0.5 and frame.metrics["uniformity"] == -99.0, "the caller's numbers win"
    assert frame.metrics["accuracy_all"] == 1.0, "judged on the test points alone"
    assert frame.samples["prediction"].tolist() == [2, 0, 0, 1, 1, 1]
    assert frame.samples["loss"].tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    np.testing.assert_array_equal(frame.landmarks["targets"], embeddings(1, rows=3))
    assert frame.target_index is not None and frame.target_index.tolist() == [0, 1, 2]
    assert frame.landmarks["prototypes"].shape == (4, 3) and frame.epoch == 1.0


def test_without_a_split_nothing_is_said_of_test_samples(tmp_path, embeddings):
    """Predictions that are right on the training samples were called an accuracy of 1 on test points."""
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0), predictions=Y, confidence=np.ones(6))
    seen = Recording(tmp_path / "run")
    frame = seen.frame(0)
    for found in (frame.metrics, measure_frame(seen, frame)):
        assert "centre_sum" in found
        unsaid = [
            key for key in found if key.startswith(("accuracy", "calibration")) or key.endswith(("train", "test"))
        ]
        assert unsaid == []


def test_training_and_test_samples_are_measured_apart(tmp_path, embeddings):
    with ltviz.record(tmp_path / "run", labels=Y, split=[0, 1, 1, 1, 0, 0]) as run:
        run.frame(0, embeddings=embeddings(0), predictions=Y)
    found = Recording(tmp_path / "run").frame(0).metrics
    assert found["accuracy_all"] == 1 and found["accuracy_all_n"] == 3 and found["accuracy_all_error"] > 0.1
    assert {"min_centre_angle", "min_centre_angle_train", "min_centre_angle_test"} <= set(found)


def test_torch_tensors_with_gradients_are_taken_as_they_are(tmp_path):
    torch.manual_seed(0)
    weights = torch.randn(6, 4, requires_grad=True)
    z = torch.nn.functional.normalize(weights, dim=1)
    labels = torch.tensor(Y)
    loss = z.sum()
    with ltviz.record(tmp_path / "run", labels=labels, images=torch.rand(6, 1, 8, 8)) as run:
        run.frame(
            torch.tensor(0),
            embeddings=z,
            targets=torch.eye(4, requires_grad=True)[:3],
            metrics={"loss": loss},
            confidence=torch.rand(6, dtype=torch.bfloat16),
        )
        loss.backward()
    assert weights.grad is not None, "the graph is as it was"
    frame = Recording(tmp_path / "run").frame(0)
    np.testing.assert_array_equal(frame.embeddings, z.detach().numpy())
    assert frame.metrics["loss"] == pytest.approx(float(loss.detach()))
    np.testing.assert_array_equal(labels.numpy(), Y)


@pytest.mark.parametrize(
    ("labels", "given", "expected", "names", "rows"),
    [
        ([2, 0, 0, 1], None, [2, 0, 0, 1], ["0", "1", "2"], [0, 1, 2]),
        ([1, 1, 0], None, [1, 1, 0], ["0", "1"], [0, 1]),
        ([0, 1, 3, 3], None, [0, 1, 3, 3], ["0", "1", "2", "3"], [0, 1, 2, 3]),
        ([0, 1], ["a", "b", "c"], [0, 1], ["a", "b", "c"], [0, 1, 2]),
        ([0.0, 1.0], None, [0, 1], ["0", "1"], [0, 1]),
        ([True, False], None, [1, 0], ["0", "1"], [0, 1]),
        ([10, 70, 70, 40], None, [1, 0, 0, 2], ["70", "10", "40"], [2, 0, 1]),
        ([10, 70, 70, 40], ["ten", "forty", "seventy"], [1, 0, 0, 2], ["seventy", "ten", "forty"], [2, 0, 1]),
        ([-2, 0, 0], None, [1, 0, 0], ["0", "-2"], [1, 0]),
        (["dog", "cat", "cat"], None, [1, 0, 0], ["cat", "dog"], [0, 1]),
        (["dog", "cat", "dog"], ["emu", "cat", "dog"], [0, 1, 0], ["dog", "cat", "emu"], [2, 1, 0]),
        (["dog", "cat", "dog"], {"cat": "Cat", "dog": "Dog"}, [0, 1, 0], ["Dog", "Cat"], [1, 0]),
        ([1, 0, 1], {1: "one", 0: "zero"}, [1, 0, 1], ["zero", "one"], [0, 1]),
    ],
)
def test_any_labels_become_classes_and_keep_their_names(tmp_path, labels, given, expected, names, rows):
    z = np.eye(len(labels), 3 + len(labels))
    targets = np.eye(len(names), z.shape[1])
    with ltviz.record(tmp_path / "run", labels=labels, class_names=given) as run:
        run.frame(0, embeddings=z, targets=targets)
    seen = Recording(tmp_path / "run")
    frame = seen.frame(0)
    assert frame.labels.tolist() == expected
    assert seen.info.class_names == names
    assert seen.info.counts == np.bincount(expected, minlength=len(names)).tolist()
    assert frame.target_index is not None and frame.target_index.tolist() == rows
    np.testing.assert_array_equal(frame.landmarks["targets"], targets)


def test_predictions_are_renumbered_like_labels(tmp_path):
    with ltviz.record(tmp_path / "run", labels=["b", "a", "a"], on_error="raise") as run:
        run.frame(0, embeddings=np.eye(3), predictions=["b", "b", "a"])
        with pytest.raises(RecordingError, match=r"predictions must be labels .* got 'z'"):
            run.frame(1, embeddings=np.eye(3), predictions=["b", "b", "z"])
    assert Recording(tmp_path / "run").frame(0).samples["prediction"].tolist() == [1, 1, 0]


def test_counts_follow_their_classes(tmp_path):
    with ltviz.record(tmp_path / "run", labels=["b", "b", "a"], counts=[5, 900]) as run:
        run.frame(0, embeddings=np.eye(3))
    info = Recording(tmp_path / "run").info
    assert dict(zip(info.class_names, info.counts, strict=True)) == {"a": 5, "b": 900}


def test_classes_can_be_ordered_by_what_they_hold(tmp_path):
    with ltviz.record(tmp_path / "run", labels=[1, 1, 2, 0, 2, 1]) as run:
        run.frame(0, embeddings=np.eye(6))
    assert Recording(tmp_path / "run").info.order.tolist() == [1, 2, 0]


def test_rows_off_the_sphere_are_shown_on_it_and_said_once(tmp_path, embeddings):
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0) * 4)
        run.frame(1, embeddings=embeddings(1) * 4)
    seen = Recording(tmp_path / "run")
    np.testing.assert_allclose(seen.frame(0).embeddings, embeddings(0), atol=1e-6)
    assert "embeddings were not of length 1 (4 to 4)" in seen.frame(0).events[0]["text"]
    assert seen.frame(1).events == []


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"embeddings": np.zeros((6, 3))}, "row 0 is zero"),
        ({"embeddings": np.full((6, 3), np.nan)}, "row 0 holds NaN"),
        ({"embeddings": np.eye(5)}, "one row for each of 6 labels; got 5"),
        ({"embeddings": np.ones(6)}, r"shape \(rows, D\)"),
        ({"embeddings": [["a"]]}, "must be numbers"),
        ({"embeddings": np.eye(6), "metrics": {"loss": [1, 2]}}, "'loss' must be one number"),
        ({"embeddings": np.eye(6), "metrics": {"loss": None}}, "must be a number; got None"),
        ({"embeddings": np.eye(6), "targets": np.eye(3)}, "targets at step 0 must have 6 columns"),
    ],
)
def test_frames_that_do_not_fit_are_refused_and_the_run_goes_on(tmp_path, frame, message):
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        with pytest.raises(RecordingError, match=message):
            run.frame(0, **frame)
        run.frame(0, embeddings=np.eye(6))
    assert Recording(tmp_path / "run").steps() == [0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"labels": []}, "labels must be whole numbers or text"),
        ({"labels": [0.5]}, "labels must be whole numbers or text"),
        ({"labels": [[0, 1]]}, "labels must be whole numbers or text"),
        ({"labels": [0, 1, 2], "class_names": ["a"]}, "must name each of the 3 classes"),
        ({"labels": ["a", "b"], "class_names": ["a"]}, "must name every label; 'b'"),
        ({"labels": [0, 1], "counts": [1]}, "counts must be one whole number for each of 2"),
        ({"labels": [0, 1], "config": {"x": object()}}, "The run cannot be described"),
        ({"labels": [0, 1], "images": np.zeros((3, 4, 4))}, "images must be 2 pictures"),
        ({"labels": [np.inf, 1]}, "labels must be whole numbers or text"),
        ({"labels": np.array([2**64 - 1], np.uint64)}, "labels must be whole numbers or text"),
        ({"labels": ["a", 1, 2.5]}, "labels must be whole numbers or text"),
        ({"labels": ["a", ""], "class_names": ["a", ""]}, "class_names must not hold ''"),
        ({"labels": [0, 1], "on_error": "ignore"}, "on_error must be 'warn' or 'raise'; got 'ignore'"),
    ],
)
def test_runs_that_do_not_fit_are_not_begun(tmp_path, given, message):
    with pytest.raises(RecordingError, match=message):
        ltviz.record(tmp_path / "run", **given)
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_not_written_twice(tmp_path):
    run = ltviz.record(tmp_path / "run", labels=Y)
    with pytest.raises(RunLocked):
        ltviz.record(tmp_path / "run", labels=Y)
    run.close()
    with pytest.raises(RecordingError, match="already holds a run"):
        ltviz.record(tmp_path / "run", labels=Y)


def test_while_it_runs_it_says_so(tmp_path, embeddings):
    with pytest.raises(ZeroDivisionError), ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0))
        assert Recording(run.path).status().state == "running"
        _ = 1 / 0
    assert Recording(tmp_path / "run").status().state == "failed"


def test_a_run_in_a_folder_of_any_name_is_listed_and_nothing_is_said(home, caplog):
    with caplog.at_level(logging.WARNING, "ltviz"):
        ltviz.record(home / "My Run", labels=Y).close()
    assert caplog.text == ""
    assert [run.path for run in ltviz.recording.list_runs(home)] == [home / "My Run"]


def test_reading_and_writing_bring_in_no_torch():
    code = (
        "import sys, ltviz, ltviz.recording, ltviz.data.upload\n"
        "heavy = {'torch', 'sklearn', 'scipy', 'umap', 'plotly', 'streamlit', 'pyarrow', 'pandas'}\n"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_numbers_of_numpy_are_taken_as_settings(tmp_path, embeddings):
    given = {"lr": np.float32(0.5), "nested": {"dims": (np.int64(3), 4)}, "on": np.bool_(True)}
    steps, seed = np.int64(9), np.uint8(2)
    with ltviz.record(tmp_path / "run", labels=Y, config=given, total_steps=steps, seed=seed) as run:  # type: ignore[arg-type]
        run.frame(0, embeddings=embeddings(0))
    seen = Recording(tmp_path / "run")
    assert seen.config == {"lr": 0.5, "nested": {"dims": [3, 4]}, "on": True}
    assert (seen.info.total_steps, seen.info.seed) == (9, 2)


@pytest.mark.parametrize("scale", [1e-200, 1e200, 1e-320, 1e308])
def test_rows_of_any_length_have_a_direction(tmp_path, embeddings, scale):
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=embeddings(0).astype(np.float64) * scale)
    np.testing.assert_allclose(Recording(tmp_path / "run").frame(0).embeddings, embeddings(0), atol=1e-3)


def test_what_is_masked_is_no_number(tmp_path, embeddings):
    z = embeddings(0)
    hidden = np.ma.masked_array(z, mask=np.arange(z.size).reshape(z.shape) == 7)
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        with pytest.raises(RecordingError, match="row 2 holds NaN"):
            run.frame(0, embeddings=hidden)
        with pytest.raises(RecordingError, match=r"samples\['loss'\] at step 0 must be finite"):
            run.frame(0, embeddings=z, loss=np.ma.masked_equal(Y, 2))
        run.frame(0, embeddings=np.ma.masked_array(z, mask=False))
    np.testing.assert_array_equal(Recording(tmp_path / "run").frame(0).embeddings, z)
