"""`ltviz train`: one method, a race of several, or a run that goes on."""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

from ltviz.cli.arguments import parse, with_defaults
from ltviz.cli.mirror import mirror_storage, mirrored
from ltviz.data import registry as data_registry
from ltviz.errors import ConfigError, TrainingError
from ltviz.launch.apart import sees
from ltviz.launch.queue import parse_job, read_job
from ltviz.recording import Recording, checkpoints_home, new_run_id
from ltviz.recording.names import typed_path
from ltviz.training import folders
from ltviz.training.settings import RunSettings

if TYPE_CHECKING:
    from ltviz.recipes import Recipe
    from ltviz.recording.storage import Storage
    from ltviz.training.race import Race

ABOUT = "Train a method on long-tailed data: `ltviz train METHOD`, or several in lock-step: `ltviz train --race A,B`."
DATA = "data"
"""Part of the line that holds the data set's own settings: --data.NAME."""
MIRROR = (
    "Address of a folder where a copy of the run is kept up, such as s3://bucket/runs: sent by a thread beside the "
    "training, which never waits for it. Credentials are those that fsspec finds."
)
_TICK = 0.2  # seconds between progress lines on a terminal


class TrainOptions(BaseModel):
    race: str | None = Field(None, description="Methods that train in lock-step, separated by commas.")
    recipe: str | None = Field(
        None,
        description="A paper's settings for METHOD, by name (`ltviz recipes` lists them) or a TOML file; flags beside "
        "it go before what it says.",
    )
    resume: str | None = Field(
        None, description="Folder of an unfinished run that goes on where its weights were saved."
    )
    run_dir: str | None = Field(
        None,
        description="Folder of the run; with --race, of one run folder a method. In LTVIZ_HOME where empty.",
    )
    mirror: str | None = Field(None, description=MIRROR)
    json_: bool = Field(False, alias="json", description="Print one JSON object at the end, and nothing else.")


class ResumeOptions(BaseModel):
    resume: str = Field(description="Folder of the run.")
    device: str | None = Field(None, description="auto, cpu or cuda; as the run was started where empty.")
    devices: int | None = Field(None, ge=1, description="How many train together; as the run was started where empty.")
    mirror: str | None = Field(None, description=MIRROR)
    json_: bool = Field(False, alias="json", description="Print one JSON object at the end, and nothing else.")


class JobOptions(BaseModel):
    job: str = Field(description="File of the job.")
    home: str | None = Field(None, description="Folder of run folders; the variable LTVIZ_HOME where empty.")
    mirror: str | None = Field(None, description="Where a node that does not see that folder brings the runs.")
    token: str = Field("", description="What the folder is known by.")
    given: str = Field("", description="The job itself, for such a node.")


def run(argv: Sequence[str]) -> int:
    """Trains until the last step, a stop or a failure.

    Returns:
        0 where every run came to its end or was stopped.

    Raises:
        LtvizError: bad input; nothing was written.
        TrainingError: a run failed.
    """
    if _value(argv, "--resume") is not None:
        return _resume(argv)
    if _value(argv, "--job") is not None:
        return _job(argv)
    method, flags = take_method(argv)
    names = [method] if method else [name.strip() for name in (_value(argv, "--race") or "").split(",") if name.strip()]
    recipe = _recipe(method, _value(argv, "--recipe"))
    run_dir = _value(argv, "--run-dir")
    paths = _paths(names, typed_path(run_dir) if run_dir else None, race=method is None)
    for path in paths:
        folders.check_free(path)  # before torch is imported: a refusal comes at once

    from ltviz.methods import registry

    options_of = data_options(argv, recipe)
    if not names and not {"-h", "--help"} & set(argv):
        known = ", ".join(registry.methods())
        raise ConfigError(
            f"`ltviz train` needs a METHOD, --race or --resume; the methods are {known}; try `ltviz train ce`"
        )
    kinds = {name: registry.method(name).Settings for name in names}
    models: dict[str, type[BaseModel]] = {"command": TrainOptions, "run": RunSettings, DATA: options_of, **kinds}
    if recipe is not None:
        data = _value(argv, "--data")
        models["run"] = with_defaults(RunSettings, recipe.values_for([] if data is None else [data]), "run")
        models[recipe.method] = with_defaults(kinds[recipe.method], recipe.settings, "settings")
    parsed = parse(
        f"ltviz train {method or ''}".strip(),
        flags,
        models,
        about=f"{ABOUT} METHOD is one of {', '.join(registry.methods())}.",
        unprefixed=["run", *([method] if method else [])],
    )
    options, settings = parsed["command"], settle_steps(parsed["run"])
    assert isinstance(options, TrainOptions)
    settings = settings.model_copy(update={"data_options": parsed[DATA].model_dump(mode="json")})

    from ltviz.training.follower import follow
    from ltviz.training.meeting import node_rank
    from ltviz.training.start import Entrant, begin

    if settings.nodes > 1 and node_rank() > 0:
        follow(settings)
        return 0
    followed = None if recipe is None else _about(recipe, settings, parsed[recipe.method])
    entrants = [
        Entrant(path, name, parsed[name].model_dump(), followed) for name, path in zip(names, paths, strict=True)
    ]
    storage = mirror_storage(options.mirror)
    return _train(options.json_, lambda **told: begin(entrants, settings, **told), storage)


