"""cifar10-lt and cifar100-lt: folders, archives and both versions; the official subset; what is refused."""

from __future__ import annotations

import gzip
import io
import json
import pickle  # noqa: TID251 - what Python 3 itself writes; nothing here is loaded with it
import sys
import tarfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ltviz.data import registry
from ltviz.data.longtail import step_counts
from ltviz.data.source import Where
from ltviz.data.sources import cifar, cifar_files
from ltviz.errors import ConfigError, DataError

sys.path.insert(0, str(Path(__file__).parent))

from cifar_writer import PythonTwo, binary, files_of_ten, held, python_two, write_archive, write_folder

FOLDERS = {"python": ("cifar-10-batches-py", "cifar-10-python.tar.gz")}
FOLDERS["binary"] = ("cifar-10-batches-bin", "cifar-10-binary.tar.gz")


def load(place: Path, name: str = "cifar10-lt", **asked):
    return registry.load(name, data_dir=str(place), **{"imbalance_factor": 5, **asked})


@pytest.mark.parametrize("version", ["python", "binary"])
@pytest.mark.parametrize("kind", ["folder", "archive"])
@pytest.mark.parametrize("given", ["around", "itself"])
def test_the_official_files_are_read_wherever_they_stand(tmp_path: Path, version: str, kind: str, given: str) -> None:
    folder, archive = FOLDERS[version]
    files = files_of_ten(version=version)
    if kind == "folder":
        place = write_folder(tmp_path / folder, files)
    else:
        place = write_archive(tmp_path / archive, folder, files)
    data = load(tmp_path if given == "around" else place)
    assert data.counts.tolist() == [10, 8, 6, 5, 4, 4, 3, 2, 2, 2] and data.class_names[0] == "airplane"
    assert data.train_inputs.shape == (32, 32, 3) and data.train_inputs.dtype == np.uint8
    first = data.train_inputs.read(np.arange(len(data.train_labels)))[:, 0, 0, 0]
    np.testing.assert_array_equal(first, data.train_labels, "each image is of its class")
    assert len(data.test_labels) == 20 and sorted(data.test_ids) == [*range(100, 120)]


def test_a_set_that_python_3_wrote_anew_is_the_same(tmp_path: Path) -> None:
    two = write_folder(tmp_path / "two", files_of_ten())
    three = write_folder(
        tmp_path / "three",
        {
            name: pickle.dumps(held(20, seed=9 if name == "test_batch" else int(name[-1])), protocol=4)
            for name in files_of_ten()
            if name != "batches.meta"
        },
    )
    a, b = load(two), load(three)
    np.testing.assert_array_equal(a.train_ids, b.train_ids)
    for one, other in ((a.train_inputs, b.train_inputs), (a.test_inputs, b.test_inputs)):
        every = np.arange(len(one))
        np.testing.assert_array_equal(one.read(every), other.read(every))
    assert a.class_names == b.class_names == cifar.TEN, "the official names, where no file says them"


@pytest.mark.parametrize("version", ["python", "binary"])
def test_the_hundred_classes(tmp_path: Path, version: str) -> None:
    train, test = held(300, 100, key=b"fine_labels"), held(100, 100, key=b"fine_labels", seed=1)
    if version == "python":
        files = {"train": PythonTwo().dictionary(train), "test": PythonTwo().dictionary(test)}
        write_folder(tmp_path / "cifar-100-python", files)
    else:
        files = {"train.bin": binary(train, coarse=True), "test.bin": binary(test, coarse=True)}
        write_archive(tmp_path / "cifar-100-binary.tar.gz", "cifar-100-binary", files)
    data = load(tmp_path, "cifar100-lt", imbalance_factor=3)
    assert data.num_classes == 100 and data.class_names[:2] == ("apple", "aquarium_fish")
    assert data.counts[0] == 3 and data.counts[-1] == 1 and len(data.test_labels) == 100
    assert len(set(cifar.HUNDRED)) == 100 and list(cifar.HUNDRED) == sorted(cifar.HUNDRED)


