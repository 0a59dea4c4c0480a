"""Files of kinds that were read wrong without a word: what is right for each, and that what was guessed is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from ltviz.data.upload import Upload, read_embeddings
from ltviz.errors import DataError

CASES = Path(__file__).with_name("cases")
# The same points stand in all files, so each reader is compared with the plainest of them.
Z = np.loadtxt(CASES / "tensors.tsv", delimiter="\t", dtype=np.float32)
Y = np.array([int(line.split()[1]) for line in (CASES / "metadata.tsv").read_text().splitlines()])


def read(name: str, **more) -> Upload:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow.parquet")
    return read_embeddings(CASES / name, **more)


def says(upload: Upload, *words: str) -> bool:
    return any(all(word in note for word in words) for note in upload.notes)


@pytest.mark.parametrize(
    "name",
    [
        "text-and-label.parquet",
        "id-and-label.parquet",
        "arr0-arr1.npz",
        "label-first-no-header.csv",
        "lightly.csv",
        "vector-in-a-cell.csv",
    ],
)
def test_all_points_all_dimensions_and_the_classes(name):
    upload = read(name)
    np.testing.assert_allclose(upload.embeddings, Z, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(upload.labels, Y)
    assert upload.labels is not None and upload.labels.dtype == np.int32 and upload.class_names is None


@pytest.mark.parametrize("name", ["text-and-label.parquet", "vector-in-a-cell.csv"])
def test_text_beside_a_label_is_an_attribute(name):
    upload = read(name)
    assert list(upload.attributes) == ["text"] and says(upload, "attributes", "'text'")
    assert upload.attributes["text"].texts()[:2] == ("note 0", "note 1")


def test_vectors_of_different_lengths_are_refused_by_the_first_row():
    with pytest.raises(DataError, match=r"different lengths: 5 numbers in row 0, 6 in row 1 "):
        read("ragged.parquet")


def test_y_beside_x_is_a_coordinate():
    upload = read("xyz-label.parquet")
    assert upload.vector_columns == ("x", "y", "z") and upload.embeddings.shape == (40, 3)
    np.testing.assert_array_equal(upload.labels, Y)
    assert says(upload, "'y'", "coordinate")


def test_an_id_is_no_dimension():
    upload = read("id-and-label.parquet")
    assert upload.ids == tuple(map(str, range(40))) and says(upload, "'id'", "sample ids")


def test_arrays_named_by_their_place_are_guessed_and_said():
    assert says(read("arr0-arr1.npz"), "'arr_1' looks like the labels", "label_column")
    upload = read("arr0-arr1.npz", label_column="")
    assert upload.labels is None and list(upload.attributes) == ["arr_1"]


def test_a_label_in_the_first_column_is_guessed_said_and_can_be_changed():
    assert says(read("label-first-no-header.csv"), "first column ('column 1')", "labels", "label_column")
    upload = read("label-first-no-header.csv", label_column="")
    assert upload.embeddings.shape == (40, 7) and upload.labels is None


@pytest.mark.parametrize("metadata", ["metadata.tsv", "metadata-two-columns.tsv"])
def test_the_projectors_metadata(metadata):
    upload = read("tensors.tsv", labels=CASES / metadata)
    np.testing.assert_array_equal(upload.embeddings, Z)
    np.testing.assert_array_equal(upload.labels, Y)
    assert upload.class_names == tuple(f"class {label}" for label in range(Y.max() + 1))
    if metadata == "metadata.tsv":
        assert upload.names is None
    else:
        assert upload.names is not None and upload.names[:2] == ('it"em 0', 'it"em 1')
        assert says(upload, "'name'", "names of the points")


def test_file_names_are_the_names():
    upload = read("lightly.csv")
    assert upload.names is not None and upload.names[:2] == ("img_0.jpg", "img_1.jpg")
    assert says(upload, "'filenames'", "names of the points")


def test_any_whole_numbers_are_classes_and_name_them():
    upload = read("labels-7000.npz")
    np.testing.assert_array_equal(upload.labels, Y)
    assert upload.class_names == tuple(str(7000 + label) for label in range(Y.max() + 1))


def test_minus_one_is_no_class():
    upload = read("unlabelled.npz")
    raw = np.load(CASES / "unlabelled.npz")["labels"]
    np.testing.assert_array_equal(upload.labels, raw)
    assert -1 in raw and says(upload, f"{(raw == -1).sum()} of 40 points are unlabelled")


def test_a_file_of_labels_of_another_length_is_refused(tmp_path):
    shutil.copy(CASES / "metadata.tsv", tmp_path / "m.tsv")
    with (tmp_path / "m.tsv").open("a") as file:
        file.write("\nclass 0\n")
    with pytest.raises(DataError, match="one label for each of 40 points; got 41 lines"):
        read("tensors.tsv", labels=tmp_path / "m.tsv")
