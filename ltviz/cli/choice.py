"""Choosing runs on the command line: by id, method, data, seed, state, tag, or a word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, Field, field_validator

from ltviz.errors import RecordingError
from ltviz.recording import RUN_ID, Recording, RunInfo, State, list_runs, run_path
from ltviz.recording.notes import Notes, read_notes


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
    def filters(self) -> bool:
        """Whether any of the flags is given."""
        return any(getattr(self, name) is not None for name in Choice.model_fields)

    def fits(self, recording: Recording) -> bool:
        """Whether a run is meant. One without a readable run.json fits where nothing of it is asked for."""
        info, notes = _info(recording), read_notes(recording.path)
        asked = {"method": self.method, "data": self.data}
        if any(words and getattr(info, name, None) not in _words(words) for name, words in asked.items()):
            return False
        exact = {"imbalance_factor": self.imbalance_factor, "dim": self.dim, "seed": self.seed}
        if any(value is not None and getattr(info, name, None) != value for name, value in exact.items()):
            return False
        if self.state and recording.status().state not in _words(self.state):
            return False
        if not {*_words(self.tag)} <= {*notes.tags}:
            return False
        return self.search is None or self.search.lower() in _text(recording, info, notes)


def take_runs(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The runs, which come first on the line, and the flags after them."""
    first = next((i for i, argument in enumerate(argv) if argument.startswith("-")), len(argv))
    return list(argv[:first]), list(argv[first:])


def choose_runs(home: Path, choice: Choice, names: Sequence[str] = ()) -> list[Recording]:
    """The runs that are named, else all of `home`, that fit; the oldest first.

    Raises:
        RecordingError: a name that is no run, or damaged notes of a run.
    """
    if names:
        return [recording for name in dict.fromkeys(names) if choice.fits(recording := _named(home, name))]
    return [recording for recording in reversed(list_runs(home)) if choice.fits(recording)]


def _named(home: Path, name: str) -> Recording:
    """A run by its id under `home`, else by its folder."""
    if RUN_ID.fullmatch(name) and (recording := Recording(run_path(home, name))).exists:
        return recording
    recording = Recording(Path(name).expanduser())
    if not recording.exists:
        raise RecordingError(f"RUN must be the id or the folder of a run; `ltviz runs` lists them, got {name!r:.200}")
    return recording


def _info(recording: Recording) -> RunInfo | None:
    try:
        return recording.info
    except RecordingError:  # a worker that died at start leaves a status and nothing else
        return None


def _text(recording: Recording, info: RunInfo | None, notes: Notes) -> str:
    return "\n".join([recording.run_id, info.title if info else "", *notes.tags, notes.note]).lower()


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]
