"""Which column is what, in files of kinds that public reports describe: right, or refused with a sentence."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from ltviz.data.upload import Categories, Upload, read_embeddings
from ltviz.errors import DataError

Z = np.random.default_rng(0).normal(size=(12, 3)).round(3).astype(np.float32)
Y = np.arange(12) % 3


def read_text(tmp_path, text: str | bytes, name: str = "table.csv", **more) -> Upload:
    (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return read_embeddings(tmp_path / name, **more)


def table(header: str, *beside, first: bool = False) -> str:
    """Z as text with other columns after it, or before it."""
    lines = [header] if header else []
    for row, *others in zip(Z, *beside, strict=True):
        cells = [repr(float(value)) for value in row]
        others = [str(other) for other in others]
        lines.append(",".join([*others, *cells] if first else [*cells, *others]))
    return "\n".join(lines) + "\n"


CAT = ["cat", "dog", "eel"] * 4


@pytest.mark.parametrize(
    ("text", "more", "word"),
    [
        (table("f0,f1,f2,label", CAT), {}, None),
        (table("label,f0,f1,f2", CAT, first=True), {}, None),
        (table("a,b,c,species", CAT), {}, "'species' looks like the labels"),
        (table("", CAT), {}, "looks like the labels"),
        (table("", CAT, first=True), {}, "looks like the labels"),
        (table("0,1,2,label", CAT), {}, None),
        (table("f0,f1,f2,kind,note", CAT, range(12)), {"label_column": "kind"}, "attributes: 'note'"),
        (table("f0,f1,f2,label,", CAT, [""] * 12), {}, "left out: 'Unnamed: 4' (is empty)"),
        (table("Unnamed: 0,label,f0,f1,f2", range(12), CAT, first=True), {}, "'Unnamed: 0' was taken as the sample"),
        (table(",label,a,b,c", range(12), CAT, first=True), {}, "'Unnamed: 0' was taken as the sample"),
        (table("key,label,a,b,c", range(12), CAT, first=True), {}, "'key' was taken as the sample ids"),
        (table("f0,f1,f2,label,flag", CAT, [True, False] * 6), {}, "attributes: 'flag'"),
        (table("a,b,c,label,age", CAT, range(30, 42)), {}, "'age' not, being whole numbers beside fractions"),
        (table("f0,f1,f2,label,id", CAT, [7] * 12), {}, "attributes: 'id'"),
        (table("dim_0,dim_1,dim_2,label,x,y", CAT, Z[:, 0], Z[:, 1]), {}, "attributes: 'x', 'y'"),
        (table("f0,f1,f2,label,target", CAT, Z[:, 0]), {}, "attributes: 'target'"),
        (table("# f0,f1,f2,label", CAT), {}, None),
        (table("a0,b0,a1,label,b1", CAT, range(12)), {"vector_columns": ["a0", "b0", "a1"]}, "attributes: 'b1'"),
        ("\ufeff" + table("f0,f1,f2,label", CAT).replace("\n", "\r\n"), {}, None),
        (table("f0,f1,f2,label", CAT).replace(",", ";").replace(".", ","), {}, "decimal comma"),
        (table("f0,f1,f2,label", CAT).replace(",", "\t").replace(".", ","), {}, "decimal comma"),
        (table("f0,f1,f2,label", CAT).replace(",", ";"), {}, None),
        (table("f0,f1,f2,label,note", CAT, ["a; b"] * 12), {}, "attributes: 'note'"),
        (table("f0,f1,f2,label,note", CAT, ['"a\nb, ""c"""'] * 12), {}, "attributes: 'note'"),
        (gzip.compress(table("f0,f1,f2,label", CAT).encode()), {}, None),
        (gzip.compress(b"f0,f1,f2,label\n") + gzip.compress(table("", CAT).encode()), {}, None),
    ],
)
def test_tables_give_the_same_points_and_classes(tmp_path, text, more, word):
    upload = read_text(tmp_path, text, **more)
    np.testing.assert_array_equal(upload.embeddings, Z)
    assert upload.labels is not None and upload.labels.tolist() == Y.tolist()
    assert upload.class_names == ("cat", "dog", "eel")
    if word is None:
        assert upload.notes == ()
    else:
        assert any(word in note for note in upload.notes), upload.notes


