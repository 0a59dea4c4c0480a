"""From a pydantic model to flags: the fields are the flags, pydantic judges the values, tyro writes the help.

The line is split here and not by tyro because a mistake must be one sentence, and tyro's are boxes of several lines.
"""

from __future__ import annotations

import copy
import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from ltviz.errors import ConfigError, sentence
from ltviz.recording.names import typed_path

Model = TypeVar("Model", bound=BaseModel)
_WORDS = {int: "INT", float: "FLOAT"}
_PLACED = {"one": "{}", "many": "[{} ...]"}


def positional(default: Any = ..., *, description: str, many: bool = False) -> Any:
    """A field of a command's model that is given without a flag, before, between or after the flags.

    With `many`, for a list, it takes all that there are; it must then be the model's last one.
    """
    return Field(default, description=description, json_schema_extra={"positional": "many" if many else "one"})


class Flag(NamedTuple):
    """Where a flag's value goes, and whether it stands alone."""

    part: str
    name: str
    switch: bool | None
    """What the flag alone stands for, False where it begins with --no-; None for a flag that takes a value."""
    many: bool = False
    """Whether it may be given more than once; its values are a list then."""


class Place(NamedTuple):
    """Where an argument without a flag goes, and whether it takes more than one."""

    part: str
    name: str
    many: bool


def parse(
    prog: str, argv: Sequence[str], models: Mapping[str, type[BaseModel]], *, about: str, unprefixed: Sequence[str] = ()
) -> dict[str, BaseModel]:
    """The models filled from a command line.

    Args:
        prog: "ltviz train", for the help and for messages.
        models: part -> model. Flags of the first part and of those in `unprefixed` stand alone (--steps), those of
            others carry the part's name (--bcl.temperature). Where two parts would have the same flag it is that of
            the later one, and the earlier one's carries its part's name (--run.momentum).
        about: a sentence for the help.

    Raises:
        ConfigError: a flag that does not exist, or a value outside its bounds.
        SystemExit: the help was asked for and printed.
    """
    bare = _unprefixed(models, {next(iter(models)), *unprefixed})
    if {"-h", "--help"} & set(argv):
        _print_help(prog, models, bare, about)
        raise SystemExit(0)
    flags, places = {}, []
    for part, model in models.items():
        for name, field in _fields(model):
            if _is_positional(field):
                places.append(Place(part, name, _is_positional(field) == "many"))
            else:
                switch = None if field.annotation is not bool else field.default is not True
                key = f"no_{name}" if switch is False else name
                many = typing.get_origin(field.annotation) is list
                flags[_flag("" if (part, name) in bare else part, key)] = Flag(part, name, switch, many)
    values: dict[str, dict[str, Any]] = {part: {} for part in models}
    lists = {(taker.part, taker.name) for taker in (*flags.values(), *places) if taker.many}
    for part, name, value in _split(prog, argv, flags, places):
        if (part, name) in lists:
            values[part].setdefault(name, []).append(value)
        else:
            values[part][name] = value
    return {part: _judge(prog, part, model, values[part], bare) for part, model in models.items()}


def with_defaults(model: type[Model], values: Mapping[str, Any], where: str) -> type[Model]:
    """The model with other defaults, which are held against the bounds of their fields.

    Args:
        where: what the values are called in a message.

    Raises:
        ConfigError: a name that the model does not have, or a value out of its bounds.
    """
    try:
        chosen = model.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(f"a recipe's {where}.{sentence(error, model)}") from error
    fields = {}
    for name in values:
        field = copy.copy(model.model_fields[name])
        field.default = getattr(chosen, name)
        fields[name] = (field.annotation, field)
    return create_model(model.__name__, __base__=model, **fields)


def _unprefixed(models: Mapping[str, type[BaseModel]], parts: set[str]) -> set[tuple[str, str]]:
    """(part, name) of all fields whose flags stand alone."""
    owner = {name: part for part, model in models.items() if part in parts for name, _ in _fields(model)}
    return {(part, name) for name, part in owner.items()}


def parse_one(prog: str, argv: Sequence[str], model: type[Model], *, about: str) -> Model:
    """One model filled from a command line; see `parse`."""
    parsed = parse(prog, argv, {"command": model}, about=about)["command"]
    assert isinstance(parsed, model)
    return parsed


def new_place(prog: str, flag: str, text: str, *, overwrite: bool, file: str = "") -> Path:
    """Where a command writes a file or folder. What is there already stays, unless somebody said otherwise.

    Args:
        file: what is written is a file, and this is its usual name; "": a folder.

    Raises:
        ConfigError: it is there; a folder is where a file is to be; or it is `-`, the terminal of other programs.
    """
    place = typed_path(text)
    if text == "-":
        raise ConfigError(f"`{prog}` writes a file whole or not at all, never to the terminal; give {flag} FILE, got -")
    if file and place.is_dir():
        raise ConfigError(f"{flag} of `{prog}` is a file, and a folder is there; try {flag} {place / file}")
    if place.exists() and not overwrite:
        raise ConfigError(f"`{prog}` writes anew, and this is there; try --overwrite or another {flag}: {place}")
    return place


