"""Changing settings while a run trains: every value is held against the bounds of its field before it takes effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ltviz.errors import ConfigError, sentence, shorten

Model = TypeVar("Model", bound=BaseModel)
Event = dict[str, Any]
"""What a frame tells of a change: {"kind": "setting", "name", "value", "before", "step": first step that felt it}."""


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
                _refused(name, value, f"{shorten(name)} cannot change while a run trains; try {', '.join(known)}", step)
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


def _refused(name: str, value: Any, message: str, step: int) -> Event:
    return {"kind": "refused", "name": shorten(name), "value": shorten(value), "message": message, "step": step}
