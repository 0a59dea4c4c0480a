"""Choosing runs on the command line: by id, method, data, seed, state, tag, or a word."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, Field, field_validator

from ltviz.errors import ConfigError, RecordingError
from ltviz.recording import Home, Recording, RemoteHome, Skipped, State, checkpoints_home, open
from ltviz.recording.index import Summary, summarise
from ltviz.recording.names import is_url, typed_path
from ltviz.recording.storage import redacted
from ltviz.text import plain

MOST_TOLD = 8
"""Skipped folders that are named one by one."""


class HomeOptions(BaseModel):
    """Where runs are looked for."""

    home: str | None = Field(
        None,
        description="Folder of run folders, or an address to read them from, such as s3://bucket/runs; the variable "
        "LTVIZ_HOME where empty.",
    )
    follow_links: bool = Field(False, description="Also look into folders that the home only links to.")

    @property
    def _url(self) -> str | None:
        """The address that is meant; None for a folder of this machine."""
        given = self.home or os.environ.get("LTVIZ_HOME")
        return given if is_url(given) else None

    def open_home(self, *, waits: bool = True) -> Home:
        """The home that is meant; of one at an address, what is asked for is brought, by a thread unless it `waits`."""
        if url := self._url:
            return RemoteHome(url, waits=waits)
        return self.own_home("")

    def own_home(self, command: str) -> Home:
        """The home that is meant, for a `command` that changes it, or needs all of a run.

        Raises:
            ConfigError: it is at an address, where nothing is changed, and whose weights stay there.
        """
        if url := self._url:
            raise ConfigError(
                f"`{command}` needs runs on this machine: nothing is changed at an address, and weights stay there; "
                f"give a folder with --home, got {redacted(url)}"
            )
        root = typed_path(self.home) if self.home else checkpoints_home()
        return Home(root, follow_links=self.follow_links)


class Choice(BaseModel):
    """Flags that choose runs; a run must fit all that are given, and one of the values of each."""

    method: str | None = Field(None, description="Methods, separated by commas.")
    data: str | None = Field(None, description="Data sets, separated by commas.")
    imbalance_factor: float | None = Field(None, ge=1, description="Imbalance factor.")
    dim: int | None = Field(None, ge=2, description="Dimension of the embedding.")
    seed: int | None = Field(None, ge=0, description="Seed.")
    state: str | None = Field(None, description="States, separated by commas: finished, failed, running, ...")
    tag: str | None = Field(None, description="Tags that the run must carry, separated by commas.")
    search: str | None = Field(None, description="Text in the id, title, tags or note.")

    @field_validator("state")
    @classmethod
    def _known(cls, text: str | None) -> str | None:
        for word in _words(text):
            if word not in get_args(State):
                raise ValueError(f"must name states among {', '.join(get_args(State))}")
        return text

    @property
    def chosen_by(self) -> list[str]:
        """The flags that are given, as --imbalance-factor."""
        given = [name for name in Choice.model_fields if getattr(self, name) is not None]
        return [f"--{name}".replace("_", "-") for name in given]

    @property
    def filters(self) -> bool:
        """Whether any of the flags is given."""
        return bool(self.chosen_by)

    def fits(self, run: Summary) -> bool:
        """Whether a run is meant. One without a readable run.json fits where nothing of it is asked for."""
        if run.notes_problem and (self.tag is not None or self.search is not None):
            print(f"ltviz: left out {plain(run.run_id)}: {plain(run.notes_problem)}", file=sys.stderr)
            return False  # it is said, and hides no other run
        asked = {"method": self.method, "data": self.data}
        if any(words and getattr(run, name) not in _words(words) for name, words in asked.items()):
            return False
        exact = {"imbalance_factor": self.imbalance_factor, "dim": self.dim, "seed": self.seed}
        if any(value is not None and getattr(run, name) != value for name, value in exact.items()):
            return False
        if self.state and run.state not in _words(self.state):
            return False
        if not {*_words(self.tag)} <= {*run.tags}:
            return False
        return self.search is None or self.search.lower() in _text(run)


def choose(home: Home, choice: Choice, names: Sequence[str] = ()) -> list[Summary]:
    """What a list says of the runs that are named, else of all of `home`, that fit; the oldest first.

    Raises:
        RecordingError: a name that is no run.
    """
    if names:
        runs = [summarise(run, home.place(run)) for run in _once([named(home, name) for name in names])]
    else:
        runs = home.summaries()[::-1]
    return [run for run in runs if choice.fits(run)] if choice.filters else runs


def choose_runs(home: Home | Path, choice: Choice, names: Sequence[str] = ()) -> list[Recording]:
    """The runs that are named, else all of `home`, that fit; the oldest first. Errors as in `choose`."""
    home = Home.at(home)
    if not names:
        return [home.recording(run) for run in choose(home, choice)]
    found = _once([named(home, name) for name in names])
    return [run for run in found if not choice.filters or choice.fits(summarise(run, home.place(run)))]


def named(home: Home, name: str) -> Recording:
    """A run by its id, its folder below `home`, its folder, or its address.

    Raises:
        RecordingError: there is none.
    """
    if is_url(name):
        recording = open(name)
        if not recording.exists:
            raise RecordingError(f"there is no run at this address; check its spelling, got {redacted(name)}")
        return recording
    if (recording := home.find(name)) is None:
        raise RecordingError(f"RUN must be the id or the folder of a run; `ltviz runs` lists them, got {name!r:.200}")
    return recording


def tell_skipped(skipped: Sequence[Skipped]) -> None:
    """Says on stderr which folders were not looked into, and why."""
    for folder, reason in skipped[:MOST_TOLD]:
        print(f"ltviz: skipped {plain(folder)}: {plain(reason)}", file=sys.stderr)
    if len(skipped) > MOST_TOLD:
        print(f"ltviz: skipped {len(skipped) - MOST_TOLD} more; `ltviz runs --json` names all", file=sys.stderr)


def _once(runs: Sequence[Recording]) -> list[Recording]:
    """Each folder once, however it was named."""
    found: dict[Path, Recording] = {}
    for run in runs:
        found.setdefault(run.path.resolve(), run)
    return list(found.values())


def _text(run: Summary) -> str:
    return "\n".join([run.run_id, run.title, *run.tags, run.note]).lower()


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]
