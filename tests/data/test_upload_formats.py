"""Files that other tools write: word vectors, savetxt, Arrow, the projector's folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ltviz.data.upload import Upload, projector, read_embeddings
from ltviz.errors import DataError

Z = np.random.default_rng(0).normal(size=(30, 4)).round(3).astype(np.float32)
Y = np.arange(30) % 3
WORDS = [",", "the", "#", "7", "New York", *(f"w{i}" for i in range(25))]


def lines(words) -> str:
    return "".join(f"{word} {' '.join(map(repr, row.tolist()))}\n" for word, row in zip(words, Z, strict=True))


def read_text(tmp_path: Path, text: str, **more) -> Upload:
    (tmp_path / "table.txt").write_text(text)
    return read_embeddings(tmp_path / "table.txt", **more)


@pytest.mark.parametrize("head", ["30 4\n", ""], ids=["word2vec", "glove"])
def test_word_vectors_are_points_and_their_words_an_attribute(tmp_path, head):
    upload = read_text(tmp_path, head + lines(WORDS))
    np.testing.assert_array_equal(upload.embeddings, Z)
    assert upload.labels is None and list(upload.attributes) == ["word"]
    assert upload.attributes["word"].texts() == tuple(WORDS)
    assert any("word vectors" in note for note in upload.notes)


def test_words_that_repeat_are_classes(tmp_path):
    upload = read_text(tmp_path, lines([f"class{y}" for y in Y]))
    assert upload.labels is not None and upload.labels.tolist() == Y.tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("31 4\n" + lines(WORDS), "first line says that 31 words follow; 30 do"),
        ("30 4\n" + lines(WORDS).replace("\nw7 ", "\nw7 x"), "in line 14"),
        ("1 2 3\n4 5\n", "in each line alike, spaces"),
    ],
)
def test_word_vectors_with_faults_name_the_line(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_text(tmp_path, text)


@pytest.mark.parametrize("header", ["", "a b c d label", "made by me"])
def test_tables_of_savetxt(tmp_path, header):
    np.savetxt(tmp_path / "a.txt", np.c_[Z, Y], header=header)
    upload = read_embeddings(tmp_path / "a.txt")
    np.testing.assert_array_equal(upload.embeddings, Z)
    assert upload.labels is not None and upload.labels.tolist() == Y.tolist()
    assert any("parted by spaces" in note for note in upload.notes)


@pytest.mark.parametrize("stream", [False, True], ids=["feather", "stream"])
def test_arrow_is_read_like_parquet(tmp_path, stream):
    pyarrow = pytest.importorskip("pyarrow")
    vectors = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(Z.ravel()), 4)
    captions = [f"what {i} shows" for i in range(30)]
    table = pyarrow.table({"embedding": vectors, "label": Y, "caption": captions})
    path = tmp_path / "a.arrow"
    if stream:
        with pyarrow.OSFile(str(path), "wb") as out, pyarrow.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table)
    else:
        pytest.importorskip("pyarrow.feather").write_feather(table, path)
    upload = read_embeddings(path)
    np.testing.assert_array_equal(upload.embeddings, Z)
    assert upload.labels is not None and upload.labels.tolist() == Y.tolist() and list(upload.attributes) == ["caption"]
    path.write_bytes(path.read_bytes()[:-40])
    # what lies behind the cut may send the reader anywhere, even to its end: either way nothing is read
    with pytest.raises(DataError, match=r"Arrow file is damaged|within the memory and time allowed"):
        read_embeddings(path)


def test_files_of_torch_are_refused_with_the_lines_that_save_them(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"z": torch.zeros(3, 2)}, tmp_path / "z.pt")
    with pytest.raises(DataError, match=r"from safetensors\.torch import save_file; save_file"):
        read_embeddings(tmp_path / "z.pt")


def write_tensors(folder: Path, z=Z, metadata: str | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / "tensors.tsv", z, delimiter="\t")
    if metadata is not None:
        (folder / "metadata.tsv").write_text(metadata)


def test_metadata_of_one_column_has_no_header_and_of_several_has_one(tmp_path):
    write_tensors(tmp_path, metadata="".join(f"{'' if i == 4 else f'class {y}'}\n" for i, y in enumerate(Y)))
    one = read_embeddings(tmp_path / "tensors.tsv", metadata=tmp_path / "metadata.tsv")
    assert one.labels is not None and one.labels[:6].tolist() == [0, 1, 2, 0, -1, 2]
    write_tensors(tmp_path, metadata="name\tyear\n" + "".join(f"p{i}\t{2000 + i}\n" for i in range(30)))
    several = read_embeddings(tmp_path / "tensors.tsv", metadata=tmp_path / "metadata.tsv")
    assert several.labels is None and several.names is not None and list(several.attributes) == ["year"]


def test_whole_numbers_in_tensors_are_dimensions(tmp_path):
    z = np.c_[Z, Y + 1]
    write_tensors(tmp_path, z, "".join(f"c{y}\n" for y in Y))
    assert read_embeddings(tmp_path / "tensors.tsv", metadata=tmp_path / "metadata.tsv").embeddings.shape == (30, 5)


def test_pytorchs_series_is_one_series_by_step(tmp_path):
    blocks = []
    for step in (20, 0, 5):
        write_tensors(tmp_path / f"{step:05d}" / "default", Z + step, "".join(f"c{y}\n" for y in Y))
        place = f"{step:05d}/default"
        blocks.append(
            f'embeddings {{\ntensor_name: "default:{step:05d}"\ntensor_path: "{place}/tensors.tsv"\n'
            f'metadata_path: "{place}/metadata.tsv"\nsprite {{ image_path: "s.png" }}\n}}\n'
        )
    lying = projector.series_in(tmp_path)
    (tmp_path / "projector_config.pbtxt").write_text("".join(blocks))
    told = projector.series_in(tmp_path)
    assert [one.step for one in told["default"]] == [0, 5, 20] and told == lying
    assert all(one.metadata is not None for one in told["default"])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('embeddings { tensor_path: "../out.tsv" }', "outside of its folder"),
        ('embeddings { tensor_path: "/etc/passwd" }', "outside of its folder"),
        ('embeddings { tensor_path: "gone.tsv" }', "not there"),
        ('embeddings { tensor_name: "w" }', "has no tensor_path"),
        ("model_checkpoint_path: 'x'", "1 to 10,000 sets of tensors; got 0"),
    ],
)
def test_configurations_that_lead_elsewhere_are_refused(tmp_path, config, message):
    (tmp_path / "out.tsv").write_text("1\t2\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "projector_config.pbtxt").write_text(config)
    with pytest.raises(DataError, match=message):
        projector.series_in(folder)


def test_rows_that_repeat_are_counted_exactly(tmp_path):
    np.save(tmp_path / "z.npy", np.r_[Z, Z[:3], Z[:1], -Z])
    assert any(note.startswith("4 of 64 rows repeat") for note in read_embeddings(tmp_path / "z.npy").notes)
