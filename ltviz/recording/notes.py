"""What a person adds to a run: tags and a note, in notes.json beside the recording. And removing a run altogether.

The writer never touches notes.json, so tags may change while the run trains, and a copied folder keeps them.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ltviz.errors import ConfigError, RecordingError
from ltviz.recording.files import read_plain, write_whole
from ltviz.recording.lock import RunLock
from ltviz.recording.own import foreign_folders, remove_own
from ltviz.recording.tensors import FORMAT
from ltviz.text import plain

TAG = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
MAX_TAGS = 50
MAX_NOTE = 10_000
_MAX_FILE = 1 << 20
_FILE = "notes.json"


class Notes(BaseModel):
    """Tags (sorted, each once) and a note, plain text."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    format: int = FORMAT
    tags: tuple[Annotated[str, Field(pattern=f"^{TAG.pattern}$")], ...] = Field(
        default=(), max_length=MAX_TAGS, strict=False
    )
    note: Annotated[str, Field(max_length=MAX_NOTE), AfterValidator(partial(plain, lines=True))] = ""


def read_notes(path: str | os.PathLike[str]) -> Notes:
    """The notes of the run in the folder `path`, empty where there are none.

    Raises:
        RecordingError: notes.json is damaged, or of a newer version.
    """
    file = Path(path) / _FILE
    try:
        notes = Notes.model_validate_json(read_plain(file, limit=_MAX_FILE))
    except FileNotFoundError:
        return Notes()
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        raise RecordingError(
            f"notes.json holds tags and a note, but this cannot be read ({problem['msg'][:200]}); delete it ({file})."
        ) from error
    if notes.format > FORMAT:
        raise RecordingError(f"A newer ltviz wrote notes.json (format {notes.format}); update ltviz ({file}).")
    return notes


def tag_run(path: str | os.PathLike[str], add: Iterable[str] = (), remove: Iterable[str] = ()) -> Notes:
    """Adds and removes tags; a tag that is there already, or not there, is no error. Gives the notes as they are now.

    Raises:
        ConfigError: a tag outside the pattern, or too many.
        RecordingError: no run there, or a folder that cannot be written.
    """
    wanted = [_check_tag(tag) for tag in add]
    before = read_notes(path)
    tags = sorted(({*before.tags} | {*wanted}) - {*remove})
    if len(tags) > MAX_TAGS:
        raise ConfigError(f"A run takes at most {MAX_TAGS} tags, got {len(tags)}; remove some.")
    return _write(path, before, Notes(tags=tuple(tags), note=before.note))


def note_run(path: str | os.PathLike[str], note: str) -> Notes:
    """Puts `note` in place of the one before; an empty one removes it. Errors as in `tag_run`."""
    if len(note) > MAX_NOTE:
        raise ConfigError(f"A note takes at most {MAX_NOTE:,} characters, got {len(note):,}; shorten it.")
    before = read_notes(path)
    return _write(path, before, Notes(tags=before.tags, note=note))


def delete_run(path: str | os.PathLike[str]) -> None:
    """Removes the run, all of it or, where a trainer still writes, nothing.

    Files of yours that lie beside the run's stay, and the folder with them.

    Raises:
        RunLocked: a trainer writes the run; stop it first.
        RecordingError: no run there, a folder that holds other folders besides, or one that cannot be removed.
    """
    folder = _check_run(path)
    try:
        more = foreign_folders(folder)
    except OSError as error:
        raise RecordingError(f"The run's folder cannot be looked into ({error.strerror}; {folder}).") from error
    if more:
        raise RecordingError(
            f"The run's folder holds more than the run, '{more[0]}' first, and is not deleted; move that away, or "
            f"remove the run by hand ({folder})."
        )
    lock = RunLock.acquire(folder / "lock")
    try:
        remove_own(folder)
    finally:
        lock.release()


def _write(path: str | os.PathLike[str], before: Notes, after: Notes) -> Notes:
    file = _check_run(path) / _FILE
    if after == before:
        return after
    if after == Notes():
        with contextlib.suppress(FileNotFoundError):
            file.unlink()
    else:
        write_whole(file, after.model_dump_json().encode(), sync=True)
    return after


def _check_run(path: str | os.PathLike[str]) -> Path:
    """The folder at `path`, no link, that holds a run: nothing else is written to, or removed."""
    folder = Path(path).absolute()
    try:
        if folder.is_symlink():
            raise RecordingError(
                f"There is no run in this folder: it is a link to {folder.resolve()}, change the run there ({folder})."
            )
        held = folder.is_dir() and any((folder / name).is_file() for name in ("run.json", "status.json"))
    except OSError as error:
        raise RecordingError(f"The run's folder cannot be looked into ({error.strerror}; {folder}).") from error
    if folder.name.startswith(".") or not held:
        raise RecordingError(f"There is no run in this folder; `ltviz runs` lists those there are ({folder}).")
    return folder


def _check_tag(tag: str) -> str:
    if TAG.fullmatch(tag) is None:
        raise ConfigError(
            "A tag must be 1 to 40 lower-case letters, digits, dots, hyphens and underscores, beginning with a letter "
            f"or digit; got {tag[:60]!r}, try 'paper-fig2'."
        )
    return tag
