"""What files of embeddings hold: what `ltviz open`, `ltviz metrics FILE` and the page of one's own embeddings ask.

Everything is read and compared before `making` makes anything of it: what is refused leaves no run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ltviz.data.upload import UNLABELLED, Categories, Upload, projector, read_embeddings
from ltviz.errors import DataError
from ltviz.metrics import measure
from ltviz.recording import Attribute
from ltviz.recording.attributes import LONGEST_NAME, MOST
from ltviz.recording.estimate import Measured, Progress, estimate

_SPLITS = {
    **dict.fromkeys(("train", "training", "trn", "tr"), 0),
    **dict.fromkeys(("test", "testing", "tst", "eval", "evaluation"), 1),
    **dict.fromkeys(("val", "valid", "validation", "dev"), 2),
}
_WHOLE = re.compile(r"-?\d{1,18}")
_NUMBERED = re.compile(r"(.*?)(\d{1,9})(\D*)")


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What will be one run: the same N points at one step or several, growing.

    `labels` (N,) int32, -1 for a point without one; `split` (N,) 0 train, 1 test, 2 validation, None where nobody
    knows; `sample_ids` (N,) int64 or None. `notes` are sentences that the person should read.
    """

    name: str
    steps: tuple[int, ...]
    embeddings: tuple[np.ndarray, ...]
    labels: np.ndarray
    class_names: tuple[str, ...] | None
    split: np.ndarray | None
    sample_ids: np.ndarray | None
    attributes: tuple[Attribute, ...]
    notes: tuple[str, ...]
    upload: Upload

    @property
    def num_classes(self) -> int:
        """C, classes without a point among them."""
        return len(self.class_names) if self.class_names is not None else int(self.labels.max(initial=-1)) + 1

    @property
    def counts(self) -> np.ndarray:
        """(C,) training points of each class; all points where none is known to be of training."""
        labelled = self.labels != UNLABELLED
        training = labelled if self.split is None else labelled & (self.split == 0)
        return np.bincount(self.labels[training if training.any() else labelled], minlength=self.num_classes)

    @property
    def unlabelled(self) -> int:
        return int((self.labels == UNLABELLED).sum())

    def describe(self) -> dict[str, Any]:
        """What was understood, as JSON."""
        count, dim = self.embeddings[0].shape
        return {
            "points": count,
            "dim": dim,
            "steps": len(self.steps),
            "classes": len(np.unique(self.labels[self.labels != UNLABELLED])),
            "unlabelled": self.unlabelled,
            "attributes": [attribute.name for attribute in self.attributes],
            "notes": list(self.notes),
        }


def understand(
    paths: Sequence[Path],
    *,
    labels: Path | None = None,
    label_column: str | None = None,
    vector_columns: Sequence[str] | None = None,
    compare: bool = False,
) -> list[Series]:
    """What files hold: one run whose steps they are, or, with `compare`, a run each. Nothing is written.

    A folder of TensorBoard's projector holds a run for each of its names.

    Raises:
        DataError: one sentence, with the file's name where there are several.
    """

    def read(path: Path, metadata: Path | None = None) -> Upload:
        try:
            return read_embeddings(
                path,
                labels=labels,
                label_column=label_column,
                vector_columns=vector_columns,
                metadata=None if labels is not None else metadata,
            )
        except DataError as error:
            raise error if len(paths) == 1 and metadata is None else DataError(f"{path.name}: {error}") from error

    found: list[Series] = []
    files: list[tuple[Path, Upload]] = []
    for path in paths:
        if path.is_dir() and projector.is_projector(path):
            inside = projector.series_in(path)
            for tag, tensors in inside.items():
                folder = path.resolve().name
                name = folder if len(inside) == 1 else f"{folder} {tag}"
                steps = [step if (step := one.step) is not None else place for place, one in enumerate(tensors)]
                found.append(_series(name, steps, [(one.path, read(one.path, one.metadata)) for one in tensors]))
        else:
            files.append((path, read(path)))
    if compare:
        return [*found, *(_series(_stem(path), [0], [(path, upload)]) for path, upload in files)]
    if files:
        found.append(_series(_stem(files[0][0]), _steps([path for path, _ in files]), files))
    return found


def measure_series(series: Series, progress: Progress = lambda share: None) -> Measured:
    """All measures of the last step, without a run; of many points some are measured, see `estimate`."""

    def measuring(rows: np.ndarray, tell: Progress) -> dict[str, float]:
        return measure(
            unit_rows(series.embeddings[-1][rows]),
            series.labels[rows],
            num_classes=series.num_classes,
            counts=series.counts,
            split=None if series.split is None else series.split[rows],
            full=True,
            progress=tell,
        )

    return estimate(measuring, series.labels, progress=progress)


def unit_rows(embeddings: np.ndarray) -> np.ndarray:
    """The rows on the sphere, float32. Lengths are taken of the rows divided by their largest number, which squared may
    be beyond float32."""
    largest = np.abs(embeddings).max(axis=1, keepdims=True)
    rows = embeddings / largest
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32, copy=False)


def _series(name: str, steps: Sequence[int], read: Sequence[tuple[Path, Upload]]) -> Series:
    """Uploads that must be of the same points, as one run."""
    path, first = read[0]
    notes = list(first.notes)
    for other_path, upload in read[1:]:
        first, more = _agreed(first, upload, path.name, other_path.name)
        notes += more
    count = len(first.embeddings)
    split, split_note = _split(first)
    ids = _sample_ids(first.ids)
    attributes = _attributes(first, split=split is not None, ids=ids is not None)
    if len(attributes) > MOST:
        left = ", ".join(f"'{attribute.name[:40]}'" for attribute in attributes[MOST : MOST + 8])
        notes.append(f"At most {MOST} attributes are kept; {len(attributes) - MOST:,} were left out, {left} first.")
    labels = np.full(count, UNLABELLED, np.int32) if first.labels is None else first.labels
    return Series(
        name=name,
        steps=tuple(steps),
        embeddings=tuple(upload.embeddings for _, upload in read),
        labels=labels,
        class_names=first.class_names,
        split=split,
        sample_ids=ids,
        attributes=attributes[:MOST],
        notes=tuple(dict.fromkeys([*notes, *split_note])),
        upload=first,
    )


