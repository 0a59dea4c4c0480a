"""imagenet-lt, places-lt and inat18: official lists, the images below a folder, and lines that are wrong."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ltviz.data import registry
from ltviz.data.sources import image_lists
from ltviz.errors import DataError

COUNTS = (6, 4, 3, 2, 1)
WORDNET = ("n01440764", "n01443537", "n01484850", "n01491361", "n01494475")


def write_set(folder: Path, *, name: str = "ImageNet_LT", held_out: str = "test") -> tuple[list[str], list[str]]:
    """Lists and JPEGs of five classes; an image of class c is of grey value 40 * c."""
    train = [f"train/{WORDNET[c]}/{WORDNET[c]}_{i}.JPEG {c}" for c, n in enumerate(COUNTS) for i in range(n)]
    test = [f"val/ILSVRC2012_val_{c:04d}{i}.JPEG {c}" for c in range(5) for i in range(2)]
    for line in (*train, *test):
        path, _, label = line.rpartition(" ")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (40 * int(label),) * 3).save(folder / path, "JPEG")
    (folder / f"{name}_train.txt").write_text("\n".join(train) + "\n")
    (folder / f"{name}_{held_out}.txt").write_text("\n".join(test) + "\n")
    return train, test


def load(folder: Path, name: str = "imagenet-lt", **asked):
    return registry.load(name, imbalance_factor=50, data_dir=str(folder), image_size=16, **asked)


@pytest.mark.parametrize(
    ("name", "stem", "held_out"),
    [
        ("imagenet-lt", "ImageNet_LT", "test"),
        ("places-lt", "Places_LT", "test"),
        ("inat18", "iNaturalist18", "val"),
    ],
)
def test_the_lists_are_the_set(tmp_path: Path, name: str, stem: str, held_out: str) -> None:
    write_set(tmp_path, name=stem, held_out=held_out)
    data = load(tmp_path, name)
    assert data.counts.tolist() == list(COUNTS) and data.class_names == WORDNET
    assert data.train_inputs.shape == (16, 16, 3) and len(data.test_labels) == 10
    pixels = data.train_inputs.read(np.arange(16))[:, 8, 8, 0].astype(int)
    assert np.abs(pixels - 40 * data.train_labels).max() <= 2
    assert sorted(data.train_ids) == [*range(16)] and sorted(data.test_ids) == [*range(16, 26)]
    assert not data.notes


def test_lists_may_stand_in_the_folder_that_they_are_given_out_in(tmp_path: Path) -> None:
    write_set(tmp_path)
    (tmp_path / "ImageNet_LT").mkdir()
    for part in ("train", "test"):
        (tmp_path / f"ImageNet_LT_{part}.txt").rename(tmp_path / "ImageNet_LT" / f"ImageNet_LT_{part}.txt")
    assert load(tmp_path).counts.tolist() == list(COUNTS)


def test_images_may_lie_elsewhere_and_another_profile_may_cut(tmp_path: Path) -> None:
    write_set(tmp_path / "images")
    lists = tmp_path / "lists"
    lists.mkdir()
    for part in ("train", "test"):
        (tmp_path / "images" / f"ImageNet_LT_{part}.txt").rename(lists / f"ImageNet_LT_{part}.txt")
    data = load(lists, image_root=str(tmp_path / "images"), profile="exp", max_per_class=1)
    assert data.counts.tolist() == [1] * 5
    assert data.train_inputs.read(np.arange(5)).shape == (5, 16, 16, 3)
    with pytest.raises(DataError, match=r"there is no folder of images"):
        load(lists, image_root=str(tmp_path / "nowhere"))


def test_classes_are_ranked_by_their_counts(tmp_path: Path) -> None:
    train, _ = write_set(tmp_path)
    (tmp_path / "ImageNet_LT_train.txt").write_text("\n".join(train[8:] + train[:2]))  # 2 2 3 2 1
    data = load(tmp_path)
    assert data.counts.tolist() == [3, 2, 2, 2, 1] and data.class_names[0] == WORDNET[2]
    assert data.class_names[1:4] == (WORDNET[0], WORDNET[1], WORDNET[3]), "equal ones in the order of their numbers"


def test_classes_of_places_are_told_apart_by_as_much_of_the_path_as_it_takes() -> None:
    paths = ["data_256/a/arena/hockey/1.jpg", "data_256/b/beach/2.jpg", "data_256/p/pool/indoor/3.jpg"]
    listed = image_lists.ImageList(Path("x"), paths, np.arange(3), np.arange(3))
    assert image_lists.class_names(listed, 3) == ("hockey", "beach", "indoor")
    listed.paths[0] = "data_256/a/arena/indoor/1.jpg"
    assert image_lists.class_names(listed, 3) == ("arena/indoor", "b/beach", "pool/indoor")
    listed.paths[:] = ["1.jpg", "2.jpg", "3.jpg"]
    assert image_lists.class_names(listed, 3) == ("0", "1", "2")


BAD = {
    "no file": ("train/n01440764/none.JPEG 0", r"no file train/n01440764/none.JPEG is in"),
    "no label": ("train/n01440764/n01440764_0.JPEG", r"a path and the number of its class"),
    "no path": ("3", r"a path and the number of its class"),
    "a label that is text": ("train/n01440764/n01440764_0.JPEG cat", r"a path and the number of its class"),
    "a label out of range": ("train/n01440764/n01440764_0.JPEG 1000", r"a class must be 0 to 999, got 1000"),
    "a negative label": ("train/n01440764/n01440764_0.JPEG -1", r"a class must be 0 to 999, got -1"),
    "a huge label": ("train/n01440764/n01440764_0.JPEG " + "9" * 50, r"a class must be 0 to 999"),
    "a path that leads out": ("../../etc/passwd 0", r"must lie below --image-root"),
    "an absolute path": ("/etc/passwd 0", r"must lie below --image-root"),
    "a line without end": ("x" * 10_000 + " 0", r"a line of a list has up to 4096 characters"),
}


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_named_with_its_list_or_left_out_and_counted(tmp_path: Path, name: str, part: str) -> None:
    lines = dict(zip(("train", "test"), write_set(tmp_path), strict=True))[part]
    line, told = BAD[name]
    file = tmp_path / f"ImageNet_LT_{part}.txt"
    file.write_text("\n".join([*lines[:2], line, *lines[2:]]) + "\n")
    with pytest.raises(DataError, match=told) as caught:
        load(tmp_path)
    text = str(caught.value)
    assert text.endswith(f"line 3 of {file}") and "--skip-bad" in text and "\n" not in text
    data = load(tmp_path, skip_bad=True)
    assert data.counts.sum() == 16 and len(data.test_labels) == 10
    assert (
        len(data.notes) == 1
        and data.notes[0].startswith("Lines left out: 1, the first because")
        and f"line 3 of {file}" in data.notes[0]
    )


def test_a_class_of_the_test_list_must_be_one_of_the_training_list(tmp_path: Path) -> None:
    _, test = write_set(tmp_path)
    (tmp_path / "ImageNet_LT_test.txt").write_text("\n".join([*test, test[0][:-1] + "5"]))
    with pytest.raises(DataError, match=r"0 to 4, as in the training list, got 5.*line 11 of"):
        load(tmp_path)
    assert len(load(tmp_path, skip_bad=True).test_labels) == 10


def test_gaps_and_empty_classes_are_refused_with_the_line(tmp_path: Path) -> None:
    train, test = write_set(tmp_path)
    file = tmp_path / "ImageNet_LT_train.txt"
    file.write_text("\n".join(line for line in train if not line.endswith(" 2")))
    with pytest.raises(DataError, match=r"no line has class 2, while line 13 has 4"):
        load(tmp_path)
    file.write_text("\n".join(train))
    (tmp_path / "ImageNet_LT_test.txt").write_text("\n".join(line for line in test if not line.endswith(" 2")))
    with pytest.raises(DataError, match=r"none of class n01484850"):
        load(tmp_path)
    for text, told in (("", "none of this one is usable"), ("\n\n", "none of this one is usable")):
        file.write_text(text)
        with pytest.raises(DataError, match=told):
            load(tmp_path)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"no UTF-8 text"):
        load(tmp_path)


def test_a_damaged_image_is_named_with_its_line_when_it_is_read(tmp_path: Path) -> None:
    train, _ = write_set(tmp_path)
    path = tmp_path / train[3].rpartition(" ")[0]
    path.write_bytes(path.read_bytes()[:200])
    data = load(tmp_path)
    with pytest.raises(DataError, match=r"n01440764_3.JPEG \(line 4 of ImageNet_LT_train.txt\)"):
        data.train_inputs.read(np.arange(16))
    skipping = load(tmp_path, skip_bad=True)
    pixels = skipping.train_inputs.read(np.arange(16))[:, 8, 8, 0].astype(int)
    assert np.abs(pixels - 40 * skipping.train_labels).max() <= 2, "another image of its class stands in"
    assert len(skipping.train_inputs.replaced) == 1


def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path) -> None:
    write_set(tmp_path)
    (tmp_path / "ImageNet_LT_test.txt").unlink()
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    text = str(caught.value)
    assert "ImageNet_LT_train.txt and ImageNet_LT_test.txt from https" in text and "--image-root" in text
    assert text.count("https://") == 2 and f"not both are in {tmp_path}" in text
    (tmp_path / "ImageNet_LT_val.txt").write_text(f"train/{WORDNET[0]}/{WORDNET[0]}_0.JPEG 0\n")
    with pytest.raises(DataError, match=r"none of class n01443537"):
        load(tmp_path)


def test_nothing_of_the_size_of_the_set_is_held_but_the_list(tmp_path: Path) -> None:
    """100,000 lines take less memory than their text does three times over."""
    file = tmp_path / "list.txt"
    file.write_text("".join(f"train/n{c:08d}/n{c:08d}_{i}.JPEG {c}\n" for c in range(1000) for i in range(100)))
    tracemalloc.start()
    try:
        listed = image_lists.read_list(file, most_classes=1000)
        assert tracemalloc.get_traced_memory()[1] < 60e6
    finally:
        tracemalloc.stop()
    assert len(listed) == 100_000 and listed.lines[-1] == 100_000
