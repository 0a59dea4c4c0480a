"""Parquet that unpacks to far more than it is, or says of itself what no reader should follow."""

from __future__ import annotations

import time

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from ltviz.data import upload
from ltviz.data.upload import read_embeddings
from ltviz.data.upload.typed_program import read
from ltviz.errors import DataError


def test_a_bomb_is_refused_by_what_it_unpacks_to(tmp_path, monkeypatch, record_property):
    """A column of one value is a few bytes in the file, and the file's own account of it says no more."""
    zeros = pyarrow.table({"x": np.zeros(1 << 20), "y": np.zeros(1 << 20)})
    path = tmp_path / "rows.parquet"
    with pyarrow.parquet.ParquetWriter(path, zeros.schema) as writer:
        for _ in range(5):  # 80 MB
            writer.write_table(zeros)
    about = pyarrow.parquet.read_metadata(path)
    assert path.stat().st_size < 1 << 20 > sum(about.row_group(at).total_byte_size for at in range(5))
    monkeypatch.setattr(upload, "MAX_ARRAY", 64 << 20)
    began = time.monotonic()
    with pytest.raises(DataError, match="Tables of up to 64 MB are read; this one unpacks to more"):
        read_embeddings(path)  # in a child
    took = time.monotonic() - began
    record_property("figure", f"{path.stat().st_size >> 10} kB that unpack to 80 MB: refused after {took:.1f} s")
    assert took < 30


def test_the_notes_of_pandas_may_go_as_deep_as_they_like(tmp_path):
    table = pyarrow.table({"x": [1.0, 2.0], "y": [3.0, 4.0]}).replace_schema_metadata({"pandas": "[" * 200_000})
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(table, path)
    with path.open("rb") as file:
        assert read("parquet", file, path.stat().st_size, 1 << 24).index == ()
