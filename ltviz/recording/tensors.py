"""Tensor files: safetensors with a checksum on every tensor and on the metadata.

safetensors checks the layout, not the values: a flipped byte loads silently. So `__metadata__` carries the crc32 of
each tensor (over its name, type, shape and bytes) and of all other metadata, and both are compared on every read.
"""

from __future__ import annotations

import json
import mmap
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from ltviz.errors import RecordingError
from ltviz.recording.files import open_plain, read_bytes

FORMAT = 1
"""Version of the run folder's files. A reader opens this one and older ones, and refuses newer ones."""

MAX_HEADER = 1 << 20
MAX_ARRAYS = 1 << 30
"""Bytes of a tensor file that are read at most, and so are written at most."""
_FIRST_READ = 8192


def encode(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str], *, most: int = MAX_ARRAYS) -> bytes:
    """The bytes of a tensor file. `metadata` values are text; "format" and the checksums are added.

    RecordingError where its reader would refuse it: above `most` bytes, or with too long a header.
    """
    arrays = {name: np.asarray(array, array.dtype.newbyteorder("<"), order="C") for name, array in tensors.items()}
    entries = {
        **metadata,
        "format": str(FORMAT),
        "crc32": json.dumps({name: _checksum(name, array) for name, array in arrays.items()}),
    }
    entries["crc32_metadata"] = str(_metadata_checksum(entries))
    size = sum(array.nbytes for array in arrays.values()) + MAX_HEADER
    if size > most:
        raise RecordingError(
            f"Its arrays take {size:,} bytes with their header, and no reader takes more than {most:,}; "
            "record fewer samples or dimensions.",
            kind="more than a reader takes",
        )
    data = safetensors.numpy.save(arrays, entries)
    header = int.from_bytes(data[:8], "little")
    if header > MAX_HEADER:
        longest = max(metadata, key=lambda name: len(metadata[name]), default="arrays")
        raise RecordingError(
            f"Its header takes {header:,} bytes, most of them for its {longest}, and no reader takes more than "
            f"{MAX_HEADER:,}; give fewer or shorter ones.",
            kind="more than a reader takes",
        )
    return data


def decode(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Tensors and metadata of a tensor file, every checksum compared; RecordingError says what does not hold."""
    header, metadata = _parse_header(data)
    _check_length(header, len(data), int.from_bytes(data[:8], "little"))
    try:
        arrays = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise RecordingError(f"It is not a sound safetensors file ({_one_line(error)}).") from error
    try:
        expected = json.loads(metadata.get("crc32", ""))
    except ValueError as error:
        raise RecordingError("Its list of checksums cannot be read.") from error
    if not isinstance(expected, dict) or expected.keys() != arrays.keys():
        raise RecordingError("Its list of checksums does not name the tensors it holds.")
    for name, array in arrays.items():
        if expected[name] != _checksum(name, array):
            raise RecordingError(f"The tensor '{name[:60]}' does not match its checksum.")
    return arrays, metadata


def read_metadata(path: Path) -> dict[str, str]:
    """Metadata of the tensor file at `path`, checksum compared, tensors left unread.

    Raises FileNotFoundError; RecordingError for a damaged header, or where the file is shorter or longer than it says.
    """
    with open_plain(path) as (descriptor, about):
        head = read_bytes(descriptor, min(_FIRST_READ, about.st_size))
        length = int.from_bytes(head[:8], "little")
        if len(head) < 8 + length <= MAX_HEADER:
            head += read_bytes(descriptor, 8 + length - len(head))
        header, metadata = _parse_header(head)
        _check_length(header, about.st_size, length)
    return metadata


def read_rows(path: Path, name: str, rows: np.ndarray) -> tuple[np.ndarray, set[str]]:
    """Some rows of the float32 tensor `name` (N, D) of the tensor file at `path`, and the names of all tensors in it;
    the rest is not read. Their checksum, which is of the whole, is not compared: a first look, until all is there.

    Raises FileNotFoundError; RecordingError for a damaged header, a file that is shorter or longer than it says, or no
    such tensor or row.
    """
    with open_plain(path) as (descriptor, about):
        head = read_bytes(descriptor, min(_FIRST_READ, about.st_size))
        length = int.from_bytes(head[:8], "little")
        if len(head) < 8 + length <= MAX_HEADER:
            head += read_bytes(descriptor, 8 + length - len(head))
        header, _ = _parse_header(head)
        _check_length(header, about.st_size, length)
        try:
            kind, (count, dim), (start, end) = (header[name][key] for key in ("dtype", "shape", "data_offsets"))
            fits = kind == "F32" and end - start == 4 * count * dim and start >= 0 and rows.max(initial=-1) < count
        except (KeyError, TypeError, ValueError) as error:
            raise RecordingError(f"It has no rows of '{name[:60]}'.") from error
        if not fits:
            raise RecordingError(f"It has no such rows of '{name[:60]}'.")
        with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as view:
            whole = np.frombuffer(view, "<f4", count * dim, 8 + length + start)
            found = whole.reshape(count, dim)[rows]
            del whole  # else the map could not be closed
    return found, {key for key in header if key != "__metadata__"}


def _parse_header(data: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    if len(data) < 8:
        raise RecordingError(f"It is cut short: {len(data)} bytes, less than the length of a header.")
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER:
        raise RecordingError(f"Its header claims {length:,} bytes; at most {MAX_HEADER:,} are read.")
    if len(data) < 8 + length:
        raise RecordingError(f"It is cut short inside its header, at byte {len(data):,}.")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise RecordingError("Its header cannot be read.") from error
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise RecordingError("It has no metadata, so ltviz did not write it.")
    version = metadata.get("format", "")
    if version.isascii() and version.isdigit() and len(version) < 10 and int(version) > FORMAT:
        raise RecordingError(f"A newer ltviz wrote it (format {version}, this one reads up to {FORMAT}); update ltviz.")
    sums = {name: value for name, value in metadata.items() if name != "crc32_metadata"}
    if metadata.get("crc32_metadata") != str(_metadata_checksum(sums)):
        raise RecordingError("Its metadata does not match its checksum.")
    return header, metadata


def _check_length(header: dict[str, Any], size: int, header_length: int) -> None:
    try:
        end = max((entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"), default=0)
        whole = 8 + header_length + int(end)
    except (TypeError, KeyError, IndexError, ValueError, OverflowError) as error:
        raise RecordingError("Its header cannot be read.") from error
    if size != whole:
        raise RecordingError(f"It holds {size:,} bytes where its header says {whole:,}.")


def _checksum(name: str, array: np.ndarray) -> int:
    about = f"{name}|{array.dtype.str}|{array.shape}".encode("utf-8", "replace")
    return zlib.crc32(array.data if array.size else b"", zlib.crc32(about))


def _metadata_checksum(metadata: Mapping[str, str]) -> int:
    return zlib.crc32(json.dumps(dict(metadata), sort_keys=True).encode())


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