def _agreed(first: Upload, other: Upload, name: str, other_name: str) -> tuple[Upload, list[str]]:
    """What two files say of the same points, the first with what it lacks; DataError where they are not the same."""
    if other.embeddings.shape != first.embeddings.shape:
        sizes = [f"{n:,} x {d:,}" for n, d in (first.embeddings.shape, other.embeddings.shape)]
        raise DataError(
            f"Steps of one run must hold the same points; {name} has {sizes[0]}, {other_name} {sizes[1]}, "
            "open them with --compare to have a run each."
        )
    if first.labels is None:
        first = replace(first, labels=other.labels, class_names=other.class_names, label_column=other.label_column)
    elif other.labels is not None:
        mine, theirs = _label_texts(first), _label_texts(other)
        row = next((row for row, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b), None)
        if row is not None:
            raise DataError(
                f"Steps of one run must have one label a point; row {row} (counted from 0) is '{mine[row][:40]}' in "
                f"{name} and '{theirs[row][:40]}' in {other_name}, open them with --compare to have a run each."
            )
    for mine, theirs, word in ((first.ids, other.ids, "ids"), (first.names, other.names, "names")):
        if mine and theirs and mine != theirs:
            raise DataError(
                f"Steps of one run must hold the same points in one order; {name} and {other_name} hold other {word}, "
                "sort both alike or open them with --compare."
            )
    changed = [key for key in other.attributes if key in first.attributes]
    changed = [key for key in changed if not _same(first.attributes[key], other.attributes[key])]
    notes = [f"The attribute '{key[:40]}' changes from step to step; that of {name} is shown." for key in changed]
    added = {key: column for key, column in other.attributes.items() if key not in first.attributes}
    return replace(first, attributes={**first.attributes, **added}), notes


def _same(a: np.ndarray | Categories, b: np.ndarray | Categories) -> bool:
    if isinstance(a, Categories) or isinstance(b, Categories):
        return isinstance(a, Categories) and isinstance(b, Categories) and a.texts() == b.texts()
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f" and b.dtype.kind == "f")


def _label_texts(upload: Upload) -> list[str]:
    assert upload.labels is not None
    if upload.class_names is None:
        return list(map(str, upload.labels.tolist()))
    names = (*upload.class_names, "-1")
    return [names[label] for label in upload.labels.tolist()]


def _split(upload: Upload) -> tuple[np.ndarray | None, list[str]]:
    """Train, test and validation by their usual words; a split of other words stays an attribute."""
    if upload.split is None:
        return None, []
    parts = [_SPLITS.get(text.strip().lower(), -1) for text in upload.split]
    if -1 not in parts:
        return np.array(parts, np.uint8), []
    row = parts.index(-1)
    column = upload.columns.get("split", "split")
    return None, [
        f"'{column[:40]}' says neither train, test nor validation in row {row} (counted from 0), but "
        f"'{upload.split[row][:40]}'; it is kept as an attribute."
    ]


def _sample_ids(ids: tuple[str, ...] | None) -> np.ndarray | None:
    if ids is None or not all(map(_WHOLE.fullmatch, ids)):
        return None
    numbers = np.array(list(map(int, ids)), np.int64)
    return numbers if len(np.unique(numbers)) == len(numbers) else None


def _attributes(upload: Upload, *, split: bool, ids: bool) -> tuple[Attribute, ...]:
    """Columns that are not vectors, label, split or sample id; names of points and ids of text are among them."""

    def texts() -> Iterator[tuple[str, tuple[str, ...]]]:
        for role, held, used in (
            ("name", upload.names, False),
            ("id", upload.ids, ids),
            ("split", upload.split, split),
        ):
            if held is not None and not used:
                yield upload.columns.get(role, role), held

    made = [_text_attribute(name, held) for name, held in texts()]
    for name, column in upload.attributes.items():
        if isinstance(column, Categories):
            made.append(Attribute(name, np.asarray(column.codes), column.names))
        elif column.dtype.kind == "b" or (column.dtype.kind in "iu" and np.abs(column).max(initial=0) > 2**53):
            made.append(_text_attribute(name, tuple(map(str, column.tolist()))))
        else:
            made.append(Attribute(name, column.astype(np.float64)))
    # Names are a stranger's: too long a one, or none, would be refused, and all of the run with it.
    return tuple(replace(one, name=one.name.strip()[:LONGEST_NAME] or "unnamed") for one in made)


def _text_attribute(name: str, texts: tuple[str, ...]) -> Attribute:
    code_of = {text: code for code, text in enumerate(dict.fromkeys(filter(None, texts)))}
    return Attribute(name, np.array([code_of.get(text, -1) for text in texts], np.int32), tuple(code_of))


def _steps(paths: Sequence[Path]) -> list[int]:
    """The numbers in names that differ in nothing else, where they grow; else the files' places."""
    parts = [_NUMBERED.fullmatch(path.stem) for path in paths]
    if len(paths) > 1 and all(parts):
        around = {(part[1], part[3]) for part in parts if part}
        numbers = [int(part[2]) for part in parts if part]
        if len(around) == 1 and all(a < b for a, b in pairwise(numbers)):
            return numbers
    return list(range(len(paths)))


def _stem(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    return Path(name).stem or name
