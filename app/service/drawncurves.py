"""Curves that were drawn and given a name: a small file each in the home, for any run and any setting.

A file holds text and nothing else, and is read as strictly as a setting that is typed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ltviz.errors import ConfigError, RecordingError, shorten
from ltviz.recording.files import read_plain, write_whole
from ltviz.recording.names import slug
from ltviz.text import plain
from ltviz.training.schedules import Curve, parse_schedules

from .. import words

MOST_CURVES = 200
LONGEST_NAME = 60
_MOST_BYTES = 16_384
_ANY = "value"
"""A name to read a curve under, which knows no setting."""


class DrawnCurve(BaseModel):
    """A curve under a name.

    Attributes:
        name: text, as a person typed it.
        curve: in the grammar of `ltviz.training.schedules`, at shares of all steps.
        setting: that it was drawn for.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    curve: str = Field(min_length=1, max_length=4000)
    setting: str = Field(pattern=r"^[a-z][a-z0-9_]{0,79}$")

    @field_validator("name")
    @classmethod
    def _is_plain(cls, name: str) -> str:
        if not name.strip() or plain(name) != name:
            raise ValueError("must be one line of letters that can be seen")
        return name

    @field_validator("curve")
    @classmethod
    def _is_curve(cls, curve: str) -> str:
        if ";" in curve:
            raise ValueError("must be one curve")
        parse_schedules(f"{_ANY}: {curve}")
        return curve

    @property
    def as_curve(self) -> Curve:
        """The curve itself."""
        return parse_schedules(f"{_ANY}: {self.curve}")[_ANY]


def keep_curve(home: Path, name: str, setting: str, curve: Curve) -> DrawnCurve:
    """Writes a curve into the home; one of the same name is replaced.

    Raises:
        ConfigError: a name that is none, or too many curves.
        RecordingError: a home that cannot be written.
    """
    try:
        kept = DrawnCurve(name=name.strip(), curve=str(curve), setting=setting)
    except ValidationError as error:
        raise ConfigError(words.schedules.BAD_NAME.format(most=LONGEST_NAME, name=plain(shorten(name)))) from error
    file = _folder(home) / _file_name(kept.name)
    if not file.exists() and len(list(_folder(home).glob("*.json"))) >= MOST_CURVES:
        raise ConfigError(words.schedules.TOO_MANY.format(most=MOST_CURVES, folder=_folder(home)))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, kept.model_dump_json(indent=1).encode())
    except OSError as error:
        raise RecordingError(words.schedules.NOT_KEPT.format(reason=error.strerror or error, file=file)) from error
    return kept


def kept_curves(home: Path) -> tuple[list[DrawnCurve], list[str]]:
    """All that can be read, by name; and a sentence on each file that holds something else."""
    found, refused = [], []
    for file in sorted(_folder(home).glob("*.json"))[: 2 * MOST_CURVES]:
        try:
            found.append(DrawnCurve.model_validate_json(read_plain(file, limit=_MOST_BYTES)))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            reason = str(first.get("ctx", {}).get("error", first["msg"]))
            refused.append(words.schedules.NO_CURVE.format(file=plain(file.name), reason=plain(shorten(reason))))
        except (OSError, RecordingError, ValueError) as error:
            refused.append(words.schedules.NO_CURVE.format(file=plain(file.name), reason=plain(shorten(str(error)))))
    return sorted(found, key=lambda curve: curve.name.casefold()), refused


def _folder(home: Path) -> Path:
    return home / ".ltviz" / "curves"


def _file_name(name: str) -> str:
    """Of letters that every file system has; names that differ have different ones."""
    return f"{slug(name)[:40].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.json"