def test_the_subset_is_the_one_of_the_official_code(golden: Path) -> None:
    files = sorted((golden / "lt_subset").glob("*.npz"))
    assert len(files) == 3
    for file in files:
        with np.load(file) as case:
            counts, seed = case["out__counts_per_class"], int(case["param__seed"])
            kept = cifar.official_subset(case["input__targets"], counts.tolist(), seed)
            np.testing.assert_array_equal(kept, case["out__kept_indices_in_order"])
            if "step" in json.loads(str(case["meta__json"]))["description"]:
                assert step_counts(500, 10, 1 / float(case["param__imb_factor"])) == counts.tolist()


def test_a_whole_set_is_cut_to_it(tmp_path: Path, golden: Path) -> None:
    """The same values through files and the registry: class order, seed, ids and the step profile."""
    with np.load(golden / "lt_subset" / "lt_subset_02.npz") as case:
        targets, kept = case["input__targets"], case["out__kept_indices_in_order"]
    pixels = np.zeros((len(targets), 3072), np.uint8)
    pixels[:, :2] = np.stack(np.divmod(np.arange(len(targets)), 256), 1)
    batches = np.split(np.arange(len(targets)), 5)
    files = {
        f"data_batch_{n}.bin": binary({b"labels": targets[rows], b"data": pixels[rows]})
        for n, rows in enumerate(batches, 1)
    }
    write_folder(tmp_path, files | {"test_batch.bin": binary(held(10))})
    data = load(tmp_path, imbalance_factor=10, profile="step", seed=3)
    np.testing.assert_array_equal(data.train_ids, kept)
    np.testing.assert_array_equal(data.train_labels, targets[kept])
    shown = data.train_inputs.read(np.arange(len(kept))).astype(int)
    np.testing.assert_array_equal(shown[:, 0, 0, 0] * 256 + shown[:, 0, 1, 0], kept)
    other = load(tmp_path, imbalance_factor=10, profile="step", seed=4)
    assert other.class_names == data.class_names and other.train_ids.tolist() != kept.tolist()


def test_natural_keeps_every_image(tmp_path: Path) -> None:
    data = load(write_folder(tmp_path, files_of_ten()), profile="natural")
    assert data.counts.tolist() == [10] * 10 and sorted(data.train_ids) == [*range(100)]


def test_a_seed_beyond_numpys_legacy_generator_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, files_of_ten())
    with pytest.raises(ConfigError, match=r"seed must be 0 to 4294967295"):
        load(tmp_path, seed=2**32)


def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LTVIZ_DATA", raising=False)
    for data_dir, told in ((None, "no folder was given"), (str(tmp_path), f"it is not at {tmp_path}")):
        with pytest.raises(DataError) as caught:
            registry.load("cifar10-lt", imbalance_factor=10, data_dir=data_dir)
        text = str(caught.value)
        assert told in text and "cifar-10-python.tar.gz" in text and cifar.PAGE in text and "--data-dir" in text
    about = registry.describe("cifar10-lt", imbalance_factor=100, data_dir=str(tmp_path))
    assert about.missing == text and about.counts[0] == 5000 and sum(about.counts) == 12406, (
        "the form shows the papers'"
    )
    assert sum(registry.describe("cifar100-lt", imbalance_factor=100).counts) == 10847


def test_a_whole_batch_that_is_missing_is_no_smaller_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = files_of_ten()
    del files["data_batch_5"]
    data = load(write_folder(tmp_path / "small", files))
    assert any("data_batch_5 not there" in note for note in data.notes), "a small set is read, and it is said"
    del files["data_batch_2"]
    with pytest.raises(DataError, match=r"data_batch_2, data_batch_5 are not there"):
        load(write_folder(tmp_path / "gap", files))
    monkeypatch.setattr(cifar, "OFFICIAL_BATCH", 20)
    with pytest.raises(DataError, match=r"data_batch_5 is not there; get the official files from https"):
        load(tmp_path / "small")
    (tmp_path / "small" / "test_batch").unlink()
    with pytest.raises(DataError, match=r"needs the official archive"):
        load(tmp_path / "small")