def check_writable(flag: str, place: Path) -> None:
    """Says before anything is computed what would keep a file from being written after it.

    Raises:
        ConfigError: a folder is there, or the folder that it goes into is not.
    """
    if place.is_dir():
        raise ConfigError(f"{flag} must name a file, and a folder is there; give another name: {place}")
    if not place.parent.is_dir():
        raise ConfigError(f"{flag} goes into a folder that is not there; make it first: {place.parent}")


def _split(
    prog: str, argv: Sequence[str], flags: Mapping[str, Flag], places: Sequence[Place]
) -> Iterator[tuple[str, str, str | bool]]:
    """(part, name, text) of everything on the line; True or False for a switch. After `--` nothing is a flag."""
    free, rest, only_places = list(places), list(argv), False
    while rest:
        argument = rest.pop(0)
        if argument == "--" and not only_places:
            only_places = True
            continue
        if only_places or not argument.startswith("-") or argument == "-":
            if not free:
                raise ConfigError(f"`{prog}` takes no further argument, got {argument!r}; try `{prog} --help`")
            place = free[0] if free[0].many else free.pop(0)
            yield place.part, place.name, argument
            continue
        key, has_value, value = argument.partition("=")
        flag = flags.get(key.replace("_", "-"))
        if flag is None:
            # `--lr`, as much of the field calls it, is nearer to --learning-rate than its letters say.
            near = [long for long in flags if _initials(long) == key] or get_close_matches(key, flags, 1)
            raise ConfigError(f"`{prog}` has no flag {key}; try {near[0] if near else f'`{prog} --help`'}")
        if flag.switch is not None:
            if has_value:
                raise ConfigError(f"{key} takes no value, got {value!r}; try {key} alone")
            yield flag.part, flag.name, flag.switch
            continue
        if not has_value:
            if not rest or rest[0].startswith("--"):
                raise ConfigError(f"{key} needs a value; try `{prog} --help`")
            value = rest.pop(0)
        yield flag.part, flag.name, value


def _initials(flag: str) -> str:
    return "--" + "".join(word[0] for word in flag.removeprefix("--").split("-") if word)


def _judge(
    prog: str, part: str, model: type[BaseModel], values: dict[str, Any], bare: set[tuple[str, str]]
) -> BaseModel:
    placed = {name for name, field in _fields(model) if _is_positional(field)}

    def flag(name: str) -> str:
        return name.upper() if name in placed else _flag("" if (part, name) in bare else part, name)

    for name, field in _fields(model):
        if field.is_required() and name not in values:
            raise ConfigError(f"`{prog}` needs {flag(name)} ({field.description}); try `{prog} --help`")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        name, _, rule = sentence(error, model).partition(" ")
        raise ConfigError(f"{flag(name)} {rule}") from error


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """Fields under the names that the line uses; one that says `"flag": False` has no flag."""
    return ((field.alias or name, field) for name, field in model.model_fields.items() if _has_flag(field))


def _has_flag(field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    return not (isinstance(extra, dict) and extra.get("flag") is False)


def _flag(prefix: str, name: str) -> str:
    return f"--{prefix}.{name}".replace("--.", "--").replace("_", "-")


def _is_positional(field: FieldInfo) -> str | None:
    """ "one" or "many" where a field is given without a flag."""
    extra = field.json_schema_extra
    return str(extra["positional"]) if isinstance(extra, dict) and "positional" in extra else None


# ---------------------------------------------------------------------- help


def _print_help(prog: str, models: Mapping[str, type[BaseModel]], bare: set[tuple[str, str]], about: str) -> None:
    import tyro  # a tenth of a second that only the help needs

    parts = [(part, _mirror(part, model, bare)) for part, model in models.items()]
    tyro.cli(dataclasses.make_dataclass("Command", parts), args=["--help"], prog=prog, description=about)


def _mirror(part: str, model: type[BaseModel], bare: set[tuple[str, str]]) -> Any:
    """The model as a dataclass in tyro's words."""
    import tyro

    fields = []
    for name, field in _fields(model):
        place = _is_positional(field)
        notes: list[Any] = [
            tyro.conf.arg(
                name=None if place else name if (part, name) in bare else f"{part}.{name}",
                prefix_name=False,
                help=field.description or name.replace("_", " "),
                metavar=_PLACED[place].format(name.upper()) if place else _word(field.annotation),
                help_behavior_hint="" if field.default is None or field.annotation is bool else None,
            )
        ]
        if place:
            notes.append(tyro.conf.Positional)
        kind: Any = str
        if field.annotation is bool:
            kind, notes = bool, [*notes, tyro.conf.FlagCreatePairsOff]
        default = () if field.is_required() else (dataclasses.field(default=_shown(field.default)),)
        fields.append((name, Annotated[(kind, *notes)], *default))
    # keywords only: a place that must be filled may come after flags that a model inherits
    made = dataclasses.make_dataclass(part, fields, kw_only=True)
    made.__doc__ = ""
    return made


def _word(kind: Any) -> str | None:
    """The word for a flag's value: INT, FLOAT, {a,b} or TEXT."""
    if kind is bool:
        return None
    if typing.get_origin(kind) in (Union, types.UnionType):
        kind = next(arg for arg in typing.get_args(kind) if arg is not type(None))
    if typing.get_origin(kind) is Literal:
        return "{" + ",".join(map(str, typing.get_args(kind))) + "}"
    return _WORDS.get(kind, "TEXT")


def _shown(default: Any) -> Any:
    return default if isinstance(default, bool) else "" if default in (None, []) else str(default)
