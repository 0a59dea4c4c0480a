"""Tags, notes, thinning and deletion for chosen runs: the part of `ltviz runs` that changes something."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pydantic import Field, field_validator

from ltviz.cli.choice import Choice
from ltviz.errors import ConfigError
from ltviz.recording import Recording
from ltviz.recording.info import ACTIVE
from ltviz.recording.keep import KeepRule, thin
from ltviz.recording.notes import delete_run, note_run, tag_run


class Curation(Choice):
    """What is to be done with the runs that are chosen."""

    add_tag: str | None = Field(None, description="Tags to put on them, separated by commas.")
    remove_tag: str | None = Field(None, description="Tags to take off, separated by commas.")
    note: str | None = Field(None, max_length=10_000, description="Note to keep with them; an empty one removes it.")
    thin: str | None = Field(
        None,
        description="Delete frames by a rule of their age, after a question: all 10min, 1/10s 1d, 1/min. The first, "
        "the last and those with an event stay.",
    )
    delete: bool = Field(False, description="Delete them, after a question.")
    yes: bool = Field(False, description="Do not ask before deleting.")

    @field_validator("thin")
    @classmethod
    def _read_rule(cls, text: str | None) -> str | None:
        if text is not None:
            KeepRule.parse(text)
        return text

    @property
    def changes(self) -> bool:
        """Whether anything is to be done at all."""
        return self.delete or self.thin is not None or self.note is not None or bool(self.add_tag or self.remove_tag)


def curate(runs: Sequence[Recording], wanted: Curation, *, named: bool) -> str:
    """Does it, to all of the runs or, where one refuses, up to that one; gives a sentence.

    Args:
        named: whether a person has named or filtered the runs; else deleting would mean everything.

    Raises:
        ConfigError: a bad tag; a deletion or thinning that nobody confirmed, of all runs, or of one that trains.
    """
    if wanted.delete:
        return _delete(runs, wanted.yes, named)
    add, remove = _tags(wanted.add_tag), _tags(wanted.remove_tag)
    for recording in runs:
        if add or remove:
            tag_run(recording.path, add, remove)
        if wanted.note is not None:
            note_run(recording.path, wanted.note)
    if wanted.thin is not None:
        return _thin(runs, KeepRule.parse(wanted.thin), wanted.yes, named)
    return f"{_count(runs)} changed"


def _thin(runs: Sequence[Recording], rule: KeepRule, yes: bool, named: bool) -> str:
    _check_ended(runs, "thin", "thinned", named)
    found = [thin(run, rule, dry=True) for run in runs]
    frames, size = sum(one.frames for one in found), sum(one.size for one in found) / 1e6
    told = f"{frames:,} of {frames + sum(one.left for one in found):,} frames ({size:.1f} MB) of {_count(runs)}"
    if not yes and frames and not _may(f"Delete {told}? [y/N] ", f"--thin would delete {told}; say --yes to do it"):
        return "nothing deleted"
    for run in runs:
        thin(run, rule)
    return f"{told} deleted"


def _delete(runs: Sequence[Recording], yes: bool, named: bool) -> str:
    _check_ended(runs, "delete", "deleted", named)
    told = f"{_count(runs)}, {runs[0].run_id} first" if runs else ""
    if not yes and runs and not _may(f"Delete {told}? [y/N] ", f"--delete would delete {told}; say --yes to do it"):
        return "nothing deleted"
    for recording in runs:
        delete_run(recording.path)
    return f"{_count(runs)} deleted"


def _check_ended(runs: Sequence[Recording], act: str, done: str, named: bool) -> None:
    if not named:
        raise ConfigError(f"--{act} needs runs to {act}; name them, or choose them with --tag, --method or alike")
    if live := [run.run_id for run in runs if run.status().state in ACTIVE]:
        raise ConfigError(f"only runs that have ended can be {done}, but {live[0]} is being trained; stop it first")


def _may(question: str, unasked: str) -> bool:
    """Whether a person agrees; ConfigError where nobody can be asked."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConfigError(unasked)
    return _agreed(question)


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
