"""Reads a table of embeddings from stdin under limits of memory and time. A program, run by `upload_arrays` as a child.

Nothing but the standard library is imported, so it starts at once and its memory is what it reads. It writes one line
of JSON, {"shape", "labels", "notes"} or {"error"}, then the numbers as float64 by rows, then one int32 a row: the
index in "labels".
"""

from __future__ import annotations

import csv
import io
import json
import operator
import sys
from array import array
from collections.abc import Callable, Iterator

MEMORY = 2 << 30
SECONDS = 20
MAX_BYTES = 64 << 20
MAX_LINE = 1 << 20
MAX_VALUES = 32_000_000
MAX_DISTINCT = 1000
IGNORED = {"", "id", "ids", "index", "idx", "sample_id", "file", "filename", "path", "split"}

Parse = Callable[[list[str]], None]


class TableError(Exception):
    """What is wrong with the table, as a sentence."""


def limit() -> None:
    """Give up this process's claim to more memory and time than a table needs; where the platform can."""
    try:
        import resource
    except ImportError:  # Windows: the parent's timeout and the cap on the file's size remain
        return
    for name, most in (("RLIMIT_AS", MEMORY), ("RLIMIT_CPU", SECONDS)):
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def decode(data: bytes) -> str:
    """The text; UTF-16 where it says so, else UTF-8 with or without a mark."""
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise TableError(f"The table must be UTF-8 text; byte {error.start:,} is not, save it again.") from error
    if "\0" in text:
        raise TableError("The table holds a NUL byte, so it is not text; save the embeddings as .npz.")
    return text


def delimiter_of(text: str) -> str:
    """Comma or tab, whichever the first line holds more of."""
    line = next((line for line in text.split("\n", 50) if line.strip()), "")
    commas, tabs = line.count(","), line.count("\t")
    if not commas and not tabs:
        other = "semicolons" if ";" in line else "spaces" if " " in line.strip() else ""
        if other:
            raise TableError(
                f"Columns must be separated by commas or tabs; this table has {other}, save it again as CSV."
            )
        raise TableError("The table has one column; embeddings need at least 2, separated by commas or tabs.")
    return "\t" if tabs > commas else ","


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def is_header(first: list[str], second: list[str] | None, known: set[str]) -> bool:
    names = [cell.strip().lower() for cell in first]
    if any(name in known for name in names) or not any(is_number(cell) for cell in first):
        return True
    # pandas names unnamed columns 0, 1, 2, ...
    numbered = [name for name in names if name] == [str(index) for index in range(sum(map(bool, names)))]
    return numbered and second is not None and not all(is_whole(cell) for cell in second)


def is_whole(cell: str) -> bool:
    return is_number(cell) and float(cell).is_integer()


