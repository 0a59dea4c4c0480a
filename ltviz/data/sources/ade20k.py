"""ade20k: the scenes of ADE20K as the parsing challenge has them, a label of 150 classes for each pixel."""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ltviz.bounds import Bounded
from ltviz.data.inputs import ImageFiles, LabelFiles
from ltviz.data.longtail import NATURAL, LongTailed, Pool, Tail, cut, random
from ltviz.data.pictures import MOST_WORKERS, BadPicture, read_labels, read_picture, size_of
from ltviz.data.pixels import UNLABELLED, LabelMaps, Pixels
from ltviz.data.source import Outline, Source, Where
from ltviz.errors import DataError

FOLDER, NAMES = "ADEChallengeData2016", "objectInfo150.txt"
NO_LABEL = 0
DEFAULT_SIZE = 256
TRAINING, VALIDATION = "training", "validation"
ADDRESS = "http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip"
_STREAM = 6  # Philox stream
_SHOWN = 5  # files that a note names


class Ade20kOptions(Bounded):
    pixels: int = Field(16, ge=1, le=4096, description="Labelled pixels that a batch takes of each image.")
    known: int = Field(
        256,
        ge=1,
        le=65536,
        description="Labelled pixels of each image, chosen at random once, that batches and frames draw from; mIoU "
        "judges all of the test images.",
    )


class Ade20k(Source):
    """Samples are labelled pixels; those without a label, 0 in the annotations, are never drawn nor judged.

    The challenge's validation images are the test set, as in the papers. Images and annotations are resized and cut to
    squares alike, so mIoU is that of squares of `image_size` pixels, not of the files' own sizes. Classes are those of
    the training annotations.
    """

    name = "ade20k"
    title = "ADE20K"
    about = "20,210 training and 2,000 validation scenes with a label of 150 classes for each pixel, a sample each."
    Options = Ade20kOptions
    needs_files = True
    reads_images = True

    def missing(self, where: Where) -> str | None:
        if where.data_dir is None:
            return (
                f"ade20k needs the folder that {ADDRESS} unpacks to, {FOLDER}; name it or the one around it as data_dir"
            )
        images, root = _folders(where)
        for part in (TRAINING, VALIDATION):
            for kind, suffix in (("images", "jpg"), ("annotations", "png")):
                folder = (images if kind == "images" else root) / kind / part
                if not any(folder.glob(f"*.{suffix}")):
                    return (
                        f"ade20k needs {kind}/{part}/*.{suffix} as {ADDRESS} has them, in the folder given as data_dir "
                        f"or in {FOLDER} there, but there are none: {folder}"
                    )
        return None

    def outline(self, where: Where) -> Outline:
        """Every annotation is read once for it, a minute or two for all of ADE20K; images are not."""
        if why := self.missing(where):
            raise DataError(why)
        scenes = _scenes_of(where)
        return Outline(
            class_names=scenes.class_names,
            shape=(scenes.size, scenes.size, 3),
            train_counts=tuple(np.bincount(scenes.labels(scenes.train), minlength=len(scenes.class_names)).tolist()),
            test_counts=tuple(np.bincount(scenes.labels(scenes.test), minlength=len(scenes.class_names)).tolist()),
            profile=NATURAL,
            mean=(0.485, 0.456, 0.406),
            std=(0.229, 0.224, 0.225),
            policies="jitter",
            notes=scenes.notes,
        )

    def read(self, where: Where) -> Pool:
        if why := self.missing(where):
            raise DataError(why)
        scenes, options = _scenes_of(where), where.options
        assert isinstance(options, Ade20kOptions)
        return Pool(
            train_inputs=scenes.pixels(scenes.train, options.pixels),
            train_labels=scenes.labels(scenes.train),
            train_ids=scenes.ids(scenes.train),
            test_inputs=scenes.pixels(scenes.test, options.pixels),
            test_labels=scenes.labels(scenes.test),
            test_ids=scenes.ids(scenes.test),
            class_names=scenes.class_names,
            notes=scenes.notes,
        )

    def foresee(self, where: Where, tail: Tail) -> Tail:
        return replace(tail, images=len(_scenes_of(where).train.names))

    def compose(self, pool: Pool, tail: Tail) -> LongTailed:
        data = cut(self.name, pool, tail)
        assert isinstance(data.test_inputs, Pixels)
        return replace(data, test_inputs=data.test_inputs.ranked(tail.order))


@dataclass(frozen=True, kw_only=True)
class Part:
    """The training or the validation images, and the labelled pixels of each that are known.

    Attributes:
        names: M images, without their suffix.
        of, places, labels: (N,) of each pixel its image, its place and its number in the annotation.
        skipped: a sentence on each image that was left out.
    """

    folder: str
    names: tuple[str, ...]
    of: NDArray[np.int64]
    places: NDArray[np.int64]
    labels: NDArray[np.int64]
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """What the annotations hold; `classes` are the numbers of those that training images show."""

    images: Path
    annotations: Path
    size: int
    classes: NDArray[np.int64]
    class_names: tuple[str, ...]
    train: Part
    test: Part
    notes: tuple[str, ...]

    def labels(self, part: Part) -> NDArray[np.int64]:
        """(N,) they index `class_names`."""
        return np.searchsorted(self.classes, part.labels)

    def ids(self, part: Part) -> NDArray[np.int64]:
        """(N,) pixels of all images are numbered, those of the training images first."""
        first = 0 if part is self.train else len(self.train.names)
        return (part.of + first) * self.size**2 + part.places

    def pixels(self, part: Part, each: int) -> Pixels:
        """The samples; their labels are those of the files' classes, unranked."""
        below = f"{part.folder}/{{}}"
        shape = (self.size, self.size)
        images = ImageFiles([below.format(f"{name}.jpg") for name in part.names], (*shape, 3), root=self.images)
        numbers = LabelFiles([below.format(f"{name}.png") for name in part.names], shape, root=self.annotations)
        ranks = np.full(256, UNLABELLED, np.int16)
        ranks[self.classes] = np.arange(len(self.classes))
        return Pixels(images, part.of, part.places, each=each, mirror=True, maps=LabelMaps(numbers, ranks))


