"""Coverage-guided fuzzing of what reads files and messages of strangers, with atheris where it is installed.

    python tests/hostile/fuzz.py READER [--seconds 60] [--keep FOLDER]      LTVIZ_NIGHTLY runs each through test_fuzz.py
    python tests/hostile/fuzz.py READER --take FOLDER                       keeps what was found there as seeds

Whatever the bytes, a reader gives a value or one of ltviz's own sentences. What found new paths is kept in a folder;
`--take` copies to `seeds` only what goes where no seed goes.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import functools
import importlib.util
import io
import json
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

HERE = Path(__file__).parent
WATCHED = ("ltviz", "app", "cells", "delimited", "objects", "spaced", "typed")
"""Modules whose paths are new or known, by their first name: the last five are the program that reads tables."""
MAX_BYTES = 4096
LARGER = {"archive": 16384}
MOST_SEEDS = 24
SECONDS = 10.0
Read = Callable[[bytes], object]
OF_UPLOADS = ("npy", "npz", "safetensors", "parquet", "table", "projector", "batch")
OF_RUNS = ("run", "status", "frame", "probe", "attributes", "notes", "terms", "weights", "archive")
READERS = (*OF_UPLOADS, *OF_RUNS, "lesson", "sweep", "recipe", "request")


@functools.cache
def readers() -> dict[str, Read]:
    """Reader -> what takes any bytes; imported here, so that atheris can watch the modules."""
    # In memory where that can be: what is unpacked is synced, and a busy disk would be what is measured.
    memory = Path("/dev/shm")
    scratch = Path(tempfile.mkdtemp(prefix="ltviz-fuzz-", dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    return {**_of_uploads(scratch), **_of_runs(scratch), **_of_settings(scratch), "request": _request()}


def _of_uploads(scratch: Path) -> dict[str, Read]:
    from ltviz.data.sources.pickled import read_pickled_dictionary
    from ltviz.data.upload import kinds, projector, typed_program
    from ltviz.errors import DataError

    table, refused = _table_program()
    known = [*kinds.EMBEDDINGS, *kinds.LABELS, *kinds.IDS, *kinds.NAMES, *kinds.SPLITS]

    def read_table(data: bytes) -> None:
        # As embeddings, and as labels of four points: the first byte says which.
        asked = {"embeddings": kinds.EMBEDDINGS, "known": known, "delimiters": "\t;,"}
        try:
            table.read(data[1:], asked | {"rows": 4 if data[:1] == b"4" else None}, [])
        except refused as error:
            raise DataError(str(error)) from error

    series = scratch / "series" / "00000" / "default"
    series.mkdir(parents=True)
    for name in (projector.TENSORS, projector.METADATA):
        (series / name).write_text("1\t2\n")

    def read_projector(data: bytes) -> object:
        (scratch / "series" / projector.CONFIG).write_bytes(data)
        return projector.series_in(scratch / "series")

    def upload(kind: str) -> Read:
        return lambda data: typed_program.read(kind, io.BytesIO(data), len(data), 1 << 24)

    return {
        "npy": upload("npy"),
        "npz": upload("zip"),
        "safetensors": upload("safetensors"),
        "parquet": upload("parquet"),
        "table": read_table,
        "projector": read_projector,
        "batch": lambda data: read_pickled_dictionary(data, "data_batch_1"),
    }


def _table_program() -> tuple[ModuleType, type[Exception]]:
    """The program that reads tables, which runs as a folder whose modules import one another by bare names."""
    import ltviz.data.upload as upload

    folder = Path(upload.__file__).parent / "table_program"
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location("table_program_main", folder / "__main__.py")
        assert spec is not None and spec.loader is not None
        program = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(program)
    finally:
        sys.path.remove(str(folder))
    return program, program.TableError


def _of_runs(scratch: Path) -> dict[str, Read]:
    from ltviz.recording import Home, weights
    from ltviz.recording.attributes import decode_attributes
    from ltviz.recording.frame import decode_frame
    from ltviz.recording.info import parse_info, parse_status
    from ltviz.recording.notes import read_notes
    from ltviz.recording.pack import unpack
    from ltviz.recording.probe import decode_probe
    from ltviz.recording.terms import Terms

    run, home = scratch / "run", scratch / "home"
    saved = run / "weights" / "1"
    saved.mkdir(parents=True)

    def read_weights(data: bytes) -> object:
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            state = json.loads(data)
            data = json.dumps({**state, "crc32": zlib.crc32(state["state"].encode())}).encode()
        (saved / "state.json").write_bytes(data)
        return weights.load_weights(run, 1)

    def written(name: str, read: Callable[[Path], object]) -> Read:
        def both(data: bytes) -> object:
            (run / name).write_bytes(data)
            return read(run / name)

        return both

    def read_archive(path: Path) -> None:
        try:
            unpack(path, Home(home))
        finally:
            shutil.rmtree(home, ignore_errors=True)

    return {
        "run": parse_info,
        "status": parse_status,
        "frame": lambda data: decode_frame(mended(data), step=1, labels=None, num_classes=None),
        "probe": lambda data: decode_probe(mended(data)),
        "attributes": lambda data: decode_attributes(mended(data), count=4),
        "notes": written("notes.json", lambda path: read_notes(path.parent)),
        "terms": written("metrics.jsonl", lambda path: list(Terms(path).read())),
        "weights": read_weights,
        "archive": written("sent.ltviz", read_archive),
    }


def _of_settings(scratch: Path) -> dict[str, Read]:
    from pydantic import BaseModel

    from ltviz.launch.sweep import plan, read_sweep
    from ltviz.lessons.parsing import parse_lesson
    from ltviz.recipes import read_recipe

    class Settings(BaseModel):
        temperature: float = 0.1

    kinds = {"ce": Settings, "supcon": Settings}
    file = scratch / "settings.toml"

    def written(read: Callable[[], object]) -> Read:
        return lambda data: (file.write_bytes(data), read())

    return {
        "lesson": lambda data: parse_lesson(data, "name"),
        "sweep": written(lambda: plan(read_sweep(file), kinds)),
        "recipe": written(lambda: read_recipe(file, "name")),
    }


def _request() -> Read:
    """What a page says on the stream. What is no request is answered, so whatever was obeyed must leave a clock."""
    from app.service.clock import Clock, Track

    tracks = {"one": Track(range(0, 90, 3), live=False), "two": Track((5, 8), live=True), "three": Track((), live=True)}

    def read(data: bytes) -> None:
        clock = Clock()
        for line in data.split(b"\n"):
            with contextlib.suppress(ValueError, TypeError, AttributeError, OverflowError, RecursionError):
                clock.obey(json.loads(line))
            for now in (0.0, 1.0, 3.0):
                clock.tick(tracks, now)
                shown = clock.targets(tracks)
                assert all(step in tracks[run].steps for run, step in shown.items())
            assert clock.wait(3.0) is None or 0 <= clock.wait(3.0) < 100

    return read


def mended(data: bytes) -> bytes:
    """A tensor file with its checksums made right, as a stranger would, or as it is where it has no header."""
    import safetensors
    import safetensors.numpy

    from ltviz.recording import tensors

    try:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        arrays = safetensors.numpy.load(data)
        about = {name: text for name, text in header["__metadata__"].items() if name != "crc32_metadata"}
        about["crc32"] = json.dumps({name: tensors._checksum(name, array) for name, array in arrays.items()})
        header["__metadata__"] = about | {"crc32_metadata": str(tensors._metadata_checksum(about))}
        text = json.dumps(header).encode()
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return data
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def hostile_corpus() -> ModuleType:
    """corpus.py, which takes a second to make."""
    return _beside("corpus")


def sound(reader: str) -> list[bytes]:
    """Whole files of this reader's kind: a run as `ltviz.record` writes it, and settings and lessons of ltviz's own."""
    return _beside("sound").files().get(reader, [])


def _beside(name: str) -> ModuleType:
    """A module of this folder, made once."""
    known = f"hostile_{name}"
    if known not in sys.modules:
        spec = importlib.util.spec_from_file_location(known, HERE / f"{name}.py")
        assert spec is not None and spec.loader is not None
        sys.modules[known] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[known])
    return sys.modules[known]


def seeds(reader: str) -> list[bytes]:
    """Files of the corpus that this reader would meet, sound ones, and what earlier fuzzing found."""
    corpus = hostile_corpus()
    files = {
        "frame": corpus.FRAMES,
        "run": corpus.RUN_JSON,
        "lesson": corpus.LESSONS,
        "projector": corpus.PROJECTORS,
        "sweep": corpus.SETTINGS,
        "recipe": corpus.SETTINGS,
        "archive": corpus.ARCHIVES,
        "batch": corpus.BATCHES,
    }
    own = files.get(reader, {name: data for name, data in corpus.UPLOADS.items() if name.endswith(f".{reader}")})
    found = sorted((HERE / "seeds" / reader).glob("*"))
    every = (*own.values(), *sound(reader), *(path.read_bytes() for path in found))
    return [data for data in every if len(data) <= LARGER.get(reader, MAX_BYTES)]


def judged(read: Read, data: bytes) -> None:
    """Reads, and takes a sentence of ltviz's own for an answer. The seconds are the processor's: clocks may jump."""
    from ltviz.errors import LtvizError

    began = time.process_time()
    try:
        read(data)
    except LtvizError as error:
        assert "\n" not in str(error), error
    assert time.process_time() - began < SECONDS


def edges(read: Read, data: bytes) -> set[tuple[str, int, int]]:
    """File, line and the line before it, of each step that reading takes through what is watched."""
    seen: set[tuple[str, int, int]] = set()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_globals.get("__name__", "").partition(".")[0] not in WATCHED:
            return None
        file, before = frame.f_code.co_filename, 0

        def step(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal before
            if event == "line":
                seen.add((file, before, before := frame.f_lineno))
            return step

        return step

    sys.settrace(trace)
    try:
        judged(read, data)
    finally:
        sys.settrace(None)
    return seen


def take(reader: str, found: Path) -> int:
    """Copies to the seeds what goes where no seed goes, small files first; how many those are."""
    read, folder = readers()[reader], HERE / "seeds" / reader
    known = set().union(*(edges(read, data) for data in seeds(reader)))
    folder.mkdir(parents=True, exist_ok=True)
    first = number = len(list(folder.iterdir()))
    for data in sorted((path.read_bytes() for path in found.iterdir()), key=len):
        if number < MOST_SEEDS and len(data) <= LARGER.get(reader, MAX_BYTES) and (new := edges(read, data) - known):
            known |= new
            (folder / f"{number:02}").write_bytes(data)
            number += 1
    return number - first


def search(reader: str, seconds: int, keep: Path) -> None:
    """Does not return: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=list(WATCHED)):
        read = readers()[reader]
    keep.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(reader)):
        (keep / f"seed-{number}").write_bytes(data)
    limits = [f"-max_total_time={seconds}", "-timeout=600", "-rss_limit_mb=4096", "-print_final_stats=1"]
    limits.append(f"-max_len={LARGER.get(reader, MAX_BYTES)}")
    limits.append(f"-artifact_prefix={keep}/")  # what breaks a reader lies beside what was found
    atheris.Setup([sys.argv[0], *limits, str(keep)], lambda data: judged(read, data))
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--take", type=Path)
    given = parser.parse_args()
    if given.take:
        print(f"{take(given.reader, given.take)} more seeds of {given.reader}")
    else:
        search(given.reader, given.seconds, given.keep or Path(tempfile.mkdtemp(prefix="ltviz-found-")))


if __name__ == "__main__":
    main()
