"""Sweeps: one TOML file names methods, data, factors, dimensions and seeds; this makes the runs of it. No torch here.

    methods = ["ce", "supcon", "bcl"]
    imbalance_factor = [10, 50]       # any run setting; a list is an axis
    seed = [0, 1, 2]
    steps = 200
    recipe = "cifar100-lt-if100"      # of each method, where it has one; what else the file says goes before it

    [supcon]                          # settings of one method; a list makes variants of it
    temperature = [0.07, 0.1]

    [data_options]                    # the data set's own settings; a list is an axis
    concentration = [10, 50]

Every combination of run settings is a cell, and all methods of a cell train as one race, but alone where each has a
recipe. Where several methods are compared and the file says nothing of views, all see equally many images; with recipes
each sees what its own has. A run's id follows from its settings alone, so a run that is finished is known wherever it
came from, and never trained twice.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from ltviz.data import registry as data_registry
from ltviz.errors import ConfigError, DataError, sentence
from ltviz.launch.queue import Job, JobRun
from ltviz.recipes import Recipe
from ltviz.recipes import find as find_recipe
from ltviz.recording.names import slug
from ltviz.recording.notes import TAG
from ltviz.text import parse_toml
from ltviz.training.settings import EQUAL_VIEWS, INCIDENTAL, LATER, NAMED, RunSettings

MAX_RUNS = 10_000
MAX_FILE = 1 << 20
_MAX_TOGETHER = 64  # runs of one job

_OPTION = "data."  # before the names of a data set's own settings, among those of runs

Scalar = bool | int | float | str


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len({json.dumps(value) for value in values}) < len(values):
        raise ValueError("must name each value once")
    return values


Axis = Annotated[tuple[Scalar, ...], BeforeValidator(_as_list), Field(min_length=1, max_length=1000)]


class Sweep(BaseModel):
    """What a sweep file says, before it is known whether the values fit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("sweep", pattern=f"^{TAG.pattern}$", description="Tag of the runs; the file's name where empty.")
    methods: tuple[str, ...] = Field(
        min_length=1, max_length=_MAX_TOGETHER, description="Methods, trained in lock-step."
    )
    recipe: tuple[str, ...] = Field(default=(), max_length=100, description="Recipes of the methods, by name or file.")
    run: dict[str, Axis] = Field({}, description="Run settings, each a value or a list of values.")
    data_options: dict[str, Axis] = Field(
        default={}, description="The data set's own settings, each a value or a list."
    )
    settings: dict[str, dict[str, Axis]] = Field({}, description="Method -> its settings, each a value or a list.")

    _once = field_validator("methods", "recipe")(_once)
    _listed = field_validator("recipe", mode="before")(_as_list)

    @model_validator(mode="after")
    def _fits_together(self) -> Sweep:
        for axes in (self.run, self.data_options, *self.settings.values()):
            for values in axes.values():
                _once(values)
        return self


@dataclass(frozen=True)
class Cell:
    """Runs that share all run settings, trained as one race. `job` holds those that are asked for, at most 64."""

    run: RunSettings
    job: Job

    @property
    def planned_steps(self) -> int:
        """Steps of each run; where they follow from epochs, about as many as the class counts say."""
        run = self.run
        if run.epochs is None:
            return run.steps
        return run.steps_over(data_registry.describe(run.data, **run.cut).images)

    def job_of(self, run_ids: Sequence[str]) -> Job:
        """The same race with some of its runs only."""
        return self.job.model_copy(update={"runs": tuple(run for run in self.job.runs if run.run_id in run_ids)})


