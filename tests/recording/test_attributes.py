"""What else is known of samples: kept as given, never measured, and refused where it does not fit."""

from __future__ import annotations

import numpy as np
import pytest

import ltviz
from ltviz.errors import RecordingError
from ltviz.recording import Recording
from ltviz.recording.attributes import LONGEST_TEXT, decode_attributes, encode_attributes, make_attributes


def test_numbers_and_texts_come_back_as_they_were(tmp_path):
    given = {
        "year": [2001, None, 3],
        "kind": ["x", "", "<b>\n$$"],
        "ok": np.array([True, False, True]),
        "big": [2**60 + 1, 1, 2],
        "day": np.array(["2020-01-02", "NaT", "2021-01-01"], "M8[D]"),
    }
    with ltviz.record(tmp_path / "my-run", labels=[0, 1, -1], attributes=given) as run:
        run.frame(0, embeddings=np.eye(3))
    recording = Recording(run.path)
    found = {attribute.name: [attribute.text_of(row) for row in range(3)] for attribute in recording.attributes}
    assert found == {
        "year": ["2001", "", "3"],
        "kind": ["x", "", "<b>\n$$"],
        "ok": ["True", "False", "True"],
        "big": [str(2**60 + 1), "1", "2"],
        "day": ["2020-01-02", "", "2021-01-01"],
    }
    assert recording.attributes[0].texts is None and np.isnan(recording.attributes[0].values[1])
    assert recording.attributes is recording.attributes, "read once"


def test_a_run_without_attributes_has_no_file_of_them(tmp_path):
    with ltviz.record(tmp_path / "my-run", labels=[0, 1]) as run:
        run.frame(0, embeddings=np.eye(2))
    assert Recording(run.path).attributes == () and not (run.path / "attributes.safetensors").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"a": [1, 2]}, "one value for each of 3 samples"),
        ({"": [1, 2, 3]}, "text of 1 to 200 characters"),
        ({"a": np.zeros(3, complex)}, "numbers or text; got complex128"),
        ({"a": ["x", "y", "z" * (LONGEST_TEXT + 1)]}, "shorten the longest"),
        ({str(i): [1, 2, 3] for i in range(257)}, "at most 256; got 257"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(tmp_path, given, message):
    with pytest.raises(RecordingError, match=message):
        ltviz.record(tmp_path / "my-run", labels=[0, 1, 1], attributes=given)
    assert not (tmp_path / "my-run").exists()


def test_a_damaged_file_of_attributes_hides_no_frame(tmp_path):
    with ltviz.record(tmp_path / "my-run", labels=[0, 1], attributes={"year": [1, 2]}) as run:
        run.frame(0, embeddings=np.eye(2))
    path = run.path / "attributes.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    recording = Recording(run.path)
    assert recording.frame(0).labels.tolist() == [0, 1]
    with pytest.raises(RecordingError, match="does not match its checksum"):
        _ = recording.attributes
    assert [bad.path.name for bad in recording.bad_frames()] == ["attributes.safetensors"]


def test_attributes_of_other_samples_are_refused():
    data = encode_attributes(make_attributes({"year": [1, 2]}, 2))
    with pytest.raises(RecordingError, match="each of 3 samples"):
        decode_attributes(data, count=3)
    with pytest.raises(RecordingError):
        decode_attributes(data[:-4], count=2)
