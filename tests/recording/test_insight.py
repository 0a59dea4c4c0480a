"""What a method lets be seen comes back as it was, and nothing else gets in."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz.errors import RecordingError
from ltviz.recording import Cloud, Links, tensors
from ltviz.recording.frame import Frame, decode_frame, encode_frame, make_frame

LABELS = np.array([0, 1, 1], np.int32)
Z = np.eye(3, dtype=np.float32)
LINKS = Links(Z[:2], -Z[:2], np.array([0, 1]))
CLOUD = Cloud(Z, np.array([1, 0, 1]), np.array([0, 3, 40]))
FORCES = {"bcl": {"total": Z[:2], "prior": 0 * Z[:2]}}


def frame(**insight) -> Frame:
    return make_frame(7, labels=LABELS, num_classes=2, dim=3, embeddings=Z, **insight)


def decode(made: Frame, num_classes: int | None = 2) -> Frame:
    return decode_frame(encode_frame(made), step=7, labels=LABELS, num_classes=num_classes)


@pytest.mark.parametrize("num_classes", [2, None])
def test_everything_comes_back(num_classes: int | None):
    made = frame(
        links={"views": LINKS},
        clouds={"queue": CLOUD},
        readings={"queue_length": [3, np.nan], "temperature": 0.5},
        forces=FORCES,
    )
    seen = decode(made, num_classes).insight
    for got, given in ((seen.links["views"], LINKS), (seen.clouds["queue"], CLOUD)):
        for column, expected in zip(got, given, strict=True):
            np.testing.assert_array_equal(column, expected)
    np.testing.assert_array_equal(seen.readings["queue_length"], np.float32([3, np.nan]))
    assert seen.readings["temperature"].tolist() == [0.5]
    np.testing.assert_array_equal(seen.forces["bcl"]["total"], Z[:2])
    assert list(seen.forces["bcl"]) == ["prior", "total"] or list(seen.forces["bcl"]) == ["total", "prior"]


def test_a_frame_without_it_has_none_of_it():
    seen = decode(frame()).insight
    assert (seen.links, seen.clouds, seen.readings, seen.forces) == ({}, {}, {}, {})


@pytest.mark.parametrize(
    "insight, message",
    [
        ({"links": {"views": (Z[:2], Z[:1], [0, 1])}}, "must be pairs; got 2 and 1 places"),
        ({"links": {"views": (Z[:2], Z[:2], [0, 2])}}, r"must lie in \[0, 2\)"),
        ({"links": {"views": (Z[:2], Z[:2] * np.nan, [0, 1])}}, "must be finite"),
        ({"links": {"views": (Z[:2, :2], Z[:2, :2], [0, 1])}}, "must have 3 columns"),
        ({"links": {"a.b": LINKS}}, "1 to 60 letters"),
        ({"clouds": {"queue": (Z, [0, 0, 0], [0, -1, 2])}}, "must be 0 steps or more; got -1"),
        ({"clouds": {"queue": (Z, [0.5, 0, 0], [0, 1, 2])}}, "must be whole numbers"),
        ({"readings": {"length": [1, 2, 3]}}, "one for each of 2 classes"),
        ({"readings": {"length": ["a", "b"]}}, "one for each of 2 classes"),
        ({"forces": {"bcl": {"total": Z}}}, "one row for each of 2 classes; got 3"),
        ({"forces": {f"m{i}": {} for i in range(17)}}, "at most 16 methods"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_name(insight, message: str):
    with pytest.raises(RecordingError, match=message):
        frame(**insight)


def test_a_strangers_half_links_are_refused():
    data = encode_frame(frame(links={"views": LINKS}))
    arrays, metadata = tensors.decode(data)
    del arrays["links.views.b"]
    metadata = {name: text for name, text in metadata.items() if not name.startswith("crc32")}
    with pytest.raises(RecordingError, match="must hold a, b, y"):
        decode_frame(tensors.encode(arrays, metadata), step=7, labels=LABELS, num_classes=2)


def test_a_strangers_classes_are_held_against_run_json():
    made = make_frame(7, labels=LABELS, num_classes=9, dim=3, embeddings=Z, links={"views": (Z[:1], Z[:1], [8])})
    with pytest.raises(RecordingError, match=r"must lie in \[0, 2\)"):
        decode(made)
