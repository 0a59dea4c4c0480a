"""Requests to a trainer: small files in the run's control folder, each consumed once, by renaming it."""

from __future__ import annotations

import contextlib
import logging
import os
import time
import uuid
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ltviz.errors import ConfigError, RecordingError
from ltviz.recording.files import inner_folder, is_there, make_folder, read_plain, write_whole

MAX_REQUEST = 65_536

log = logging.getLogger("ltviz")


class Request(BaseModel):
    """What somebody asks of a trainer.

    `values` go with "set", such as {"temperature": 0.2}; `sent` is Unix nanoseconds.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    kind: Literal["pause", "resume", "stop", "set"]
    values: dict[str, bool | int | float | str] = Field(default_factory=dict, max_length=100)
    sent: int = 0


def send_request(
    run_path: str | os.PathLike[str],
    kind: Literal["pause", "resume", "stop", "set"],
    values: dict[str, bool | int | float | str] | None = None,
) -> None:
    """Leave a request for the trainer of the run at `run_path`; ConfigError for one that it could not understand.

    >>> import tempfile
    >>> run = Path(tempfile.mkdtemp())
    >>> send_request(run, "set", {"temperature": 0.2})
    >>> [(request.kind, request.values) for request in take_requests(run)]
    [('set', {'temperature': 0.2})]
    """
    run = Path(run_path)
    try:
        request = Request(kind=kind, values=values or {}, sent=time.time_ns())
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        raise ConfigError(
            f"A request must be pause, resume, stop, or set with plain values ({problem['msg']})."
        ) from error
    if not is_there(run / "."):
        raise RecordingError(f"There is no run to send '{kind}' to; it may have been deleted ({run}).")
    folder = inner_folder(run, "control")
    make_folder(folder)
    write_whole(folder / f"{uuid.uuid4().hex}.json", request.model_dump_json().encode())


def take_requests(run: Path) -> list[Request]:
    """The requests that wait, oldest first; they are removed. One that cannot be read is logged, and hurts no other."""
    taken = []
    try:
        with os.scandir(inner_folder(run, "control")) as entries:
            names = [entry.name for entry in entries if entry.name.endswith(".json")]
    except FileNotFoundError:
        return []
    except OSError as error:
        # A folder that is gone, or no folder any more: nobody can ask for anything, which is no reason to end.
        log.debug("No requests can be read: %s (%s)", error, run)
        return []
    for name in names:
        waiting = run / "control" / name
        mine = waiting.with_name(f".{name}.taken")
        try:
            waiting.rename(mine)
        except FileNotFoundError:
            continue
        try:
            taken.append(Request.model_validate_json(read_plain(mine, limit=MAX_REQUEST)))
        except (ValidationError, RecordingError) as error:
            log.warning("A request was not understood and is left out: %s (%s)", str(error).splitlines()[0], waiting)
        finally:
            with contextlib.suppress(OSError):  # a folder of that name stays; renamed, it is not met again
                mine.unlink()
    return sorted(taken, key=lambda request: request.sent)
