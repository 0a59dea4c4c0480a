"""coco-mlt: COCO 2017 by the ids of the long-tailed subset, tested on val2017; several labels an image."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ltviz.data.source import Where
from ltviz.data.sources.several_labels import Annotated, Listed, SeveralLabels, Shown, gather, read_ids
from ltviz.errors import DataError

_CHUNK = 2**20
MAX_ENTRY = 2**24
"""Characters of one entry of a file of annotations; the longest official one has some 100 kB."""
_LISTS = ("images", "annotations", "categories")


@dataclass(frozen=True)
class Annotations:
    """What a file of annotations says: `names` of the classes in the order of their numbers, the file of each image by
    its number, and the positions of the classes that it shows."""

    names: tuple[str, ...]
    files: dict[int, str]
    shown: dict[int, set[int]]

    def labels(self, image: int) -> NDArray[np.uint8]:
        """(C,) 1 for every class that an image shows."""
        present = np.zeros(len(self.names), np.uint8)
        present[sorted(self.shown.get(image, ()))] = 1
        return present


def read_annotations(file: Path, only: frozenset[int] | None = None) -> Annotations:
    """COCO's JSON, entry by entry: the outlines of objects, nearly all of its 450 MB, are let go at once.

    An object counts unless it is marked `ignore`, or has no area or a side of less than a pixel. A file that did not
    change is not read again.

    Args:
        only: numbers of the images to keep; all where None.

    Raises:
        DataError: a file that is missing, damaged or no file of annotations.

    Source: Wu et al. 2020 (Distribution-Balanced Loss), `CocoDataset._parse_ann_info` of the official code.
    """
    try:
        about = file.stat()
        return _read_annotations(file, about.st_mtime_ns, about.st_size, only)
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        told = f"{error.strerror}" if isinstance(error, OSError) else f"reading stopped ({_one_line(error)})"
        raise DataError(f"a file of COCO's annotations must be whole JSON, but {told}: {file}") from error


@lru_cache(maxsize=4)
def _read_annotations(file: Path, _changed: int, _size: int, only: frozenset[int] | None) -> Annotations:
    categories: dict[int, str] = {}
    files: dict[int, str] = {}
    objects: set[tuple[int, int]] = set()
    with file.open(encoding="utf-8") as text:
        for kind, entry in entries(text):
            if kind == "categories":
                categories[int(entry["id"])] = str(entry["name"])
            elif kind == "images":
                if only is None or int(entry["id"]) in only:
                    files[int(entry["id"])] = str(entry["file_name"])
            elif (only is None or int(entry["image_id"]) in only) and _counts(entry):
                objects.add((int(entry["image_id"]), int(entry["category_id"])))
    if not categories or not files:
        raise DataError(f"a file of COCO's annotations must hold {', '.join(_LISTS)}, but some are missing: {file}")
    position = {number: at for at, number in enumerate(sorted(categories))}
    strange = next((number for _, number in objects if number not in position), None)
    if strange is not None:
        raise DataError(f"an object must be of one of the file's categories, got {strange}: {file}")
    shown: dict[int, set[int]] = {}
    for image, number in objects:
        shown.setdefault(image, set()).add(position[number])
    return Annotations(tuple(categories[number] for number in sorted(categories)), files, shown)


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__} {error}".split())[:100]


def _counts(entry: Any) -> bool:
    _, _, width, height = entry["bbox"]
    return not entry.get("ignore", False) and entry["area"] > 0 and width >= 1 and height >= 1


def entries(text: IO[str]) -> Iterator[tuple[str, Any]]:
    """Name of the list and entry, for each entry of the lists `images`, `annotations` and `categories` of a JSON object
    in their order; other values are skipped.

    Raises:
        ValueError: what is not JSON, or ends early.
    """
    window = _Window(text)
    window.expect("{")
    while window.peek() != "}":
        name = window.value()
        window.expect(":")
        if name in _LISTS and window.peek() == "[":
            window.expect("[")
            while window.peek() != "]":
                yield name, window.value()
                if window.peek() == ",":
                    window.expect(",")
            window.expect("]")
        else:
            window.value()
        if window.peek() == ",":
            window.expect(",")


class _Window:
    """A part of a text that moves on: no more of it is kept than the value being read."""

    def __init__(self, text: IO[str]) -> None:
        self.text, self.part, self.at = text, "", 0
        self.decode = json.JSONDecoder().raw_decode

    def peek(self) -> str:
        """The next character that is not white space."""
        while True:
            while self.at < len(self.part) and self.part[self.at] in " \t\r\n":
                self.at += 1
            if self.at < len(self.part):
                return self.part[self.at]
            if not self._more():
                raise ValueError("the text ends early")

    def expect(self, character: str) -> None:
        if self.peek() != character:
            raise ValueError(f"{character!r} is missing, got {self.peek()!r}")
        self.at += 1

    def value(self) -> Any:
        self.peek()
        while True:
            try:
                found, end = self.decode(self.part, self.at)
            except json.JSONDecodeError:
                if len(self.part) - self.at > MAX_ENTRY or not self._more():
                    raise
                continue
            # "12." is a number and a point until the digit after it is there.
            whole = end < len(self.part) and self.part[end] in ",:]} \t\r\n"
            if not whole and len(self.part) - self.at <= MAX_ENTRY and self._more():
                continue
            self.at = end
            return found

    def _more(self) -> bool:
        part = self.text.read(_CHUNK)
        self.part, self.at = self.part[self.at :] + part, 0
        return bool(part)


class Coco(SeveralLabels):
    name = "coco-mlt"
    title = "COCO-MLT"
    about = "1,909 photographs of COCO 2017 with 80 classes, several an image; needs COCO 2017 and the list of ids."

    def missing(self, where: Where) -> str | None:
        if where.data_dir is None:
            lack = "no folder was given"
        else:
            root = _root(where.data_dir)
            absent = [
                str(file) for file in map(_annotations(root).get, ("train", "val")) if file and not file.is_file()
            ]
            if not absent and _ids(where.data_dir):
                return None
            lack = f"there is no {' and no '.join(absent or ['img_id.pkl or img_id.txt'])} in {where.data_dir}"
        return (
            "coco-mlt needs train2017, val2017 and annotations/instances_{train,val}2017.json from "
            "https://cocodataset.org/#download and longtail2017/img_id.pkl from "
            "https://github.com/wutong16/DistributionBalancedLoss (appendix/coco), "
            f"but {lack}; set --data-dir to the folder that holds them"
        )

    def annotated(self, where: Where) -> Annotated:
        assert where.data_dir is not None
        root, ids = _root(where.data_dir), _ids(where.data_dir)
        assert ids is not None
        files, images = _annotations(root), where.image_root or root
        listed = read_ids(ids)
        numbers = frozenset(int(one) for one in listed.ids if one.isdecimal())
        train = read_annotations(files["train"], numbers)
        test = read_annotations(files["val"])
        if train.names != test.names:
            raise DataError(f"training and test annotations must have the same classes: {files['val']}")
        held_out = Listed(files["val"], [str(one) for one in test.files], list(range(1, len(test.files) + 1)))
        return Annotated(
            train.names,
            images,
            _gather(listed, train, "train2017", images, where),
            _gather(held_out, test, "val2017", images, where),
        )


def _gather(listed: Listed, annotations: Annotations, folder: str, root: Path, where: Where) -> Shown:
    def of(one: str) -> tuple[str, NDArray[np.uint8]]:
        name = annotations.files.get(int(one)) if one.isdecimal() else None
        if name is None:
            raise DataError(f"an id must be the number of an image of instances_{folder}.json, got {one[:60]!r}")
        inner = PurePosixPath(name)
        if inner.is_absolute() or ".." in inner.parts:
            raise DataError(f"a file must lie in the folder of images, got {name[:60]!r}")
        return f"{folder}/{name}", annotations.labels(int(one))

    return gather(listed, of, root, skip_bad=where.skip_bad)


def _root(data_dir: Path) -> Path:
    """The folder of the annotations, or the one around it."""
    around = (data_dir, data_dir / "coco", data_dir / "COCO", data_dir / "coco2017")
    return next((one for one in around if (one / "annotations").is_dir()), data_dir)


def _annotations(root: Path) -> dict[str, Path]:
    return {part: root / "annotations" / f"instances_{part}2017.json" for part in ("train", "val")}


def _ids(data_dir: Path) -> Path | None:
    """Where the list may stand: as its authors give it out, or laid beside the images. Its `.pkl` is a text."""
    root = _root(data_dir)
    folders = (
        root / "longtail2017",
        data_dir / "longtail2017",
        data_dir / "appendix" / "coco" / "longtail2017",
        root,
        data_dir,
        root / "annotations",
        root / "train2017",
    )
    names = ("img_id.pkl", "img_id.txt")
    return next((one / name for one in folders for name in names if (one / name).is_file()), None)
