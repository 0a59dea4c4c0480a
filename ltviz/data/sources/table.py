"""table-lt: vectors and labels of one file, as a frozen encoder has made them: heads alone are trained, on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ltviz.bounds import Bounded
from ltviz.data.held_out import hold_out, usual_profile
from ltviz.data.inputs import HeldInputs
from ltviz.data.longtail import Pool
from ltviz.data.source import Outline, Source, Where, class_sizes
from ltviz.data.upload import UNLABELLED, read_embeddings
from ltviz.errors import DataError

SUFFIXES = (".npz", ".parquet", ".csv", ".tsv", ".jsonl", ".safetensors", ".csv.gz", ".tsv.gz")
_FLAGS = {"label_column": "--data.label", "vector_columns": "--data.vectors"}
_TRAIN = ("train", "training")
_TESTS = (("test", "testing"), ("val", "valid", "validation", "eval", "dev"))


class TableOptions(Bounded):
    label: str = Field(
        "", max_length=200, description="Name of the column of labels; empty for label, labels, class, y or target."
    )
    vectors: str = Field(
        "",
        max_length=10_000,
        description="Names of the columns that are the vectors, separated by commas; found by their names where empty.",
    )


class Rows(NamedTuple):
    """The rows of a table that have a label: which are to train and which to test on, and what was left out."""

    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    notes: tuple[str, ...]


def read_vectors(file: Path, label: str = "", vectors: str = "") -> tuple[NDArray[np.float32], Rows]:
    """Vectors (N, F) and labels (N,) of a table; a column `split` says what is to train and what to test on, else a
    part of each class is held out.

    Args:
        label, vectors: as `TableOptions` has them.

    Raises:
        DataError: a damaged file, one without labels, or a class without rows.
    """
    try:
        named = [name.strip() for name in vectors.split(",") if name.strip()]
        upload = read_embeddings(file, label_column=label or None, vector_columns=named or None, features=True)
    except DataError as error:
        raise DataError(f"{_in_flags(str(error)).removesuffix('.')}: {file}") from error
    if upload.labels is None:
        raise DataError(
            f"table-lt needs a column of labels, but none is named label, labels, class, y or target; name it with "
            f"--data.label: {file}"
        )
    known = np.flatnonzero(upload.labels != UNLABELLED)
    labels = upload.labels[known].astype(np.int64)
    names = upload.class_names or tuple(map(str, range(int(labels.max(initial=-1)) + 1)))
    split = None if upload.split is None else [upload.split[row] for row in known.tolist()]
    found = upload.embeddings if len(known) == len(upload.labels) else upload.embeddings[known]
    return found, divided(labels, names, split, [_in_flags(note) for note in upload.notes], file)


def _in_flags(told: str) -> str:
    """A sentence of the reader of tables, which names its own parameters, with our options in their place."""
    for parameter, flag in _FLAGS.items():
        told = told.replace(parameter, flag)
    return told


def divided(
    labels: NDArray[np.int64],
    names: tuple[str, ...],
    split: Sequence[str] | None,
    notes: Sequence[str],
    file: Path,
) -> Rows:
    """Rows by what the column `split` says of each, (N,) texts; without one a part of each class is held out.

    Raises:
        DataError: fewer than two classes, a class without rows, or a split that names no training or test rows.
    """
    if len(names) < 2:
        raise DataError(f"a table needs rows of at least 2 classes, got {len(names)}: {file}")
    class_sizes(labels, names, f"{file}")
    if split is None:
        train, test = hold_out(labels, names, f"{file}")
        note = f"There is no column `split`: {len(test):,} rows, equally many of each class, are held out."
        return Rows(labels, names, train, test, (*notes, note, *_even(labels[train])))
    said = np.array([one.strip().lower() for one in split])
    train = np.flatnonzero(np.isin(said, _TRAIN))
    test = next((rows for words in _TESTS if len(rows := np.flatnonzero(np.isin(said, words)))), np.zeros(0, np.int64))
    for kind, rows in (("train", train), ("test", test)):
        if not len(rows):
            held = ", ".join(repr(str(word)[:40]) for word in np.unique(said)[:6])
            raise DataError(f"the column `split` must say {kind} of some rows, but holds {held}: {file}")
        class_sizes(labels[rows], names, f"the {kind} part of {file}")
    others = len(labels) - len(train) - len(test)
    left = (f"Rows of another split than train and test, left out: {others:,}.",) if others else ()
    return Rows(labels, names, train, test, (*notes, *left, *_even(labels[train])))


def _even(labels: NDArray[np.int64]) -> tuple[str, ...]:
    return usual_profile(np.bincount(labels).tolist())[1]


class Table(Source):
    name = "table-lt"
    title = "A table of features"
    about = (
        "Vectors and labels of a CSV, Parquet or NPZ file, such as frozen features of CLIP: heads alone are trained."
    )
    Options = TableOptions
    needs_files = True

    def missing(self, where: Where) -> str | None:
        found = [] if where.data_dir is None else tables(where.data_dir)
        if len(found) == 1:
            return None
        if where.data_dir is None:
            lack = "none was given"
        elif found:
            lack = f"{where.data_dir} holds {len(found)}"
        else:
            lack = f"none is at {where.data_dir}"
        return (
            "table-lt needs one file with vectors and labels (.csv or .parquet with a column `label`, or .npz with the "
            f"arrays `embeddings` and `labels`), but {lack}; set --data-dir to the file"
        )

    def outline(self, where: Where) -> Outline:
        file = self._file(where)
        about = file.stat()
        options = cast(TableOptions, where.options)
        return _outline(file, about.st_mtime_ns, about.st_size, options.label, options.vectors)

    def read(self, where: Where) -> Pool:
        options = cast(TableOptions, where.options)
        return pool(*read_vectors(self._file(where), options.label, options.vectors))

    def _file(self, where: Where) -> Path:
        if why := self.missing(where):
            raise DataError(why)
        assert where.data_dir is not None
        return tables(where.data_dir)[0]


def tables(place: Path) -> list[Path]:
    """The file itself, or the tables in a folder."""
    if place.is_file():
        return [place]
    held = sorted(place.iterdir()) if place.is_dir() else []
    return [one for one in held if one.is_file() and one.name.lower().endswith(SUFFIXES)]


def pool(vectors: NDArray[np.float32], rows: Rows) -> Pool:
    """The rows and their (N, F) vectors as a set; `ids` are their places among the rows that have a label."""
    return Pool(
        train_inputs=HeldInputs(vectors[rows.train]),
        train_labels=rows.labels[rows.train],
        train_ids=rows.train,
        test_inputs=HeldInputs(vectors[rows.test]),
        test_labels=rows.labels[rows.test],
        test_ids=rows.test,
        class_names=rows.class_names,
        notes=rows.notes,
    )


def outline(shape: tuple[int, ...], rows: Rows) -> Outline:
    """What the rows hold. A table whose classes are uneven stays as it is."""
    counts, test_counts = (
        tuple(np.bincount(rows.labels[part], minlength=len(rows.class_names)).tolist())
        for part in (rows.train, rows.test)
    )
    return Outline(
        class_names=rows.class_names,
        shape=shape,
        train_counts=counts,
        test_counts=test_counts,
        profile=usual_profile(counts)[0],
        notes=rows.notes,
    )


@lru_cache(maxsize=8)
def _outline(file: Path, _changed: int, _size: int, label: str, columns: str) -> Outline:
    """Kept, for a form asks again and again; the vectors are not."""
    vectors, rows = read_vectors(file, label, columns)
    return outline(vectors.shape[1:], rows)