def _recipe(method: str | None, text: str | None) -> Recipe | None:
    """The recipe that the line names; None where it names none."""
    if text is None:
        return None
    if method is None:
        raise ConfigError(
            "--recipe needs one METHOD, for the methods of a race share all run settings; "
            "try `ltviz train bcl --recipe cifar100-lt-if100`"
        )
    from ltviz import recipes

    return recipes.find(method, text)


def _about(recipe: Recipe, run: RunSettings, settings: BaseModel) -> dict[str, Any]:
    """What run.json says of the recipe, and of what the line has otherwise."""
    return recipe.about(recipe.differing(run.model_dump(), settings.model_dump()))


def settle_steps(given: BaseModel) -> RunSettings:
    """The run settings of a line, where --steps goes before the epochs of a recipe.

    Raises:
        ConfigError: both on the line.
    """
    values = given.model_dump()
    if "steps" in given.model_fields_set:
        if "epochs" in given.model_fields_set:
            raise ConfigError("--steps and --epochs exclude one another, got both; leave one out")
        values["epochs"] = None
    return RunSettings.model_validate(values)


def _resume(argv: Sequence[str]) -> int:
    path = typed_path(_value(argv, "--resume") or "")
    folders.check_resumable(Recording(path))
    options = parse("ltviz train", argv, {"command": ResumeOptions}, about="Go on with an unfinished run.")["command"]
    assert isinstance(options, ResumeOptions)

    from ltviz.training.start import resume

    def make(**told: Any) -> Race:
        return resume([path], device=options.device, devices=options.devices, **told)

    return _train(options.json_, make, mirror_storage(options.mirror))


def _job(argv: Sequence[str]) -> int:
    """What a node of a cluster is given: as a worker trains it, in this process. What became of it its runs say."""
    about = "Train a job that was put on a cluster."
    options = parse("ltviz train", argv, {"command": JobOptions}, about=about)["command"]
    assert isinstance(options, JobOptions)
    home = typed_path(options.home) if options.home else checkpoints_home()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if options.mirror is not None and not sees(home, options.token):
        from ltviz.launch.own_disk import train_apart

        print(f"This node does not see {home}, so it trains in a folder of its own and sends runs to {options.mirror}")
        for left in train_apart(parse_job(options.given.encode(), "--given"), options.mirror):
            print(f"ltviz: {left.files} files of {left.run_id} did not reach the mirror", file=sys.stderr)
        return 0

    from ltviz.launch.worker import train_alone

    train_alone(home, read_job(typed_path(options.job)))
    return 0


def _train(as_json: bool, make: Callable[..., Race], storage: Storage | None) -> int:
    """Runs a race and tells how it ended.

    Args:
        storage: where copies of the runs are kept up meanwhile; None for nowhere.
        make: makes it, of a `Stop` and two functions that take in how far it is: `stop`, `progress` and `say`.
    """
    from ltviz.training.stop import Stop

    logging.basicConfig(level=logging.WARNING, format="ltviz: %(message)s")
    stop, began = Stop(), time.monotonic()
    with stop.on_signals():
        progress = _Progress() if sys.stderr.isatty() and not as_json else None
        race = make(stop=stop, **({"progress": progress, "say": progress.say} if progress else {}))
        if progress:
            progress.race = race
        if not as_json:
            print(_plan(race), flush=True)
        with mirrored([*(x.path for x in race.teachers), *(lane.path for lane in race.lanes)], storage):
            outcomes = race.run()
            seconds = time.monotonic() - began
            if progress:
                progress.clear()
    rows = [_row(dataclasses.asdict(outcome)) for outcome in outcomes]
    if as_json:
        print(json.dumps(rows[0] if len(rows) == 1 else {"seconds": round(seconds, 3), "runs": rows}), flush=True)
    else:
        for row in rows:
            print(_line(row), flush=True)
    if failed := [outcome.reason for outcome in outcomes if outcome.state == "failed"]:
        raise TrainingError("; ".join(str(reason) for reason in failed))
    return 0