def read_sweep(path: Path) -> Sweep:
    """The sweep in a TOML file.

    Raises:
        ConfigError: no file, not TOML, or names and shapes that are not a sweep's.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a named pipe would hold it for ever
            raise ConfigError(f"`ltviz sweep` needs a TOML file, but this is no plain file: {path}")
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise ConfigError(f"a sweep file holds at most {MAX_FILE:,} bytes, but this one is larger: {path}")
        content = parse_toml(data.decode("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"`ltviz sweep` needs a TOML file, but it cannot be read ({error.strerror}): {path}"
        ) from error
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"a sweep file must be TOML, but {str(error)[:200]}: {path}") from error
    own = {key: content.pop(key) for key in ("name", "methods", "recipe") if key in content}
    tables = {key: value for key, value in content.items() if isinstance(value, dict)}
    run = {key: value for key, value in content.items() if key not in tables}
    own["data_options"] = tables.pop("data_options", {})
    try:
        return Sweep.model_validate({"name": _tag(path.stem), **own, "run": run, "settings": tables})
    except ValidationError as error:
        raise ConfigError(f"{_problem(error)}: {path}") from error


def plan(sweep: Sweep, kinds: Mapping[str, type[BaseModel]]) -> list[Cell]:
    """Every cell of a sweep, its seeds side by side; all settings are judged before anything runs.

    Args:
        kinds: method -> its settings model, of all known methods.

    Raises:
        ConfigError: an unknown method, setting or data set, or a value outside its bounds.
        DataError: the files of a data set are missing.
    """
    for name in (*sweep.methods, *sweep.settings):
        if name not in kinds:
            near = get_close_matches(name, kinds, 1) or list(kinds)[:1]
            known = ", ".join(kinds)
            place = "methods" if name in sweep.methods else f"[{name}]"
            raise ConfigError(f"{place} must name one of {known}, got {name!r}; try {near[0] if near else 'another'}")
    if unused := [name for name in sweep.settings if name not in sweep.methods]:
        raise ConfigError(f"[{unused[0]}] has settings of a method that methods does not name; add it there")
    if {"steps", "epochs"} <= set(sweep.run):
        raise ConfigError("steps and epochs exclude one another, but the file names both; leave one out")
    num_variants = sum(math.prod(map(len, sweep.settings.get(name, {}).values())) for name in sweep.methods)
    num_cells = math.prod(len(values) for axes in (sweep.run, sweep.data_options) for values in axes.values())
    num_runs = num_variants * num_cells * max(len(sweep.recipe), 1)
    if num_runs > MAX_RUNS:
        raise ConfigError(f"a sweep has at most {MAX_RUNS:,} runs, but this one has {num_runs:,}; shorten its lists")
    cells = [cell for part in _races(sweep) for cell in _cells(part, sweep, kinds)]
    ids = [run.run_id for cell in cells for run in cell.job.runs]
    if len(set(ids)) < len(ids):
        raise ConfigError("every run of a sweep must differ, but two have equal settings; drop one of the values")
    _check_data([cell.run for cell in cells])
    return cells


class _Together(NamedTuple):
    """Methods that train in one race: all of a sweep, or one that follows a recipe."""

    methods: tuple[str, ...]
    recipe: Recipe | None = None


def _races(sweep: Sweep) -> list[_Together]:
    if not sweep.recipe:
        return [_Together(sweep.methods)]
    return [_Together((name,), find_recipe(name, text)) for text in sweep.recipe for name in sweep.methods]


def _cells(part: _Together, sweep: Sweep, kinds: Mapping[str, type[BaseModel]]) -> list[Cell]:
    """The cells of methods that train together; what the file says goes before the recipe."""
    axes = {**sweep.run, **{f"{_OPTION}{name}": values for name, values in sweep.data_options.items()}}
    recipe = part.recipe
    if recipe is not None:
        said = {name: (value,) for name, value in recipe.values_for(axes.get("data", ())).items()}
        if "steps" in axes:
            said.pop("epochs", None)
        axes = {**said, **axes}
    elif len(part.methods) > 1:
        axes = {"views": (EQUAL_VIEWS,), **axes}
    variants = []
    for name in part.methods:
        own = sweep.settings.get(name, {})
        if recipe is not None:
            own = {**{key: (value,) for key, value in recipe.settings.items()}, **own}
        variants += [(name, chosen) for chosen in _variants(kinds[name], own)]
    return [_cell(run, few, recipe) for run in _run_settings(axes) for few in _parts(variants)]


def _variants(kind: type[BaseModel], axes: Mapping[str, Sequence[Scalar]]) -> list[dict[str, Any]]:
    """All settings of a method, complete with defaults."""
    try:
        return [kind.model_validate(chosen).model_dump(mode="json") for chosen in _product(axes)]
    except ValidationError as error:
        raise ConfigError(sentence(error, kind)) from error


def _run_settings(axes: Mapping[str, Sequence[Scalar]]) -> list[RunSettings]:
    # Seeds vary fastest, so that every cell of the table has its first seeds early.
    ordered = {name: values for name, values in axes.items() if name != "seed"}
    ordered |= {"seed": axes["seed"]} if "seed" in axes else {}
    try:
        runs = [RunSettings.model_validate(_nested(chosen)) for chosen in _product(ordered)]
    except ValidationError as error:
        raise ConfigError(sentence(error, RunSettings)) from error
    options = [data_registry.locate(run.data, **run.files).options.model_dump(mode="json") for run in runs]
    return [run.model_copy(update={"data_options": held}) for run, held in zip(runs, options, strict=True)]


def _nested(chosen: Mapping[str, Scalar]) -> dict[str, Any]:
    """Settings of a run, those of its data set in a table of their own."""
    options = {name.removeprefix(_OPTION): value for name, value in chosen.items() if name.startswith(_OPTION)}
    return {**{name: value for name, value in chosen.items() if not name.startswith(_OPTION)}, "data_options": options}


def _product(axes: Mapping[str, Sequence[Scalar]]) -> Iterator[dict[str, Scalar]]:
    for values in itertools.product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def _parts(variants: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(variants), _MAX_TOGETHER):
        yield variants[first : first + _MAX_TOGETHER]


def _cell(run: RunSettings, variants: Sequence[tuple[str, dict[str, Any]]], recipe: Recipe | None) -> Cell:
    runs = tuple(
        JobRun(
            run_id=run_id(method, settings, run),
            method=method,
            settings=settings,
            recipe=None if recipe is None else recipe.about(recipe.differing(run.model_dump(), settings)),
        )
        for method, settings in variants
    )
    job_id = f"sweep-{_digest([one.run_id for one in runs])}"
    return Cell(run, Job(job_id=job_id, runs=runs, run=run.model_dump(mode="json")))


def run_id(method: str, settings: Mapping[str, Any], run: RunSettings) -> str:
    """The id of a run, from what is learned alone: method and all settings but those of `INCIDENTAL`.

    Readable first, such as bcl-digits-lt-if50-d3-s0, then 10 hex digits of all of it.
    """
    said = run.model_dump(mode="json", exclude_defaults=True)
    learned = {
        name: NAMED.get(name) if value is None else value
        for name, value in run.model_dump(mode="json").items()
        if name not in INCIDENTAL and (name in said or name not in LATER)
    }
    told = f"{method}-{run.data}-if{run.imbalance_factor:g}-d{run.dim}-s{run.seed}"
    digest = _digest({"method": method, "settings": dict(settings), "run": learned})
    return f"{slug(told)[:53].rstrip('-')}-{digest}"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:10]


def _check_data(runs: Sequence[RunSettings]) -> None:
    """Refuses before anything is trained what would fail in every race of a data set."""
    seen = set()
    for run in runs:
        about = {**run.cut, "seed": 0}
        if (key := _digest([run.data, about])) in seen:
            continue
        seen.add(key)
        if missing := data_registry.describe(run.data, **about).missing:
            raise DataError(missing)


def _tag(stem: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-._")[:40] or "sweep"


def _problem(error: ValidationError) -> str:
    """One sentence on a file that is no sweep."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("run", "settings"))
    rule = first["msg"].replace("Input should", "must").removeprefix("Value error, ")
    if first["loc"] == ("methods",) and first["type"] == "missing":
        return 'a sweep file must name its methods; add methods = ["ce", "supcon"]'
    given = repr(first["input"])
    return f"{where or 'a list'} {rule}, got {given if len(given) <= 80 else given[:77] + '...'}"
