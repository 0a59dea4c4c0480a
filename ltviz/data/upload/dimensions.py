"""Which columns of numbers are the dimensions, where none holds whole vectors."""

from __future__ import annotations

import numpy as np

from ltviz.data.upload.contents import EMPTY, Contents, listed
from ltviz.data.upload.kinds import (
    EMBEDDINGS,
    IDS,
    LABELS,
    NAMES,
    NUMBERED,
    SPLITS,
    is_broken,
    is_scalar,
    is_spelled_number,
    is_whole,
)
from ltviz.data.upload.vectors import refuse_broken
from ltviz.errors import DataError

# What dimensions are called before their number; other stems may as well count something else.
_STEMS = {*EMBEDDINGS, "", "f", "feat", "dim", "d", "e", "v", "h", "pc", "component", "latent", "column"}
_COORDINATES = ("x", "y", "z", "w")


def dimensions(contents: Contents, names: list[str], notes: list[str]) -> tuple[str, ...]:
    """The columns of numbers that are the dimensions, among `names`, which have no other role.

    Columns that are numbered alike are; else those of fractions, which is noted.

    Raises:
        DataError: two sets of columns could be, fewer than 2 are, or a cell of one is no number.
    """
    columns = contents.columns
    lower = {name.lower() for name in names}
    scalars = [name for name in names if is_scalar(columns[name]) and not _speaks_of_else(name, lower)]
    odd = {name for name in names if is_broken(columns[name])}
    # Numbers that a float64 would change, and empty columns, are dimensions only where their names say so.
    meant = {name for name in names if is_spelled_number(columns[name]) or columns[name] is EMPTY}
    fractions = [name for name in scalars if _may_be_fraction(contents, name)]
    candidates = {*scalars, *odd, *meant}
    families = _families([name for name in names if name in candidates])
    if families:
        chosen = _family(families, fractions)
        refuse_broken(contents, [name for name in chosen if name in odd or columns[name] is EMPTY])
        _note_gaps(chosen, notes)
        return tuple(chosen)
    refuse_broken(contents, [name for name in names if name in odd])
    chosen = fractions if len(fractions) > 1 else scalars
    if len(chosen) < 2:
        held = f"only '{chosen[0][:40]}' holds numbers" if chosen else "none holds numbers"
        raise DataError(
            f"Embeddings need a column of vectors or at least 2 columns of numbers; of {listed(list(columns))} {held}."
        )
    left = sorted({*scalars} - {*chosen}, key=scalars.index)
    beside = f", and {listed(left)} not, being whole numbers beside fractions" if left else ""
    notes.append(f"Columns {listed(chosen)} were taken as the dimensions{beside}; vector_columns changes that.")
    return tuple(chosen)


def have_known_stem(names: list[str]) -> bool:
    """Whether columns are numbered alike and called what dimensions are called."""
    return any(stem in _STEMS for stem in _families(names))


def _note_gaps(chosen: list[str], notes: list[str]) -> None:
    matches = [NUMBERED.fullmatch(name) for name in chosen]
    numbers = sorted(int(match[2]) for match in matches if match)
    if len(numbers) < len(chosen) or numbers[-1] - numbers[0] == len(numbers) - 1 or len(numbers[:2]) < 2:
        return
    held = set(numbers)
    missing = next((number for number in range(numbers[0], numbers[-1]) if number not in held), None)
    if missing is not None:
        notes.append(f"The columns {listed(chosen, 3)} are not numbered without a gap: there is no {missing}.")


def _speaks_of_else(name: str, names: set[str]) -> bool:
    """Whether a column's name says that it is no dimension, though another column has the role."""
    lower = name.lower()
    if lower == "y" and "x" in names:
        return False
    return lower in (*LABELS, *IDS, *NAMES, *SPLITS) or lower.startswith("unnamed: ")


def _may_be_fraction(contents: Contents, name: str) -> bool:
    """Whether a column of numbers is of fractions: by its type, or where it was text by its numbers."""
    column = contents.columns[name]
    return isinstance(column, np.ndarray) and column.dtype.kind == "f" and not (contents.untyped and is_whole(column))


def _families(candidates: list[str]) -> dict[str, list[str]]:
    """Columns that are numbered alike (f0, f1, ...; embedding_0, ...), and coordinates x, y, z, by their stem."""
    found: dict[str, list[str]] = {}
    for name in candidates:
        match = NUMBERED.fullmatch(name.lower())
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
        inside = {*chosen}
        outside = [name for name in fractions if name not in inside]
        if stem in known or len(outside) * 3 <= len(chosen):
            return chosen
        others = listed(outside, 3)
    else:
        (_, chosen), (_, other) = list(left.items())[:2]
        others = listed(other, 3)
    raise DataError(
        f"The columns {listed(chosen, 3)} could be the vectors, and so could {others}; name them with vector_columns."
    )
