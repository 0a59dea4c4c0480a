"""Every file of the corpus is refused in a sentence of ltviz's own, or is read as what it plainly is: soon, in bounded
memory, and nothing in it is run, imported or written anywhere."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pytest

import ltviz
from ltviz import encoders
from ltviz.data.pictures import BadPicture, read_picture
from ltviz.data.sources.pickled import read_pickled_dictionary
from ltviz.data.upload import formats, read_embeddings, typed_program
from ltviz.data.upload.contents import Contents
from ltviz.errors import LtvizError
from ltviz.launch.sweep import plan, read_sweep
from ltviz.lessons.parsing import read_lesson
from ltviz.methods import registry
from ltviz.recipes.recipe import read_recipe
from ltviz.recording import Home, Recording
from ltviz.recording.pack import unpack

spec = importlib.util.spec_from_file_location("hostile_corpus", Path(__file__).with_name("corpus.py"))
assert spec is not None and spec.loader is not None
corpus = importlib.util.module_from_spec(spec)
spec.loader.exec_module(corpus)

SECONDS, MEGABYTES = 10.0, 300.0


def read_run(path: Path) -> None:
    recording = Recording(path.parent)
    recording.status(), recording.steps(), recording.metrics()
    _ = recording.info


def read_frame(path: Path) -> None:
    with ltviz.record(path.parent / "run", labels=[0, 1, 0, 1]) as run:
        pass
    target = run.path / "frames" / "000000001.safetensors"
    path.rename(target)
    Recording(run.path).frame(1)


def read_projector(path: Path) -> None:
    np.savetxt(path.parent / "tensors.tsv", np.eye(3), delimiter="\t")
    read_embeddings(path.parent)


def plan_sweep(path: Path) -> None:
    plan(read_sweep(path), {name: kind.Settings for name, kind in registry.methods().items()})


def load_weights(path: Path) -> None:
    encoder, _ = encoders.build("mlp", (8, 8))
    encoders.load_weights(encoder, str(path))


READERS: dict[str, tuple[dict[str, bytes], Callable[[str], str], Callable[[Path], object]]] = {
    "upload": (corpus.UPLOADS, str, read_embeddings),
    "run": (corpus.RUN_JSON, lambda kind: "run.json", read_run),
    "frame": (corpus.FRAMES, lambda kind: "frame", read_frame),
    "lesson": (corpus.LESSONS, lambda kind: f"{kind}.md", read_lesson),
    "sweep": (corpus.SETTINGS, lambda kind: "sweep.toml", plan_sweep),
    "recipe": (corpus.SETTINGS, lambda kind: "recipe.toml", lambda path: read_recipe(path, "name")),
    "weights": (corpus.WEIGHTS, str, load_weights),
    "projector": (corpus.PROJECTORS, lambda kind: "projector_config.pbtxt", read_projector),
    "image": (corpus.IMAGES, str, lambda path: read_picture(path, (8, 8))),
    "archive": (corpus.ARCHIVES, str, lambda path: unpack(path, Home(path.parent / "home"))),
    "batch": (corpus.BATCHES, str, lambda path: read_pickled_dictionary(path.read_bytes(), str(path))),
}
MAY_BE_READ = {"batch/memo", "batch/self", "upload/long-name.csv"}
"""What is no more than odd: it may be read, as text and numbers."""


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed uploads are read here instead of in a child, which has tests of its own: a process each takes a minute."""

    def read_here(kind: str, file: IO[bytes], most_bytes: int) -> Contents:
        return typed_program.read(kind, file, os.fstat(file.fileno()).st_size, most_bytes)

    monkeypatch.setattr(formats, "read_typed", read_here)


def test_there_are_enough_of_them(record_property) -> None:
    count = sum(len(files) for files, _, _ in READERS.values())
    record_property("figure", f"{count} files for {len(READERS)} readers")
    assert count >= 80


@pytest.mark.parametrize("reader", READERS)
def test_each_is_refused_in_a_sentence_or_is_what_it_plainly_is(
    reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_this_process: None
) -> None:
    files, name, read = READERS[reader]
    monkeypatch.chdir(tmp_path)
    paths = corpus.write_all(files, tmp_path / "stranger" / "sent", name)
    tracemalloc.start()
    wrong = []
    try:
        for kind, path in paths.items():
            tracemalloc.reset_peak()
            began, said, ended = time.process_time(), "", "read"
            try:
                read(path)
            except (LtvizError, BadPicture) as error:
                ended, said = "refused", str(error)
            except Exception as error:
                ended = f"{type(error).__name__}: {error!s:.200}"
            took, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1] / 1e6
            sound = ended == "refused" or (ended == "read" and f"{reader}/{kind}" in MAY_BE_READ)
            if not sound or "\n" in said or "Traceback" in said or took > SECONDS or peak > MEGABYTES:
                wrong.append(f"{kind}: {ended} after {took:.1f} s with {peak:.0f} MB: {said[:200]}")
    finally:
        tracemalloc.stop()
    assert wrong == [], "\n".join(wrong)
    assert "antigravity" not in sys.modules
    assert not list(tmp_path.rglob("*canary*")) and not Path("/tmp/canary").exists()
