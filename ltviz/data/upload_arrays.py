"""Arrays out of untrusted files: what a file is, and what it holds, by name. Called by `ltviz.data.upload`.

The order is always the same: cap the file's size, read what it claims, compare the claim with the caps and with the
bytes that are there, and only then take memory.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from ltviz.errors import DataError

MAX_FILE = 256 << 20
MAX_TABLE = 64 << 20
MAX_ARRAY = 256 << 20
MAX_MEMBERS = 64
TABLE_SECONDS = 20.0

EMBEDDINGS = ("embeddings", "embedding", "z", "features", "feature", "x")
LABELS = ("labels", "label", "targets", "target", "classes", "class", "y")
NAMES = ("class_names", "classnames", "names")

_MEMBER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ -]{0,100}\.npy")
_HEAD = 1 << 16
_SUFFIXES = {".npy": "npy", ".npz": "zip", ".safetensors": "safetensors", ".parquet": "parquet"}
_FORMATS = "save them as .npz, .npy, .csv, .tsv or .safetensors"


@dataclass(frozen=True, slots=True)
class Contents:
    """Arrays by name as they stand in the file, and sentences about what was left out.

    Where labels were text, the array "labels" holds indices into `class_names`: an array of text is as wide as its
    longest entry in every row, so one long name in a table would exhaust memory.
    """

    arrays: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()
    class_names: tuple[str, ...] | None = None


def read(path: Path) -> Contents:
    """What the file at `path` holds; DataError, one sentence, where it is not a sound file of a known format."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise DataError(f"The file cannot be opened ({error.strerror}); check its path ({path}).") from error
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        os.close(descriptor)
        raise DataError(f"The path must be a file with embeddings; it is a folder or a device ({path}).")
    with os.fdopen(descriptor, "rb") as file:
        if about.st_size == 0:
            raise DataError("The file is empty; save the embeddings again.")
        if about.st_size > MAX_FILE:
            raise DataError(
                f"Files of up to {MAX_FILE >> 20} MB are read; this one has {about.st_size / 2**20:,.0f} MB."
            )
        head = file.read(4096)
        file.seek(0)
        kind = _kind(head, about.st_size)
        expected = _SUFFIXES.get(path.suffix.lower())
        if kind == "table" and expected is not None:
            raise DataError(f"The file is named {path.suffix} but does not begin like one; save the embeddings again.")
        return _READERS[kind](file, about.st_size)


def _kind(head: bytes, size: int) -> str:
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") >= 2:
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        raise DataError(f"Pickle files (.pkl, .pt) can run code and are not opened; {_FORMATS}.")
    if head.startswith(b"\x1f\x8b"):
        raise DataError("The file is compressed with gzip; unpack it first.")
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"The file is of no format that is read here; {_FORMATS}.")
    return "table"


def _read_npy(file: IO[bytes], size: int) -> Contents:
    return Contents({"embeddings": _npy(file, size, "the file")})


def _npy(stream: IO[bytes], size: int, where: str) -> np.ndarray:
    """The array in a stream of `size` bytes in numpy's format, versions 1 and 2."""
    head = stream.read(min(_HEAD, size))
    header = io.BytesIO(head)
    try:
        version = np.lib.format.read_magic(header)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read_header(header)
    except Exception as error:  # numpy hands the header to Python's own parser, which fails in a dozen ways
        raise DataError(f"The numpy header of {where} cannot be read; save the array again with numpy.save.") from error
    if dtype.hasobject or dtype.kind not in "biufcUS":
        raise DataError(
            f"Arrays of type {str(dtype)[:40]} are not read, objects can run code; save {where} as float32 or as text."
        )
    if len(shape) > 8 or any(length < 0 for length in shape):
        raise DataError(f"The header of {where} claims an impossible shape; save the array again with numpy.save.")
    claimed = math.prod(shape) * dtype.itemsize
    if claimed > MAX_ARRAY:
        raise DataError(
            f"Arrays of up to {MAX_ARRAY >> 20} MB are read; {where} claims {claimed / 2**20:,.0f} MB, save fewer rows."
        )
    start = header.tell()
    if start + claimed != size:
        raise DataError(
            f"The header of {where} claims {claimed:,} bytes of data, {size - start:,} are there; save the array again."
        )
    data = head[start:] + stream.read(claimed - (len(head) - start))
    if len(data) != claimed:
        raise DataError(f"The data of {where} are cut short; save the array again.")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _read_zip(file: IO[bytes], size: int) -> Contents:
    _check_directory(file, size)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _check_members(members, size)
            wanted = {member.filename.removesuffix(".npy"): member for member in members}
            arrays = {}
            for name, member in wanted.items():
                with archive.open(member) as stream:
                    arrays[name] = _npy(stream, member.file_size, f"the array '{name[:60]}'")
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        struct.error,
        OSError,
    ) as error:
        raise DataError("The .npz file is damaged or not what it claims; save it again with numpy.savez.") from error
    known = {*EMBEDDINGS, *LABELS, *NAMES}
    left_out = sorted(name for name in arrays if name.lower() not in known)
    if len(arrays) - len(left_out) and left_out:
        shown = ", ".join(f"'{name[:40]}'" for name in left_out[:8])
        kept = {name: array for name, array in arrays.items() if name not in left_out}
        return Contents(kept, (f"Arrays of other names were left out: {shown}.",))
    return Contents(arrays)