@pytest.mark.parametrize(
    "cell", ["[{}, {}, {}]", "[{} {}\n {}]", "({},{},{})", "[[{}, {}, {}]]", "tensor([{}, {}, {}])"]
)
def test_vectors_in_a_cell(tmp_path, cell):
    rows = "".join(f'{label},"{cell.format(*map(float, row))}"\n' for row, label in zip(Z, CAT, strict=True))
    for text in ("label,embedding\n" + rows, rows):
        upload = read_text(tmp_path, text)
        np.testing.assert_array_equal(upload.embeddings, Z)
        assert upload.class_names == ("cat", "dog", "eel")


def test_numbers_in_a_cell_without_brackets_need_a_name(tmp_path):
    assert read_text(tmp_path, "label,vector\na,1 2 3\nb,4 5 6\n").embeddings.tolist() == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(DataError, match="at least 2 columns of numbers"):
        read_text(tmp_path, "label,phone\na,1 2 3\nb,4 5 6\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,x,label\n1,2,a\n3,4,b\n", "two are named 'x'"),
        ("label,Label,f0,f1\n1,2,.5,.5\n3,4,.5,.7\n", "differ only in capitals"),
        ("f0,f1,label\n1,2,a,\n3,4,b,\n", "must have 4 columns; line 1 has 3"),
        ("f0,f1,label\n1,2,a\n,,\n3,4,b\n", "line 3, 'f0', holds nothing"),
        ("f0,f1,label\n1,2,a\nNA,4,b\n3,4,b\n", "line 3, 'f0', holds 'NA'"),
        ("f0,f1,label\n1,2,a\nnan,4,b\n3,4,b\n", "finite; line 3 holds NaN"),
        ("f0,f1,label\n1,2,a\noops,4,b\n3,4,b\n", "line 3, 'f0', holds 'oops'"),
        ("f0,f1,label\n1,2,a\n1_0,4,b\n3,4,b\n", "line 3, 'f0', holds '1_0'"),
        ("f0,f1,f2,label\n1,2,,a\n3,4,,b\n", "'f2' is empty"),
        ("f0\tf1\n1,500\t2,5\n3,400\t4,5\n", "'1,500', may part thousands or decimals"),
        ("a0,a1,b0,b1\n.1,.2,.3,.4\n.5,.6,.7,.8\n", "could be the vectors, and so could 'b0', 'b1'"),
        ("q0,q1,width,height\n.1,.2,.3,.4\n.5,.6,.7,.8\n", "could be the vectors, and so could 'width', 'height'"),
        ("1,.5,.25,1\n0,.5,.75,0\n", "Both 'column 1' and 'column 4' .* could be the labels"),
        ('label,embedding\na,"[1, 2, 3]"\nb,"[1, 2]"\n', "3 numbers in line 2, 2 in line 3"),
        ('label,embedding\na,"[1, 2]"\nb,\n', "nothing in line 3"),
        ('label,embedding\na,"[1 2 ... 3]"\nb,"[1 2 ... 4]"\n', "shortened with '...'"),
        ('label;embedding\na;"[0,1;0,2]"\nb;"[0,3;0,5]"\n', r"holds text, like '\[0,1;0,2\]'"),
        ("f0,f1,label\n1,2,0.5\n3,4,1\n", "Labels must be whole numbers .* line 2 holds 0.5"),
    ],
)
def test_what_could_be_two_things_or_is_broken_is_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as refusal:
        read_text(tmp_path, text)
    assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")


def test_a_first_line_of_data_is_never_taken_for_names(tmp_path):
    upload = read_text(tmp_path, "x,2.5,8.5\ny,1.5,2.5\nlabel,3.5,2\n")
    assert upload.embeddings.tolist() == [[2.5, 8.5], [1.5, 2.5], [3.5, 2]]
    assert upload.class_names == ("label", "x", "y")
    whole = read_text(tmp_path, "5,0,1,2\n3,4,5,6\n")
    assert whole.embeddings.shape == (2, 4) and any("none as labels" in note for note in whole.notes)


