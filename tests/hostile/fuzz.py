"""Coverage-guided fuzzing of what reads files of strangers, with atheris where it is installed.

    python tests/hostile/fuzz.py READER [--seconds 60] [--keep FOLDER]      LTVIZ_NIGHTLY runs each through test_fuzz.py

Whatever the bytes, a reader gives a value or one of ltviz's own sentences. What found new paths is kept in a folder.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent


def readers() -> dict[str, Callable[[bytes], object]]:
    """Reader -> what takes any bytes; imported here, so that atheris can watch the modules."""
    from ltviz.data.upload import projector, typed_program
    from ltviz.lessons.parsing import parse_lesson
    from ltviz.recording.frame import decode_frame
    from ltviz.recording.info import parse_info

    scratch = Path(tempfile.mkdtemp(prefix="ltviz-fuzz-"))

    def read_projector(data: bytes) -> object:
        (scratch / projector.CONFIG).write_bytes(data)
        return projector.series_in(scratch)

    def upload(kind: str) -> Callable[[bytes], object]:
        return lambda data: typed_program.read(kind, io.BytesIO(data), len(data), 1 << 24)

    return {
        "frame": lambda data: decode_frame(data, step=1, labels=None, num_classes=None),
        "run": parse_info,
        "lesson": lambda data: parse_lesson(data, "name"),
        "npy": upload("npy"),
        "npz": upload("zip"),
        "safetensors": upload("safetensors"),
        "parquet": upload("parquet"),
        "projector": read_projector,
    }


@functools.cache
def hostile_corpus() -> ModuleType:
    """corpus.py, which takes a second to make."""
    spec = importlib.util.spec_from_file_location("hostile_corpus", HERE / "corpus.py")
    assert spec is not None and spec.loader is not None
    corpus = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(corpus)
    return corpus


def seeds(reader: str) -> list[bytes]:
    """Files of the corpus that this reader would meet, and what earlier fuzzing found."""
    corpus = hostile_corpus()
    files = {"frame": corpus.FRAMES | {"sound": corpus.SOUND}, "run": corpus.RUN_JSON, "lesson": corpus.LESSONS}
    files["projector"] = corpus.PROJECTORS
    own = files.get(reader, {name: data for name, data in corpus.UPLOADS.items() if name.endswith(f".{reader}")})
    found = sorted((HERE / "seeds" / reader).glob("*")) if (HERE / "seeds" / reader).is_dir() else []
    return [data for data in (*own.values(), *(path.read_bytes() for path in found)) if len(data) <= 4096]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    import atheris

    with atheris.instrument_imports(include=["ltviz"]):
        from ltviz.errors import LtvizError

        read = readers()[given.reader]
    keep = given.keep or Path(tempfile.mkdtemp(prefix="ltviz-found-"))
    keep.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(given.reader)):
        (keep / f"seed-{number}").write_bytes(data)

    def try_one(data: bytes) -> None:
        try:
            read(data)
        except LtvizError as error:
            assert "\n" not in str(error), error

    limits = [f"-max_total_time={given.seconds}", "-timeout=10", "-rss_limit_mb=4096", "-max_len=4096"]
    limits.append(f"-artifact_prefix={keep}/")  # what breaks a reader lies beside what was found
    atheris.Setup([sys.argv[0], *limits, "-print_final_stats=1", str(keep)], try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
