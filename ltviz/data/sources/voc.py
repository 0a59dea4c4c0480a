"""voc-mlt: Pascal VOC 2012 by the ids of the long-tailed subset, tested on VOC 2007; several labels an image."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ltviz.data.source import Where
from ltviz.data.sources.several_labels import Annotated, Listed, SeveralLabels, Shown, gather, read_ids
from ltviz.errors import DataError

MAX_XML = 2**20
"""Bytes of an annotation; the longest official one has 20 kB."""
_SHOWN = 60

CLASSES = (
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)


def present(xml: Path, class_names: tuple[str, ...] = CLASSES) -> NDArray[np.uint8]:
    """(C,) 1 for every class of which the annotation of an image names an object, difficult ones too.

    Raises:
        DataError: a file that is missing, too large or no annotation, or an unknown class.

    Source: Wu et al. 2020 (Distribution-Balanced Loss), `XMLDataset.get_ann_info` of the official code.
    """
    try:
        with xml.open("rb") as file:
            text = file.read(MAX_XML + 1)
        if len(text) > MAX_XML:
            raise DataError(f"an annotation of VOC has up to {MAX_XML >> 10} kB, this one more: {xml}")
        if b"<!" in text.replace(b"<!--", b""):  # entities can unfold to gigabytes, and name other files
            raise DataError(f"an annotation of VOC has no document type or entities, this one does: {xml}")
        root = ElementTree.fromstring(text)
    except (OSError, ElementTree.ParseError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        told = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"an annotation of VOC must be a readable XML file, but {told}: {xml}") from error
    shown = np.zeros(len(class_names), np.uint8)
    for named in root.iterfind("object/name"):
        name = (named.text or "").strip()
        if name not in class_names:
            raise DataError(f"an object must be of one of VOC's classes, got {name[:_SHOWN]!r}: {xml}")
        shown[class_names.index(name)] = 1
    return shown


class Voc(SeveralLabels):
    name = "voc-mlt"
    title = "VOC-MLT"
    about = (
        "1,142 photographs of Pascal VOC 2012 with 20 classes, several an image; needs VOC 2012 and 2007 and the list."
    )

    def missing(self, where: Where) -> str | None:
        if where.data_dir is None:
            lack = "no folder was given"
        else:
            kit = _kit(where.data_dir)
            needed = [kit / year / "Annotations" for year in ("VOC2012", "VOC2007")]
            absent = [str(folder) for folder in needed if not folder.is_dir()]
            if not absent and _ids(where.data_dir):
                return None
            lack = f"there is no {' and no '.join(absent or ['img_id.txt'])} in {where.data_dir}"
        return (
            "voc-mlt needs VOCdevkit/VOC2012 and VOCdevkit/VOC2007 from http://host.robots.ox.ac.uk/pascal/VOC and "
            "longtail2012/img_id.txt from https://github.com/wutong16/DistributionBalancedLoss (appendix/VOCdevkit), "
            f"but {lack}; set --data-dir to the folder that holds VOCdevkit"
        )

    def annotated(self, where: Where) -> Annotated:
        assert where.data_dir is not None
        kit = _kit(where.data_dir)
        root, ids = where.image_root or kit, _ids(where.data_dir)
        assert ids is not None

        def read(year: str, listed: Listed) -> Shown:
            def of(one: str) -> tuple[str, NDArray[np.uint8]]:
                return f"{year}/JPEGImages/{one}.jpg", present(kit / year / "Annotations" / f"{one}.xml")

            return gather(listed, of, root, skip_bad=where.skip_bad)

        official = kit / "VOC2007" / "ImageSets" / "Main" / "test.txt"
        test = read("VOC2007", read_ids(official) if official.is_file() else _every(kit / "VOC2007" / "Annotations"))
        if not official.is_file():
            note = f"There is no {official}, so all {len(test.paths):,} annotated images of VOC2007 are tested on."
            test = replace(test, notes=(note, *test.notes))
        return Annotated(CLASSES, root, read("VOC2012", read_ids(ids)), test)


def _kit(data_dir: Path) -> Path:
    return data_dir / "VOCdevkit" if (data_dir / "VOCdevkit").is_dir() else data_dir


def _ids(data_dir: Path) -> Path | None:
    """Where the list may stand: as its authors give it out, or laid beside the images."""
    kit = _kit(data_dir)
    folders = (
        kit / "longtail2012",
        data_dir / "longtail2012",
        data_dir / "appendix" / "VOCdevkit" / "longtail2012",
        data_dir,
        kit,
        kit / "VOC2012",
    )
    return next((one / "img_id.txt" for one in folders if (one / "img_id.txt").is_file()), None)


def _every(folder: Path) -> Listed:
    names = sorted(one.stem for one in folder.glob("*.xml"))
    return Listed(folder, names, list(range(1, len(names) + 1)))
