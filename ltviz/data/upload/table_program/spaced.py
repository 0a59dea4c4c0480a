"""Tables with spaces between columns: those of numpy.savetxt, and word vectors as text. Standard library only."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from itertools import islice
from typing import Any

from cells import TableError, is_number
from delimited import SAMPLE, Row, checked_rows, has_header, names_of
from typed import Writer

# Words that repeat are no words but classes.
_FEW = 10
_WHOLE = re.compile("[0-9]{1,9}")


def parse_spaced(text: str, asked: dict[str, Any], notes: list[str]) -> tuple[Writer, bool] | None:
    """The columns of a table with spaces, and whether they have names; None for text that is no such table."""
    sample = [cells for _, cells in islice(_lines(text), SAMPLE)]
    if not sample or any("\t" in line for line in text.split("\n", SAMPLE)[:SAMPLE]):
        return None
    if counted := _counts(sample):
        return _words(list(islice(_lines(text), 1, None)), counted, notes), True
    body = sample[1:] or sample
    least = min(map(len, body))
    vectors = all(all(map(is_number, cells[1 - least :])) for cells in body)
    numbers = sum(all(is_number(cells[index]) for cells in body) for index in range(least))
    if least < 2 or (numbers < 2 and not vectors):
        return None
    rows = list(_lines(text))
    # A word may be a number, or have spaces in it: what stands before the vector counts, and that it is another each.
    if vectors and least > 2 and numbers < least and _are_words(rows, least):
        return _words(rows, (len(rows), least - 1), notes), True
    if len(sample[0]) != least:
        return None  # one name above vectors without brackets, say
    width = checked_rows(rows, formulas=False)
    title = _comment(text, width)
    header = title is None and has_header(rows, set(asked["known"]))
    names = names_of(rows.pop(0)[1]) if header else title or [f"column {index + 1}" for index in range(width)]
    notes.append("The columns were taken to be parted by spaces.")
    writer = Writer(array("i", [number for number, _ in rows]), notes)
    for index, name in enumerate(names):
        writer.cells(name, [cells[index] for _, cells in rows], bare=False)
    return writer, header or title is not None


def _lines(text: str) -> Iterator[Row]:
    """(line number, cells) of each line that is neither empty nor a comment of savetxt's."""
    for number, line in enumerate(text.split("\n"), 1):
        cells = line.split()
        # A word may be "#": a comment is one only where no numbers follow.
        if cells and not (cells[0].startswith("#") and not all(map(is_number, cells[1:]))):
            yield number, cells


def _comment(text: str, width: int) -> list[str] | None:
    """The names in savetxt's header, "# a b c"."""
    first = text.split("\n", 1)[0]
    names = first.lstrip("# ").split()
    return names_of(names) if first.startswith("#") and len(names) == width else None


def _counts(sample: list[list[str]]) -> tuple[int, int] | None:
    """How many words of how many dimensions follow, where the first line is word2vec's."""
    first = sample[0]
    if len(first) != 2 or not all(map(_WHOLE.fullmatch, first)) or len(sample) < 2:
        return None
    words, dim = int(first[0]), int(first[1])
    return (words, dim) if dim > 1 and len(sample[1]) == dim + 1 else None


def _are_words(rows: list[Row], width: int) -> bool:
    """Whether what stands before the numbers of each line is a name of its own, as in GloVe's files."""
    words = {" ".join(cells[: 1 - width]) for _, cells in rows}
    return len(words) > max(len(rows) / 2, _FEW)


def _words(rows: list[Row], counts: tuple[int, int], notes: list[str]) -> Writer:
    words, dim = counts
    if len(rows) != words:
        raise TableError(f"The first line says that {words:,} words follow; {len(rows):,} do, save the file again.")
    notes.append(f"The file was read as word vectors: a word and {dim:,} numbers a line.")
    writer = Writer(array("i", [number for number, _ in rows]), notes)
    writer.text("word", [" ".join(cells[:-dim]) or None for _, cells in rows])
    writer.vectors("embeddings", [" ".join(cells[-dim:]) for _, cells in rows], _vector)
    return writer


def _vector(cells: str) -> array | None:
    numbers = cells.split()
    return array("d", map(float, numbers)) if all(map(is_number, numbers)) else None
