"""What a method lets be seen comes back as it was, and nothing else gets in."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz.errors import RecordingError
from ltviz.marks import Caps, Points, Segments, Vectors
from ltviz.recording import tensors
from ltviz.recording.frame import Frame, check_frame, decode_frame, encode_frame

LABELS = np.array([0, 1, 1], np.int32)
Z = np.eye(3, dtype=np.float32)
MARKS = {
    "views": Segments(Z[:2], -Z[:2], np.array([0, 1])),
    "queue": Points(Z, np.array([1, 0, 1]), np.array([0, 3, 40])),
    "stars": Points(-Z[:1], np.array([1])),
    "density": Caps(Z[:2], np.array([12.5, np.nan]), np.array([0, 1])),
    "winds": Vectors(Z[:2] * 3),
}
PULLS = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
FORCES = {"bcl": {"total": Z[:2], "prior": 0 * Z[:2]}}


def frame(*, num_classes: int = 2, **given) -> Frame:
    return check_frame(Frame(step=7, labels=LABELS, embeddings=Z, **given), num_classes=num_classes, dim=3)


def decode(made: Frame, num_classes: int | None = 2) -> Frame:
    return decode_frame(encode_frame(made), step=7, labels=LABELS, num_classes=num_classes)


@pytest.mark.parametrize("num_classes", [2, None])
def test_everything_comes_back(num_classes: int | None):
    made = frame(marks=MARKS, readings={"queue_length": [3, np.nan], "temperature": 0.5}, forces=FORCES, pulls=PULLS)
    seen = decode(made, num_classes)
    assert seen.marks.keys() == MARKS.keys()
    for key, given in MARKS.items():
        got = seen.marks[key]
        assert type(got) is type(given)
        for column, expected in zip(got, given, strict=True):
            assert (column is None) == (expected is None)
            if expected is not None:
                np.testing.assert_array_equal(column, np.nan_to_num(expected))
    np.testing.assert_array_equal(seen.readings["queue_length"], np.float32([3, np.nan]))
    assert seen.readings["temperature"].tolist() == [0.5]
    np.testing.assert_array_equal(seen.forces["bcl"]["total"], Z[:2])
    np.testing.assert_array_equal(seen.pulls, PULLS)
    assert list(seen.forces["bcl"]) == ["prior", "total"] or list(seen.forces["bcl"]) == ["total", "prior"]


def test_a_frame_without_it_has_none_of_it():
    seen = decode(frame())
    assert (seen.marks, seen.readings, seen.forces, seen.pulls) == ({}, {}, {}, None)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"marks": {"views": Segments(Z[:2], Z[:1], [0, 1])}}, r"marks\['views'\].b .* 2 rows like the others; got 1"),
        ({"marks": {"views": Segments(Z[:2], Z[:2], [0, 2])}}, r"must lie in \[0, 2\)"),
        ({"marks": {"views": Segments(Z[:2], Z[:2] * np.nan, [0, 1])}}, "must be finite"),
        ({"marks": {"views": Segments(Z[:2, :2], Z[:2, :2], [0, 1])}}, "must have 3 columns"),
        ({"marks": {"a.b": MARKS["views"]}}, "1 to 60 letters"),
        ({"marks": {"queue": Points(Z, [0, 0, 0], [0, -1, 2])}}, "must be 0 steps or more; got -1"),
        ({"marks": {"queue": Points(Z, [0.5, 0, 0], [0, 1, 2])}}, "must be whole numbers"),
        ({"marks": {"density": Caps(Z, [0, 181, 2], [0, 1, 1])}}, "must be 0 to 180 degrees; got 0 to 181"),
        ({"marks": {"density": Caps(Z, None, [0, 1, 1])}}, r"of a primitive .*got places, y\.$"),
        ({"marks": {"winds": Vectors(Z)}}, "one row for each of 2 classes; got 3"),
        ({"marks": {"views": (Z, Z)}}, "must be Points, Segments, Caps or Vectors"),
        ({"readings": {"length": [1, 2, 3]}}, "one for each of 2 classes"),
        ({"readings": {"length": ["a", "b"]}}, "one for each of 2 classes"),
        ({"forces": {"bcl": {"total": Z}}}, "one row for each of 2 classes; got 3"),
        ({"pulls": PULLS[:1]}, r"each two of 2 classes; got float32 of shape \(1, 2, 3\)"),
        ({"pulls": PULLS * np.nan}, "pulls at step 7 must be finite"),
        ({"pulls": PULLS[..., :2]}, "must have 3 columns"),
        ({"forces": {f"m{i}": {} for i in range(17)}}, "at most 16 methods"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_name(given, message: str):
    with pytest.raises(RecordingError, match=message):
        frame(**given)


def strange(change) -> bytes:
    """The file of a frame whose tensors somebody changed, checksums and all."""
    arrays, metadata = tensors.decode(encode_frame(frame(marks=MARKS)))
    change(arrays)
    return tensors.encode(arrays, {name: text for name, text in metadata.items() if not name.startswith("crc32")})


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda arrays: arrays.pop("marks.views.b"), "must hold the columns of a primitive"),
        (lambda arrays: arrays.update({"marks.views": Z}), "holds others|lies inside another"),
        (lambda arrays: arrays.update({"marks.views.a.b": Z}), "holds others|lies inside another"),
        (lambda arrays: arrays.update({"samples.loss.deep": Z}), "samples"),
        (lambda arrays: arrays.update({"target_index.0": Z}), "target_index"),
        (lambda arrays: arrays.update({"forces.bcl": Z[:2]}), r"forces\['bcl'\] at step 7 must be a mapping"),
        (lambda arrays: arrays.update({"pulls": Z}), "pulls at step 7 must be numbers of shape"),
        (lambda arrays: arrays.update({"pulls.bcl": Z}), "pulls at step 7 must be numbers of shape"),
        (lambda arrays: arrays.update({"landmarks": Z}), "landmarks at step 7 must be a mapping"),
        (lambda arrays: arrays.update({"readings": Z[0]}), "readings at step 7 must be a mapping"),
        (lambda arrays: arrays.update({"marks": Z}), "holds others|lies inside another"),
    ],
)
def test_a_strangers_tensors_that_make_no_sense_are_refused(change, message: str):
    with pytest.raises(RecordingError, match=message):
        decode_frame(strange(change), step=7, labels=LABELS, num_classes=2)


def test_a_strangers_classes_are_held_against_run_json():
    made = frame(num_classes=9, marks={"views": Segments(Z[:1], Z[:1], [8])})
    with pytest.raises(RecordingError, match=r"must lie in \[0, 2\)"):
        decode(made)
