"""table-lt: vectors and labels of CSV, Parquet and NPZ files, split as they say or held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ltviz.data import registry
from ltviz.data.upload import read_embeddings
from ltviz.errors import DataError

SIZES = (12, 8, 5)


def table(sizes=SIZES, dim: int = 4) -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    vectors = np.random.default_rng(0).standard_normal((len(labels), dim)).astype(np.float32)
    vectors[:, 0] = labels
    return vectors, labels


def write(path: Path, vectors: np.ndarray, labels, split=None) -> Path:
    names = [f"f{d}" for d in range(vectors.shape[1])]
    if path.suffix == ".npz":
        more = {} if split is None else {"split": np.array(split)}
        np.savez(path, embeddings=vectors, labels=np.asarray(labels), **more)
    elif path.suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        columns = {"vector": list(vectors), "label": list(labels)} | ({} if split is None else {"split": split})
        pyarrow.parquet.write_table(pyarrow.table(columns), path)
    else:
        rows = [[*map(str, row), str(label)] for row, label in zip(vectors.tolist(), labels, strict=True)]
        head = [*names, "label"]
        if split is not None:
            head, rows = [*head, "split"], [[*row, part] for row, part in zip(rows, split, strict=True)]
        path.write_text("\n".join(",".join(row) for row in [head, *rows]) + "\n")
    return path


def load(place: Path, **asked):
    return registry.load("table-lt", data_dir=str(place), **{"imbalance_factor": 5, **asked})


@pytest.mark.parametrize("kind", ["csv", "npz", "parquet"])
@pytest.mark.parametrize("given", ["file", "folder"])
def test_a_table_is_a_set(tmp_path: Path, kind: str, given: str) -> None:
    vectors, labels = table()
    file = write(tmp_path / f"features.{kind}", vectors, labels)
    data = load(file if given == "file" else tmp_path)
    assert data.counts.tolist() == [11, 7, 4] and data.class_names == ("0", "1", "2")
    assert data.train_inputs.shape == (4,) and data.train_inputs.white == 1
    read = data.train_inputs.read(np.arange(22))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, vectors[data.train_ids])
    np.testing.assert_array_equal(labels[data.test_ids], data.test_labels)
    assert sorted([*data.train_ids, *data.test_ids]) == [*range(25)]
    assert any("3 rows, equally many of each class, are held out" in note for note in data.notes)


@pytest.mark.parametrize("kind", ["csv", "npz", "parquet"])
def test_a_column_says_what_is_to_train_and_what_to_test_on(tmp_path: Path, kind: str) -> None:
    vectors, labels = table()
    split = np.array(["train"] * 25, object)
    split[[0, 12, 20]], split[[1, 13]] = "Test", "val"
    data = load(write(tmp_path / f"x.{kind}", vectors, labels, split.tolist()))
    assert sorted(data.test_ids) == [0, 12, 20] and data.counts.tolist() == [10, 6, 4]
    assert any("another split than train and test, left out: 2" in note for note in data.notes)
    split[[0, 12, 20]] = "train"
    split[[2, 14, 21]] = "val"
    assert sorted(load(write(tmp_path / f"x.{kind}", vectors, labels, split.tolist())).test_ids) == [1, 2, 13, 14, 21]
    with pytest.raises(DataError, match=r"`split` must say test of some rows, but holds 'train'"):
        load(write(tmp_path / f"x.{kind}", vectors, labels, ["train"] * 25))


def test_labels_may_be_names_and_another_column_may_hold_them(tmp_path: Path) -> None:
    vectors, labels = table()
    file = write(tmp_path / "x.csv", vectors, np.array(["cat", "dog", "eel"])[labels])
    assert load(file).class_names == ("cat", "dog", "eel")
    file.write_text(file.read_text().replace("label", "species"))
    assert load(file, data_options={"label": "species"}).class_names == ("cat", "dog", "eel")
    with pytest.raises(DataError, match=r"no column 'kind'"):
        load(file, data_options={"label": "kind"})


def test_what_was_guessed_is_said_with_the_options_that_change_it(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    rows = [f"{i % 3}.5,{i}.25,{i % 2}.75,{'ab'[i % 2]}" for i in range(24)]
    file.write_text("\n".join(["f0,f1,width,kind", *rows]))
    assert "'kind' looks like the labels and was taken as such; --data.label changes that." in load(file).notes[0]
    data = load(file, data_options={"label": "kind", "vectors": "f1, width"})
    assert data.train_inputs.shape == (2,) and data.train_inputs.read(np.array([0]))[0, 1] in (0.75, 1.75)
    with pytest.raises(DataError, match="no column 'f9'"):
        load(file, data_options={"vectors": "f9"})
    whole = tmp_path / "whole.csv"
    whole.write_text("\n".join(f"0.5,{i}.5,{i % 3}" for i in range(24)))
    notes = " ".join(load(whole).notes)
    assert "; --data.label and --data.vectors change that." in notes and "_column" not in notes
    whole.write_text("\n".join(f"{i % 2},0.5,{i}.5,{i % 3}" for i in range(24)))
    with pytest.raises(DataError, match=r"could be the labels; give the table a header or name --data\.label: "):
        load(whole)


def test_even_classes_are_cut(tmp_path: Path) -> None:
    vectors, labels = table((10, 10, 10))
    file = write(tmp_path / "x.npz", vectors, labels)
    assert load(file, imbalance_factor=4).counts.tolist() == [8, 4, 2]
    assert load(file, profile="natural").counts.tolist() == [8, 8, 8]


def test_features_may_be_zero_and_of_one_number_and_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = table(dim=1)
    file = write(tmp_path / "x.npz", vectors, labels)
    assert load(file).train_inputs.shape == (1,)
    with pytest.raises(DataError, match=r"at least 2 dimensions"):
        read_embeddings(file)
    vectors, labels = table()
    vectors[3] = 0
    file = write(tmp_path / "y.npz", vectors, labels)
    assert load(file).counts.sum() == 22
    with pytest.raises(DataError, match=r"A zero row has no direction"):
        read_embeddings(file)
    from ltviz.data import upload

    monkeypatch.setattr(upload, "MAX_ARRAY", 100)
    assert load(file).counts.sum() == 22, "the cap of uploads is not the one of a user's own features"
    with pytest.raises(DataError, match=r"up to 0 MB"):
        read_embeddings(file)
    monkeypatch.setattr(upload, "MAX_FEATURES", 100)
    with pytest.raises(DataError, match=r"up to 0 MB"):
        load(write(tmp_path / "z.npz", vectors, labels))


def test_rows_without_a_label_are_left_out_and_said(tmp_path: Path) -> None:
    vectors, labels = table()
    labels[[0, 5]] = -1
    data = load(write(tmp_path / "x.npz", vectors, labels))
    assert data.counts.tolist() == [9, 7, 4] and any("2 of 25 points are unlabelled" in note for note in data.notes)


def ragged(path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    vectors = [[1.0, 2.0, 3.0]] * 9 + [[1.0, 2.0]]
    pyarrow.parquet.write_table(pyarrow.table({"vector": vectors, "label": [0, 1] * 5}), path)


BAD = {
    "ragged.parquet": (ragged, r"vectors of different lengths: 3 numbers in row 0, 2 in row 9"),
    "unlabelled.csv": (
        lambda p: p.write_text("f0,f1\n" + "1.5,2.5\n2.5,1.5\n" * 5),
        r"a column of labels.*--data.label",
    ),
    "text.csv": (lambda p: p.write_text("f0,f1,label\n1.5,2,a\n1.5,x,b\n" * 1), r"line 3, 'f1', holds 'x'"),
    "nan.npz": (lambda p: write(p, np.full((10, 2), np.nan, np.float32), [0, 1] * 5), r"must be finite"),
    "short.npz": (lambda p: write(p, table()[0], table()[1][:-1]), r"one label for each of 25"),
    "one.npz": (lambda p: write(p, table()[0], np.zeros(25, int)), r"at least 2 classes"),
    "single.npz": (lambda p: write(p, table((5, 1))[0], table((5, 1))[1]), r"at least 2 samples.*'1' has 1"),
    "gap.npz": (lambda p: write(p, table((5, 0, 5, 5))[0], table((5, 0, 5, 5))[1]), r"none of class 1"),
    "cut.npz": (lambda p: p.write_bytes(write(p, *table()).read_bytes()[:-40]), r"cut short"),
    "empty.csv": (lambda p: p.write_bytes(b""), r"empty"),
    "pickle.npz": (lambda p: p.write_bytes(b"\x80\x02}."), r"Pickles"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_refused_with_its_file(tmp_path: Path, name: str) -> None:
    make, told = BAD[name]
    make(tmp_path / name)
    with pytest.raises(DataError, match=told) as caught:
        load(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LTVIZ_DATA", raising=False)
    with pytest.raises(DataError, match=r"column `label`, or .npz .*none was given; set --data-dir to the file"):
        registry.load("table-lt", imbalance_factor=5)
    with pytest.raises(DataError, match=r"none is at"):
        load(tmp_path)
    for name in ("a.csv", "b.npz"):
        write(tmp_path / name, *table())
    with pytest.raises(DataError, match=r"holds 2; set --data-dir to the file"):
        load(tmp_path)


def test_an_outline_follows_the_file(tmp_path: Path) -> None:
    file = write(tmp_path / "x.npz", *table())
    about = registry.describe("table-lt", imbalance_factor=5, data_dir=str(file))
    assert about.counts == (11, 7, 4) and about.test_counts == (1, 1, 1) and about.image_shape == (4,)
    write(file, *table((20, 8, 5, 3), dim=6))
    about = registry.describe("table-lt", imbalance_factor=5, data_dir=str(file))
    assert about.counts == (19, 7, 4, 2) and about.image_shape == (6,)
