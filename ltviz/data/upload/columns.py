"""The one place that decides which column is what: the vectors, the label, the id, the name, the split.

What is named speaks for itself. What is guessed is noted with the argument that changes it; what could be two things
is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ltviz.data.upload.contents import Categories, Contents, Unreadable, listed, sizes
from ltviz.errors import DataError

EMBEDDINGS = ("embeddings", "embedding", "z", "features", "feature", "x", "vectors", "vector", "emb")
LABELS = ("labels", "label", "targets", "target", "classes", "class", "y")
CLASS_NAMES = ("class_names", "classnames", "label_names")
IDS = ("id", "ids", "sample_id", "sample_ids", "index", "idx", "uuid", "__index_level_0__", "unnamed: 0")
NAMES = ("name", "names", "filename", "filenames", "file_name", "file", "path", "paths", "image_path")
SPLITS = ("split", "splits", "subset")

# What dimensions are called before their number; other stems may as well count something else.
_STEMS = {*EMBEDDINGS, "", "f", "feat", "dim", "d", "e", "v", "h", "pc", "component", "latent", "column"}
_NUMBERED = re.compile(r"(.*?)[ _.\-\[(]*(\d+)[\])]*")
_COORDINATES = ("x", "y", "z", "w")
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
) -> Roles:
    """The role of each column. `label_column=""` says that none is the label. `vectors=False`: the file holds what
    stands beside the vectors; `labels=False`: labels are given elsewhere, none are missed here.

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
    if vectors and not contents.header:
        _by_position(contents, roles, guess=label_column is None, labels=labels)
    if vectors and not roles.vectors:
        roles.vectors = _find_vectors(contents, roles)
    if roles.label is None and label_column is None and labels:
        _guess_label(contents, roles, vectors)
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
    if "x" in lower and _is_scalar(columns[lower["x"]]) and "y" in lower:
        label_names = LABELS[:-1]
        if _is_scalar(columns[lower["y"]]):
            roles.notes.append(
                "'y' was read as a coordinate, because 'x' stands beside it; label_column='y' changes that."
            )
    roles.label = first(label_names)
    roles.class_names = first(CLASS_NAMES)
    names = first(NAMES)
    if roles.class_names is None and contents.noun == "array" and names is not None and roles.label is not None:
        # In an archive of arrays "names" may be those of the classes: then they are not as many as the labels.
        label = columns[roles.label]
        if not isinstance(label, Unreadable) and _length(columns[names]) != _length(label):
            roles.class_names, names = names, None
    roles.name = names if names is not None and _is_flat(columns[names]) else None
    roles.split = next((lower[name] for name in SPLITS if name in lower and _is_flat(columns[lower[name]])), None)
    for name in (*(name for name in contents.index if name in columns), *(lower[key] for key in IDS if key in lower)):
        if roles.id is None and name != roles.label and _is_id(columns[name]):
            roles.id = name


