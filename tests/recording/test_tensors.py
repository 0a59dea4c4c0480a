from __future__ import annotations

import json

import numpy as np
import pytest

from ltviz.errors import RecordingError
from ltviz.recording import tensors

ARRAYS = {
    "float32": np.arange(6, dtype=np.float32).reshape(2, 3),
    "float64": np.array(3.5),
    "int64": np.array([-1, 2]),
    "uint8": np.zeros((2, 0, 3), np.uint8),
    "bool": np.array([True, False]),
    "columns first": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
}


def test_arrays_come_back_as_they_were():
    arrays, metadata = tensors.decode(tensors.encode(ARRAYS, {"kind": "test"}))
    assert metadata["kind"] == "test"
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype and arrays[name].shape == array.shape
        np.testing.assert_array_equal(arrays[name], array)


def test_big_endian_arrays_keep_their_values():
    arrays, _ = tensors.decode(tensors.encode({"z": np.arange(3, dtype=">f4")}, {}))
    np.testing.assert_array_equal(arrays["z"], [0, 1, 2])


def test_every_single_flipped_bit_is_noticed():
    whole = tensors.encode({"z": np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)}, {"kind": "test"})
    for position in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            try:
                arrays, metadata = tensors.decode(bytes(damaged))
            except RecordingError:
                continue
            # What still loads is a flip that says the same, such as another kind of space in the header.
            assert metadata == tensors.decode(whole)[1]
            np.testing.assert_array_equal(arrays["z"], tensors.decode(whole)[0]["z"])


def test_a_header_can_be_read_without_the_tensors(tmp_path):
    path = tmp_path / "file"
    whole = tensors.encode({"z": np.zeros((5000, 3), np.float32)}, {"kind": "test", "long": "x" * 20_000})
    path.write_bytes(whole)
    assert tensors.read_metadata(path)["long"] == "x" * 20_000
    path.write_bytes(whole[:-1])
    with pytest.raises(RecordingError, match=r"holds .* bytes where its header says"):
        tensors.read_metadata(path)


def test_a_newer_version_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(tensors, "FORMAT", tensors.FORMAT + 1)
    newer = tensors.encode(ARRAYS, {})
    monkeypatch.undo()
    with pytest.raises(RecordingError, match=r"newer ltviz .*format 2.*update ltviz"):
        tensors.decode(newer)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"[]", "no metadata"),
        (b'{"__metadata__": {"format": 1}}', "no metadata"),
        (b'{"__metadata__": {"format": "1"}}', "checksum"),
        (b"[" * 5000, "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_headers_that_are_not_ours(header, message):
    with pytest.raises(RecordingError, match=message):
        tensors.decode(len(header).to_bytes(8, "little") + header)


def test_a_header_as_long_as_the_memory_is_not_read():
    with pytest.raises(RecordingError, match="claims"):
        tensors.decode((1 << 40).to_bytes(8, "little") + b"{}")


def test_a_tensor_added_later_is_noticed():
    whole = tensors.encode({"z": np.zeros(2, np.float32)}, {})
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + length])
    header["extra"] = {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]}
    text = json.dumps(header).encode()
    with pytest.raises(RecordingError, match="does not name the tensors"):
        tensors.decode(len(text).to_bytes(8, "little") + text + whole[8 + length :] + b"\0\0\0\0")
