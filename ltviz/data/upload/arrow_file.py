"""Parquet, Arrow and Feather, read with pyarrow: columns with types, nulls and lists."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import IO, Any

import numpy as np

from ltviz.data.upload.contents import EMPTY, Categories, Column, Contents, Unreadable
from ltviz.errors import DataError

_EXACT = 2**53
_TOO_LARGE = "Tables of up to {:,} MB are read; this one unpacks to more, save fewer rows."


def read_parquet(file: IO[bytes], size: int, most_bytes: int) -> Contents:
    """The columns of a Parquet file; those of types that are neither numbers, text nor lists are unreadable."""
    import pyarrow.parquet

    def batches() -> Iterator[Any]:
        parquet = pyarrow.parquet.ParquetFile(file)
        groups = (parquet.metadata.row_group(index) for index in range(parquet.metadata.num_row_groups))
        if sum(group.total_byte_size for group in groups) > most_bytes:
            raise DataError(_TOO_LARGE.format(most_bytes >> 20))
        yield parquet.schema_arrow
        yield from parquet.iter_batches(batch_size=4096)

    return _read("Parquet", batches, most_bytes)


def read_arrow(file: IO[bytes], size: int, most_bytes: int) -> Contents:
    """The columns of an Arrow file or stream, which Feather files are too; types as in `read_parquet`."""
    import pyarrow.ipc

    def batches() -> Iterator[Any]:
        beginning = file.read(6)
        file.seek(0)
        if beginning == b"ARROW1":
            reader = pyarrow.ipc.open_file(file)
            yield reader.schema
            yield from (reader.get_batch(index) for index in range(reader.num_record_batches))
        else:
            reader = pyarrow.ipc.open_stream(file)
            yield reader.schema
            yield from reader

    return _read("Arrow", batches, most_bytes)


def _read(kind: str, batches: Callable[[], Iterator[Any]], most_bytes: int) -> Contents:
    import pyarrow

    try:
        table = _table(batches(), pyarrow, most_bytes)
        twice, times = Counter(table.column_names).most_common(1)[0] if table.column_names else ("", 0)
        if times > 1:
            raise DataError(f"Columns must have different names; two are named '{twice[:40]}', rename or drop one.")
        columns = {name: _column(table.column(name).combine_chunks()) for name in table.column_names}
    except (pyarrow.ArrowException, ValueError, TypeError, OSError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"The {kind} file is damaged or of a kind that is not read; save it again.") from error
    return Contents(columns, index=_index(table.schema.metadata or {}))


def _table(batches: Iterator[Any], pyarrow: Any, most_bytes: int) -> Any:
    """The table of a schema and the batches that follow it."""
    schema, kept, taken = next(batches), [], 0
    for batch in batches:
        taken += batch.nbytes
        if taken > most_bytes:  # the sizes in the file's own description need not be true
            raise DataError(_TOO_LARGE.format(most_bytes >> 20))
        kept.append(batch)
    return pyarrow.Table.from_batches(kept, schema)


def _index(metadata: dict[bytes, bytes]) -> tuple[str, ...]:
    """The columns that pandas says are its index."""
    try:
        index = json.loads(metadata.get(b"pandas", b"{}")).get("index_columns", [])
        return tuple(name for name in index if isinstance(name, str))
    except (ValueError, AttributeError, TypeError, RecursionError):  # it names no columns, however deep it goes
        return ()


def _column(column: Any) -> Column:
    from pyarrow import types

    if hasattr(column, "storage"):  # an extension type, such as a tensor of one shape
        column = column.storage
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if len(column) and column.null_count == len(column):
        return EMPTY
    if types.is_decimal(kind):
        column, kind = column.cast("float64"), "float64"
    elif types.is_temporal(kind):
        column = column.cast("string")
        kind = column.type
    if kind == "float64" or types.is_floating(kind):
        return column.to_numpy(zero_copy_only=False)
    if types.is_integer(kind):
        return _integers(column)
    if types.is_boolean(kind):
        if not column.null_count:
            return column.to_numpy(zero_copy_only=False)
        return _text(column.cast("string"))
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return _text(column)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _vectors(column)
    return Unreadable(f"is of type {str(kind)[:40]}, which is not read")


def _text(column: Any) -> Categories:
    encoded = column.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Categories(codes, tuple(encoded.dictionary.to_pylist()))


def _integers(column: Any) -> Column:
    values = column.fill_null(0).to_numpy(zero_copy_only=False)
    if not column.null_count:
        return values
    if int(values.max()) > _EXACT or int(values.min()) < -_EXACT:
        return _text(column.cast("string"))  # a float with NaN would change them
    return np.where(column.is_null().to_numpy(zero_copy_only=False), np.nan, values)


def _vectors(column: Any) -> Column:
    """(N, D) numbers; pyarrow's own flatten leaves out rows that are null, which would shift all after them."""
    import pyarrow.compute
    from pyarrow import types

    inner = column.type.value_type
    if not (types.is_floating(inner) or types.is_integer(inner)):
        return Unreadable(f"holds lists of {str(inner)[:40]}, not of numbers")
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        return Unreadable(f"holds vectors, but none in row {row} (counted from 0)")
    lengths = pyarrow.compute.call_function("list_value_length", [column]).to_numpy(zero_copy_only=False)
    if not len(lengths) or not lengths[0]:
        return Unreadable("holds vectors without numbers")
    other = np.flatnonzero(lengths != lengths[0])
    if len(other):
        return Unreadable(
            f"holds vectors of different lengths: {lengths[0]} numbers in row 0, {lengths[other[0]]} in row {other[0]} "
            "(counted from 0)"
        )
    flat = column.flatten()
    if flat.null_count:
        row = int(np.flatnonzero(flat.is_null().to_numpy(zero_copy_only=False))[0]) // int(lengths[0])
        return Unreadable(f"holds vectors, but one with a null in row {row} (counted from 0)")
    return flat.to_numpy(zero_copy_only=False).reshape(len(column), -1)
