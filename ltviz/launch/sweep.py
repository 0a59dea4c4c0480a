"""Sweeps: one TOML file names methods, data, factors, dimensions and seeds; this makes the runs of it. No torch here.

    methods = ["ce", "supcon", "bcl"]
    imbalance_factor = [10, 50]       # any run setting; a list is an axis
    seed = [0, 1, 2]
    steps = 200

    [supcon]                          # settings of one method; a list makes variants of it
    temperature = [0.07, 0.1]

Every combination of run settings is a cell, and all methods of a cell train as one race. Where several methods are
compared and the file says nothing of views, all see equally many images. A run's id follows from its settings alone, so
a run that is finished is known wherever it came from, and never trained twice.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from ltviz.data import registry as data_registry
from ltviz.errors import ConfigError, DataError, sentence
from ltviz.launch.queue import Job, JobRun
from ltviz.recording.names import slug
from ltviz.recording.notes import TAG
from ltviz.training.settings import EQUAL_VIEWS, INCIDENTAL, RunSettings

MAX_RUNS = 10_000
MAX_FILE = 1 << 20
_MAX_TOGETHER = 64  # runs of one job

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
    run: dict[str, Axis] = Field({}, description="Run settings, each a value or a list of values.")
    settings: dict[str, dict[str, Axis]] = Field({}, description="Method -> its settings, each a value or a list.")

    _once = field_validator("methods")(_once)

    @model_validator(mode="after")
    def _fits_together(self) -> Sweep:
        for axes in (self.run, *self.settings.values()):
            for values in axes.values():
                _once(values)
        return self


@dataclass(frozen=True)
class Cell:
    """Runs that share all run settings, trained as one race. `job` holds those that are asked for, at most 64."""

    run: RunSettings
    job: Job

    def job_of(self, run_ids: Sequence[str]) -> Job:
        """The same race with some of its runs only."""
        return self.job.model_copy(update={"runs": tuple(run for run in self.job.runs if run.run_id in run_ids)})


def read_sweep(path: Path) -> Sweep:
    """The sweep in a TOML file.

    Raises:
        ConfigError: no file, not TOML, or names and shapes that are not a sweep's.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise ConfigError(f"a sweep file holds at most {MAX_FILE:,} bytes, got {path.stat().st_size:,}: {path}")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"`ltviz sweep` needs a TOML file, but it cannot be read ({error.strerror}): {path}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"a sweep file must be TOML, but {str(error)[:200]}: {path}") from error
    own = {key: content.pop(key) for key in ("name", "methods") if key in content}
    tables = {key: value for key, value in content.items() if isinstance(value, dict)}
    run = {key: value for key, value in content.items() if key not in tables}
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
    variants = [
        (name, chosen) for name in sweep.methods for chosen in _variants(kinds[name], sweep.settings.get(name, {}))
    ]
    num_runs = len(variants) * math.prod(len(values) for values in sweep.run.values())
    if num_runs > MAX_RUNS:
        raise ConfigError(f"a sweep has at most {MAX_RUNS:,} runs, but this one has {num_runs:,}; shorten its lists")
    axes = sweep.run
    if len(sweep.methods) > 1:
        axes = {"views": (EQUAL_VIEWS,), **axes}
    cells = [_cell(run, part) for run in _run_settings(axes) for part in _parts(variants)]
    ids = [run.run_id for cell in cells for run in cell.job.runs]
    if len(set(ids)) < len(ids):
        raise ConfigError("every run of a sweep must differ, but two have equal settings; drop one of the values")
    _check_data([cell.run for cell in cells])
    return cells


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
        return [RunSettings.model_validate(chosen) for chosen in _product(ordered)]
    except ValidationError as error:
        raise ConfigError(sentence(error, RunSettings)) from error


def _product(axes: Mapping[str, Sequence[Scalar]]) -> Iterator[dict[str, Scalar]]:
    for values in itertools.product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def _parts(variants: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(variants), _MAX_TOGETHER):
        yield variants[first : first + _MAX_TOGETHER]


def _cell(run: RunSettings, variants: Sequence[tuple[str, dict[str, Any]]]) -> Cell:
    runs = tuple(
        JobRun(run_id=run_id(method, settings, run), method=method, settings=settings) for method, settings in variants
    )
    job_id = f"sweep-{_digest([one.run_id for one in runs])}"
    return Cell(run, Job(job_id=job_id, runs=runs, run=run.model_dump(mode="json")))


def run_id(method: str, settings: Mapping[str, Any], run: RunSettings) -> str:
    """The id of a run, from what is learned alone: method and all settings but those of `INCIDENTAL`.

    Readable first, such as bcl-digits-lt-if50-d3-s0, then 10 hex digits of all of it.
    """
    learned = {name: value for name, value in run.model_dump(mode="json").items() if name not in INCIDENTAL}
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
