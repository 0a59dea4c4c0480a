"""One recipe: how a paper's code trains one method on one benchmark, as a TOML file says it. No torch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from ltviz.errors import ConfigError, sentence
from ltviz.text import parse_toml
from ltviz.training.settings import RunSettings
from ltviz.training.timetable import Switch, parse_switches, write_switches

MAX_FILE = 1 << 16
"""Bytes of a recipe file."""
Value = bool | int | float | str
_OF_DATA = ("profile", "image_size")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Published(_Table):
    """The number that a recipe aims at."""

    value: float | None = Field(
        None, ge=0, le=100, allow_inf_nan=False, description="Per cent; left out where no number is known."
    )
    measure: Literal["top-1 accuracy", "mean average precision"] = Field(
        "top-1 accuracy", description="What was measured, on the balanced test set."
    )
    source: str = Field(
        min_length=3, max_length=500, description="Where the number stands, or that none was found and where."
    )


class Extent(_Table):
    """What the cost is reckoned from."""

    samples: int = Field(ge=1, le=10**9, description="Training samples.")
    image_size: int = Field(ge=1, le=4096, description="Height and width in pixels that the network sees.")
    views: int = Field(ge=1, le=64, description="Images of a sample that a step learns from, a teacher's own included.")
    still_views: int = Field(0, ge=0, le=64, description="And those that only pass forward, such as keys.")


class SwitchTable(_Table):
    """A change on the way, as a recipe writes it."""

    at: float = Field(gt=0, lt=1, description="Share of the steps that lie before it.")
    renew: bool = Field(False, description="Begin with a fresh optimiser, and the schedule anew.")
    set: dict[str, Value] = Field({}, max_length=16, description="Setting -> new value.")

    def as_switch(self) -> Switch:
        return Switch(self.at, self.renew, {name: _as_text(value) for name, value in self.set.items()})


class Recipe(_Table):
    """What a recipe file says. `name` and `sha256` are not in it: they come from where it lies and what it holds."""

    name: str = Field("", exclude=True)
    sha256: str = Field("", exclude=True)
    method: str = Field(min_length=1, max_length=100, description="Method that is trained.")
    title: str = Field(min_length=3, max_length=200, description="For people.")
    follows: str = Field(min_length=3, max_length=500, description="The paper or code that the values are from.")
    notes: tuple[str, ...] = Field(
        (), max_length=20, description="Where paper and code disagree, and what differs here."
    )
    published: Published
    extent: Extent | None = None
    run: dict[str, Value] = Field(description="Run settings.")
    settings: dict[str, Value] = Field({}, description="Settings of the method.")
    switch: tuple[SwitchTable, ...] = Field((), max_length=16, description="Changes on the way.")

    @field_validator("notes")
    @classmethod
    def _short(cls, notes: tuple[str, ...]) -> tuple[str, ...]:
        if any(not 0 < len(note) <= 1000 for note in notes):
            raise ValueError("must be sentences of at most 1,000 characters")
        return notes

    @field_validator("switch")
    @classmethod
    def _as_settings_write_them(cls, tables: tuple[SwitchTable, ...], info: ValidationInfo) -> tuple[SwitchTable, ...]:
        if tables and "switches" in info.data.get("run", {}):
            raise ValueError("must stand in [[switch]] tables or in run.switches, not in both")
        switches = tuple(table.as_switch() for table in tables)
        if parse_switches(write_switches(switches)) != switches:
            raise ValueError("must set values without commas, semicolons and spaces around them")
        return tables

    @property
    def run_values(self) -> dict[str, Value]:
        """Run settings that the recipe sets, its switches among them."""
        if not self.switch:
            return dict(self.run)
        return {**self.run, "switches": write_switches(table.as_switch() for table in self.switch)}

    def values_for(self, data: Iterable[Any] = ()) -> dict[str, Value]:
        """As `run_values`, but of other data sets than its own the recipe does not say how their files are read.

        Args:
            data: names that were asked for; none for the recipe's own.
        """
        other = any(name != self.run.get("data") for name in data)
        return {name: value for name, value in self.run_values.items() if not (other and name in _OF_DATA)}

    @property
    def run_settings(self) -> RunSettings:
        """All run settings, those that the recipe leaves alone at their defaults."""
        return RunSettings.model_validate(self.run_values)

    def differing(self, run: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Value | None]:
        """What the recipe says of the settings that a run has otherwise, by name; those of the method as
        "settings.NAME"."""
        named = {name: (value, run[name]) for name, value in self.run_values.items()}
        named |= {f"settings.{name}": (value, settings[name]) for name, value in self.settings.items()}
        return {name: said for name, (said, held) in named.items() if said != held}

    def about(self, overridden: dict[str, Value | None]) -> dict[str, Any]:
        """What run.json says of the recipe that a run follows.

        Args:
            overridden: setting -> what the recipe says, of those that the run has otherwise.
        """
        return {
            "name": self.name,
            "method": self.method,
            "sha256": self.sha256,
            "follows": self.follows,
            "published": self.published.value,
            "measure": self.published.measure,
            "source": self.published.source,
            "overridden": overridden,
        }


def read_recipe(path: Path, name: str) -> Recipe:
    """The recipe in a TOML file.

    Raises:
        ConfigError: no file, too large a one, not TOML, or not what a recipe says.
    """
    try:
        if not path.is_file():
            raise ConfigError(f"a recipe must be a TOML file, but there is none: {path}")
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise ConfigError(f"a recipe file holds at most {MAX_FILE:,} bytes, but this one is larger: {path}")
        values = parse_toml(content.decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"a recipe must be a TOML file, but it cannot be read ({error.strerror}): {path}") from error
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"a recipe must be TOML in UTF-8, but {str(error)[:200]}: {path}") from error
    try:
        for own in {"name", "sha256"} & set(values):
            raise ConfigError(f"a recipe's {own} follows from its file, but the file gives one; leave it out: {path}")
        recipe = Recipe.model_validate({**values, "name": name, "sha256": hashlib.sha256(content).hexdigest()})
    except ValidationError as error:
        raise ConfigError(f"a recipe's {sentence(error, Recipe)}: {path}") from error
    try:
        _ = recipe.run_settings
    except ValidationError as error:
        raise ConfigError(f"a recipe's run.{sentence(error, RunSettings)}: {path}") from error
    return recipe


def _as_text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
