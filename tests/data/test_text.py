"""text-lt: texts and classes of a table, each text a vector of an installed sentence encoder (a double of it here)."""

from __future__ import annotations

import importlib.machinery
import json
import sys
import types
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from ltviz.data import registry
from ltviz.data.sources import text
from ltviz.errors import DataError

ROWS = [(f"about cats, number {i}", "cat") for i in range(10)] + [(f"a dog {i}", "dog") for i in range(5)]


class Encoder:
    """As `sentence_transformers.SentenceTransformer`: vectors of a text's length and first letter."""

    asked: ClassVar[list[str]] = []

    def __init__(self, model: str, *, local_files_only: bool):
        assert local_files_only, "nothing is downloaded"
        if (Path(model) / "damaged").is_file():
            raise OSError("no model\nhere")

    def encode(self, texts: list[str], *, convert_to_numpy: bool, show_progress_bar: bool) -> np.ndarray:
        Encoder.asked += texts
        return np.array([[len(one), ord(one[0]), 1.0] for one in texts], np.float32)


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    module = types.ModuleType("sentence_transformers")
    module.__spec__ = importlib.machinery.ModuleSpec("sentence_transformers", None)
    module.SentenceTransformer = Encoder  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    monkeypatch.setattr(Encoder, "asked", [])
    model = tmp_path / "model"
    (model / "1_Pooling").mkdir(parents=True)
    kinds = ("Transformer", "Pooling", "Normalize")
    parts = [{"path": "1_Pooling" if kind == "Pooling" else "", "type": f"a.b.{kind}"} for kind in kinds]
    (model / "modules.json").write_text(json.dumps(parts))
    pooling = {"word_embedding_dimension": 3, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False}
    (model / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return model


def write(path: Path, rows=ROWS, head: str = "text,label") -> Path:
    path.write_text("\n".join([head, *(f'"{words}",{label}' for words, label in rows)]) + "\n")
    return path


def load(file: Path, model: Path, **options):
    return registry.load(
        "text-lt", imbalance_factor=5, data_dir=str(file), data_options={"model": str(model), **options}
    )


def test_a_table_of_text_is_a_set_of_vectors(tmp_path: Path, encoder: Path) -> None:
    data = load(write(tmp_path / "x.csv"), encoder)
    assert data.class_names == ("cat", "dog") and data.counts.tolist() == [9, 4]
    assert data.train_inputs.shape == (3,)
    for at, vector in zip(data.train_ids, data.train_inputs.read(np.arange(13)), strict=True):
        assert vector.tolist() == [len(ROWS[at][0]), ord(ROWS[at][0][0]), 1]


def test_a_form_asks_for_no_vector(tmp_path: Path, encoder: Path) -> None:
    about = registry.describe(
        "text-lt", imbalance_factor=5, data_dir=str(write(tmp_path / "x.csv")), data_options={"model": str(encoder)}
    )
    assert about.image_shape == (3,) and about.counts == (9, 4) and Encoder.asked == []


def test_the_dimension_stands_in_the_description_of_a_model(encoder: Path) -> None:
    config = encoder / "1_Pooling" / "config.json"
    for about, size in (
        ({"word_embedding_dimension": 5, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}, 10),
        ({"embedding_dimension": 7, "pooling_mode": "mean"}, 7),
        ({"embedding_dimension": 7, "pooling_mode": ["mean", "max"]}, 14),
    ):
        config.write_text(json.dumps(about))
        assert text.dimension(encoder) == size
    parts = json.loads((encoder / "modules.json").read_text())
    (encoder / "modules.json").write_text(json.dumps([*parts, {"path": "1_Pooling", "type": "a.b.Dense"}]))
    config.write_text(json.dumps({"out_features": 12}))
    assert text.dimension(encoder) == 12
    for bad in ("[]", "{", '[{"path": "", "type": "a.b.Other"}]'):
        (encoder / "modules.json").write_text(bad)
        with pytest.raises(DataError, match=r"its description cannot be used"):
            text.dimension(encoder)


def test_a_model_that_gives_other_vectors_than_it_says_is_refused(tmp_path: Path, encoder: Path) -> None:
    (encoder / "1_Pooling" / "config.json").write_text(json.dumps({"embedding_dimension": 7, "pooling_mode": "mean"}))
    with pytest.raises(DataError, match=r"must have 7 numbers, got \(15, 3\)"):
        load(write(tmp_path / "x.csv"), encoder)


def test_a_text_that_comes_again_is_encoded_once(tmp_path: Path, encoder: Path) -> None:
    load(write(tmp_path / "x.csv", ROWS * 3), encoder)
    assert sorted(Encoder.asked) == sorted({words for words, _ in ROWS})


def test_columns_are_found_or_named(tmp_path: Path, encoder: Path) -> None:
    file = write(tmp_path / "x.csv", head="sentence,class")
    assert load(file, encoder).class_names == ("cat", "dog")
    file = write(tmp_path / "x.csv", head="words,kind")
    with pytest.raises(DataError, match=r"needs a column 'text', but the file holds 'words', 'kind'; .*--data.text"):
        load(file, encoder)
    with pytest.raises(DataError, match=r"needs a column 'label'.*--data.label"):
        load(file, encoder, text="words")
    with pytest.raises(DataError, match=r"needs a column 'sort'"):
        load(file, encoder, text="words", label="sort")
    assert load(file, encoder, text="words", label="kind").class_names == ("cat", "dog")


def test_rows_without_text_are_refused_with_their_line_or_left_out(tmp_path: Path, encoder: Path) -> None:
    file = write(tmp_path / "x.csv", [*ROWS[:3], ("  ", "cat"), *ROWS[3:]])
    with pytest.raises(DataError, match=r"line 5 has none; .*--skip-bad"):
        load(file, encoder)
    data = registry.load(
        "text-lt", imbalance_factor=5, data_dir=str(file), data_options={"model": str(encoder)}, skip_bad=True
    )
    assert data.counts.tolist() == [9, 4] and any("Rows without text, left out: 1" in note for note in data.notes)


def test_a_file_of_other_things_is_refused(tmp_path: Path, encoder: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("text,label\n1,a\n2,b\n")
    with pytest.raises(DataError, match=r"Texts must be text"):
        load(file, encoder)
    with pytest.raises(DataError, match=r"at least 2 classes"):
        load(write(file, ROWS[:10]), encoder)


def test_without_an_encoder_there_is_one_sentence_with_the_line_to_install_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(text, "find_spec", lambda name: None)
    for options in ({}, {"model": str(tmp_path)}):
        with pytest.raises(DataError) as caught:
            registry.load("text-lt", imbalance_factor=5, data_dir=str(write(tmp_path / "x.csv")), data_options=options)
        assert "python -m pip install 'ltviz[text]'" in str(caught.value) and "\n" not in str(caught.value)


def test_a_model_that_is_none_is_refused(tmp_path: Path, encoder: Path) -> None:
    file = write(tmp_path / "x.csv")
    with pytest.raises(DataError, match=r"must be a folder .* got 'all-MiniLM'; nothing is downloaded"):
        load(file, Path("all-MiniLM"))
    with pytest.raises(DataError, match=r"its description cannot be used \(FileNotFoundError"):
        load(file, tmp_path)
    (encoder / "damaged").touch()
    with pytest.raises(DataError, match=r"a model of sentence-transformers, but no model here: ") as caught:
        load(file, encoder)
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path, encoder: Path) -> None:
    with pytest.raises(DataError, match=r"a column of text and a column `label`.*holds 0; set --data-dir"):
        load(tmp_path, encoder)
