from __future__ import annotations

import numpy as np
import pytest
import safetensors.numpy

from ltviz.data.upload import read_embeddings
from ltviz.errors import DataError

Z = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
Y = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3])
TEXT = np.array(["dog", "cat", "é🙂", "<b>"])[Y]


def csv(rows, header: str = "", separator: str = ",") -> str:
    lines = [separator.join(map(str, row)) for row in rows]
    return "\n".join(([header] if header else []) + lines) + "\n"


def table(with_labels=True):
    return [
        [repr(float(value)) for value in row] + ([label] if with_labels else [])
        for row, label in zip(Z, TEXT, strict=True)
    ]


WRITERS = {
    "npy": lambda path: np.save(path, Z),
    "npy in Fortran order": lambda path: np.save(path, np.asfortranarray(Z)),
    "npy big-endian": lambda path: np.save(path, Z.astype(">f4")),
    "npz": lambda path: np.savez(path, embeddings=Z, labels=Y),
    "npz packed": lambda path: np.savez_compressed(path, z=Z, y=Y),
    "npz of other names": lambda path: np.savez(path, Features=Z, Targets=Y.astype(np.float64)),
    "npz of one matrix": lambda path: np.savez(path, anything=Z),
    "safetensors": lambda path: safetensors.numpy.save_file({"embeddings": Z, "labels": Y}, path),
    "csv": lambda path: path.write_text(csv(table(), "x0,x1,x2,x3,label")),
    "csv with marks and quotes": lambda path: path.write_text(csv(table(), '"x0","x1","x2","x3","Class"'), "utf-8-sig"),
    "csv of a spreadsheet": lambda path: path.write_text(csv(table(), "a\tb\tc\td\tlabel", "\t"), "utf-16"),
    "csv without a header": lambda path: path.write_text(csv(table())),
    "csv without labels": lambda path: path.write_text(csv(table(with_labels=False))),
    "csv with blank lines": lambda path: path.write_text(csv(table()).replace("\n", "\r\n\r\n")),
    "tsv": lambda path: path.write_text(csv(table(), "x0\tx1\tx2\tx3\tlabel", "\t")),
}


@pytest.mark.parametrize("form", WRITERS)
def test_each_format_gives_the_same_embeddings(tmp_path, form):
    path = tmp_path / f"file.{form.split()[0]}"
    WRITERS[form](path)
    upload = read_embeddings(path)
    assert upload.embeddings.dtype == np.float32 and upload.embeddings.flags.c_contiguous
    np.testing.assert_array_equal(upload.embeddings, Z)
    if upload.class_names is not None:
        assert upload.labels is not None
        assert [upload.class_names[label] for label in upload.labels] == TEXT.tolist()
    elif upload.labels is not None:
        np.testing.assert_array_equal(upload.labels, Y)
        assert upload.labels.dtype == np.int32
    has_labels = form not in ("csv without labels", "npz of one matrix") and not form.startswith("npy")
    assert (upload.labels is not None) == has_labels
    assert (upload.class_names is not None) == (has_labels and form.startswith(("csv", "tsv")))


def test_the_content_decides_not_the_name(tmp_path):
    np.savez(tmp_path / "file.npz", embeddings=Z)
    (tmp_path / "file.npz").rename(tmp_path / "file.csv")
    np.testing.assert_array_equal(read_embeddings(tmp_path / "file.csv").embeddings, Z)