def _present(contents: Contents, names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in contents.columns:
            raise DataError(
                f"There is no {contents.noun} '{name[:40]}'; the file holds {listed(list(contents.columns))}."
            )
    if len(set(names)) < len(names):
        raise DataError(f"Each {contents.noun} is one dimension; {listed(list(names))} names one twice.")
    return tuple(names)


def _length(column: object) -> int:
    if isinstance(column, np.ndarray):
        return column.shape[0] if column.ndim else -1
    return len(column) if isinstance(column, Categories) else -1


def _is_flat(column: object) -> bool:
    return isinstance(column, Categories) or (isinstance(column, np.ndarray) and column.ndim == 1)


def _is_scalar(column: object) -> bool:
    return isinstance(column, np.ndarray) and column.ndim == 1 and column.dtype.kind in "iuf"


def _is_whole(column: object) -> bool:
    return _is_scalar(column) and bool(np.isfinite(column).all() and (column % 1 == 0).all())


def _is_id(column: object) -> bool:
    """Whether each row has its own: what repeats may be whose row it is, not which."""
    if isinstance(column, Categories):
        return len(set(column.codes.tolist())) == len(column) and -1 not in column.codes
    return _is_whole(column) and len(np.unique(column)) == len(column)


def _is_row_number(column: object) -> bool:
    if not _is_whole(column) or len(column) < 3:
        return False
    return bool(column[0] in (0, 1) and (np.diff(column) == 1).all())


def _is_broken(column: object) -> bool:
    """Whether most of a column of text are numbers: a dimension with an odd cell in it."""
    if not isinstance(column, Categories):
        return False
    number = np.array([*(_number(name) is not None and not _leads_with_zero(name) for name in column.names), True])
    return 2 * int(number[column.codes].sum()) >= len(column) and not number[:-1].all()


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _leads_with_zero(text: str) -> bool:
    return len(text) > 1 and text.isdigit() and text[0] == "0"


def _by_position(contents: Contents, roles: Roles, *, guess: bool, labels: bool) -> None:
    """Roles in a table whose columns have no names: vectors in a cell, or numbers with the class first or last."""
    names = [name for name in contents.columns if name != roles.label and name not in roles.vectors]
    vectors = [name for name in names if isinstance(contents.columns[name], np.ndarray) and
               contents.columns[name].ndim == 2]  # fmt: skip
    if vectors or roles.vectors:
        roles.notes.append("The table has no header: its columns are named by their place.")
        return
    scalars = [name for name in names if _is_scalar(contents.columns[name])]
    whole = {name for name in scalars if _is_whole(contents.columns[name])}
    if not all(name in whole for name in scalars):
        if len(scalars) > 3 and scalars[0] in whole and _is_row_number(contents.columns[scalars[0]]):
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
    _refuse_broken(contents, [name for name in names if _is_broken(contents.columns[name])])
    rest = (
        ""
        if roles.label is not None or not labels or any(name not in scalars for name in names)
        else ", and none as labels"
    )
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
        raise DataError(_unreadable(contents, broken[0]))
    text = [name for name in meant if name.lower() in _VECTORS and isinstance(contents.columns[name], Categories)]
    if text and contents.noun == "column":
        cell = next(iter(contents.columns[text[0]].names), "")
        raise DataError(
            f"Column '{text[0]}' holds text, like '{cell[:40]}', and no vectors like [0.1, 0.2]; save them as those, "
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
    if lists:
        raise DataError(_unreadable(contents, lists[0]))
    return _dimensions(contents, list(arrays), roles)


def _dimensions(contents: Contents, names: list[str], roles: Roles) -> tuple[str, ...]:
    """The columns of numbers that are the dimensions, among those that have no other role."""
    columns = contents.columns
    scalars = [name for name in names if _is_scalar(columns[name]) and not _speaks_of_else(name, names)]
    first = next(iter(columns))
    unnamed = len(scalars) > 2 and scalars[0] == first and not _NUMBERED.fullmatch(first)
    if roles.id is None and unnamed and _is_row_number(columns[first]):
        roles.id = scalars.pop(0)
    odd = [name for name in names if _is_broken(columns[name])]
    empty = [name for name in names if isinstance(columns[name], Unreadable) and columns[name].why == "is empty"]
    fractions = [name for name in scalars if _may_be_fraction(contents, name)]
    families = _families([*scalars, *odd, *empty], list(columns))
    if families:
        chosen = _family(families, fractions)
        _refuse_broken(contents, [name for name in chosen if name in (*odd, *empty)])
        return tuple(chosen)
    _refuse_broken(contents, odd)
    chosen = fractions if len(fractions) > 1 else scalars
    if len(chosen) < 2:
        held = f"only '{chosen[0][:40]}' holds numbers" if chosen else "none holds numbers"
        raise DataError(
            f"Embeddings need a column of vectors or at least 2 columns of numbers; of {listed(list(columns))} {held}."
        )
    left = [name for name in scalars if name not in chosen]
    beside = f", and {listed(left)} not, being whole numbers beside fractions" if left else ""
    roles.notes.append(f"Columns {listed(chosen)} were taken as the dimensions{beside}; vector_columns changes that.")
    return tuple(chosen)


def _speaks_of_else(name: str, names: list[str]) -> bool:
    """Whether a column's name says that it is no dimension, though another column has the role."""
    lower = name.lower()
    if lower == "y" and any(other.lower() == "x" for other in names):
        return False
    return lower in (*LABELS, *IDS, *NAMES, *SPLITS) or lower.startswith("unnamed: ")


def _may_be_fraction(contents: Contents, name: str) -> bool:
    """Whether a column of numbers is of fractions: by its type, or where it was text by its numbers."""
    column = contents.columns[name]
    return column.dtype.kind == "f" and not (contents.untyped and _is_whole(column))


def _families(candidates: list[str], order: list[str]) -> dict[str, list[str]]:
    """Columns that are numbered alike (f0, f1, ...; embedding_0, ...), and coordinates x, y, z, by their stem."""
    found: dict[str, list[str]] = {}
    for name in sorted(candidates, key=order.index):
        match = _NUMBERED.fullmatch(name.lower())
        if match and not name.lower().startswith("unnamed:"):
            found.setdefault(match[1], []).append(name)
    lower = {name.lower(): name for name in candidates}
    if "x" in lower and "y" in lower:
        found["x, y"] = [lower[name] for name in _COORDINATES if name in lower]
    return {stem: names for stem, names in found.items() if len(names) > 1}


def _family(families: dict[str, list[str]], fractions: list[str]) -> list[str]:
    known = {stem: names for stem, names in families.items() if stem in _STEMS}
    left = known if len(known) == 1 else families
    if len(left) == 1:
        stem, chosen = next(iter(left.items()))
        outside = [name for name in fractions if name not in chosen]
        if stem in known or len(outside) * 3 <= len(chosen):
            return chosen
        others = listed(outside, 3)
    else:
        (_, chosen), (_, other) = list(left.items())[:2]
        others = listed(other, 3)
    raise DataError(
        f"The columns {listed(chosen, 3)} could be the vectors, and so could {others}; name them with vector_columns."
    )


def _refuse_broken(contents: Contents, names: list[str]) -> None:
    for name in names:
        column = contents.columns[name]
        if isinstance(column, Unreadable):
            raise DataError(_unreadable(contents, name))
        bad = [code for code, text in enumerate(column.names) if _number(text) is None]
        row = int(np.flatnonzero(np.isin(column.codes, [*bad, -1]))[0])
        got = f"'{column.texts()[row][:40]}'" if column.codes[row] >= 0 else "nothing"
        raise DataError(
            f"Embeddings must be numbers; {contents.where(row)}, '{name[:40]}', holds {got}, mend it or name "
            "vector_columns without it."
        )


def _unreadable(contents: Contents, name: str) -> str:
    return f"The vectors cannot be read: {contents.noun} '{name[:40]}' {contents.columns[name].why}."


def stacked(contents: Contents, names: tuple[str, ...]) -> np.ndarray:
    """The array that `names` make: one column of vectors as it is, or columns of numbers side by side."""
    columns = [contents.columns[name] for name in names]
    if len(names) == 1 and isinstance(columns[0], np.ndarray) and (columns[0].ndim != 1 or contents.noun == "array"):
        return columns[0]
    for name, column in zip(names, columns, strict=True):
        if isinstance(column, Unreadable):
            raise DataError(_unreadable(contents, name))
        if isinstance(column, Categories) and contents.noun == "column":
            _refuse_broken(contents, [name])
        if not isinstance(column, np.ndarray) or column.ndim != 1:
            got = "text" if isinstance(column, Categories) else f"an array of shape {sizes(column.shape)}"
            raise DataError(f"Embeddings must be numbers; {contents.noun} '{name[:40]}' is {got}.")
        if name in contents.blanks:
            row, cell = contents.blanks[name]
            got = f"'{cell[:40]}'" if cell else "nothing"
            # NaN that was written as such is refused with all rows that hold it.
            if cell.lower() != "nan":
                raise DataError(f"Embeddings must be numbers; {contents.where(row)}, '{name[:40]}', holds {got}.")
    return np.column_stack(columns)


def _guess_label(contents: Contents, roles: Roles, vectors: bool) -> None:
    """A label without a name that says so: the only column of text that repeats, or the only array beside a matrix."""
    taken = roles.taken()
    columns = {name: column for name, column in contents.columns.items() if name not in taken and _is_flat(column)}
    if vectors:
        count = _length(contents.columns[roles.vectors[0]])
        columns = {name: column for name, column in columns.items() if _length(column) == count}
    text = [
        name for name, column in columns.items()
        if isinstance(column, Categories)
        and name.lower() not in _PROSE
        and len(column.names) <= max(len(column) / 2, _FEW)
    ]  # fmt: skip
    guesses = text
    if contents.noun == "array":
        guesses = [name for name, column in columns.items() if name in text or _is_whole(column)]
        rows = [name for name in guesses if _is_row_number(columns[name])]
        guesses = [name for name in guesses if name not in rows]
        # numpy.savez(path, z, y) names arrays by their place; of a name that means something else nothing is guessed.
        guesses = [name for name in guesses if name in text or re.fullmatch(r"arr_\d+", name)]
    elif not vectors and len(columns) == 1:
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
