"""Changing settings while a run trains: every value is held against the bounds of its field before it takes effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ltviz.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)
Event = dict[str, Any]
"""What a frame tells of a change: {"kind": "setting", "name", "value", "before", "step": first step that felt it}."""

_LONGEST = 80  # characters of a foreign name or value that are repeated in a message


def live_fields(model: type[BaseModel]) -> list[str]:
    """Names of the fields that may change while a run trains."""
    return [
        name
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("live") is True
    ]


def replace(settings: Model, name: str, value: Any) -> Model:
    """`settings` with one field changed.

    Raises:
        ConfigError: the value is outside the field's bounds.
    """
    try:
        return type(settings).model_validate({**settings.model_dump(), name: value})
    except ValidationError as error:
        raise ConfigError(sentence(error, type(settings))) from error


def change(
    values: Mapping[str, Any], *models: BaseModel, step: int, check: Callable[[BaseModel], object] = lambda model: None
) -> tuple[tuple[BaseModel, ...], list[Event]]:
    """The models with the requested values, and one event per name: "setting" where it took effect, else "refused".

    Args:
        values: name -> new value, as it came from outside.
        models: settings that may hold the name, in order.
        step: first step that will feel the change.
        check: raises ConfigError for a changed model that its bounds allow and something else does not.
    """
    held, events = list(models), []
    for name, value in values.items():
        place = next((i for i, model in enumerate(held) if name in live_fields(type(model))), None)
        if place is None:
            known = sorted(field for model in held for field in live_fields(type(model)))
            events.append(
                _refused(name, value, f"{_short(name)} cannot change while a run trains; try {', '.join(known)}", step)
            )
            continue
        before = getattr(held[place], name)
        try:
            changed = replace(held[place], name, value)
            check(changed)
        except ConfigError as error:
            events.append(_refused(name, value, str(error), step))
            continue
        held[place] = changed
        after = getattr(changed, name)
        events.append({"kind": "setting", "name": name, "value": after, "before": before, "step": step})
    return tuple(held), events


def sentence(error: ValidationError, model: type[BaseModel]) -> str:
    """The first thing that pydantic found wrong, in one sentence: name, rule, what was given, what to try."""
    first = error.errors(include_url=False)[0]
    name = _short(".".join(str(part) for part in first["loc"]) or model.__name__)
    if first["type"] == "extra_forbidden":
        near = get_close_matches(name, model.model_fields, 1)
        hint = f"try {near[0]}" if near else f"the names are {', '.join(model.model_fields)}"
        return f"{name} is not a setting; {hint}"
    rule = first["msg"].replace("Input should", "must").removeprefix("Value error, ")
    field = model.model_fields.get(str(first["loc"][0])) if first["loc"] else None
    default = field.default if field and not field.is_required() else None
    hint = f"; try {default}" if default not in (None, "") else ""
    return f"{name} {rule}, got {_short(first['input'])}{hint}"


def _refused(name: str, value: Any, message: str, step: int) -> Event:
    return {"kind": "refused", "name": _short(name), "value": _short(value), "message": message, "step": step}


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