def test_a_class_without_images_and_other_names_are_refused(tmp_path: Path) -> None:
    files = files_of_ten()
    few = held(20)
    few[b"labels"] = [0 if label == 4 else label for label in few[b"labels"]]
    for n in range(1, 6):
        files[f"data_batch_{n}"] = PythonTwo().dictionary(few)
    with pytest.raises(DataError, match=r"none of class deer"):
        load(write_folder(tmp_path / "few", files))
    names = files_of_ten() | {"batches.meta": PythonTwo().dictionary({b"label_names": [b"cat"]})}
    with pytest.raises(DataError, match=r"batches.meta must name 10 classes, but names 1"):
        load(write_folder(tmp_path / "names", names))


def tar_of(*members: tuple[str, bytes], change=None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            if change is not None:
                change(member)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def as_link(member: tarfile.TarInfo) -> None:
    member.type, member.linkname, member.size = tarfile.SYMTYPE, "/etc/passwd", 0


def as_device(member: tarfile.TarInfo) -> None:
    member.type, member.size = tarfile.CHRTYPE, 0


BATCH = python_two(10)
HOSTILE = {
    "a path that leads out": (tar_of(("../data_batch_1", BATCH)), "no path that leads out"),
    "an absolute path": (tar_of(("/tmp/data_batch_1", BATCH)), "no path that leads out"),
    "a link": (tar_of(("cifar-10-batches-py/data_batch_1", b""), change=as_link), "a link or device"),
    "a device": (tar_of(("cifar-10-batches-py/data_batch_1", b""), change=as_device), "a link or device"),
    "a name of a megabyte": (tar_of(("x" * 2**20, b"")), "a link or device"),
    "cut": (tar_of(("data_batch_1", BATCH))[:5000], "ends within a file"),
    "a flipped header": (b"\xff" + tar_of(("data_batch_1", BATCH))[1:], "reading stopped"),
    "no archive": (b"<html>Not Found</html>", "reading stopped"),
    "empty": (tar_of(("readme.html", b"")), "needs data_batch_1 and test_batch"),
    "a hostile batch": (tar_of(("data_batch_1", b"\x80\x02cos\nsystem\nU\x04true\x85R.")), "nothing was run"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_with_one_sentence(tmp_path: Path, name: str, packed: bool) -> None:
    data, told = HOSTILE[name]
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(DataError, match=told) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert sorted(one.name for one in tmp_path.iterdir()) == [path.name], "nothing was unpacked"


def test_an_archive_that_unpacks_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member of 64 GB of zeros, and many of what is allowed: neither is held in memory."""
    monkeypatch.setattr(cifar_files, "MAX_BATCH", 2**22)
    monkeypatch.setattr(cifar_files, "MAX_ARCHIVE", 2**24)
    about = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
    about.size = 2**36
    many = tar_of(*((f"cifar-10-batches-py/other_{n}", bytes(2**22)) for n in range(6)))
    for data in (about.tobuf(tarfile.GNU_FORMAT), many):
        path = tmp_path / "cifar-10-python.tar.gz"
        path.write_bytes(gzip.compress(data))
        tracemalloc.start()
        try:
            with pytest.raises(DataError, match=r"unpacks to at most 16 MB"):
                registry.source("cifar10-lt").read(Where(data_dir=tmp_path))
            assert tracemalloc.get_traced_memory()[1] < 8e6
        finally:
            tracemalloc.stop()


def test_a_cut_gzip_file_is_refused(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "cifar-10-python.tar.gz", "cifar-10-batches-py", files_of_ten())
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(DataError, match=r"a whole .tar.gz, but reading stopped"):
        load(tmp_path)
