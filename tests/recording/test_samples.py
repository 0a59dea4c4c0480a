"""Frames that name their samples: in any order, some twice, some not at all."""

from __future__ import annotations

import numpy as np
import pytest

import ltviz
from ltviz.errors import RecordingError
from ltviz.figures.globe import sphere
from ltviz.metrics import measure
from ltviz.metrics.alarms import observe
from ltviz.recording import Recording
from ltviz.recording.measured import measure_frame

IDS = np.array([40, 7, 12, 99, 3, 60])
Y = np.array([2, 0, 0, 1, 0, 1])


def begin(path, **given):
    return ltviz.record(path / "run", labels=Y, sample_ids=IDS, **given)


def test_samples_may_come_in_any_order(tmp_path, embeddings):
    z, order = embeddings(0), np.array([3, 5, 0, 1, 4, 2])
    with begin(tmp_path) as run:
        run.frame(
            0,
            embeddings=z[order],
            sample_ids=IDS[order].tolist(),
            predictions=Y[order],
            loss=np.arange(6)[order],
            confidence=np.arange(6)[order] / 10,
        )
        run.frame(1, embeddings=z)
    seen = Recording(tmp_path / "run")
    frame = seen.frame(0)
    np.testing.assert_array_equal(frame.embeddings, z)
    assert frame.present is None and frame.metrics == seen.frame(1).metrics
    assert frame.samples["prediction"].tolist() == Y.tolist() and frame.samples["loss"].tolist() == list(range(6))


def test_of_a_sample_that_comes_again_the_first_row_counts(tmp_path, embeddings):
    z = embeddings(0)
    with begin(tmp_path) as run:
        run.frame(0, embeddings=[*z, -z[0], -z[1]], sample_ids=[*IDS, IDS[0], IDS[1]])
    np.testing.assert_array_equal(Recording(tmp_path / "run").frame(0).embeddings, z)


def test_what_is_absent_is_never_measured(tmp_path, embeddings):
    z, split, here = embeddings(0), np.array([0, 0, 1, 1, 0, 1]), np.array([0, 1, 3, 4])
    with begin(tmp_path, split=split) as run:
        run.frame(0, embeddings=z[here], sample_ids=IDS[here], predictions=Y[here], confidence=[1, 1, 1, 1])
    seen = Recording(tmp_path / "run")
    frame, info = seen.frame(0), seen.info
    assert frame.present is not None and frame.present.tolist() == [True, True, False, True, True, False]
    assert frame.labels.tolist() == [2, 0, -1, 1, 0, -1] and seen.probe.labels.tolist() == Y.tolist()
    assert frame.samples["prediction"].tolist() == [2, 0, -1, 1, 0, -1]
    given = {"num_classes": 3, "counts": np.array(info.counts), "split": split[here], "predictions": Y[here]}
    assert frame.metrics == measure(z[here], Y[here], **given)
    assert measure_frame(seen, frame) == measure(z[here], Y[here], confidence=np.ones(4), full=True, **given)
    assert observe(frame, np.array(info.counts)) is not None
    drawn = sphere(frame, info)
    assert sum(len(trace.x) for trace in drawn.data if trace.name and trace.name[0].isdigit()) == 4
    assert not [trace for trace in drawn.data if trace.name and trace.name.startswith("unlabelled")]


def test_an_absent_sample_keeps_a_place_with_a_direction(tmp_path, embeddings):
    z = [embeddings(step) for step in range(3)]
    with begin(tmp_path) as run:
        run.frame(0, embeddings=z[0][:5], sample_ids=IDS[:5])
        run.frame(1, embeddings=z[1], sample_ids=IDS)
        run.frame(2, embeddings=z[2][:2], sample_ids=IDS[:2])
    frames = Recording(tmp_path / "run").since(None)
    for frame in frames:
        np.testing.assert_allclose(np.linalg.norm(frame.embeddings, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(frames[2].embeddings, [*z[2][:2], *z[1][2:]])


def test_unlabelled_samples_may_be_absent_too(tmp_path, embeddings):
    z = embeddings(0)
    with ltviz.record(tmp_path / "run", labels=[-1] * 6) as run:
        run.frame(0, embeddings=z[:4], sample_ids=[0, 1, 2, 3])
    seen = Recording(tmp_path / "run")
    assert seen.frame(0).metrics == measure(z[:4], np.full(4, -1))
    assert observe(seen.frame(0), np.array([])).cap is not None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sample_ids": [40, 7]}, "one whole number for each of 3 embeddings"),
        ({"sample_ids": [40, 7, 1]}, "must name samples of the run; 1 is none of its 6"),
        ({"sample_ids": [0.5, 7, 40]}, "one whole number for each of 3"),
        ({"sample_ids": [40, 7, 3], "loss": [1.0]}, "one number for each of 3 points"),
        ({"sample_ids": [40, 7, 3], "predictions": [1]}, "one label for each of 3"),
        ({}, "one row for each of 6 labels; got 3 rows, name the samples"),
        ({"embeddings": np.empty((0, 3)), "sample_ids": []}, "hold one sample at least|one whole number for each of 0"),
    ],
)
def test_names_of_no_sample_are_refused(tmp_path, embeddings, given, message):
    with begin(tmp_path, on_error="raise") as run:
        with pytest.raises(RecordingError, match=message):
            run.frame(0, **({"embeddings": embeddings(0)[:3]} | given))
        run.frame(0, embeddings=embeddings(0))


def test_ids_that_repeat_in_the_run_name_nobody(tmp_path, embeddings):
    with ltviz.record(tmp_path / "run", labels=Y, sample_ids=[1, 1, 2, 3, 4, 5]) as run:
        with pytest.raises(RecordingError, match="need samples with ids of their own"):
            run.frame(0, embeddings=embeddings(0), sample_ids=[1, 2, 3, 4, 5, 5])
        run.frame(0, embeddings=embeddings(0))