def test_parquet_where_it_can_be_read(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    write_table = pytest.importorskip("pyarrow.parquet").write_table
    columns = {f"x{index}": Z[:, index] for index in range(4)}
    write_table(pyarrow.table({**columns, "label": TEXT.tolist()}), tmp_path / "a.parquet")
    write_table(pyarrow.table({"embedding": Z.tolist(), "label": Y}), tmp_path / "b.parquet")
    first, second = read_embeddings(tmp_path / "a.parquet"), read_embeddings(tmp_path / "b.parquet")
    np.testing.assert_array_equal(first.embeddings, Z)
    assert first.labels is not None and first.class_names is not None
    assert [first.class_names[label] for label in first.labels] == TEXT.tolist()
    np.testing.assert_allclose(second.embeddings, Z)
    np.testing.assert_array_equal(second.labels, Y)


def test_bfloat16_is_widened(tmp_path):
    bits = (Z.view(np.uint32) >> 16).astype(np.uint16)
    data = safetensors.numpy.save({"embeddings": bits}).replace(b'"U16"', b'"BF16"')
    length = int.from_bytes(data[:8], "little") + 1
    (tmp_path / "z.safetensors").write_bytes(length.to_bytes(8, "little") + data[8:])
    np.testing.assert_allclose(read_embeddings(tmp_path / "z.safetensors").embeddings, Z, rtol=2**-7)


def read_arrays(tmp_path, **arrays):
    np.savez(tmp_path / "upload.npz", **arrays)
    return read_embeddings(tmp_path / "upload.npz")


@pytest.mark.parametrize(
    ("dtype", "word"), [("f2", "widened"), ("i1", "widened"), ("u1", "widened"), ("f8", "narrowed"), ("?", "widened")]
)
def test_other_types_of_numbers_are_changed_and_said(tmp_path, dtype, word):
    array = (np.abs(Z) * 20 + 1).astype(dtype)
    upload = read_arrays(tmp_path, embeddings=array)
    np.testing.assert_array_equal(upload.embeddings, array.astype(np.float32))
    assert any(word in note and str(array.dtype) in note for note in upload.notes)


@pytest.mark.parametrize(
    ("arrays", "note"),
    [
        ({"labels": np.where(Y == 2, 5, Y)}, "The labels have gaps: no point has 2, 4."),
        ({"labels": Y * 0 + 3}, "All points have one label, 3"),
        ({"labels": Y - 1}, "5 of 12 points are unlabelled"),
        ({"labels": np.where(Y == 3, np.nan, Y)}, "1 of 12 points are unlabelled"),
        ({"labels": Y * 0 - 1}, "No point has a label"),
        ({"labels": TEXT, "class_names": np.array(list("abcd"))}, "names of classes were left out"),
        ({"class_names": np.array(list("abcd"))}, "left out: 'class_names' (there are no labels)"),
        ({"names": np.array(list("abcdefghijkl"))}, "'names' was taken as the names of the points"),
        ({"cluster": Y}, "No array was taken as labels; label_column names one of 'cluster'"),
        ({"labels": np.array(["a"] * 12)}, "All points have one label"),
        ({"embeddings": Z[[0, 0, 0, 1, 2, 3]]}, "2 of 6 rows repeat another row exactly."),
        ({"extra": Z}, "left out: 'extra'"),
    ],
)
def test_what_is_odd_but_usable_is_said(tmp_path, arrays, note):
    upload = read_arrays(tmp_path, **({"embeddings": Z} | arrays))
    assert any(note in line for line in upload.notes)


def test_two_dimensions_and_labels_in_a_column_are_fine(tmp_path):
    upload = read_arrays(tmp_path, embeddings=Z[:, :2], labels=Y[:, None], class_names=np.array(list("abcde")))
    assert upload.embeddings.shape == (12, 2) and upload.labels is not None and upload.labels.tolist() == Y.tolist()
    assert upload.class_names == ("a", "b", "c", "d", "e") and upload.notes == ()


def wrong(row: int, value: float) -> np.ndarray:
    array = Z.astype(np.float64)
    array[row, 1] = value
    return array


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"embeddings": wrong(3, np.nan)}, r"row 3 \(counted from 0\) holds NaN or infinity"),
        ({"embeddings": wrong(5, np.inf)}, "row 5 .* NaN or infinity"),
        ({"embeddings": Z * np.nan}, "12 rows, first 0, 1, 2, hold NaN"),
        ({"embeddings": wrong(5, 1e300)}, "fit float32"),
        ({"embeddings": np.asarray(Z, np.float64) * 1e-300}, "fit float32 .* hold smaller numbers alone"),
        ({"embeddings": Z * (Y != 2)[:, None]}, "zero row has no direction.*2 rows, first 9, 10, hold only zeros"),
        ({"embeddings": Z.astype(complex)}, "real numbers; got complex128"),
        ({"embeddings": Z.astype(str)}, "must be numbers; got text"),
        ({"embeddings": Z[:, 0]}, r"shape \(points, dimensions\); got \(12,\)"),
        ({"embeddings": Z[None]}, r"shape \(points, dimensions\); got \(1, 12, 4\)"),
        ({"embeddings": Z[:1]}, "At least 2 points"),
        ({"embeddings": Z[:0]}, "At least 2 points"),
        ({"embeddings": Z[:, :1]}, "at least 2 dimensions"),
        ({"embeddings": np.ones((2, 4097), np.float32)}, "At most 4,096 dimensions"),
        ({"embeddings": np.ones((1_000_001, 2), np.int8)}, "At most 1,000,000 points"),
        ({"labels": Y[:-1]}, "one label for each of 12 points; got 11"),
        ({"labels": np.eye(12)}, r"Labels must be one class for each point"),
        ({"embeddings": Z.T, "labels": Y}, r"got \(4, 12\) and 12 labels, save the transpose"),
        ({"labels": Y + 0.5}, r"Labels must be whole numbers .* row 0 \(counted from 0\) holds 0.5"),
        ({"labels": np.where(Y == 3, np.inf, Y)}, r"Labels must be whole numbers .* row 11"),
        (
            {"labels": Y - 2, "class_names": np.array(list("abcd"))},
            "indices into class_names, or -1; the smallest is -2",
        ),
        ({"labels": Y * 1j}, "whole numbers or text; got complex"),
        ({"labels": np.array([b"\xff"] * 12)}, "UTF-8"),
        (
            {"embeddings": np.random.default_rng(0).normal(size=(65_536, 2)), "labels": np.arange(65_536)},
            "At most 65,535 classes are read; the labels hold 65,536",
        ),
        ({"labels": Y, "class_names": np.array(["a"])}, "one name for each of 4 classes"),
        ({"labels": np.array(["x" * 30_000] * 12)}, "Class names of up to 20,000"),
    ],
)
def test_each_fault_has_its_own_sentence(tmp_path, arrays, message):
    with pytest.raises(DataError, match=message) as refusal:
        read_arrays(tmp_path, **({"embeddings": Z} | arrays))
    sentence = str(refusal.value)
    assert "\n" not in sentence and sentence.endswith(".") and len(sentence) < 300


