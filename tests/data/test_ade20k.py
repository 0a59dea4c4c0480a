"""ade20k, from small trees in the challenge's own form that are made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ltviz.data import registry
from ltviz.data.pixels import UNLABELLED, Pixels
from ltviz.errors import DataError

TABLE = "Idx\tRatio\tTrain\tVal\tStuff\tName\n" + "".join(
    f"{n}\t0.1\t1\t1\t0\t{name}\n" for n, name in enumerate(("wall", "building, edifice", "sky", "floor"), start=1)
)
SIZE = 16


def write_scene(root: Path, part: str, name: str, labels: np.ndarray) -> None:
    """An image whose red says the label of each pixel, and its annotation."""
    for kind in ("images", "annotations"):
        (root / kind / part).mkdir(parents=True, exist_ok=True)
    picture = np.zeros((*labels.shape, 3), np.uint8)
    picture[..., 0] = labels * 50
    Image.fromarray(picture).save(root / "images" / part / f"{name}.jpg", quality=100, subsampling=0)
    Image.fromarray(labels.astype(np.uint8)).save(root / "annotations" / part / f"{name}.png")


def halves(left: int, right: int, shape: tuple[int, int] = (24, 32)) -> np.ndarray:
    labels = np.full(shape, left)
    labels[:, shape[1] // 2 :] = right
    return labels


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four scenes: sky (3) is the head class, building (2) next, wall (1) the tail; floor (4) is never trained."""
    root = tmp_path / "ADEChallengeData2016"
    write_scene(root, "training", "ADE_train_1", halves(3, 3))
    write_scene(root, "training", "ADE_train_2", halves(3, 2))
    third = halves(2, 0)
    third[:6, :14] = 1
    write_scene(root, "training", "ADE_train_3", third)
    write_scene(root, "validation", "ADE_val_1", halves(3, 4))
    (root / "objectInfo150.txt").write_text(TABLE)
    return root


def load(root: Path, **more):
    return registry.load("ade20k", imbalance_factor=1, data_dir=str(root), image_size=SIZE, **more)


@pytest.mark.parametrize("above", [False, True])
def test_classes_are_ranked_by_their_pixels_and_what_has_no_label_is_no_sample(root: Path, above: bool) -> None:
    data = load(root.parent if above else root)
    assert data.class_names == ("sky", "building", "wall")
    assert data.counts[0] == 1.5 * SIZE**2 and data.counts.sum() == 2.5 * SIZE**2, "half of the third has no label"
    assert len(data.test_labels) == SIZE**2 // 2 and not data.test_labels.any(), "floor is not judged"
    assert data.num_images == 3 and data.profile == "natural"
    assert any("no training image shows" in note and note.endswith(": 4") for note in data.notes)
    for inputs, labels in ((data.train_inputs, data.train_labels), (data.test_inputs, data.test_labels)):
        assert isinstance(inputs, Pixels)
        red = inputs.read(np.arange(len(inputs))).reshape(len(inputs), -1, 3)[np.arange(len(inputs)), inputs.places, 0]
        away = np.abs(red / 50 - np.array([3, 2, 1])[labels])
        assert (away < 0.35).mean() > 0.9 and np.median(away) < 0.05, "JPEG smears an edge, and nothing more"
    maps = data.test_inputs.maps.read(np.array([0]))  # type: ignore[union-attr]
    assert (maps[0, :, : SIZE // 2] == 0).all() and (maps[0, :, SIZE // 2 :] == UNLABELLED).all()
    ids = np.concatenate([data.train_ids, data.test_ids])
    assert len(np.unique(ids)) == len(ids)


def test_of_each_image_so_many_pixels_are_known(root: Path) -> None:
    data = load(root, data_options={"known": 10, "pixels": 4})
    assert np.bincount(data.train_inputs.of).tolist() == [10, 10, 10]  # type: ignore[union-attr]
    again = load(root, data_options={"known": 10, "pixels": 4})
    assert np.array_equal(data.train_ids, again.train_ids)


def test_without_its_table_classes_go_by_number(root: Path) -> None:
    (root / "objectInfo150.txt").unlink()
    assert load(root).class_names == ("class 3", "class 2", "class 1")


def test_what_is_described_is_what_is_loaded(root: Path) -> None:
    told = registry.describe("ade20k", imbalance_factor=1, data_dir=str(root), image_size=SIZE)
    data = load(root)
    assert told.counts == tuple(data.counts.tolist()) and told.class_names == data.class_names
    assert told.images == data.num_images == 3 and told.image_shape == (SIZE, SIZE, 3)


def test_missing_files_are_told_in_one_sentence(root: Path) -> None:
    for folder in (None, str(root.parent.parent / "nowhere")):
        missing = registry.describe("ade20k", imbalance_factor=1, data_dir=folder).missing
        assert missing and "ADEChallengeData2016.zip" in missing and "data_dir" in missing
    (root / "annotations" / "validation" / "ADE_val_1.png").unlink()
    missing = registry.describe("ade20k", imbalance_factor=1, data_dir=str(root)).missing
    assert missing and missing.endswith(str(root / "annotations" / "validation"))


def damage(root: Path, kind: str) -> None:
    picture = root / "images" / "training" / "ADE_train_2.jpg"
    labels = root / "annotations" / "training" / "ADE_train_2.png"
    match kind:
        case "annotation":
            labels.write_bytes(labels.read_bytes()[:60])
        case "absent":
            labels.unlink()
        case "image":
            picture.write_bytes(b"no image")
        case "size":
            Image.fromarray(halves(3, 2, (12, 16)).astype(np.uint8)).save(labels)
        case "colours":
            Image.fromarray(np.zeros((24, 32, 3), np.uint8)).save(labels)


@pytest.mark.parametrize(
    "kind, word, suffix",
    [
        ("annotation", "Pillow", ".png"),
        ("absent", "no such file", ".png"),
        ("image", "Pillow", ".jpg"),
        ("size", "has 32 x 24, and the annotation has 16 x 12", ".jpg"),
        ("colours", "one number of 8 bits a pixel, got an image of mode RGB", ".png"),
    ],
)
def test_a_damaged_scene_is_refused_with_its_file_or_left_out(root: Path, kind: str, word: str, suffix: str) -> None:
    damage(root, kind)
    with pytest.raises(DataError, match=word) as error:
        load(root)
    assert str(error.value).endswith(f"ADE_train_2{suffix}")
    data = load(root, skip_bad=True)
    assert data.num_images == 2 and any("1 images of training left out" in note for note in data.notes)


def test_a_label_out_of_range_is_refused_with_its_file(root: Path) -> None:
    write_scene(root, "training", "ADE_train_4", halves(5, 1))
    with pytest.raises(DataError, match=r"0 to 4, the classes of objectInfo150.txt, got 5: .*ADE_train_4.png$"):
        load(root)


def test_a_palette_is_read_by_its_numbers(root: Path) -> None:
    before = load(root)
    for path in (root / "annotations").rglob("*.png"):
        numbers = np.asarray(Image.open(path))
        image = Image.fromarray(numbers)
        image.putpalette([value for colour in range(256) for value in (255 - colour, 7, colour)])
        image.save(path)
    for part in ("training", "validation"):  # a folder that is written in is read anew
        (root / "annotations" / part / "note.txt").write_text("")
    after = load(root)
    assert np.array_equal(before.train_labels, after.train_labels) and np.array_equal(before.train_ids, after.train_ids)