def _check_directory(file: IO[bytes], size: int) -> None:
    """Refuse a directory that is too long to be listed; zipfile would list it whole before anybody can count."""
    file.seek(max(0, size - 65_557))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        raise DataError("The .npz file is cut short; save it again with numpy.savez.")
    members, length = struct.unpack_from("<HI", tail, end + 10)
    if members > MAX_MEMBERS or length > 1 << 16 or tail[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        raise DataError(f"A .npz file of up to {MAX_MEMBERS} arrays is read; this one lists more, save fewer.")
    file.seek(0)


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    if len(members) > MAX_MEMBERS:
        raise DataError(f"A .npz file of up to {MAX_MEMBERS} arrays is read; this one lists {len(members):,}.")
    names = [member.filename for member in members]
    wrong = next((name for name in names if _MEMBER.fullmatch(name) is None), None)
    if wrong is not None:
        raise DataError(f"A .npz file holds only arrays, named with letters and digits; this one holds {wrong[:60]!r}.")
    if len(set(names)) < len(names):
        raise DataError("The .npz file holds two arrays of one name; save it again with numpy.savez.")
    if any(member.flag_bits & 1 or member.compress_type not in (0, 8) for member in members):
        raise DataError("The .npz file is encrypted or packed in an unusual way; save it again with numpy.savez.")
    claimed = sum(member.file_size for member in members)
    if claimed > MAX_ARRAY or (claimed > 16 << 20 and claimed > 100 * size):
        raise DataError(
            f"The .npz file claims to unpack from {size / 2**20:,.1f} MB to {claimed / 2**20:,.0f} MB, which no "
            "embeddings do; save fewer rows with numpy.savez."
        )


def _read_safetensors(file: IO[bytes], size: int) -> Contents:
    import safetensors

    length = int.from_bytes(file.read(8), "little")
    if length > 1 << 20 or length + 8 > size:
        raise DataError(f"The safetensors header claims {length:,} bytes of a file of {size:,}; save the file again.")
    file.seek(0)
    try:
        tensors = safetensors.deserialize(file.read())
    except (safetensors.SafetensorError, ValueError, TypeError) as error:
        raise DataError("The safetensors file is damaged; save it again with safetensors.") from error
    types = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"}
    types |= {"U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?"}
    arrays = {}
    for name, tensor in tensors:
        if tensor["dtype"] == "BF16":
            # bfloat16 is the upper half of a float32.
            array = (np.frombuffer(tensor["data"], "<u2").astype(np.uint32) << 16).view(np.float32)
        elif tensor["dtype"] in types:
            array = np.frombuffer(tensor["data"], types[tensor["dtype"]])
        else:
            raise DataError(f"Tensors of type {tensor['dtype']} are not read; save '{name[:60]}' as float32.")
        arrays[name] = array.reshape(tensor["shape"])
    return Contents(arrays)


def _read_parquet(file: IO[bytes], size: int) -> Contents:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(f"Reading .parquet needs pyarrow; install it, or {_FORMATS}.") from error
    too_large = f"Tables of up to {MAX_ARRAY >> 20} MB are read; this one unpacks to more, save fewer rows."
    try:
        parquet = pyarrow.parquet.ParquetFile(file)
        groups = (parquet.metadata.row_group(index) for index in range(parquet.metadata.num_row_groups))
        if sum(group.total_byte_size for group in groups) > MAX_ARRAY:
            raise DataError(too_large)
        batches, taken = [], 0
        for batch in parquet.iter_batches(batch_size=4096):
            taken += batch.nbytes
            if taken > MAX_ARRAY:  # the sizes in the file's own description need not be true
                raise DataError(too_large)
            batches.append(batch)
        table = pyarrow.Table.from_batches(batches, parquet.schema_arrow)
        arrays: dict[str, np.ndarray] = {}
        numbers, class_names = [], None
        for name in table.column_names:
            column = table.column(name).combine_chunks()
            if pyarrow.types.is_list(column.type) or pyarrow.types.is_fixed_size_list(column.type):
                arrays[name] = np.asarray(column.flatten()).reshape(len(column), -1)
            elif pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
                encoded = column.dictionary_encode()
                arrays["labels"], class_names = _sorted_names(
                    np.asarray(encoded.indices), encoded.dictionary.to_pylist()
                )
            elif name.lower() in LABELS:
                arrays["labels"] = np.asarray(column)
            else:
                numbers.append(np.asarray(column, np.float64))
    except (pyarrow.ArrowException, ValueError, TypeError, OSError) as error:
        raise DataError(f"A .parquet file must hold columns of numbers and one of labels; {_FORMATS}.") from error
    if numbers and not any(array.ndim == 2 for array in arrays.values()):
        arrays["embeddings"] = _as_written(np.column_stack(numbers))
    return Contents(arrays, class_names=class_names)


def _sorted_names(codes: np.ndarray, names: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    order = np.argsort(np.array(names, dtype=object))
    if codes.dtype.kind != "i":  # rows without a name; the check of labels says so
        return codes, tuple(names)
    return np.argsort(order)[codes], tuple(names[index] for index in order)


def _read_table(file: IO[bytes], size: int) -> Contents:
    if size > MAX_TABLE:
        raise DataError(
            f"Tables of up to {MAX_TABLE >> 20} MB are read; this one has {size / 2**20:,.0f} MB, save it as .npz."
        )
    # Parsed in a child with limits of its own: a table made to exhaust memory or time takes the child, not the app.
    child = Path(__file__).with_name("upload_table.py")
    names = json.dumps({"embeddings": EMBEDDINGS, "labels": LABELS})
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(child), names],
            stdin=file,
            capture_output=True,
            timeout=TABLE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(f"The table was not read within {TABLE_SECONDS:.0f} s; save it as .npz.") from error
    head, _, data = done.stdout.partition(b"\n")
    if done.returncode or not head:
        raise DataError("The table cannot be read within the memory and time allowed; save it as .npz.")
    found = json.loads(head)
    if "error" in found:
        raise DataError(found["error"])
    rows, columns = found["shape"]
    numbers = np.frombuffer(data, np.float64, rows * columns) if columns else np.empty(0)
    arrays = {"embeddings": _as_written(numbers.reshape(rows, columns))}
    labels, names = found["labels"], None
    if labels is not None:
        arrays["labels"] = np.frombuffer(data, np.int32, rows, offset=8 * rows * columns)
        if isinstance(labels[0], str):
            names = tuple(labels)
        else:
            arrays["labels"] = np.array(labels)[arrays["labels"]]
    return Contents(arrays, tuple(found["notes"]), names)


def _as_written(array: np.ndarray) -> np.ndarray:
    # Numbers in text have no width, so reading them as float32 is no change worth a note, unless one does not fit.
    if array.dtype == np.float64 and (np.abs(array) < 3.4e38).all():
        return array.astype(np.float32)
    return array


_READERS: dict[str, Callable[[IO[bytes], int], Contents]] = {
    "npy": _read_npy,
    "zip": _read_zip,
    "safetensors": _read_safetensors,
    "parquet": _read_parquet,
    "table": _read_table,
}
