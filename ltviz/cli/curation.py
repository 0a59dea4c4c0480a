"""Tags, notes and deletion for chosen runs: the part of `ltviz runs` that changes something."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pydantic import Field

from ltviz.cli.choice import Choice
from ltviz.errors import ConfigError
from ltviz.recording import Recording
from ltviz.recording.info import ACTIVE
from ltviz.recording.notes import delete_run, note_run, tag_run


class Curation(Choice):
    """What is to be done with the runs that are chosen."""

    add_tag: str | None = Field(None, description="Tags to put on them, separated by commas.")
    remove_tag: str | None = Field(None, description="Tags to take off, separated by commas.")
    note: str | None = Field(None, max_length=10_000, description="Note to keep with them; an empty one removes it.")
    delete: bool = Field(False, description="Delete them, after a question.")
    yes: bool = Field(False, description="Do not ask before deleting.")

    @property
    def changes(self) -> bool:
        """Whether anything is to be done at all."""
        return self.delete or self.note is not None or bool(self.add_tag or self.remove_tag)


def curate(runs: Sequence[Recording], wanted: Curation, *, named: bool) -> str:
    """Does it, to all of the runs or, where one refuses, up to that one; gives a sentence.

    Args:
        named: whether a person has named or filtered the runs; else deleting would mean everything.

    Raises:
        ConfigError: a bad tag; a deletion that nobody confirmed, of all runs there are, or of one that trains.
    """
    if wanted.delete:
        return _delete(runs, wanted.yes, named)
    add, remove = _tags(wanted.add_tag), _tags(wanted.remove_tag)
    for recording in runs:
        if add or remove:
            tag_run(recording.path, add, remove)
        if wanted.note is not None:
            note_run(recording.path, wanted.note)
    return f"{_count(runs)} changed"


def _delete(runs: Sequence[Recording], yes: bool, named: bool) -> str:
    if not named:
        raise ConfigError("--delete needs runs to delete; name them, or choose them with --tag, --method or alike")
    if live := [run.run_id for run in runs if run.status().state in ACTIVE]:
        raise ConfigError(f"only runs that have ended can be deleted, but {live[0]} is being trained; stop it first")
    if not yes and runs:
        if sys.stdin is None or not sys.stdin.isatty():
            raise ConfigError(f"--delete would delete {_count(runs)}, {runs[0].run_id} first; say --yes to do it")
        if not _agreed(f"Delete {_count(runs)}, {runs[0].run_id} first? [y/N] "):
            return "nothing deleted"
    for recording in runs:
        delete_run(recording.path)
    return f"{_count(runs)} deleted"


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:  # Ctrl-D
        print()
        return False


def _tags(text: str | None) -> list[str]:
    return [tag.strip() for tag in (text or "").split(",") if tag.strip()]


def _count(runs: Sequence[Recording]) -> str:
    return f"{len(runs)} run{'' if len(runs) == 1 else 's'}"