def test_arrays_of_unknown_names_are_named(tmp_path):
    with pytest.raises(DataError, match="array named 'embeddings'; it holds 'one', 'two'"):
        read_arrays(tmp_path, one=Z, two=Z)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y,label\n1,2,a\n3,=1+1,b\n", "Line 3 holds a formula"),
        ("x,y,label\n1,2,a\n3,4,=cmd|' /C calc'!A0\n", "Line 3 holds a formula"),
        ("1 2 3\n4 5\n", "in each line alike, spaces"),
        ("1\n2\n", "one column"),
        ("x,y\n", "a header and no rows"),
        ("\n\n", "one column"),
        ("x,y\n1,2\n3\n", "All lines must have 2 columns; line 3 has 1"),
        ("x,y\n1,2\n3,abc\n", "line 3, 'y', holds 'abc'"),
        ("x,y\n1,2\n3,\n", "line 3, 'y', holds nothing"),
        ("a,b,c\nx,y,1\nz,w,2\n", "at least 2 columns of numbers; of 'a', 'b', 'c' only 'c'"),
        ('x,y\n1,"2\n', "not sound CSV"),
        ("x,y\n1,2\n3,\0\n", "of no format that is read"),
        ("x,y\n1,inf\n3,4\n", "NaN or infinity"),
        ("x,y\n1,1e300\n3,4\n", "fit float32"),
    ],
)
def test_tables_with_faults_have_their_sentences(tmp_path, text, message):
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_embeddings(tmp_path / "table.csv")


def test_a_table_that_is_not_utf8_is_read_as_latin1_and_says_so(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"x,y,label\n1,2,\xe9t\xe9\n3,4,a\n")
    upload = read_embeddings(tmp_path / "table.csv")
    assert upload.class_names == ("a", "été")
    assert any("not UTF-8 (byte 14) and was read as Latin-1" in note for note in upload.notes)


@pytest.mark.parametrize(
    ("text", "shape", "labels", "names"),
    [
        ("0,1,2\n0.5,1.5,2.5\n3,4,5\n", (2, 3), None, None),
        (",0,1,label\n0,0.5,1,7\n1,3,4,7\n", (2, 2), [0, 0], ("7",)),
        ("0.5,1.5,0\n0.25,1,1\n", (2, 2), [0, 1], None),
        ("1,2,0\n3,4,1\n", (2, 3), None, None),
        ("id,x,y,species\n7,1,2,b\n9,3,4,a\n", (2, 2), [1, 0], ("a", "b")),
    ],
)
def test_columns_find_their_parts(tmp_path, text, shape, labels, names):
    (tmp_path / "table.csv").write_text(text)
    upload = read_embeddings(tmp_path / "table.csv")
    assert upload.embeddings.shape == shape and upload.class_names == names
    assert (None if upload.labels is None else upload.labels.tolist()) == labels