def test_row_numbers_first_and_classes_last(tmp_path):
    text = "".join(f"{row},{z[0]},{z[1]},{y}\n" for row, (z, y) in enumerate(zip(Z, Y, strict=True)))
    upload = read_text(tmp_path, text)
    np.testing.assert_array_equal(upload.embeddings, Z[:, :2])
    np.testing.assert_array_equal(upload.labels, Y)
    assert upload.ids == tuple(map(str, range(12))) and any("'column 1'" in note for note in upload.notes)


@pytest.mark.parametrize(
    ("cells", "labels", "names"),
    [
        (["", "-1", "nan", "None", "2", "1", "0"], [-1, -1, -1, -1, 2, 1, 0], None),
        (["cat", "", "-1", "nan", "None", "<NA>", "ant"], [1, -1, -1, -1, -1, -1, 0], ("ant", "cat")),
        (["0.0", "1.0", "-1.0", "1", "0", "2e0", ""], [0, 1, -1, 1, 0, 2, -1], None),
        (["10", "9", "2", "-5", "9", "9", "9"], [3, 2, 1, 0, 2, 2, 2], ("-5", "2", "9", "10")),
        (["01", "1", "01", "1", "01", "1", "1"], [0, 1, 0, 1, 0, 1, 1], ("01", "1")),
        (["9223372036854775807", "18446744073709551615", *["5"] * 5], [1, 2, *[0] * 5],
         ("5", "9223372036854775807", "18446744073709551615")),
        (["True", "False", *["True"] * 5], [1, 0, *[1] * 5], ("False", "True")),
    ],
)  # fmt: skip
def test_labels_of_any_kind_and_none(tmp_path, cells, labels, names):
    rows = "".join(f"{z[0]},{z[1]},{cell}\n" for z, cell in zip(Z, cells, strict=False))
    upload = read_text(tmp_path, "f0,f1,label\n" + rows)
    assert upload.labels is not None and upload.labels.tolist() == labels and upload.class_names == names
    unlabelled = labels.count(-1)
    assert any(f"{unlabelled} of 7 points are unlabelled" in note for note in upload.notes) == (unlabelled > 0)


def test_ids_and_attributes_keep_what_a_float_would_change(tmp_path):
    text = "id,f0,f1,zip,score,label\n9007199254740993,.5,1,01234,NA,a\n9007199254740995,1,.5,00501,2.5,b\n"
    upload = read_text(tmp_path, text)
    assert upload.ids == ("9007199254740993", "9007199254740995")
    codes, score = upload.attributes["zip"], upload.attributes["score"]
    assert isinstance(codes, Categories) and codes.texts() == ("01234", "00501")
    np.testing.assert_array_equal(score, [np.nan, 2.5])


def test_thousands_of_columns(tmp_path):
    wide = np.arange(2 * 4096).reshape(2, 4096) + 0.5
    text = ",".join([*(f"d{i}" for i in range(4096)), "label"]) + "\n"
    text += "".join(",".join([*map(str, row), "a"]) + "\n" for row in wide)
    np.testing.assert_array_equal(read_text(tmp_path, text).embeddings, wide)


def test_a_split_is_kept(tmp_path):
    upload = read_text(tmp_path, table("f0,f1,f2,label,split", CAT, ["train", "test"] * 6))
    assert upload.split is not None and upload.split[:2] == ("train", "test")