def _folders(where: Where) -> tuple[Path, Path]:
    """The folder that `images` is in, and the one that `annotations` is in."""
    assert where.data_dir is not None
    root = where.data_dir / FOLDER if (where.data_dir / FOLDER).is_dir() else where.data_dir
    return where.image_root or root, root


def _scenes_of(where: Where) -> Scenes:
    options = where.options
    assert isinstance(options, Ade20kOptions)
    images, root = _folders(where)
    read = [root / NAMES, *(root / "annotations" / part for part in (TRAINING, VALIDATION))]
    stamps = tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in read)
    return _scenes(images, root, where.image_size or DEFAULT_SIZE, options.known, where.skip_bad, stamps)


@lru_cache(maxsize=2)
def _scenes(images: Path, root: Path, size: int, known: int, skip_bad: bool, stamps: tuple[int, ...]) -> Scenes:
    """All annotations, read. `stamps` say when the files were written, so that new ones are read anew."""
    train, test = (_part(images, root, size, known, skip_bad, folder) for folder in (TRAINING, VALIDATION))
    names = _names(root / NAMES)
    classes = np.unique(train.labels)
    if names and len(classes) and classes[-1] > len(names):
        bad = train.names[train.of[train.labels > len(names)][0]]
        raise DataError(
            f"annotations must hold 0 to {len(names)}, the classes of {NAMES}, got {classes[-1]}: "
            f"{root / 'annotations' / TRAINING / bad}.png"
        )
    if not len(classes):
        raise DataError(f"annotations must label some pixels, but all are 0: {root / 'annotations' / TRAINING}")
    trained = np.isin(test.labels, classes)
    notes = [
        f"{len(part.skipped)} images of {part.folder} left out: {'; '.join(part.skipped[:_SHOWN])}"
        for part in (train, test)
        if part.skipped
    ]
    if strange := np.setdiff1d(test.labels, classes).tolist():
        notes.append(f"pixels of classes that no training image shows are not judged: {', '.join(map(str, strange))}")
    test = replace(test, of=test.of[trained], places=test.places[trained], labels=test.labels[trained])
    return Scenes(
        images=images / "images",
        annotations=root / "annotations",
        size=size,
        classes=classes,
        class_names=tuple(names[n - 1] if names else f"class {n}" for n in classes.tolist()),
        train=train,
        test=test,
        notes=tuple(notes),
    )


def _part(images: Path, root: Path, size: int, known: int, skip_bad: bool, folder: str) -> Part:
    """One folder of annotations, read in threads.

    Raises:
        DataError: an image without an annotation, one that is damaged or of another size, unless they are skipped.
    """
    pictures = sorted((images / "images" / folder).glob("*.jpg"))
    annotations = root / "annotations" / folder

    def read(number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | str:
        picture = pictures[number]
        labels = annotations / f"{picture.stem}.png"
        at = labels
        try:
            of_labels, numbers = size_of(labels), read_labels(labels, (size, size)).ravel()
            at = picture
            if (of_picture := size_of(picture)) != of_labels:
                sizes = "{1} x {0}, and the annotation has {3} x {2}".format(*of_picture, *of_labels)
                raise BadPicture(f"an image must have as many pixels as its annotation, but has {sizes}")
            if skip_bad:
                read_picture(picture, (size, size, 3))  # what is damaged further on shows only then
        except BadPicture as bad:
            return f"{bad}: {at}"
        labelled = np.flatnonzero(numbers != NO_LABEL)
        chance = random(0, _STREAM, number, int(folder == VALIDATION))
        kept = np.sort(chance.permutation(labelled)[:known])
        return kept, numbers[kept].astype(np.int64)

    with ThreadPoolExecutor(MOST_WORKERS) as workers:
        found = list(workers.map(read, range(len(pictures))))
    bad = tuple(one for one in found if isinstance(one, str))
    if bad and not skip_bad:
        raise DataError(bad[0])
    good = [(picture.stem, one) for picture, one in zip(pictures, found, strict=True) if not isinstance(one, str)]
    if not good:
        raise DataError(f"some annotated images are needed, but all were left out, first {bad[0]}")
    sizes = [len(places) for _, (places, _) in good]
    return Part(
        folder=folder,
        names=tuple(name for name, _ in good),
        of=np.repeat(np.arange(len(good)), sizes),
        places=np.concatenate([places for _, (places, _) in good]),
        labels=np.concatenate([labels for _, (_, labels) in good]),
        skipped=bad,
    )


def _names(path: Path) -> tuple[str, ...]:
    """The first of the names that the challenge's table has for each class, in the order of numbers from 1; none where
    the table is not there.

    Raises:
        DataError: it is no such table.
    """
    if not path.is_file():
        return ()
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        named = {int(row["Idx"]): row["Name"].split(",")[0].strip() for row in rows}
        return tuple(named[number] for number in range(1, len(rows) + 1))
    except (KeyError, ValueError, TypeError, AttributeError, csv.Error) as error:
        raise DataError(
            f"{NAMES} must be the challenge's table with columns Idx and Name, numbered from 1: {path}"
        ) from error
