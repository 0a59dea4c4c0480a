"""Embeddings out of strangers' files: .npz, .npy, .safetensors, .csv, .tsv, JSON lines, and .parquet with pyarrow.

Nothing in the file is trusted. What it is shows in its first bytes, not in its name; what it claims to hold is
compared with caps and with its own size before memory is taken; nothing is unpacked to disk, nothing is unpickled.

Read in this order: `contents` (columns by name, before they mean anything), `formats` (which reader a file goes to) and
the readers (`numpy_file`, `safetensors_file`, `parquet`, `table` with its child `table_program`), `columns` (which
column is what; with `kinds` and `dimensions`), `vectors` and `classes` (what becomes of them), and this file, which
puts them together.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ltviz.data.upload import columns, formats
from ltviz.data.upload.classes import UNLABELLED, number_classes
from ltviz.data.upload.columns import Roles
from ltviz.data.upload.contents import MAX_ARRAY, Categories, Column, Contents, Unreadable, listed, sizes
from ltviz.data.upload.kinds import is_flat, length
from ltviz.data.upload.vectors import as_rows, stacked
from ltviz.errors import DataError

__all__ = ["UNLABELLED", "Categories", "Upload", "read_embeddings"]

MAX_FEATURES = 4 << 30
"""Bytes of a file of features; those of ImageNet-LT by CLIP have 0.4 GB."""


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """What was understood of a file of N points.

    `embeddings` (N, D) float32 as in the file, finite, no zero row, not normalised. `labels` (N,) int32 or None, -1
    (`UNLABELLED`) where a point has none; `class_names[label]` names a label, None where its number is its name.
    `ids`, `names` and `split` are texts, one a point. `attributes` are all other columns by name: (N,) numbers, or
    `Categories`. `vector_columns`, `label_column` and `columns` ("id", "name", "split": the column) are what was used,
    `choices` and `vector_choices` what else could be: all columns of the file of the labels, and of that of vectors.
    `left_out` says of each column that is nowhere here why. `notes` are sentences that the person should read: each
    guess, with the argument that changes it, and everything that was changed or left out.
    """

    embeddings: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...] | None
    notes: tuple[str, ...]
    ids: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    split: tuple[str, ...] | None = None
    attributes: dict[str, np.ndarray | Categories] = field(default_factory=dict)
    vector_columns: tuple[str, ...] = ()
    label_column: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    vector_choices: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)


def read_embeddings(
    path: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | Sequence[Any] | np.ndarray | None = None,
    label_column: str | None = None,
    vector_columns: Sequence[str] | None = None,
    features: bool = False,
    metadata: str | os.PathLike[str] | None = None,
) -> Upload:
    """Embeddings and whatever else the file says of each point.

    Args:
        path: the file. Columns are found by name ("embeddings", "z", "features", "x0", "x1", ...; "label", "y",
            "class"; "id"; "name", "filename"; "split"; "class_names"), else guessed where only one guess is sound.
        labels: labels of the same points in the same order, or a file of them: .npy, a table, the projector's
            metadata, or one label a line. They replace the labels in the file.
        label_column: the column that holds the labels, of the file of labels where one is given; "" for none.
        vector_columns: the column that holds vectors, or the columns that are the dimensions. Columns of a table
            without a header are named "column 1", "column 2", ...
        features: the vectors are what an encoder will read, not directions: they may be zero, and of one number; and
            the file is the user's own, of up to 4 GB.
        metadata: in place of `labels`, a table in the manner of TensorBoard's projector: it says whatever is known of
            the points, a label among it or not, and the file holds vectors alone.

    Raises:
        DataError: one sentence: what is wrong, in which line or row, and what to do.

    Example:
        >>> import numpy, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "e.csv")
        >>> _ = path.write_text("f0,f1,label\\n0.5,1,cat\\n1,0.25,dog\\n")
        >>> upload = read_embeddings(path)
        >>> upload.embeddings.shape, upload.class_names
        ((2, 2), ('cat', 'dog'))
    """
    try:
        return _read(Path(path), labels, label_column, vector_columns, metadata, features)
    except DataError as error:
        if "\n" not in str(error) and "\r" not in str(error):
            raise
        # Names and cells are a stranger's: a line break in one does not break the sentence.
        raise DataError(_one_line(str(error))) from error


def _read(
    path: Path,
    labels: Any,
    label_column: str | None,
    vector_columns: Sequence[str] | None,
    metadata: str | os.PathLike[str] | None,
    features: bool,
) -> Upload:
    contents = formats.read(path, most_bytes=MAX_FEATURES if features else MAX_ARRAY)
    alone = labels is None and metadata is None
    if metadata is not None and vector_columns is None:
        vector_columns = tuple(contents.columns)
    roles = columns.decide(
        contents,
        label_column=label_column if alone else None,
        vector_columns=vector_columns,
        labels=alone,
    )
    notes = [*contents.notes, *roles.notes]
    array = stacked(contents, roles.vectors)
    count = array.shape[0] if array.ndim else 0
    if labels is not None:
        beside = _labels_beside(labels, label_column, count)
    else:
        beside = None if metadata is None else _metadata_beside(Path(metadata), label_column, count)
    if beside is not None and roles.label is not None:
        notes.append(f"The labels that were given replace those in '{roles.label[:40]}'.")
        roles.label = None
    label = contents.columns[roles.label] if roles.label is not None else None
    if contents.noun == "array":
        _check_orientation(array, label if beside is None else beside.label(), notes)
    rows = as_rows(array, contents, notes, directions=not features)
    understood = _Understood(contents, roles, rows, notes)
    if beside is not None:
        return understood.with_labels(beside)
    return understood.upload()


@dataclass(frozen=True, slots=True)
class _Beside:
    """Labels that do not stand in the file of the embeddings, and the other columns that stand beside them."""

    contents: Contents
    roles: Roles

    def label(self) -> Column | None:
        return None if self.roles.label is None else self.contents.columns[self.roles.label]


def _labels_beside(labels: Any, label_column: str | None, count: int) -> _Beside | None:
    if labels is None:
        return None
    if isinstance(labels, str | os.PathLike):
        contents = formats.read(Path(labels), rows=count)
        if list(contents.columns) == ["embeddings"]:  # a .npy file has no names
            contents = replace(contents, columns={"labels": contents.columns["embeddings"]})
        roles = columns.decide(contents, label_column=label_column, vectors=False)
        if roles.label is None:
            held = listed(list(contents.columns))
            raise DataError(f"The file of labels must hold one column, or one named 'label'; it holds {held}.")
        return _Beside(contents, roles)
    return _Beside(Contents({"labels": _given(labels)}, noun="array"), Roles(label="labels"))


def _metadata_beside(path: Path, label_column: str | None, count: int) -> _Beside:
    contents = formats.read(path, rows=count, tabs=True)
    return _Beside(contents, columns.decide(contents, label_column=label_column, vectors=False, only=False))


def _given(labels: Sequence[Any] | np.ndarray) -> Column:
    """Labels out of a program, where None and text may stand among numbers."""
    if isinstance(labels, np.ma.MaskedArray):
        masked, labels = np.ma.getmaskarray(labels), labels.data.astype(object)
        labels[masked] = None
    array = np.asarray(labels, object) if isinstance(labels, list | tuple) else np.asarray(labels)
    if array.dtype != object or array.ndim != 1:
        return np.asarray(labels)
    values = [UNLABELLED if _is_absent(value) else value for value in array.tolist()]
    if all(isinstance(value, int | float | np.number) for value in values):
        return np.array(values)
    texts = ["" if value == UNLABELLED else str(value) for value in values]
    index_of = {text: index for index, text in enumerate(dict.fromkeys(texts))}
    return Categories(np.array([index_of[text] for text in texts], np.int32), tuple(index_of))


def _is_absent(value: Any) -> bool:
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas' NA does not even say whether it equals itself
        return True


def _check_orientation(array: np.ndarray, label: Column | None, notes: list[str]) -> None:
    """A matrix that was stored with the dimensions first has as many columns as there are labels."""
    if array.ndim != 2 or array.shape[0] >= array.shape[1]:
        return
    shape = sizes(array.shape)
    if label is not None and is_flat(label):
        if length(label) == array.shape[1]:
            raise DataError(
                f"Embeddings must have the shape (points, dimensions); got {shape} and {length(label):,} labels, "
                "save the transpose."
            )
    elif label is None:
        notes.append(
            f"The array of shape {shape} has more dimensions than points; if it is stored as (dimensions, points), "
            "save the transpose."
        )


class _Understood:
    """Puts together what the columns of one file, or two, say of the same points."""

    def __init__(self, contents: Contents, roles: Roles, rows: np.ndarray, notes: list[str]) -> None:
        self.rows = rows
        self.notes = notes
        self.roles = roles
        self.contents = contents
        self.attributes: dict[str, np.ndarray | Categories] = {}
        self.texts: dict[str, tuple[str, ...]] = {}
        self.columns: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        self._take(contents, roles)

    def _take(self, contents: Contents, roles: Roles) -> None:
        """Texts and attributes of the columns of one file."""
        for role in ("id", "name", "split"):
            column = getattr(roles, role)
            if column is None:
                continue
            held = contents.columns[column]
            if isinstance(held, Unreadable) or len(held) != len(self.rows):
                self.left_out[column] = "not one a point"
                self.notes.append(f"{contents.noun.capitalize()}s left out: '{column[:40]}' (not one a point).")
            else:
                self.texts[role] = _texts(held)
                self.columns[role] = column
        left_out, kept = {}, []
        for name, column in contents.columns.items():
            if name in roles.taken():
                continue
            why = column.why if isinstance(column, Unreadable) else _why_no_attribute(column, len(self.rows))
            if isinstance(column, Unreadable) or why:
                left_out[name] = why
            elif name in self.attributes:
                left_out[name] = "stands in both files"
            else:
                self.attributes[name] = column
                kept.append(name)
        if kept:
            self.notes.append(f"{contents.noun.capitalize()}s kept as attributes: {listed(kept)}.")
        if left_out:
            told = ", ".join(f"'{name[:40]}' ({why})" for name, why in left_out.items())
            self.notes.append(f"{contents.noun.capitalize()}s left out: {told}.")
            self.left_out |= left_out

    def with_labels(self, beside: _Beside) -> Upload:
        self.notes += [*beside.contents.notes, *beside.roles.notes]
        own = dict(self.texts)
        self._take(beside.contents, beside.roles)
        for role, word in (("id", "ids"), ("name", "names")):
            if role in own and own[role] != self.texts[role]:
                self._refuse_another_order(word, own[role], self.texts[role])
        return self.upload(beside.contents, beside.roles)

    def _refuse_another_order(self, word: str, own: tuple[str, ...], beside: tuple[str, ...]) -> None:
        """Labels go by the order of the rows; what both files call the points may say that it is not the same one."""
        if sorted(own) == sorted(beside):
            row = next(row for row, (a, b) in enumerate(zip(own, beside, strict=True)) if a != b)
            raise DataError(
                f"The file of labels holds the {word} of the points in another order: row {row} (counted from 0) is "
                f"'{own[row][:40]}' among the embeddings and '{beside[row][:40]}' among the labels; bring both into "
                f"one order, or drop the {word} of one."
            )
        self.notes.append(
            f"The two files hold different {word} of the points: the labels were taken in the order of their rows."
        )

    def upload(self, contents: Contents | None = None, roles: Roles | None = None) -> Upload:
        contents, roles = contents or self.contents, roles or self.roles
        labels = names = None
        if roles.label is not None:
            class_names = None if roles.class_names is None else contents.columns[roles.class_names]
            column = contents.columns[roles.label]
            labels, names = number_classes(column, len(self.rows), contents, self.notes, class_names)
        elif roles.class_names is not None:
            self.notes.append(f"{contents.noun.capitalize()}s left out: '{roles.class_names}' (there are no labels).")
        return Upload(
            self.rows,
            labels,
            names,
            tuple(dict.fromkeys(map(_one_line, self.notes))),
            self.texts.get("id"),
            self.texts.get("name"),
            self.texts.get("split"),
            self.attributes,
            self.roles.vectors,
            roles.label,
            self.columns,
            tuple(contents.columns),
            tuple(self.contents.columns),
            self.left_out,
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _texts(column: np.ndarray | Categories) -> tuple[str, ...]:
    if isinstance(column, Categories):
        return column.texts()
    if column.dtype.kind == "f" and np.isfinite(column).all() and (column % 1 == 0).all():
        column = column.astype(np.int64)
    return tuple(map(str, column.tolist()))


def _why_no_attribute(column: np.ndarray | Categories, count: int) -> str | None:
    if isinstance(column, np.ndarray) and column.ndim != 1:
        return f"of shape {sizes(column.shape)}, not one value a point"
    if len(column) != count:
        return f"{len(column):,} values for {count:,} points"
    if isinstance(column, np.ndarray) and column.dtype.kind not in "biuf":
        return f"of type {str(column.dtype)[:40]}"
    return None
