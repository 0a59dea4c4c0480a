"""CIFAR's batches: as Python 2 wrote the official ones, as Python 3 writes the same dictionary, and hostile ones."""

from __future__ import annotations

import os
import pickle  # noqa: TID251 - what Python 3 itself writes; nothing here is loaded with it
import struct
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ltviz.data.sources import cifar_batches, pickled
from ltviz.errors import DataError

sys.path.insert(0, str(Path(__file__).parent))

from cifar_writer import PythonTwo, binary, held, python_two


def test_a_batch_of_python_2_is_read_as_it_was_written() -> None:
    data = python_two(300)
    assert b"_codecs" not in data and b"U\x06labels" in data, "text as the official files have it"
    got = pickled.read_pickled_dictionary(data, "here")
    want = held(300)
    assert list(got) == ["batch_label", "labels", "data", "filenames"]
    assert got["batch_label"] == b"training batch 1 of 5" and got["labels"] == want[b"labels"]
    assert got["filenames"] == want[b"filenames"]
    np.testing.assert_array_equal(got["data"], want[b"data"])
    assert np.shares_memory(got["data"], np.frombuffer(data, np.uint8)), "150 MB are not copied once more"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("keys", ["bytes", "text"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_same_dictionary_written_by_python_3_is_read(protocol: int, keys: str, order: str) -> None:
    want = held(30)
    want[b"data"] = np.asarray(want[b"data"], order=order)
    dumped = pickle.dumps(
        {key.decode(): value for key, value in want.items()} if keys == "text" else want, protocol=protocol
    )
    images, labels = cifar_batches.python_batch(dumped, "labels", 10, "here")
    np.testing.assert_array_equal(labels, want[b"labels"])
    np.testing.assert_array_equal(images.transpose(0, 3, 1, 2).reshape(30, -1), want[b"data"])


def test_numpy_1_and_2_write_the_same_array_under_two_names() -> None:
    dumped = pickle.dumps(held(10), protocol=2)
    old, new = b"cnumpy.core.multiarray\n", b"cnumpy._core.multiarray\n"
    assert (old in dumped) != (new in dumped)
    for one, other in ((old, new), (new, old)):
        assert cifar_batches.python_batch(dumped.replace(one, other), "labels", 10, "here")[1].tolist() == [*range(10)]


def test_labels_may_be_an_array() -> None:
    for dtype in ("uint8", "<i8", ">i4"):
        dumped = pickle.dumps({**held(10), b"labels": np.arange(10).astype(dtype)}, protocol=4)
        assert cifar_batches.python_batch(dumped, "labels", 10, "here")[1].tolist() == [*range(10)]


def test_the_binary_version_holds_the_same_images() -> None:
    want = held(20)
    images, labels = cifar_batches.binary_batch(binary(want), 1, 10, "here")
    same, same_labels = cifar_batches.python_batch(python_two(20), "labels", 10, "here")
    np.testing.assert_array_equal(images, same)
    np.testing.assert_array_equal(labels, same_labels)
    hundred = held(200, 100, key=b"fine_labels")
    _, fine = cifar_batches.binary_batch(binary(hundred, coarse=True), 2, 100, "here")
    assert fine.tolist() == hundred[b"fine_labels"]


def test_images_are_upright_and_in_colour() -> None:
    pixels = np.zeros((1, 3, 32, 32), np.uint8)
    pixels[0, 0, 2, 5], pixels[0, 2, 7, 1] = 200, 100  # red in row 2, column 5; blue in row 7, column 1
    data = PythonTwo().dictionary({b"labels": [3], b"data": pixels.reshape(1, -1)})
    images, _ = cifar_batches.python_batch(data, "labels", 10, "here")
    assert images[0, 2, 5].tolist() == [200, 0, 0] and images[0, 7, 1].tolist() == [0, 0, 100]


class Runs:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def hostile(path: Path) -> dict[str, bytes]:
    command = f"touch {path}".encode()
    system = b"cos\nsystem\n"
    return {
        "os.system in Python 2": b"\x80\x02" + system + b"U" + bytes([len(command)]) + command + b"\x85R.",
        "as the value of a key": b"\x80\x02}U\x04data" + system + b"U" + bytes([len(command)]) + command + b"\x85Rs.",
        "os.system of Python 3": pickle.dumps(Runs(path), protocol=2),
        "by the stack": pickle.dumps(Runs(path), protocol=5),
        "eval": b"\x80\x02c__builtin__\neval\nU\x011\x85R.",
        "an instance": b"\x80\x02(ios\nsystem\n.",
        "an object": b"\x80\x02(" + system + b"U" + bytes([len(command)]) + command + b"o.",
        "a class made anew": b"\x80\x02" + system + b")\x81.",
        "an extension": b"\x80\x02\x82\x01.",
        "a persistent id": b"\x80\x02U\x01xQ.",
        "numpy's loader": b"\x80\x02cnumpy\nload\nU\x01x\x85R.",
        "an attribute of a known module": b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.tofile.x\x93.",
        "a name that is not text": b"\x80\x04]]\x93.",
        "an array of objects": python_two(10).replace(b"U\x02u1", b"U\x02O8"),
    }


@pytest.mark.parametrize("name", hostile(Path("x")))
def test_what_would_run_something_is_refused_and_nothing_ran(tmp_path: Path, name: str) -> None:
    ran = tmp_path / "ran"
    with pytest.raises(DataError) as caught:
        pickled.read_pickled_dictionary(hostile(ran)[name], "data_batch_1")
    assert not ran.exists()
    text = str(caught.value)
    assert "\n" not in text and text.endswith("data_batch_1")
    if "system" in name:
        assert "'system'" in text and "nothing was run" in text


DAMAGED = {
    "nothing": b"",
    "no pickle": b"<html>Not Found</html>",
    "another thing": b"\x80\x02]q\x01.",
    "no end": python_two(10)[:-1],
    "cut in the pixels": python_two(10)[:20_000],
    "more after the end": python_two(10) + b".",
    "a key that is a list": b"\x80\x02}]K\x01s.",
    "a memo that is not there": b"\x80\x02h\x07.",
    "a claim of 4 GB": b"\x80\x02}U\x04dataT\xff\xff\xff\xffxs.",
    "a claim of 16 EB": b"\x80\x04}\x8c\x04data\x8e" + b"\xff" * 8 + b"xs.",
    "an array larger than its bytes": python_two(10).replace(b"K\x0aM\x00\x0c\x86", b"K\x0bM\x00\x0c\x86"),
    "appending to a number": b"\x80\x02K\x01K\x02a.",
    "protocol 0": b"(dp1\nS'labels'\np2\n.",
    "a line without an end": b"\x80\x02c" + b"x" * 10_000,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_batch_is_refused_with_one_sentence_before_memory_is_taken(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as caught:
            pickled.read_pickled_dictionary(DAMAGED[name], "data_batch_1")
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(": data_batch_1")


def test_a_batch_that_makes_more_and_more_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickled, "MAX_STEPS", 1000)
    with pytest.raises(DataError, match=r"up to 1,000 pickle instructions"):
        pickled.read_pickled_dictionary(b"\x80\x02" + b"]" * 2000, "here")
    again = b"c_codecs\nencode\nh\x01X\x06\0\0\0latin1\x86R"
    text = b"X" + struct.pack("<I", 5000) + b"a" * 5000 + b"q\x01"
    with pytest.raises(DataError, match=r"reading stopped"):
        pickled.read_pickled_dictionary(b"\x80\x02" + text + again * 100 + b".", "here")


def spoilt(**changes: object) -> bytes:
    return PythonTwo().dictionary({**held(10), **{key.encode(): value for key, value in changes.items()}})


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (spoilt(labels=[*range(9)]), r"9 labels and 10 images"),
        (spoilt(labels=[*range(9), 10]), r"labels must be 0 to 9, but image 9 \(counted from 0\) has 10"),
        (spoilt(labels=[*range(9), -1]), r"image 9 .* has -1"),
        (spoilt(labels=[*range(9), b"cat"]), r"'labels' of a CIFAR batch must be a list of whole numbers"),
        (spoilt(data=np.zeros((10, 3071), np.uint8)), r"must be uint8 of \(N, 3072\), got uint8 of \(10, 3071\)"),
        (spoilt(data=b"pixels"), r"must be uint8 of \(N, 3072\), got bytes"),
        (python_two(10, key=b"fine_labels"), r"must hold 'labels', but this one holds 'batch_label', 'fine_labels'"),
    ],
)
def test_a_batch_of_other_contents_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(DataError, match=told):
        cifar_batches.python_batch(data, "labels", 10, "here")


def test_a_binary_batch_that_ends_within_an_image_or_has_other_labels_is_refused() -> None:
    with pytest.raises(DataError, match=r"3,073 bytes an image, but 6,145 are no whole number"):
        cifar_batches.binary_batch(bytes(6145), 1, 10, "here")
    with pytest.raises(DataError, match=r"image 0 .* has 255"):
        cifar_batches.binary_batch(b"\xff" * 3073, 1, 10, "here")
    with pytest.raises(DataError, match=r"no whole number"):
        cifar_batches.binary_batch(b"", 1, 10, "here")


def test_the_names_of_the_classes() -> None:
    data = PythonTwo().dictionary({b"num_cases_per_batch": 10000, b"label_names": [b"airplane", b"cat"]})
    assert cifar_batches.python_names(data, "label_names", "here") == ("airplane", "cat")
    assert cifar_batches.binary_names(b"airplane\ncat\n\n", "here") == ("airplane", "cat")
    for call in (
        lambda: cifar_batches.python_names(data, "fine_label_names", "here"),
        lambda: cifar_batches.binary_names(b"\xff\xfe", "here"),
        lambda: cifar_batches.binary_names(b"\n", "here"),
    ):
        with pytest.raises(DataError, match=r"class names must .*: here$"):
            call()
