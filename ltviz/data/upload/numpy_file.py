"""numpy's files, .npy and .npz, read without trust: what a header claims is compared with what is there before memory
is taken; objects, which are pickles, are refused."""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from typing import IO, NoReturn

import numpy as np

from ltviz.data.upload.contents import WITHOUT_PICKLE, Column, Contents, as_categories
from ltviz.errors import DataError

MAX_MEMBERS = 64

_MEMBER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ -]{0,100}\.npy")
_HEAD = 1 << 16


def read_npy(file: IO[bytes], size: int, most_bytes: int) -> Contents:
    return Contents({"embeddings": _array(_npy(file, size, most_bytes, "the file"))}, noun="array")


def read_packed_npy(file: IO[bytes], size: int, most_bytes: int) -> Contents:
    """An array packed with gzip, all of its members; no more is unpacked than one may have."""
    data, packed = bytearray(), file.read()
    while packed:
        member = zlib.decompressobj(wbits=31)
        try:
            data += member.decompress(packed, most_bytes + _HEAD - len(data))
        except zlib.error as error:
            raise DataError(f"The gzip file is damaged ({error}); pack it again.") from error
        if (len(data) > 16 << 20 and len(data) > 100 * size) or len(data) >= most_bytes + _HEAD:
            raise DataError(
                f"The gzip file unpacks from {size / 2**20:,.1f} MB to {len(data) / 2**20:,.0f} MB and more, which no "
                "embeddings do; save fewer rows with numpy.savez."
            )
        if not member.eof:
            raise DataError("The gzip file is cut short; pack it again.")
        packed = member.unused_data.lstrip(b"\0")
    return read_npy(io.BytesIO(data), len(data), most_bytes)


def _npy(stream: IO[bytes], size: int, most_bytes: int, where: str) -> np.ndarray:
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
            f"Arrays of type {str(dtype)[:40]} are not read, objects can run code; save {where} as float32 or as text, "
            f"or without pickles: {WITHOUT_PICKLE}."
        )
    if dtype.itemsize == 0:  # text of no letters, in an array that may claim any length
        raise DataError(f"The header of {where} claims values of no bytes; save the array again with numpy.save.")
    if len(shape) > 8 or any(length < 0 for length in shape):
        raise DataError(f"The header of {where} claims an impossible shape; save the array again with numpy.save.")
    claimed = math.prod(shape) * dtype.itemsize
    if claimed > most_bytes:
        raise DataError(
            f"Arrays of up to {most_bytes >> 20:,} MB are read; {where} claims {claimed / 2**20:,.0f} MB, save fewer "
            "rows."
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


def read_npz(file: IO[bytes], size: int, most_bytes: int) -> Contents:
    _check_directory(file, size)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _check_members(members, size, most_bytes)
            wanted = {member.filename.removesuffix(".npy"): member for member in members}
            arrays = {}
            for name, member in wanted.items():
                with archive.open(member) as stream:
                    arrays[name] = _npy(stream, member.file_size, most_bytes, f"the array '{name[:60]}'")
    except DataError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        struct.error,
        OSError,
    ) as error:
        raise DataError("The .npz file is damaged or not what it claims; save it again with numpy.savez.") from error
    return Contents({name: _array(array) for name, array in arrays.items()}, noun="array")


def _array(array: np.ndarray) -> Column:
    return as_categories(array) if array.dtype.kind in "US" and array.ndim == 1 else array


def _check_directory(file: IO[bytes], size: int) -> None:
    """Refuse a directory that is too long to be listed; zipfile would list it whole before anybody can count."""
    file.seek(max(0, size - 65_557))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if b"/data.pkl" in tail:  # torch's own archives are of the newest kind, which is refused below for its length
        _refuse_torch()
    if end < 0 or len(tail) - end < 22:
        raise DataError("The .npz file is cut short; save it again with numpy.savez.")
    members, length = struct.unpack_from("<HI", tail, end + 10)
    if members > MAX_MEMBERS or length > 1 << 16 or tail[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        raise DataError(f"A .npz file of up to {MAX_MEMBERS} arrays is read; this one lists more, save fewer.")
    file.seek(0)


def _check_members(members: list[zipfile.ZipInfo], size: int, most_bytes: int) -> None:
    if len(members) > MAX_MEMBERS:
        raise DataError(f"A .npz file of up to {MAX_MEMBERS} arrays is read; this one lists {len(members):,}.")
    names = [member.filename for member in members]
    if any(name.endswith("/data.pkl") for name in names):
        _refuse_torch()
    wrong = next((name for name in names if _MEMBER.fullmatch(name) is None), None)
    if wrong is not None:
        raise DataError(f"A .npz file holds only arrays, named with letters and digits; this one holds {wrong[:60]!r}.")
    if len(set(names)) < len(names):
        raise DataError("The .npz file holds two arrays of one name; save it again with numpy.savez.")
    if any(member.flag_bits & 1 or member.compress_type not in (0, 8) for member in members):
        raise DataError("The .npz file is encrypted or packed in an unusual way; save it again with numpy.savez.")
    claimed = sum(member.file_size for member in members)
    if claimed > most_bytes or (claimed > 16 << 20 and claimed > 100 * size):
        raise DataError(
            f"The .npz file claims to unpack from {size / 2**20:,.1f} MB to {claimed / 2**20:,.0f} MB, which no "
            "embeddings do; save fewer rows with numpy.savez."
        )


def _refuse_torch() -> NoReturn:
    raise DataError(f"Files of torch.save are pickles, which can run code; load it yourself, then: {WITHOUT_PICKLE}.")
