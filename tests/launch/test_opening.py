"""Files become runs: several are steps or are compared, and what does not fit leaves nothing."""

from __future__ import annotations

import numpy as np
import pytest

import ltviz
from ltviz.errors import DataError, RecordingError
from ltviz.launch.making import Making, MakingBehind, copy_run, make_run
from ltviz.launch.opening import measure_series, understand, unit_rows
from ltviz.recording import Home, Recording

Z = np.random.default_rng(0).normal(size=(24, 5)).astype(np.float32)
Y = np.array([0, 1, 2, -1] * 6)


def save(path, **arrays):
    np.savez(path, **{"embeddings": Z, "labels": Y, **arrays})
    return path


def test_a_file_becomes_a_run_in_the_order_of_its_rows(tmp_path):
    (series,) = understand([save(tmp_path / "a.npz", year=np.arange(24) * 1.5, note=np.array(list("ab") * 12))])
    recording = make_run(series, Home(tmp_path / "home"), name="My file")
    frame = recording.frame(0)
    np.testing.assert_allclose(frame.embeddings, Z / np.linalg.norm(Z, axis=1, keepdims=True), atol=1e-6)
    assert recording.run_id == "my-file" and recording.info.title == "My file"
    assert frame.labels.tolist() == Y.tolist() and recording.info.counts == [6, 6, 6]
    assert recording.info.num_classes == 3 and recording.status().state == "finished"
    assert {a.name: a.text_of(1) for a in recording.attributes} == {"year": "1.5", "note": "b"}
    for key, value in measure_series(series).items():
        if key in frame.metrics:
            assert frame.metrics[key] == pytest.approx(value, rel=1e-5, abs=1e-5), key


def test_several_files_are_steps_or_runs(tmp_path):
    paths = [save(tmp_path / f"epoch_{step}.npz", embeddings=Z + step) for step in (5, 40)]
    (series,) = understand(paths)
    assert series.steps == (5, 40)
    assert make_run(series, Home(tmp_path / "home")).steps() == [5, 40]
    assert [one.name for one in understand(paths, compare=True)] == ["epoch_5", "epoch_40"]
    assert understand(paths[::-1])[0].steps == (0, 1), "numbers that do not grow are no steps"


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"embeddings": Z[:, :4]}, "must hold the same points; a.npz has 24 x 5, b.npz 24 x 4"),
        ({"labels": np.roll(Y, 1)}, "row 0 .* is '0' in a.npz and '-1' in b.npz"),
        ({"id": np.arange(24)[::-1]}, "hold other ids"),
    ],
)
def test_steps_of_other_points_are_refused_and_nothing_is_made(tmp_path, other, message):
    paths = [save(tmp_path / "a.npz", id=np.arange(24)), save(tmp_path / "b.npz", **{"id": np.arange(24), **other})]
    with pytest.raises(DataError, match=message):
        understand(paths)
    assert not (tmp_path / "home").exists()


def test_an_attribute_that_changes_is_said(tmp_path):
    paths = [save(tmp_path / f"{name}.npz", loss=np.full(24, value)) for name, value in (("a", 1.0), ("b", 2.0))]
    assert any("'loss' changes from step to step" in note for note in understand(paths)[0].notes)


@pytest.mark.parametrize(
    ("words", "parts"), [(["train", "Test", "val"], [0, 1, 2]), (["train", "fold 2", "val"], None)]
)
def test_a_split_is_the_probes_where_its_words_are_known(tmp_path, words, parts):
    save(tmp_path / "a.npz", split=np.array(words * 8))
    (series,) = understand([tmp_path / "a.npz"])
    if parts is None:
        assert series.split is None and [a.name for a in series.attributes] == ["split"]
        assert any("'fold 2'" in note and "row 1" in note for note in series.notes)
    else:
        assert series.split is not None and series.split.tolist() == parts * 8 and series.attributes == ()
        assert series.counts.sum() == ((Y >= 0) & (series.split == 0)).sum()


def test_without_labels_nothing_is_counted(tmp_path):
    np.save(tmp_path / "z.npy", Z)
    (series,) = understand([tmp_path / "z.npy"])
    recording = make_run(series, Home(tmp_path / "home"))
    assert recording.info.num_classes == 0 and recording.info.counts == []
    assert (recording.frame(0).labels == -1).all() and series.describe()["classes"] == 0


def test_a_run_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    (series,) = understand([save(tmp_path / "a.npz")])

    def full(*_, **__):
        raise RecordingError("The disk is full.")

    monkeypatch.setattr("ltviz.recording.recorder.Recorder.frame", full)
    with pytest.raises(RecordingError, match="disk is full"):
        make_run(series, Home(tmp_path / "home"))
    assert list((tmp_path / "home").iterdir()) == []


def test_a_run_from_elsewhere_is_copied_whole_and_one_at_home_is_not(tmp_path):
    with ltviz.record(tmp_path / "away", labels=[0, 0, 1], attributes={"word": ["a", "b", None]}) as run:
        run.frame(3, embeddings=np.eye(3), landmarks={"prototypes": np.eye(3)[:2]}, confidence=[0.5, 1, 0])
    home = Home(tmp_path / "home")
    made = copy_run(Recording(run.path), home, name="here")
    assert made.path == tmp_path / "home" / "here" and made.steps() == [3]
    frame = made.frame(3)
    assert list(frame.landmarks) == ["prototypes"] and "confidence" in frame.samples
    assert [a.text_of(0) for a in made.attributes] == ["a"]
    assert copy_run(made, home).path == made.path


def test_names_of_attributes_that_are_too_long_do_not_cost_the_run(tmp_path):
    (tmp_path / "a.csv").write_text(f"f0,f1,{'x' * 500}\n.5,1,a\n1,.5,b\n")
    (series,) = understand([tmp_path / "a.csv"], label_column="")
    assert [len(a.name) for a in make_run(series, Home(tmp_path / "home")).attributes] == [200]


def test_lengths_beyond_float32_are_brought_onto_the_sphere():
    rows = unit_rows(np.array([[3e38, 3e38], [1e-38, 0.0]], np.float32))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert rows.dtype == np.float32


def test_runs_are_there_before_their_frames_and_one_that_fails_takes_those_after_it_along(tmp_path, monkeypatch):
    (series,) = understand([save(tmp_path / "a.npz")])
    home, failed = Home(tmp_path / "home"), []
    behind = MakingBehind([(series, "one"), (series, "two")], home)
    assert all(recording.info.num_classes == series.num_classes for recording in behind.recordings)
    behind.wait()
    assert behind.done() and [recording.steps() for recording in behind.recordings] == [[0], [0]]
    assert [recording.status().state for recording in behind.recordings] == ["finished", "finished"]

    write = Making.write
    monkeypatch.setattr(Making, "write", lambda one: write(one) if one.recording.run_id == "three" else full(one))

    def full(one):
        one.abandon()
        raise RecordingError("The disk is full.")

    behind = MakingBehind([(series, "three"), (series, "four"), (series, "five")], home, lambda: failed.append(True))
    with pytest.raises(RecordingError, match="disk is full"):
        behind.wait()
    assert failed == [True] and behind.recordings[0].steps() == [0] and not behind.recordings[2].exists
