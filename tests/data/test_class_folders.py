"""folder-lt: class folders of any images, with and without train and test above them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ltviz.data import registry
from ltviz.errors import ConfigError, DataError

SIZES = {"cat": 12, "dog": 10, "eel": 5}
GREY = {name: 60 * c + 20 for c, name in enumerate(SIZES)}


def write(folder: Path, sizes: dict[str, int], *, mode: str = "RGB", ending: str = "png", size=(12, 10)) -> None:
    """Every image of a class has its own grey value, in any mode."""
    for name, n in sizes.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(n):
            image = Image.new("RGB", size, (GREY[name],) * 3)
            if mode == "P":
                image = image.quantize(4)
            elif mode == "I;16":
                image = Image.fromarray(np.full(size[::-1], GREY[name] * 256, np.uint16))
            else:
                image = image.convert(mode)
            image.save(folder / name / f"{i:03d}.{ending}")


def load(folder: Path, **asked):
    return registry.load("folder-lt", data_dir=str(folder), **{"imbalance_factor": 5, **asked})


def shown(data) -> list[str]:
    """The class of each training image by its pixels."""
    first = data.train_inputs.read(np.arange(len(data.train_labels)))
    values = first.reshape(len(first), -1).mean(1)
    return [min(GREY, key=lambda name: abs(GREY[name] - value)) for value in values]


@pytest.mark.parametrize(
    ("mode", "ending", "shape"),
    [
        ("RGB", "png", (10, 12, 3)),
        ("RGB", "jpg", (10, 12, 3)),
        ("RGB", "bmp", (10, 12, 3)),
        ("RGBA", "png", (10, 12, 3)),
        ("P", "png", (10, 12, 3)),
        ("P", "gif", (10, 12, 3)),
        ("L", "png", (10, 12)),
        ("L", "JPEG", (10, 12)),
        ("LA", "png", (10, 12)),
        ("I;16", "png", (10, 12)),
        ("L", "pgm", (10, 12)),
        ("RGB", "webp", (10, 12, 3)),
    ],
)
def test_any_image_that_pillow_reads_grey_or_in_colour(tmp_path: Path, mode: str, ending: str, shape: tuple) -> None:
    write(tmp_path, SIZES, mode=mode, ending=ending)
    data = load(tmp_path)
    assert data.train_inputs.shape == shape
    assert shown(data) == [data.class_names[y] for y in data.train_labels]


def test_classes_that_are_uneven_stay_as_they_are_but_for_a_test_part(tmp_path: Path) -> None:
    write(tmp_path, SIZES)
    data = load(tmp_path)
    assert data.counts.tolist() == [11, 9, 4] and data.class_names == ("cat", "dog", "eel")
    assert np.bincount(data.test_labels).tolist() == [1, 1, 1], "a fifth of the smallest class, of each"
    ids = [*data.train_ids, *data.test_ids]
    assert sorted(ids) == [*range(27)], "no image is both"
    assert any("3 images, equally many of each class, are held out" in note for note in data.notes)
    again = load(tmp_path, seed=7)
    assert sorted(again.test_ids) == sorted(data.test_ids), "the test part is the same for every seed"


def test_even_classes_are_cut_and_it_is_said(tmp_path: Path) -> None:
    write(tmp_path, {"cat": 12, "dog": 10, "eel": 11})
    about = registry.describe("folder-lt", imbalance_factor=4, data_dir=str(tmp_path))
    assert about.profile == "exp" and any("--profile natural keeps them" in note for note in about.notes)
    data = load(tmp_path, imbalance_factor=4)
    assert data.counts.tolist() == [8, 4, 2] == list(about.counts) and data.notes == about.notes
    assert load(tmp_path, profile="natural").counts.tolist() == [10, 9, 8]


@pytest.mark.parametrize("around", [False, True])
@pytest.mark.parametrize("names", [("train", "test"), ("Training", "Testing"), ("train", "val")])
def test_train_and_test_above_the_classes(tmp_path: Path, names: tuple[str, str], around: bool) -> None:
    write(tmp_path / "set" / names[0], SIZES)
    write(tmp_path / "set" / names[1], dict.fromkeys(SIZES, 2))
    data = load(tmp_path if around else tmp_path / "set")
    assert data.counts.tolist() == [12, 10, 5] and len(data.test_labels) == 6
    assert sorted(data.test_ids) == [*range(27, 33)] and not data.notes
    assert shown(data) == [data.class_names[y] for y in data.train_labels]


def test_the_test_folder_goes_before_the_validation_folder(tmp_path: Path) -> None:
    for part, n in (("train", 6), ("val", 1), ("test", 3)):
        write(tmp_path / part, dict.fromkeys(SIZES, n))
    assert len(load(tmp_path, profile="natural").test_labels) == 9


def test_size_and_colour_are_guessed_from_the_images_or_given(tmp_path: Path) -> None:
    write(tmp_path, SIZES, size=(300, 200))
    about = registry.describe("folder-lt", imbalance_factor=5, data_dir=str(tmp_path))
    assert about.image_shape == (224, 224, 3)
    assert any("of one size and are read as 224 x 224" in note for note in about.notes)
    data = load(tmp_path, image_size=20, data_options={"colour": "grey"})
    assert data.train_inputs.shape == (20, 20) and not any("224" in note for note in data.notes)
    Image.new("RGB", (20, 20)).save(tmp_path / "cat" / "000.png")
    about = registry.describe("folder-lt", imbalance_factor=5, data_dir=str(tmp_path))
    assert any("of several sizes" in note for note in about.notes)
    with pytest.raises(ConfigError, match=r"colour"):
        load(tmp_path, data_options={"colour": "cmyk"})


def test_one_image_in_colour_makes_the_set_one(tmp_path: Path) -> None:
    write(tmp_path, SIZES, mode="L")
    Image.new("RGB", (12, 10), (200, 0, 0)).save(tmp_path / "dog" / "003.png")
    assert load(tmp_path).train_inputs.shape == (10, 12, 3)


def test_other_files_are_left_out_and_counted(tmp_path: Path) -> None:
    write(tmp_path, SIZES)
    (tmp_path / "cat" / "notes.txt").write_text("x")
    (tmp_path / "cat" / ".hidden.png").write_text("x")
    (tmp_path / ".cache").mkdir()
    data = load(tmp_path)
    assert data.class_names == ("cat", "dog", "eel") and data.counts.sum() == 24
    assert any(note.startswith("Files without the ending of an image, left out: 1, in ") for note in data.notes)


def test_an_empty_class_is_refused_or_left_out(tmp_path: Path) -> None:
    write(tmp_path, SIZES)
    (tmp_path / "fox").mkdir()
    with pytest.raises(DataError, match=r"'fox' holds none.*--skip-bad: .*/fox$"):
        load(tmp_path)
    assert load(tmp_path, skip_bad=True).num_classes == 3
    (tmp_path / "fox" / "1.png").write_bytes((tmp_path / "cat" / "001.png").read_bytes())
    with pytest.raises(DataError, match=r"at least 2 samples.*'fox' has 1"):
        load(tmp_path)


def test_test_classes_are_training_classes(tmp_path: Path) -> None:
    write(tmp_path / "train", SIZES)
    write(tmp_path / "test", {"cat": 1, "dog": 1})
    with pytest.raises(DataError, match=r"none of class eel"):
        load(tmp_path)
    write(tmp_path / "test", {"eel": 1})
    (tmp_path / "test" / "eel").rename(tmp_path / "test" / "fox")
    with pytest.raises(DataError, match=r"test classes must be training classes, but 'fox' is none"):
        load(tmp_path)


def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LTVIZ_DATA", raising=False)
    with pytest.raises(
        DataError, match=r"a folder of images for each of at least 2 classes.*no folder was given; set --data-dir"
    ):
        registry.load("folder-lt", imbalance_factor=5)
    with pytest.raises(DataError, match=r"is no folder"):
        load(tmp_path / "none")
    with pytest.raises(DataError, match=r"at least 2 classes .* holds 0 of them; set --data-dir"):
        load(tmp_path)


def test_a_damaged_image_is_named(tmp_path: Path) -> None:
    write(tmp_path, SIZES)
    for i in range(12):
        (tmp_path / "cat" / f"{i:03d}.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    data = load(tmp_path)
    with pytest.raises(DataError, match=r"cat/\d+.png$") as caught:
        data.train_inputs.read(np.arange(24))
    assert "\n" not in str(caught.value)


def test_names_with_odd_characters_stay_text(tmp_path: Path) -> None:
    write(tmp_path, SIZES)
    (tmp_path / "cat").rename(tmp_path / "<b>Katze & 猫")
    assert "<b>Katze & 猫" in load(tmp_path).class_names