def lines_of(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each line that is not blank."""
    csv.field_size_limit(100_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if cells and any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise TableError(f"Line {reader.line_num} is not sound CSV ({error}); check its quotes.") from error


def parse(text: str, names: dict[str, list[str]]) -> tuple[array, int, int, list[str] | None, array, list[str]]:
    """The numbers by rows, their rows and columns, the distinct labels, the index of each row's label, notes."""
    if max(map(len, text.split("\n"))) > MAX_LINE:
        raise TableError(
            f"Lines of up to {MAX_LINE:,} characters are read; one is longer, save the embeddings as .npz."
        )
    lines = list(lines_of(text, delimiter_of(text)))
    if not lines:
        raise TableError("The table is empty; save the embeddings again.")
    second = lines[1][1] if len(lines) > 1 else None
    header = lines[0][1] if is_header(lines[0][1], second, {*names["embeddings"], *names["labels"]}) else None
    rows = lines[1:] if header else lines
    if not rows:
        raise TableError("The table has a header and no rows; save the embeddings again.")
    width = len(rows[0][1])
    formulas = "=" in text
    for number, cells in ([lines[0]] if header else []) + rows:
        if len(cells) != width:
            raise TableError(f"All lines must have {width} columns; line {number} has {len(cells)}, check its commas.")
        if formulas and any(cell.lstrip().startswith("=") for cell in cells):
            raise TableError(f"Line {number} holds a formula; save the table with values instead.")
    if len(rows) * width > MAX_VALUES:
        raise TableError(f"Tables of up to {MAX_VALUES:,} numbers are read; save the embeddings as .npz.")
    title = [cell.strip() for cell in header] if header else [f"column {index + 1}" for index in range(width)]
    label, features, notes = roles(title, bool(header), rows, names["labels"])
    pick = operator.itemgetter(*features) if len(features) > 1 else lambda cells: [cells[index] for index in features]
    values = array("d")
    for number, cells in rows:
        try:
            values.extend(map(float, pick(cells)))
        except ValueError:
            index = next(index for index in features if not is_number(cells[index]))
            cell = cells[index].strip()
            got = f"'{cell[:40]}'" if cell else "nothing"
            raise TableError(
                f"Embeddings must be numbers; line {number}, '{title[index][:40]}', holds {got}."
            ) from None
    distinct, codes = (None, array("i")) if label is None else labels_of([cells[label].strip() for _, cells in rows])
    return values, len(rows), len(features), distinct, codes, notes


def roles(
    title: list[str], named: bool, rows: list[tuple[int, list[str]]], label_names: list[str]
) -> tuple[int | None, list[int], list[str]]:
    """The column of labels or None, the columns of numbers, and notes."""
    first = rows[0][1]
    notes = []
    ignored = [index for index, name in enumerate(title) if named and name.lower() in IGNORED]
    lower = [name.lower() for name in title] if named else []
    if "x" in lower:  # beside x, y is a coordinate
        label_names = [name for name in label_names if name != "y"]
    label = next((lower.index(name) for name in label_names if name in lower), None)
    rest = [index for index in range(len(title)) if index != label and index not in ignored]
    if label is None:
        texts = [index for index in rest if first[index].strip() and not is_number(first[index])]
        # One odd cell does not make a column of numbers the labels.
        texts = [index for index in texts if not any(is_number(cells[index]) for _, cells in rows)]
        if len(texts) > 1:
            both = " and ".join(f"'{title[index][:40]}'" for index in texts[:2])
            raise TableError(f"One column may hold text, the labels; {both} do, name one 'label' and drop the other.")
        label = texts[0] if texts else None
        if label is None and not named and len(rest) > 2:
            last = rest[-1]
            if all(is_whole(cells[last]) for _, cells in rows) and not all(is_whole(cell) for cell in first[:last]):
                label = last
                notes.append("The last column holds whole numbers only and was taken as labels.")
    if ignored:
        notes.append("Columns left out: " + ", ".join(f"'{title[index][:40]}'" for index in ignored[:8]) + ".")
    return label, [index for index in rest if index != label], notes


def labels_of(cells: list[str]) -> tuple[list, array]:
    """Distinct labels, as numbers where all are, and the index of each cell's label."""
    distinct = sorted(set(cells))
    if "" in distinct:
        raise TableError(f"Every row must have a label; row {cells.index('')} (counted from 0) has none.")
    numbers = all(is_number(cell) for cell in distinct)
    if len(distinct) > MAX_DISTINCT:
        raise TableError(f"At most {MAX_DISTINCT:,} classes are read; the column of labels holds {len(distinct):,}.")
    index_of = {cell: index for index, cell in enumerate(distinct)}
    values = [float(cell) for cell in distinct] if numbers else distinct
    return values, array("i", [index_of[cell] for cell in cells])


def main() -> None:
    limit()
    out = sys.stdout.buffer
    try:
        text = decode(sys.stdin.buffer.read(MAX_BYTES + 1))
        values, rows, columns, distinct, codes, notes = parse(text, json.loads(sys.argv[1]))
    except TableError as error:
        out.write(json.dumps({"error": str(error)}).encode() + b"\n")
        return
    out.write(json.dumps({"shape": [rows, columns], "labels": distinct, "notes": notes}).encode() + b"\n")
    out.write(values.tobytes())
    out.write(codes.tobytes())


if __name__ == "__main__":
    main()