def _plan(race: Race) -> str:
    """Where everything goes. One text and one writing: whoever reads its first line and leaves stops no training."""
    lines = [f"{x.name} -> {x.path} (trains first, as a teacher)" for x in race.teachers]
    if started := Recording(race.lanes[0].path).config.get("weights"):
        lines.insert(0, str(started))
    return "\n".join([*lines, *(f"{lane.name} -> {lane.path}" for lane in race.lanes)])


class _Progress:
    """One line on the terminal that is written over: step and seconds left, or what is done after the last step."""

    def __init__(self) -> None:
        self.race: Race | None = None
        self._began = self._last = time.monotonic()
        self._first: int | None = None

    def __call__(self, step: int) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first, self._began = step, now
        if self.race is None or now - self._last < _TICK:
            return
        self._last = now
        total = self.race.total_steps
        left = (now - self._began) / max(step - self._first, 1) * (total - step)
        self._write(f"step {step}/{total}, {left:.0f} s left")

    def say(self, doing: str) -> None:
        """Says what is done; seldom, for it is called often."""
        now = time.monotonic()
        if now - self._last >= _TICK:
            self._last = now
            self._write(doing)

    def _write(self, said: str) -> None:
        print(f"\r\x1b[K{said}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _row(outcome: dict[str, Any]) -> dict[str, Any]:
    """An outcome as JSON values."""
    rounded = {key: round(value, 4) if isinstance(value, float) else value for key, value in outcome.items()}
    return {**rounded, "run_id": Path(outcome["path"]).resolve().name, "path": str(outcome["path"])}


def _line(row: dict[str, Any]) -> str:
    parts = [
        f"{row['method']}: {row['state']}{' (' + row['reason'] + ')' if row['reason'] else ''} at step {row['step']}"
    ]
    parts.append(
        f"{row['frames']} frames, {row['ms_per_step']:.1f} ms a step, {row['watch_share']:.0%} of the time watching"
    )
    if (images := row["metrics"].get("images_seen")) is not None:
        parts.append(f"{images:,.0f} images seen")
    measure = "map" if "map_all" in row["metrics"] else "accuracy"
    quality = {key: row["metrics"].get(f"{measure}_{key}") for key in ("all", "many", "medium", "few")}
    parts.extend(f"{key} {value:.1%}" for key, value in quality.items() if value is not None)
    return ", ".join(parts)


def take_method(argv: Sequence[str]) -> tuple[str | None, list[str]]:
    """The method, which stands anywhere on the line, and the flags around it.

    Which flags there are depends on the method, so it is found first: it is what is neither a flag nor a flag's value.
    """
    switches = {"--help"}
    for part, name, field in _known_fields(argv):
        if field.annotation is bool:
            switches |= {f"--{part}{name}", f"--{part}no-{name}"}
    rest = list(argv)
    for place, argument in enumerate(rest):
        before = rest[place - 1] if place else ""
        is_value = before.startswith("--") and "=" not in before and before.replace("_", "-") not in switches
        if argument.startswith("-") or is_value:
            continue
        if _value(argv, "--race") is not None:
            raise ConfigError(f"a METHOD and --race exclude one another, got {argument!r} and --race; leave one out")
        return argument, rest[:place] + rest[place + 1 :]
    return None, rest


def data_options(argv: Sequence[str], recipe: Recipe | None = None) -> type[BaseModel]:
    """The settings that the data set named on the line, or by its recipe, has of its own.

    Raises:
        ConfigError: no data set of this name.
    """
    said = RunSettings.model_fields["data"].default if recipe is None else recipe.run_settings.data
    return data_registry.source(_value(argv, "--data") or said).Options


def _known_fields(argv: Sequence[str]) -> Iterator[tuple[str, str, FieldInfo]]:
    """Fields whose flags any method has: the part before the name, the name, the field."""
    for part, model in (("", TrainOptions), ("", RunSettings), (f"{DATA}.", data_options(argv))):
        for name, field in model.model_fields.items():
            yield part, (field.alias or name).replace("_", "-"), field


def _paths(names: list[str], run_dir: Path | None, *, race: bool) -> list[Path]:
    if len(set(names)) < len(names):
        raise ConfigError(f"every method of a race must be named once, got {','.join(names)}")
    if run_dir is None:
        return [checkpoints_home() / new_run_id(name) for name in names]
    return [run_dir / name for name in names] if race else [run_dir] * len(names)


def _value(argv: Sequence[str], flag: str) -> str | None:
    """The value of a flag as it stands on the line; None without it."""
    for flags in (flag, flag.replace("-", "_").replace("__", "--", 1)):
        for i, argument in enumerate(argv):
            if argument == flags and i + 1 < len(argv):
                return argv[i + 1]
            if argument.startswith(f"{flags}="):
                return argument.partition("=")[2]
    return None
