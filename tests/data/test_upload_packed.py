"""numpy's files packed with gzip are read as tables packed with gzip are: whole, or refused in one sentence."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from ltviz.data.upload import read_embeddings
from ltviz.errors import DataError

Z = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def save(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_an_array_packed_with_gzip_is_the_array_and_so_are_its_labels(tmp_path: Path) -> None:
    whole = npy(Z)
    path = save(tmp_path / "z.npy.gz", gzip.compress(whole[:100]) + gzip.compress(whole[100:]))
    labels = save(tmp_path / "y.npy.gz", gzip.compress(npy(np.arange(20) % 4)))
    found = read_embeddings(path, labels=labels)
    assert (
        np.array_equal(found.embeddings, Z) and found.labels is not None and found.labels.tolist() == [0, 1, 2, 3] * 5
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(npy(Z))[:-20], "cut short"),
        (gzip.compress(npy(Z))[:60] + b"\xff\xff\xff" + gzip.compress(npy(Z))[63:], "gzip file is damaged"),
        (gzip.compress(npy(Z)[:-8]), "are there"),
        (gzip.compress(npy(np.zeros((4_000_000, 8), np.float32))), "no embeddings do"),
        (gzip.compress(npy(np.array([{}], object))), "objects"),
    ],
)
def test_a_damaged_one_and_a_bomb_are_refused(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_embeddings(save(tmp_path / "z.npy.gz", data))
