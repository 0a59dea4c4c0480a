"""Reads a table from stdin under limits of memory and time: a program, run as a child by `ltviz.data.upload.table`.

Nothing but the standard library is imported, so it starts at once and its memory is what it reads; the folder is run
as it is, so its modules import one another by their bare names. What a column means is not decided here.

What it writes stands in `handover`.
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from typing import Any

from cells import NotVectors, TableError
from delimited import check_lines, parse
from handover import hand_over, refuse
from objects import parse_objects
from spaced import parse_spaced
from typed import Writer

MEMORY = 2 << 30
SECONDS = 20
MAX_BYTES = 64 << 20


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


def unpack(data: bytes) -> bytes:
    """What a gzip file holds, all its members; no more is unpacked than a table may have."""
    unpacked, taken = [], 0
    while data:
        member = zlib.decompressobj(wbits=31)
        try:
            unpacked.append(member.decompress(data, MAX_BYTES + 1 - taken))
        except zlib.error as error:
            raise TableError(f"The gzip file is damaged ({error}); pack it again.") from error
        taken += len(unpacked[-1])
        if taken > MAX_BYTES:
            raise TableError(
                f"Tables of up to {MAX_BYTES >> 20} MB are read; this gzip file unpacks to more, save it as .npz."
            )
        if not member.eof:
            raise TableError("The gzip file is cut short; pack it again.")
        data = member.unused_data.lstrip(b"\0")
    return b"".join(unpacked)


def decode(data: bytes, notes: list[str]) -> str:
    """The text; UTF-16 where it says so, else UTF-8 with or without a mark, else Latin-1, which is noted."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise TableError(
                f"The table must be text; byte {error.start:,} is not UTF-16, save it as UTF-8."
            ) from error
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            notes.append(f"The text is not UTF-8 (byte {error.start:,}) and was read as Latin-1: check its accents.")
            try:
                text = data.decode("cp1252")
            except UnicodeDecodeError:
                text = data.decode("latin-1")
    if "\0" in text:
        raise TableError("The table holds a NUL byte, so it is not text; save the embeddings as .npz.")
    return text


def read(data: bytes, asked: dict[str, Any], notes: list[str]) -> tuple[Writer, bool]:
    """The columns of a table that may be packed with gzip, and whether it names them; TableError, NotVectors."""
    packed = data.startswith(b"\x1f\x8b")
    try:
        if packed:
            data = unpack(data)
            if data.startswith((b"\x93NUMPY", b"PK\x03\x04", b"PAR1", b"\x1f\x8b")):
                raise TableError("It is no table, which alone is read packed with gzip; unpack it first.")
        text = decode(data, notes)
        if re.match(r"\s*(\[\s*)?\{", text):
            return parse_objects(text, notes), True
        check_lines(text)
        spaced = parse_spaced(text, asked, notes) if asked["rows"] is None else None
        return spaced or parse(text, asked, notes)
    except NotVectors as error:
        raise TableError(f"A cell {error}.") from error
    except TableError as error:
        sentence = str(error)
        if packed:
            raise TableError(f"Unpacked from gzip: {sentence[0].lower()}{sentence[1:]}") from error
        raise


def main() -> None:
    limit()
    out = sys.stdout.buffer
    asked, notes = json.loads(sys.argv[1]), []
    try:
        writer, header = read(sys.stdin.buffer.read(MAX_BYTES + 1), asked, notes)
    except TableError as error:
        return refuse(out, str(error))
    head = {"noun": "column", "header": header, "untyped": True, "index": [], "notes": writer.notes}
    hand_over(out, head, writer.columns, writer.lines)


if __name__ == "__main__":
    main()
