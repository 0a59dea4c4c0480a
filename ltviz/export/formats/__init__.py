"""What `ltviz export --to` can write: one format a file, named like its flag. Adding a file adds a format.

A module has `ABOUT`, a few words for the help; `OUT`, the name that is written where nobody gives one, which ends with
a slash for a folder; and `write(wanted) -> Written`. One that is not made of runs says `MADE_OF = "nothing"` or
"lesson"; one that can go on while they train says `FOLLOWS = True`. It is imported when it is asked for. What begins
with an underscore is none.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Literal, Protocol, cast

from ltviz.errors import ConfigError, RecordingError
from ltviz.lessons import Lesson
from ltviz.recording import Frame, Home, Recording
from ltviz.recording.files import unwritable

_FIRST = ("report", "html", "csv", "parquet")
_FOUND = sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
FORMATS: tuple[str, ...] = tuple(sorted(_FOUND, key=lambda name: (*_FIRST, name).index(name)))
"""Names, the most used first."""
NOTE = "ltviz-export.json"
"""In every folder that was written: whoever asks for it to be replaced loses nothing of their own."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What somebody asked for. `runs` are empty for a format that is not made of them."""

    runs: Sequence[Recording]
    out: Path
    step: int | None = None
    """The one step that is meant; None takes all of them, or the last one where only one fits."""
    title: str = "Comparison of runs"
    theme: str | None = None
    judge: str = "own"
    projection: str | None = None
    max_mb: float | None = None
    """Size of a replay or a lesson; None: as the format has it."""
    caption: str = ""
    """Of a film."""
    lesson: tuple[Lesson, Path] | None = None
    """Of a format that is made of one, and its file."""
    watch: bool = False
    """Go on until the runs have ended, of a format that `FOLLOWS` them."""
    home: Home | None = None
    """Where a lesson's runs are looked for before those that came with ltviz."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What came of it."""

    used: int
    """Runs."""
    told: Mapping[str, int] = field(default_factory=dict)
    """Counts by their words: "rows", "moments", ..."""
    left_out: Sequence[str] = ()
    """Sentences about what is not in it."""


class Format(Protocol):
    """A module of this folder."""

    ABOUT: str
    OUT: str

    def write(self, wanted: Wanted) -> Written:
        """Writes `wanted.out`, whole or not at all.

        Raises:
            ConfigError: a package or browser is missing, or the runs do not fit into one file.
            RecordingError, DiskFull: a run cannot be read, or the file not written.
        """
        ...


def made_of(chosen: Format) -> Literal["runs", "lesson", "nothing"]:
    """What a format is made of: runs, where it does not say otherwise."""
    return getattr(chosen, "MADE_OF", "runs")


def find_format(name: str) -> Format:
    """The module of a name in `FORMATS`."""
    return cast(Format, import_module(f"{__name__}.{name}"))


def frames_of(recording: Recording, step: int | None, left_out: list[str]) -> Iterator[Frame]:
    """The frame of `step`, or all frames growing, one at a time; damaged ones are told in `left_out`.

    Raises:
        RecordingError: there is no frame of `step`, or it is damaged.
    """
    if step is not None:
        yield recording.frame(step)
        return
    for each in recording.steps():
        try:
            yield recording.frame(each)
        except RecordingError as error:
            left_out.append(f"{recording.run_id}, step {each}: {error}")


def one_frame(recording: Recording, step: int | None) -> Frame:
    """The frame of `step`, or the last one that can be read.

    Raises:
        RecordingError: there is none.
    """
    frame = recording.last() if step is None else recording.frame(step)
    if frame is None:
        raise RecordingError(f"{recording.run_id} has no frame that can be read ({recording.path}); choose another run")
    return frame


def only_run(wanted: Wanted, to: str) -> Recording:
    """The run of a format that holds one.

    Raises:
        ConfigError: there are several.
    """
    if len(wanted.runs) > 1:
        raise ConfigError(
            f"--to {to} writes one run, but {len(wanted.runs)} were chosen; "
            f"try `ltviz export {wanted.runs[0].run_id} --to {to}`"
        )
    return wanted.runs[0]


def missing(to: str, package: str) -> ConfigError:
    """The error of a format whose package is not installed."""
    return ConfigError(f"--to {to} needs the package {package}, which is not installed; try `pip install {package}`")


def place(out: Path, several: bool, run_id: str) -> Path:
    """Where one run goes in a folder: the folder itself, or one of its own where there are several."""
    return out / run_id if several else out


def check_own(out: Path, what: str) -> None:
    """Passes where `out` is a folder that was written so before, an empty one, or not there.

    Raises:
        ConfigError: it is something else.
    """
    if out.exists() and not (out / NOTE).is_file() and not (out.is_dir() and not any(out.iterdir())):
        raise ConfigError(
            f"{what} writes a folder and replaces only what ltviz has made; give another --out, as this is something "
            f"else: {out}"
        )


@contextmanager
def whole_folder(out: Path, what: str, runs: Sequence[Recording]) -> Iterator[Path]:
    """A new folder beside `out`, which becomes `out` at the end, in the place of one that was made so before.

    Args:
        what: writes it: "--to projector".

    Raises:
        ConfigError: `out` is a file, or a folder with something else in it.
        RecordingError, DiskFull: it cannot be written; what was there is there still.
    """
    check_own(out, what)
    beside, before = (out.with_name(f".{out.name}.{os.getpid()}.{word}") for word in ("new", "old"))
    try:
        beside.mkdir(parents=True)
        yield beside
        note = {"made_by": f"ltviz, {what}", "runs": [run.run_id for run in runs]}
        (beside / NOTE).write_text(json.dumps(note) + "\n", encoding="utf-8")
        if out.exists():
            out.replace(before)
        beside.replace(out)
    except OSError as error:
        if before.exists() and not out.exists():
            before.replace(out)
        raise unwritable(error, out, 0) from error
    finally:
        for folder in (beside, before):
            shutil.rmtree(folder, ignore_errors=True)
