"""The one place that decides which column is what: the vectors, the label, the id, the name, the split.

What is named speaks for itself. What is guessed is noted with the argument that changes it; what could be two things
is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ltviz.data.upload.contents import Categories, Column, Contents, Unreadable, listed
from ltviz.data.upload.dimensions import dimensions, have_known_stem
from ltviz.data.upload.kinds import (
    CLASS_NAMES,
    EMBEDDINGS,
    IDS,
    LABELS,
    NAMES,
    NUMBERED,
    SPLITS,
    is_broken,
    is_flat,
    is_id,
    is_row_number,
    is_scalar,
    is_whole,
    length,
)
from ltviz.data.upload.vectors import refuse_broken, unreadable
from ltviz.errors import DataError

_VECTORS = ("embeddings", "embedding", "vectors", "vector", "emb")
# Text of these names is what was embedded, not its class.
_PROSE = {"text", "texts", "sentence", "caption", "title", "document", "prompt", "word", "words", "url", "description"}
# Text is no class where nearly every row holds another.
_FEW = 10


@dataclass(slots=True)
class Roles:
    """Names of the columns that are each thing; None where there is none. `vectors` is one column of vectors, or one
    column a dimension."""

    vectors: tuple[str, ...] = ()
    label: str | None = None
    class_names: str | None = None
    id: str | None = None
    name: str | None = None
    split: str | None = None
    notes: list[str] = field(default_factory=list)

    def taken(self) -> set[str]:
        one = {self.label, self.class_names, self.id, self.name, self.split}
        return {*self.vectors, *(name for name in one if name is not None)}


def decide(
    contents: Contents,
    *,
    label_column: str | None = None,
    vector_columns: Sequence[str] | None = None,
    vectors: bool = True,
    labels: bool = True,
    only: bool = True,
) -> Roles:
    """The role of each column. `label_column=""` says that none is the label. `vectors=False`: the file holds what
    stands beside the vectors; `labels=False`: labels are given elsewhere, none are missed here. `only`: what stands
    beside vectors without another role is the label.

    Raises:
        DataError: a name that is not there, or no way to tell which columns are the vectors.
    """
    roles = Roles()
    _named(contents, roles)
    if vector_columns is not None:
        roles.vectors = _present(contents, [vector_columns] if isinstance(vector_columns, str) else vector_columns)
        for role in ("label", "id", "name", "split", "class_names"):
            if getattr(roles, role) in roles.vectors:
                setattr(roles, role, None)
    if label_column is not None:
        roles.label = _present(contents, [label_column])[0] if label_column else None
        for role in ("id", "name", "split"):
            if getattr(roles, role) == roles.label:
                setattr(roles, role, None)
    if contents.header and contents.noun == "column" and roles.id is None:
        _row_numbers(contents, roles)
    if vectors and not contents.header:
        _by_position(contents, roles, guess=label_column is None, labels=labels)
    if vectors and not roles.vectors:
        roles.vectors = _find_vectors(contents, roles)
    if roles.label is None and label_column is None and labels:
        _guess_label(contents, roles, vectors, only)
    for role, words in (("id", "sample ids"), ("name", "names of the points"), ("split", "split")):
        if getattr(roles, role) is not None:
            roles.notes.append(f"{contents.noun.capitalize()} '{getattr(roles, role)[:40]}' was taken as the {words}.")
    return roles


def _named(contents: Contents, roles: Roles) -> None:
    """Roles that columns have by their names."""
    columns = contents.columns
    lower: dict[str, str] = {}
    for name in columns:
        if not contents.header:
            break
        if name.lower() in lower and name.lower() in (*LABELS, *IDS, *NAMES, *SPLITS):
            raise DataError(
                f"The {contents.noun}s '{lower[name.lower()]}' and '{name}' differ only in capitals; rename one."
            )
        lower[name.lower()] = name

    def first(names: Sequence[str]) -> str | None:
        return next((lower[name] for name in names if name in lower), None)

    label_names = LABELS
    if "x" in lower and is_scalar(columns[lower["x"]]) and "y" in lower:
        label_names = LABELS[:-1]
        if is_scalar(columns[lower["y"]]):
            roles.notes.append(
                "'y' was read as a coordinate, because 'x' stands beside it; label_column='y' changes that."
            )
    roles.label = first(label_names)
    roles.class_names = first(CLASS_NAMES)
    names = first(NAMES)
    if roles.class_names is None and contents.noun == "array" and names is not None and roles.label is not None:
        # In an archive of arrays "names" may be those of the classes: then they are not as many as the labels.
        label = columns[roles.label]
        if not isinstance(label, Unreadable) and length(columns[names]) != length(label):
            roles.class_names, names = names, None
    roles.name = names if names is not None and is_flat(columns[names]) else None
    roles.split = next((lower[name] for name in SPLITS if name in lower and is_flat(columns[lower[name]])), None)
    for name in (*(name for name in contents.index if name in columns), *(lower[key] for key in IDS if key in lower)):
        if roles.id is None and name != roles.label and is_id(columns[name]):
            roles.id = name


def _row_numbers(contents: Contents, roles: Roles) -> None:
    """A first column that counts the rows is no dimension, whatever it is called."""
    first = next(iter(contents.columns), "")
    others = sum(map(is_scalar, contents.columns.values())) - 1
    if others > 1 and first not in roles.taken() and not NUMBERED.fullmatch(first):
        roles.id = first if is_row_number(contents.columns[first]) else None


def _present(contents: Contents, names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in contents.columns:
            raise DataError(
                f"There is no {contents.noun} '{name[:40]}'; the file holds {listed(list(contents.columns))}."
            )
    if len(set(names)) < len(names):
        raise DataError(f"Each {contents.noun} is one dimension; {listed(list(names))} names one twice.")
    return tuple(names)


def _by_position(contents: Contents, roles: Roles, *, guess: bool, labels: bool) -> None:
    """Roles in a table whose columns have no names: vectors in a cell, or numbers with the class first or last."""
    names = [name for name in contents.columns if name != roles.label and name not in roles.vectors]
    if roles.vectors or any(getattr(contents.columns[name], "ndim", 0) == 2 for name in names):
        roles.notes.append("The table has no header: its columns are named by their place.")
        return
    scalars = [name for name in names if is_scalar(contents.columns[name])]
    whole = {name for name in scalars if is_whole(contents.columns[name])}
    if not all(name in whole for name in scalars):
        if len(scalars) > 3 and scalars[0] in whole and is_row_number(contents.columns[scalars[0]]):
            roles.id = scalars[0]
        ends = [name for name in dict.fromkeys((names[0], names[-1])) if name in whole and name != roles.id]
        text = any(isinstance(contents.columns[name], Categories) for name in names)
        if guess and len(ends) == 2 and not text:
            raise DataError(
                f"Both '{ends[0]}' and '{ends[1]}' hold whole numbers only and could be the labels; give the table a "
                "header or name label_column."
            )
        if guess and len(ends) == 1 and len(scalars) > 2 and not text:
            roles.label = ends[0]
            place = "first" if ends[0] == names[0] else "last"
            roles.notes.append(
                f"The {place} column ('{ends[0]}') holds whole numbers only and was taken as labels; label_column "
                "changes that."
            )
    roles.vectors = tuple(name for name in scalars if name not in roles.taken())
    refuse_broken(contents, [name for name in names if is_broken(contents.columns[name])])
    unlabelled = labels and roles.label is None and len(scalars) == len(names)
    rest = ", and none as labels" if unlabelled else ""
    roles.notes.append(
        f"The table has no header: {len(roles.vectors)} columns were taken as the dimensions{rest}; label_column and "
        "vector_columns change that."
    )


def _find_vectors(contents: Contents, roles: Roles) -> tuple[str, ...]:
    taken = roles.taken()
    arrays = {name: column for name, column in contents.columns.items() if name not in taken}
    by_name = {name.lower(): name for name in reversed(arrays)}
    meant = [by_name[name] for name in EMBEDDINGS if name in by_name]
    matrices = [name for name, column in arrays.items() if isinstance(column, np.ndarray) and column.ndim >= 2]
    several = [name for name in meant if name in matrices]
    if several:
        return (several[0],)
    if contents.noun == "array" and meant:
        return (meant[0],)
    broken = [name for name in meant if isinstance(contents.columns[name], Unreadable)]
    if broken:
        raise DataError(unreadable(contents, broken[0]))
    columns = [(name, contents.columns[name]) for name in meant if name.lower() in _VECTORS]
    text = [(name, column) for name, column in columns if isinstance(column, Categories)]
    if text and contents.noun == "column":
        name, column = text[0]
        cell = next(iter(column.names), "")
        raise DataError(
            f"Column '{name}' holds text, like '{cell[:40]}', and no vectors like [0.1, 0.2]; save them as those, "
            "or name vector_columns."
        )
    if len(matrices) == 1:
        return (matrices[0],)
    if len(matrices) > 1 and contents.noun == "column":
        raise DataError(f"Several columns hold vectors: {listed(matrices)}; name one with vector_columns.")
    if contents.noun == "array":
        if len(arrays) == 1:
            return tuple(arrays)
        raise DataError(
            f"The file must hold an array named 'embeddings'; it holds {listed(list(contents.columns)) or 'nothing'}, "
            "rename one."
        )
    lists = [name for name, column in arrays.items() if isinstance(column, Unreadable) and "vectors" in column.why]
    if lists and not have_known_stem([name for name, column in arrays.items() if is_scalar(column)]):
        raise DataError(unreadable(contents, lists[0]))
    return dimensions(contents, list(arrays), roles.notes)


def _may_be_classes(name: str, column: Column) -> bool:
    if not isinstance(column, Categories) or name.lower() in _PROSE:
        return False
    return len(column.names) <= max(len(column) / 2, _FEW)


def _guess_label(contents: Contents, roles: Roles, vectors: bool, only: bool) -> None:
    """A label without a name that says so: the only column of text that repeats, or the only array beside a matrix."""
    taken = roles.taken()
    columns = {name: column for name, column in contents.columns.items() if name not in taken and is_flat(column)}
    if vectors:
        count = length(contents.columns[roles.vectors[0]])
        columns = {name: column for name, column in columns.items() if length(column) == count}
    text = [name for name, column in columns.items() if _may_be_classes(name, column)]
    guesses = text
    if contents.noun == "array":
        guesses = [name for name, column in columns.items() if name in text or is_whole(column)]
        rows = [name for name in guesses if is_row_number(columns[name])]
        guesses = [name for name in guesses if name not in rows]
        # numpy.savez(path, z, y) names arrays by their place; of a name that means something else nothing is guessed.
        guesses = [name for name in guesses if name in text or re.fullmatch(r"arr_\d+", name)]
    elif not vectors and len(columns if only else contents.columns) == 1:
        guesses = list(columns)
    if len(guesses) == 1:
        roles.label = guesses[0]
        if len(contents.columns) > 1:
            roles.notes.append(
                f"{contents.noun.capitalize()} '{guesses[0][:40]}' looks like the labels and was taken as such; "
                "label_column changes that."
            )
    elif columns and contents.header:
        roles.notes.append(
            f"No {contents.noun} was taken as labels; label_column names one of {listed(list(columns))}."
        )