@pytest.mark.parametrize("one_list", [False, True])
def test_json_objects(tmp_path, one_list):
    lines = [
        '{"id": "a", "embedding": [0.5, 1], "label": 7}',
        '{"id": "b", "embedding": [1, 2], "label": null, "q": 1}',
    ]
    text = f"[{','.join(lines)}]" if one_list else "\n".join(lines) + "\n"
    upload = read_text(tmp_path, text, "z.json")
    assert upload.embeddings.tolist() == [[0.5, 1], [1, 2]] and upload.ids == ("a", "b")
    assert upload.labels is not None and upload.labels.tolist() == [0, -1] and upload.class_names == ("7",)
    np.testing.assert_array_equal(upload.attributes["q"], [np.nan, 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"z": [1, 2]}\n{"z": [1]}\n', "2 numbers in line 1, 1 in line 2"),
        ('{"z": [1, 2]}\n{"z": null}\n', "nothing in line 2"),
        ('{"z": [1, 2], "z": [3, 4]}\n', "object 1 is not .one name stands twice"),
        ('{"z": [1, 2]}\n{"z": [1,\n', "object 2 is not"),
        ('{"z": [1, "2"]}\n{"z": [1, 2]}\n', "cannot be read: column 'z'"),
    ],
)
def test_json_objects_with_faults(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_text(tmp_path, text, "z.jsonl")


@pytest.mark.parametrize(
    ("given", "labels", "names"),
    [
        (Y, Y.tolist(), None),
        ([7000, None, -1, float("nan"), *[7001] * 8], [0, -1, -1, -1, *[1] * 8], ("7000", "7001")),
        (["b", None, "", "a", *["b"] * 8], [1, -1, -1, 0, *[1] * 8], ("a", "b")),
        ("b\n\n-1\na\n" + "b\n" * 8, [1, -1, -1, 0, *[1] * 8], ("a", "b")),
        ("label\n" + "b\n" * 11 + "a\n", [*[1] * 11, 0], ("a", "b")),
        ("index,class\n" + "".join(f"{i},{y}\n" for i, y in enumerate(Y)), Y.tolist(), None),
        ("a, b\n" * 11 + "c\n", [*[0] * 11, 1], ("a, b", "c")),
    ],
)
def test_labels_given_beside_the_file(tmp_path, given, labels, names):
    np.save(tmp_path / "z.npy", Z)
    if isinstance(given, str):
        path = tmp_path / ("labels.tsv" if "a, b" in given else "labels.csv")
        path.write_text(given)
        given = path
    upload = read_embeddings(tmp_path / "z.npy", labels=given)
    assert upload.labels is not None and upload.labels.tolist() == labels and upload.class_names == names
    assert not any("No array was taken" in note for note in upload.notes)


def test_labels_given_replace_those_in_the_file(tmp_path):
    np.save(tmp_path / "y.npy", Y)
    for text in (table("f0,f1,f2,label", Y[::-1]), table("", Y[::-1])):
        upload = read_text(tmp_path, text, labels=tmp_path / "y.npy")
        np.testing.assert_array_equal(upload.embeddings, Z)
        np.testing.assert_array_equal(upload.labels, Y)
        assert any("given replace those in" in note for note in upload.notes)


def test_a_lone_line_too_many_is_refused_not_shifted(tmp_path):
    np.save(tmp_path / "z.npy", Z)
    (tmp_path / "labels.txt").write_text("a\n" * 13)
    with pytest.raises(DataError, match="12 points; got 13 lines"):
        read_embeddings(tmp_path / "z.npy", labels=tmp_path / "labels.txt")


def read_parquet(tmp_path, columns, **more) -> Upload:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table(columns), tmp_path / "z.parquet")
    return read_embeddings(tmp_path / "z.parquet", **more)


def lists(rows=None, kind=None):
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.array(Z.tolist() if rows is None else rows, kind or pyarrow.list_(pyarrow.float32()))


def test_parquet_types(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    beside = {
        "kind": pyarrow.array(["b", None, "a"] * 4).dictionary_encode(),
        "maybe": pyarrow.array([2**60 + 1, None] * 6),
        "flag": pyarrow.array([True, None] * 6),
        "when": pyarrow.array([0] * 12, pyarrow.timestamp("s")),
        "image": [{"bytes": b"x"}] * 12,
        "tags": [["a"]] * 12,
        "nothing": pyarrow.nulls(12),
    }
    fixed = pyarrow.array(Z.tolist(), pyarrow.list_(pyarrow.float32(), 3))
    upload = read_parquet(tmp_path, {"vec": fixed, "label": pyarrow.array([5, None, -1] * 4), **beside})
    np.testing.assert_array_equal(upload.embeddings, Z)
    assert upload.labels is not None and upload.labels.tolist() == [0, -1, -1] * 4 and upload.class_names == ("5",)
    assert upload.attributes["kind"].texts()[:3] == ("b", "", "a")
    assert upload.attributes["maybe"].texts()[:2] == (str(2**60 + 1), "")
    assert list(upload.attributes) == ["kind", "maybe", "flag", "when"]
    left_out = next(note for note in upload.notes if "left out" in note)
    assert all(name in left_out for name in ("'image' (", "'tags' (", "'nothing' ("))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1, 2]] * 3 + [None] + [[1, 2]], "none in row 3"),
        ([[1, 2]] * 3 + [[1, None]] + [[1, 2]], "one with a null in row 3"),
        ([[1, 2]] * 3 + [[]] + [[1, 2]], "2 numbers in row 0, 0 in row 3"),
        ([[1, 2]] * 2 + [[1, 2, 3], [1]], "2 numbers in row 0, 3 in row 2"),
    ],
)
def test_parquet_lists_that_would_shift_rows_are_refused(tmp_path, rows, message):
    with pytest.raises(DataError, match=message):
        read_parquet(tmp_path, {"embedding": lists(rows)})


