"""Recordings of version 0.2 show what they showed; what nobody declared is declared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import ltviz
from ltviz.marks import PROTOTYPES, QUEUE, VIEWS, Caps, Points, Segments
from ltviz.recording import Recording, older, tensors

Z = np.eye(3, dtype=np.float32)
Y = np.arange(3)
OLD = {
    "links.views.a": Z,
    "links.views.b": -Z,
    "links.views.y": Y.astype(np.int32),
    "clouds.queue.points": Z,
    "clouds.queue.y": Y.astype(np.int32),
    "clouds.queue.age": np.float32([0, 2, 4]),
    "landmarks.means": Z,
    "readings.means_cap": np.float32([20, np.nan, 180]),
    "readings.kappa": np.float32([1, 2, 3]),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run as version 0.2 wrote it: two frames, no declarations."""
    with ltviz.record(tmp_path / "old-run", labels=Y) as run:
        run.frame(0, embeddings=Z)
        run.frame(5, embeddings=Z)
    for path in (tmp_path / "old-run" / "frames").iterdir():
        arrays, metadata = tensors.decode(path.read_bytes())
        plain = {name: text for name, text in metadata.items() if not name.startswith("crc32")}
        path.write_bytes(tensors.encode(arrays | OLD, plain))
    said = json.loads((tmp_path / "old-run" / "run.json").read_text())
    del said["marks"]
    (tmp_path / "old-run" / "run.json").write_text(json.dumps(said))
    return tmp_path / "old-run"


def test_links_clouds_and_caps_of_old_are_marks(folder: Path) -> None:
    frame = Recording(folder).frame(5)
    assert {key: type(shown) for key, shown in frame.marks.items()} == {
        "views": Segments,
        "queue": Points,
        "means_cap": Caps,
    }
    np.testing.assert_array_equal(frame.marks["views"].b, -Z)
    assert frame.marks["queue"].age.tolist() == [0, 2, 4]
    assert frame.marks["means_cap"].angle.tolist() == [20, 0, 0], "the whole sphere and what is not known drew no cap"
    assert frame.marks["means_cap"].y.tolist() == [0, 1, 2]
    assert frame.readings["means_cap"][0] == 20, "the reading stays one"


def test_what_it_shows_is_declared_with_the_words_it_had(folder: Path) -> None:
    marks = {mark.key: mark for mark in Recording(folder).info.marks}
    assert marks["views"] == VIEWS and marks["queue"] == QUEUE
    assert (marks["means_cap"].title, marks["means_cap"].on) == ("Density", False)
    assert (marks["means"].title, marks["means"].sign) == ("Means", "plus") and "(“means”)" in marks["means"].short
    assert marks.keys() == {"views", "queue", "means_cap", "means"}


def test_before_its_first_frame_an_old_run_declares_nothing_and_after_it_does(folder: Path) -> None:
    later = folder.parent / "later"
    (folder / "frames").rename(later)
    recording = Recording(folder)
    assert recording.info.marks == []
    later.rename(folder / "frames")
    assert len(recording.info.marks) == 4


def test_a_damaged_newest_frame_hides_no_declaration(folder: Path) -> None:
    (folder / "frames" / "000000005.safetensors").write_bytes(b"torn")
    assert len(Recording(folder).info.marks) == 4


def test_frames_of_today_are_as_they_were() -> None:
    today = {"embeddings": Z, "marks.means_cap.angle": Y, "readings.means_cap": Y, "landmarks.means": Z, "marks.x.y": Y}
    assert older.translate(today) == today


@pytest.mark.parametrize(
    "angles", [np.float32([1, 2]), np.float32(3), np.array([1, 2, 3]), np.ones((3, 1), np.float32)]
)
def test_a_reading_that_only_sounds_like_a_cap_is_left_alone(angles: np.ndarray) -> None:
    arrays = {"landmarks.means": Z, "readings.means_cap": angles}
    assert older.translate(arrays).keys() == arrays.keys()


def test_landmarks_of_a_strangers_loop_are_declared_when_they_come(tmp_path: Path) -> None:
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=Z, landmarks={"prototypes": Z})
        assert Recording(tmp_path / "run").info.marks == [PROTOTYPES]
        before = (tmp_path / "run" / "run.json").stat().st_ino
        run.frame(1, embeddings=Z, landmarks={"prototypes": Z})
        assert (tmp_path / "run" / "run.json").stat().st_ino == before, "written anew only where there is news"
        run.frame(2, embeddings=Z, landmarks={"prototypes": Z, "my_poles": Z})
    marks = Recording(tmp_path / "run").info.marks
    assert [(mark.key, mark.title) for mark in marks] == [("prototypes", "Prototype"), ("my_poles", "My poles")]


def test_a_run_declares_no_more_marks_than_run_json_may_hold(tmp_path: Path) -> None:
    with ltviz.record(tmp_path / "run", labels=Y) as run:
        run.frame(0, embeddings=Z, landmarks={f"l{i}": Z for i in range(70)})
    assert len(Recording(tmp_path / "run").info.marks) == 64
