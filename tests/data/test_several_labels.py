"""voc-mlt and coco-mlt: ids, VOC's XML and COCO's JSON as they are given out, small."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ltviz.data import registry
from ltviz.data.sources import coco, voc
from ltviz.errors import ConfigError, DataError

OBJECTS = {
    "2008_000023": ["person", "person", "tvmonitor"],
    "2008_000028": ["person"],
    "2010_002361": ["person", "dog"],
    "2010_002370": ["cat", "dog"],
}
TEST_OBJECTS = {"000001": ["dog", "person"], "000002": ["train"], "000003": ["cat", "tvmonitor"]}


def xml(objects: list[str], extra: str = "") -> str:
    boxes = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox><part><name>head</name></part>"
    body = "".join(
        f"<object><name>{name}</name><difficult>{int(name == 'cat')}</difficult>{boxes}</object>" for name in objects
    )
    return f"{extra}<annotation><filename>x.jpg</filename><source><name>head</name></source>{body}</annotation>"


def write_voc(folder: Path) -> Path:
    for year, objects in (("VOC2012", OBJECTS), ("VOC2007", TEST_OBJECTS)):
        root = folder / "VOCdevkit" / year
        for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
            (root / part).mkdir(parents=True)
        for one, names in objects.items():
            (root / "Annotations" / f"{one}.xml").write_text(xml(names))
            Image.new("RGB", (50, 40), (len(names) * 50, 0, 0)).save(root / "JPEGImages" / f"{one}.jpg")
    ids = folder / "VOCdevkit" / "longtail2012" / "img_id.txt"
    ids.parent.mkdir()
    ids.write_text("\n".join(OBJECTS) + "\n")
    main = folder / "VOCdevkit" / "VOC2007" / "ImageSets" / "Main"
    (main / "test.txt").write_text("\n".join(TEST_OBJECTS) + "\n")
    return ids


def load(folder: Path, name: str, **asked):
    return registry.load(name, imbalance_factor=50, data_dir=str(folder), image_size=16, **asked)


def labels_of(present: np.ndarray, names: tuple[str, ...]) -> list[set[str]]:
    return [{names[c] for c in np.flatnonzero(row)} for row in present]


def test_voc_is_read_by_its_ids(tmp_path: Path) -> None:
    write_voc(tmp_path)
    for place in (tmp_path, tmp_path / "VOCdevkit"):
        data = load(place, "voc-mlt")
        assert data.counts.tolist() == [3, 2, 1, 1] and data.class_names == ("person", "dog", "cat", "tvmonitor")
        assert data.train_multi is not None and data.test_multi is not None
        assert labels_of(data.train_multi, data.class_names) == [set(names) for names in OBJECTS.values()]
        assert labels_of(data.test_multi, data.class_names) == [{"dog", "person"}, {"cat", "tvmonitor"}]
        assert [data.class_names[y] for y in data.train_labels] == ["tvmonitor", "person", "dog", "cat"], "the rarest"
        pixels = data.train_inputs.read(np.arange(4))
        assert pixels.shape == (4, 16, 16, 3)
        assert np.abs(pixels[:, 8, 8, 0].astype(int) - [150, 50, 100, 100]).max() < 5, "each image has its own labels"
    assert any("no training image shows, left out: 16 of 20" in note for note in data.notes)
    assert any("Images of test.txt that show none of the classes, left out: 1" in note for note in data.notes)


def test_voc_without_its_list_of_test_images_says_what_it_takes(tmp_path: Path) -> None:
    write_voc(tmp_path)
    (tmp_path / "VOCdevkit" / "VOC2007" / "ImageSets" / "Main" / "test.txt").unlink()
    data = load(tmp_path, "voc-mlt")
    assert len(data.test_labels) == 2 and any("all 3 annotated images of VOC2007" in note for note in data.notes)


def test_what_is_missing_of_voc_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"VOCdevkit/VOC2012 and .* http://host.*img_id.txt from .*--data-dir"):
        load(tmp_path, "voc-mlt")
    write_voc(tmp_path).unlink()
    with pytest.raises(DataError, match=r"there is no img_id.txt"):
        load(tmp_path, "voc-mlt")


BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (xml(["unicorn"]), r"must be of one of VOC's classes, got 'unicorn'"),
        ("<annotation><object>", r"a readable XML file"),
        ("", r"a readable XML file"),
        (xml(["dog"], BOMB), r"no document type or entities"),
        (xml(["dog"], " " * 2**20), r"up to 1024 kB"),
        (None, r"No such file"),
    ],
)
def test_a_bad_annotation_is_named_with_its_line_or_left_out(tmp_path: Path, text: str | None, told: str) -> None:
    ids = write_voc(tmp_path)
    file = tmp_path / "VOCdevkit" / "VOC2012" / "Annotations" / "2008_000028.xml"
    file.unlink()
    if text is not None:
        file.write_text(text)
    with pytest.raises(DataError, match=told) as caught:
        load(tmp_path, "voc-mlt")
    assert f"{file} (line 2 of {ids})" in str(caught.value) and "\n" not in str(caught.value)
    data = load(tmp_path, "voc-mlt", skip_bad=True)
    assert data.counts.tolist() == [2, 2, 1, 1] and any(
        note.startswith("Images left out: 1, the first because") for note in data.notes
    )


def test_an_image_that_is_not_there_and_an_id_that_leads_out(tmp_path: Path) -> None:
    ids = write_voc(tmp_path)
    (tmp_path / "VOCdevkit" / "VOC2012" / "JPEGImages" / "2010_002361.jpg").unlink()
    with pytest.raises(DataError, match=r"2010_002361.jpg \(line 3 of"):
        load(tmp_path, "voc-mlt")
    for text, told in (
        ("2008_000023\n../../x\n", r"got '../../x': line 2 of"),
        ("", "got 0"),
        ("x" * 200, "up to 100"),
    ):
        ids.write_text(text)
        with pytest.raises(DataError, match=told):
            load(tmp_path, "voc-mlt")


def test_the_tail_is_the_one_of_the_list(tmp_path: Path) -> None:
    write_voc(tmp_path)
    for asked in ({"profile": "exp"}, {"max_per_class": 2}):
        with pytest.raises(ConfigError, match=r"profile must be natural without max_per_class"):
            load(tmp_path, "voc-mlt", **asked)


CATEGORIES = [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}, {"id": 90, "name": "toothbrush"}]


def box(image: int, category: int, **other) -> dict:
    return {
        "image_id": image,
        "category_id": category,
        "bbox": [1.0, 2.0, 5.0, 5.0],
        "area": 20.5,
        "iscrowd": 0,
    } | other


def write_coco(folder: Path, **changes) -> Path:
    parts = {
        "train": (
            [554625, 118113, 9, 7],
            [box(554625, 1), box(554625, 90), box(118113, 1), box(118113, 18), box(9, 1)],
        ),
        "val": ([139, 285, 632], [box(139, 1), box(285, 18), box(285, 90)]),
    }
    for part, (images, boxes) in parts.items():
        (folder / f"{part}2017").mkdir(parents=True)
        for image in images:
            Image.new("RGB", (50, 40), (image % 200, 0, 0)).save(folder / f"{part}2017" / f"{image:012d}.jpg")
        whole = {
            "info": {"description": "COCO 2017"},
            "licenses": [{"id": 1, "url": "x"}],
            "images": [{"license": 1, "file_name": f"{image:012d}.jpg", "id": image} for image in images],
            "annotations": [one | {"id": n, "segmentation": [[1.5] * 20]} for n, one in enumerate(boxes)],
            "categories": CATEGORIES,
        }
        whole.update(changes if part == "train" else {})
        (folder / "annotations").mkdir(exist_ok=True)
        (folder / "annotations" / f"instances_{part}2017.json").write_text(json.dumps(whole))
    ids = folder / "longtail2017" / "img_id.pkl"
    ids.parent.mkdir()
    ids.write_text("554625\n118113\n9\n")
    return ids


def test_coco_is_read_by_its_ids(tmp_path: Path) -> None:
    write_coco(tmp_path / "coco")
    for place in (tmp_path, tmp_path / "coco"):
        data = load(place, "coco-mlt")
        assert data.counts.tolist() == [3, 1, 1] and data.class_names == ("person", "dog", "toothbrush")
        assert data.train_multi is not None and data.test_multi is not None
        assert data.train_multi.tolist() == [[1, 0, 1], [1, 1, 0], [1, 0, 0]]
        assert data.test_multi.tolist() == [[1, 0, 0], [0, 1, 1]]
        pixels = data.train_inputs.read(np.arange(3))[:, 8, 8, 0].astype(int)
        assert np.abs(pixels - [554625 % 200, 118113 % 200, 9]).max() < 5
    assert any(
        "Images of instances_val2017.json that show none of the classes, left out: 1" in note for note in data.notes
    )


def test_objects_that_the_official_code_ignores_do_not_count(tmp_path: Path) -> None:
    boxes = [box(554625, 1), box(118113, 18), box(9, 90), box(9, 1, area=0), box(9, 18, bbox=[0, 0, 0.5, 9])]
    boxes += [box(118113, 90, ignore=1), box(118113, 1, iscrowd=1)]
    write_coco(tmp_path, annotations=boxes)
    data = load(tmp_path, "coco-mlt")
    assert data.train_multi is not None
    assert labels_of(data.train_multi, data.class_names) == [{"person"}, {"person", "dog"}, {"toothbrush"}]


def test_annotations_are_read_entry_by_entry_whatever_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {
        "annotations": [{"id": n, "v": [0.5] * (n % 7), "t": 'a "quoted" ] } text'} for n in range(50)],
        "n": 12.5e3,
        "images": [],
        "other": {"images": [1]},
        "categories": [1, "x", None, True, -12.25],
    }
    want = [("annotations", one) for one in whole["annotations"]] + [("categories", one) for one in whole["categories"]]
    for text in (json.dumps(whole), json.dumps(whole, indent=2)):
        for chunk in (1, 2, 7, 64, 2**20):
            monkeypatch.setattr(coco, "_CHUNK", chunk)
            assert list(coco.entries(io.StringIO(text))) == want


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"images": [', '{"images": [{"id": 1}', '{"images": [1 2]}x', "{1: 2}"]
)
def test_json_that_is_damaged_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "instances_train2017.json"
    file.write_text(text)
    with pytest.raises(DataError) as caught:
        coco.read_annotations(file)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(str(file))


def test_an_entry_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coco, "_CHUNK", 100)
    monkeypatch.setattr(coco, "MAX_ENTRY", 1000)
    file = tmp_path / "instances_train2017.json"
    file.write_text('{"images": ["' + "x" * 100_000)
    with pytest.raises(DataError, match=r"reading stopped"):
        coco.read_annotations(file)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"categories": []}, r"must hold images, annotations, categories"),
        ({"annotations": [box(9, 55)]}, r"one of the file's categories, got 55"),
        ({"annotations": [{"image_id": 9}]}, r"KeyError 'bbox'"),
        (
            {"categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "wolf"}, CATEGORIES[2]]},
            r"must have the same classes",
        ),
        ({"images": [{"id": 554625, "file_name": "../../etc/passwd"}]}, r"must lie in the folder of images"),
        ({"images": [{"id": 9, "file_name": "x.jpg"}]}, r"the number of an image .* got '554625' \(line 1 of"),
    ],
)
def test_annotations_that_do_not_fit_are_refused(tmp_path: Path, changes: dict, told: str) -> None:
    write_coco(tmp_path, **changes)
    with pytest.raises(DataError, match=told):
        load(tmp_path, "coco-mlt")


def test_what_is_missing_of_coco_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"https://cocodataset.org.*img_id.pkl from .*--data-dir"):
        load(tmp_path, "coco-mlt")
    write_coco(tmp_path).unlink()
    with pytest.raises(DataError, match=r"no img_id.pkl or img_id.txt in"):
        load(tmp_path, "coco-mlt")


def test_voc_has_its_classes_in_their_official_order() -> None:
    assert len(voc.CLASSES) == 20 and list(voc.CLASSES) == sorted(voc.CLASSES)
