"""Every error that ltviz raises on purpose.

    LtvizError            exit code 2
    ├── ConfigError       an unknown name, a value out of its range, options that exclude one another
    ├── DataError         files that are missing, or do not hold what they should
    ├── RecordingError    a run folder that cannot be written or read as asked
    │   ├── RunLocked     another writer holds the run; exit code 3
    │   └── DiskFull      no room for a frame; the trainer pauses and tries again
    └── TrainingError     training cannot go on: a loss that is not finite, memory exhausted

And one warning: RecordingWarning, of what `ltviz.record` leaves out so that its caller's loop goes on.

A message is one sentence: what, where, the rule, what was given, what to try. Paths come last.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ltviz.text import plain

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_LONGEST = 80  # characters of a foreign name or value that are repeated in a message


class LtvizError(Exception):
    """Base class; `exit_code` is what the command line returns. Its text is one line that nothing obeys, whatever names
    of files and of strangers it repeats."""

    exit_code: int = 2

    def __str__(self) -> str:
        return plain(super().__str__())


class ConfigError(LtvizError, ValueError):
    """A name or value that the user gave is not allowed."""


class DataError(LtvizError, ValueError):
    """A data set or an uploaded file is missing, damaged or not what it says it is."""


class RecordingError(LtvizError):
    """A run folder cannot be written or read as asked.

    `kind` is a few words under which errors are counted, such as "NaN or infinity in embeddings".
    """

    kind: str = "an argument that does not fit"

    def __init__(self, *message: object, kind: str | None = None) -> None:
        super().__init__(*message)
        if kind is not None:
            self.kind = kind


class RunLocked(RecordingError):
    """Another writer holds the run."""

    exit_code = 3


class DiskFull(RecordingError):
    """The disk has no room for what must be written; nothing half-written is left."""

    kind = "a full disk"


class TrainingError(LtvizError):
    """Training cannot go on; the last good frame is kept."""

    exit_code = 1


class RecordingWarning(UserWarning):
    """`ltviz.record` dropped a frame and went on."""


def sentence(error: ValidationError, model: type[BaseModel]) -> str:
    """The first thing that pydantic found wrong, in one sentence: name, rule, what was given, what to try."""
    first = error.errors(include_url=False)[0]
    name = shorten(".".join(str(part) for part in first["loc"]) or model.__name__)
    if first["type"] == "extra_forbidden":
        near = get_close_matches(name, model.model_fields, 1)
        hint = f"try {near[0]}" if near else f"the names are {', '.join(model.model_fields)}"
        return f"{name} is not a setting; {hint}"
    rule = first["msg"].replace("Input should", "must").removeprefix("Value error, ")
    field = model.model_fields.get(str(first["loc"][0])) if first["loc"] else None
    default = field.default if field and not field.is_required() else None
    hint = f"; try {default}" if default not in (None, "") else ""
    return f"{name} {rule}, got {shorten(first['input'])}{hint}"


def shorten(value: Any) -> str:
    """A foreign name or value as a message repeats it."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