def test_two_columns_of_vectors_need_a_name(tmp_path):
    columns = {"before": lists(), "after": lists((Z * 2).tolist()), "label": Y}
    with pytest.raises(DataError, match="Several columns hold vectors: 'before', 'after'"):
        read_parquet(tmp_path, columns)
    upload = read_parquet(tmp_path, columns, vector_columns=["after"])
    np.testing.assert_array_equal(upload.embeddings, Z * 2)
    assert any("left out: 'before'" in note for note in upload.notes)


def test_typed_numbers_beside_fractions_are_no_dimensions(tmp_path):
    columns = {"a": Z[:, 0].round(), "b": Z[:, 1], "age": Y + 30, "flag": Y > 0, "label": Y}
    upload = read_parquet(tmp_path, columns)
    assert upload.vector_columns == ("a", "b") and list(upload.attributes) == ["age", "flag"]


def test_the_index_of_pandas_is_the_id(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    made = pyarrow.table({"a": Z[:, 0], "b": Z[:, 1], "number": np.arange(12) + 5})
    made = made.replace_schema_metadata({"pandas": '{"index_columns": ["number"]}'})
    pytest.importorskip("pyarrow.parquet").write_table(made, tmp_path / "z.parquet")
    assert read_embeddings(tmp_path / "z.parquet").ids == tuple(map(str, range(5, 17)))


def test_a_missing_pyarrow_gets_its_line(tmp_path, monkeypatch):
    (tmp_path / "z.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(DataError, match="pip install pyarrow"):
        read_embeddings(tmp_path / "z.parquet")


def test_columns_that_are_named_must_be_there(tmp_path):
    for more in ({"label_column": "klass"}, {"vector_columns": ["f0", "klass"]}):
        with pytest.raises(DataError, match="There is no column 'klass'; the file holds 'f0', 'f1', 'f2', 'label'"):
            read_text(tmp_path, table("f0,f1,f2,label", CAT), **more)


def test_names_of_classes_are_kept_where_labels_are_far_apart(tmp_path):
    names = np.array(list("abcdefghij"))
    np.savez(tmp_path / "z.npz", embeddings=Z, labels=Y // 2 * 9, class_names=names)
    upload = read_embeddings(tmp_path / "z.npz")
    assert upload.labels is not None and set(upload.labels.tolist()) == {0, 9}
    assert upload.class_names == tuple(names)


def test_a_dimension_may_be_spelled_as_an_id_is(tmp_path):
    upload = read_text(tmp_path, "f0,f1,label\n007,.5,a\n1,.5,b\n")
    assert upload.embeddings.tolist() == [[7, 0.5], [1, 0.5]]


def test_a_gap_among_the_dimensions_is_said(tmp_path):
    upload = read_text(tmp_path, table("f0,f1,f3,label", CAT))
    assert any("there is no 2" in note for note in upload.notes)


def test_lists_of_tokens_beside_numbered_dimensions_are_left_out(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    columns = {"f0": Z[:, 0], "f1": Z[:, 1], "tokens": pyarrow.array([[1], [1, 2]] * 6), "label": Y}
    upload = read_parquet(tmp_path, columns)
    assert upload.vector_columns == ("f0", "f1") and any("left out: 'tokens'" in note for note in upload.notes)
    with pytest.raises(DataError, match="1 numbers in row 0, 2 in row 1"):
        read_parquet(tmp_path, {"mean": Z[:, 0], "width": Z[:, 1], "tokens": columns["tokens"]})


def test_one_hot_labels_given_are_refused_and_numbers_of_two_types_are_one_class(tmp_path):
    np.save(tmp_path / "z.npy", Z)
    with pytest.raises(DataError, match=r"one class for each point, shape \(12,\); got \(12, 3\)"):
        read_embeddings(tmp_path / "z.npy", labels=np.eye(3)[Y].tolist())
    upload = read_embeddings(tmp_path / "z.npy", labels=[1.0, 1, None, 0] * 3)
    assert upload.labels is not None and upload.labels.tolist() == [1, 1, -1, 0] * 3


def test_line_breaks_in_cells_and_names_do_not_break_sentences(tmp_path):
    with pytest.raises(DataError) as refusal:
        read_text(tmp_path, 'label,embedding\na,"one\ntwo"\nb,"three"\n')
    assert "'one two'" in str(refusal.value)
    upload = read_text(tmp_path, table('f0,f1,f2,label,"my\nnote"', CAT, range(12)))
    assert "my\nnote" in upload.attributes and upload.notes == ("Columns kept as attributes: 'my note'.",)


@pytest.mark.parametrize(("name", "word"), [("id", "ids"), ("filename", "names")])
def test_labels_of_the_same_points_in_another_order_are_refused(tmp_path, name, word):
    (tmp_path / "z.csv").write_text(f"{name},f0,f1\n" + "".join(f"p{i},.5,{i}.5\n" for i in range(4)))
    beside = tmp_path / "labels.csv"

    def read(points) -> Upload:
        beside.write_text(f"{name},label\n" + "".join(f"{point},c{point[-1]}\n" for point in points))
        return read_embeddings(tmp_path / "z.csv", labels=beside)

    with pytest.raises(
        DataError, match=f"{word} of the points in another order: row 1 .* 'p1' .* 'p2' among the labels"
    ):
        read(["p0", "p2", "p1", "p3"])
    assert not any("different" in note for note in read(["p0", "p1", "p2", "p3"]).notes)
    assert any(f"different {word}" in note for note in read(["q0", "q1", "q2", "q3"]).notes)


def test_spaces_that_made_two_classes_one_are_said(tmp_path):
    for cells, told in ((["cat ", " cat", "dog"] * 4, True), ([" cat", "dog ", "eel"] * 4, False)):
        np.savez(tmp_path / "z.npz", z=Z, labels=np.array(cells))
        upload = read_embeddings(tmp_path / "z.npz")
        assert upload.class_names == (("cat", "dog") if told else ("cat", "dog", "eel"))
        assert any("only in the spaces around them" in note and "'cat'" in note for note in upload.notes) is told


def test_labels_under_a_mask_are_none(tmp_path):
    np.save(tmp_path / "z.npy", Z)
    for given in (Y, np.array(CAT)):
        upload = read_embeddings(tmp_path / "z.npy", labels=np.ma.masked_array(given, mask=Y == 1))
        assert upload.labels is not None and ((upload.labels == -1) == (Y == 1)).all()


def test_a_header_that_is_no_name_gets_a_hint(tmp_path):
    np.save(tmp_path / "z.npy", Z)
    (tmp_path / "labels.txt").write_text("species\n" + "\n".join(CAT) + "\n")
    with pytest.raises(DataError, match="got 13 lines of labels; if the first is their header, call it 'label'"):
        read_embeddings(tmp_path / "z.npy", labels=tmp_path / "labels.txt")


def test_the_order_of_bytes_is_no_width(tmp_path):
    np.save(tmp_path / "z.npy", Z.astype(">f4"))
    upload = read_embeddings(tmp_path / "z.npy")
    np.testing.assert_array_equal(upload.embeddings, Z)
    assert not any("float32" in note for note in upload.notes)


@pytest.mark.parametrize("head", ["", "label\n"])
@pytest.mark.parametrize("end", ["\n\n\n", "\n\n\n\n\n"])
def test_empty_lines_at_the_end_of_a_list_of_labels_are_points_without_one(tmp_path, head, end):
    np.save(tmp_path / "z.npy", np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32))
    (tmp_path / "y.txt").write_text(f"{head}a\nb\n\nb{end}")
    upload = read_embeddings(tmp_path / "z.npy", labels=tmp_path / "y.txt")
    assert upload.labels is not None and (upload.labels == -1).tolist() == [False, False, True, False, True, True]
    (tmp_path / "y.txt").write_text(f"{head}a\nb\n\nb\n")
    with pytest.raises(DataError, match="one label for each of 6 points"):
        read_embeddings(tmp_path / "z.npy", labels=tmp_path / "y.txt")
