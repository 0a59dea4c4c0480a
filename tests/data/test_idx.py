"""IDX files: standard names, plain or compressed, and files that lie."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ltviz.data import registry
from ltviz.data.sources import idx
from ltviz.errors import ConfigError, DataError

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def encode(array: np.ndarray) -> bytes:
    return (
        bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()
    )


def write_set(folder: Path, *, per_class: int = 12, test_per_class: int = 4, zipped: bool = False) -> None:
    """Ten classes; every image of class c has the grey value 20 * c + its number within the class."""
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, n in (("train", per_class), ("t10k", test_per_class)):
        labels = np.tile(np.arange(10), n)
        images = np.broadcast_to((20 * labels + np.repeat(np.arange(n), 10))[:, None, None], (10 * n, 28, 28))
        for name, array in ((f"{prefix}-images-idx3-ubyte", images), (f"{prefix}-labels-idx1-ubyte", labels)):
            data = encode(np.asarray(array))
            if zipped:
                (folder / f"{name}.gz").write_bytes(gzip.compress(data))
            else:
                (folder / name).write_bytes(data)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("place", [".", "mnist", "MNIST/raw"])
def test_mnist_is_read_from_the_folder_or_its_subfolders(tmp_path: Path, zipped: bool, place: str) -> None:
    write_set(tmp_path / place, zipped=zipped)
    data = registry.load("mnist-lt", imbalance_factor=10, data_dir=str(tmp_path), seed=3)
    assert data.counts[0] == 12 and data.counts[-1] == 1, "no more than every class has"
    images = data.train_inputs.whole()
    assert images.shape == (data.counts.sum(), 28, 28) and images.dtype == np.uint8 and len(data.test_labels) == 40
    grey = images[:, 0, 0].astype(int)
    names = [data.class_names[y] for y in data.train_labels]
    assert [str(value // 20) for value in grey] == names
    np.testing.assert_array_equal(data.train_ids % 10, [int(name) for name in names])
    assert data.test_ids.min() >= 120, "ids of the test file follow those of the training file"


def test_the_variable_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_set(tmp_path)
    monkeypatch.setenv("LTVIZ_DATA", str(tmp_path))
    assert registry.describe("mnist-lt", imbalance_factor=10).missing is None
    assert registry.load("mnist-lt", imbalance_factor=1, max_per_class=2).counts.tolist() == [2] * 10


def test_missing_files_are_named_with_the_places_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LTVIZ_DATA", raising=False)
    write_set(tmp_path)
    (tmp_path / NAMES[3]).unlink()
    for data_dir in (str(tmp_path), None):
        with pytest.raises(DataError) as caught:
            registry.load("mnist-lt", imbalance_factor=10, data_dir=data_dir)
        text = str(caught.value)
        assert all(name in text for name in NAMES) and "--data-dir" in text and "LTVIZ_DATA" in text
        assert (str(tmp_path) in text) == (data_dir is not None)
        assert registry.describe("mnist-lt", imbalance_factor=10, data_dir=data_dir).missing == text


def test_more_than_every_class_has_is_refused(tmp_path: Path) -> None:
    write_set(tmp_path)
    with pytest.raises(ConfigError, match=r"at most 12.*got 13"):
        registry.load("mnist-lt", imbalance_factor=10, max_per_class=13, data_dir=str(tmp_path))


def test_fashion_is_not_taken_from_the_files_of_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_set(tmp_path, per_class=6)
    monkeypatch.setattr(idx.FashionMnist, "not_this", ("MNIST", (6,) * 10))
    with pytest.raises(DataError, match=r"those of MNIST.*fashion-mnist"):
        registry.load("fashion-mnist-lt", imbalance_factor=2, data_dir=str(tmp_path))
    write_set(tmp_path / "fashion-mnist", per_class=7)
    data = registry.load("fashion-mnist-lt", imbalance_factor=2, data_dir=str(tmp_path))
    assert data.counts[0] == 7 and "ankle boot" in data.class_names


HEAD = bytes((0, 0, 8, 3))
HOSTILE = {
    "empty": b"",
    "short header": HEAD + b"\0\0",
    "another magic": b"\x89PNG" + bytes(40),
    "floats": bytes((0, 0, 13, 3)) + struct.pack(">3I", 1, 1, 1) + bytes(4),
    "two axes": bytes((0, 0, 8, 2)) + struct.pack(">3I", 1, 1, 1) + b"\0",
    "four tebibytes": HEAD + struct.pack(">3I", 2**32 - 1, 2**5, 2**5),
    "product beyond 64 bits": HEAD + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1),
    "nothing inside": HEAD + struct.pack(">3I", 0, 28, 28),
    "one byte short": HEAD + struct.pack(">3I", 2, 2, 2) + bytes(7),
    "one byte more": HEAD + struct.pack(">3I", 2, 2, 2) + bytes(9),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("zipped", [False, True])
def test_a_hostile_file_is_refused_before_memory_is_taken(tmp_path: Path, data: bytes, zipped: bool) -> None:
    path = tmp_path / ("x.gz" if zipped else "x")
    path.write_bytes(gzip.compress(data) if zipped else data)
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as caught:
            idx.read_idx(path, 3)
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(str(path))


def test_a_compressed_bomb_is_refused_by_its_size(tmp_path: Path) -> None:
    """1.1 GB of zeros in about 1 MB: the header is honest, the array larger than any that is read."""
    path = tmp_path / "x.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(HEAD + struct.pack(">3I", 1100, 1000, 1000))
    path.write_bytes(path.read_bytes() + bytes(2**20))
    with pytest.raises(DataError, match=r"must fit its size"):
        idx.read_idx(path, 3)


def test_cut_and_damaged_gzip_files_are_refused(tmp_path: Path) -> None:
    whole = gzip.compress(encode(np.random.default_rng(0).integers(0, 256, (20, 28, 28))))
    for data in (whole[:-200], whole[:50], whole[:400] + bytes(20) + whole[420:], b"no gzip at all"):
        path = tmp_path / "x.gz"
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"reading stopped|ends after"):
            idx.read_idx(path, 3)


@pytest.mark.parametrize("spoil", ["label 10", "a class without images", "another number of labels"])
def test_labels_that_do_not_fit_are_refused(tmp_path: Path, spoil: str) -> None:
    write_set(tmp_path)
    labels = np.tile(np.arange(10), 12)
    if spoil == "label 10":
        labels[5] = 10
    elif spoil == "a class without images":
        labels[labels == 4] = 3
    else:
        labels = labels[:-1]
    (tmp_path / NAMES[1]).write_bytes(encode(labels))
    with pytest.raises(DataError, match=r"label 10|none of class 4|needs one label"):
        registry.load("mnist-lt", imbalance_factor=10, data_dir=str(tmp_path))
