"""Changing settings while a run trains: every value is held against the bounds of its field before it takes effect.

A setting changes by hand, which is an event of the next frame, or along a curve of the run's `schedules`, which is
none: what it is at a step follows from the text, and the text is an event where it changes. Who sets a scheduled number
by hand has it from there on: its curve ends, and that is an event too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from ltviz.errors import ConfigError, sentence, shorten
from ltviz.training.sampled import EXPONENT, check_exponent
from ltviz.training.schedules import parse_schedules, scheduled, without
from ltviz.training.settings import RunSettings

SCHEDULES = "schedules"
"""Name of the run's setting that holds the curves."""
Model = TypeVar("Model", bound=BaseModel)
Event = dict[str, Any]
"""What a frame tells of a change: {"kind": "setting", "name", "value", "before", "step": first step that felt it}."""


def live_fields(model: type[BaseModel]) -> list[str]:
    """Names of the fields that may change while a run trains."""
    return [name for name, field in model.model_fields.items() if _extra(field).get("live") is True]


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
            if name == SCHEDULES and isinstance(changed, RunSettings):
                check_exponent(before, changed.schedules)
                check_schedules(changed.schedules, held, total_steps=changed.steps)
            check(changed)
        except ConfigError as error:
            events.append(_refused(name, value, str(error), step))
            continue
        held[place] = changed
        events.append(_told(name, getattr(changed, name), before, step))
    set_by_hand = [event["name"] for event in events if event["kind"] == "setting"]
    for place, model in enumerate(held):
        if isinstance(model, RunSettings) and SCHEDULES not in set_by_hand:
            left = without(model.schedules, set_by_hand)
            if left != model.schedules:
                held[place] = replace(model, SCHEDULES, left)
                events.append(_told(SCHEDULES, left, model.schedules, step))
    return tuple(held), events


def followable(model: type[BaseModel]) -> list[str]:
    """Names of the numbers that a curve can move: of the live fields, and of what a race shares."""
    fields = model.model_fields
    shared = [name for name, field in fields.items() if _extra(field).get("followed") is True]
    return [name for name in live_fields(model) if fields[name].annotation in (int, float)] + shared


def _extra(field: FieldInfo) -> Mapping[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def check_schedules(text: str, models: Iterable[BaseModel], *, total_steps: int | None = None) -> None:
    """Refuses curves of settings that nobody has, or that leave the bounds, before anything follows them.

    Args:
        models: settings of the methods and of the run; a curve that only some of them know is followed by those.
        total_steps: which no point may lie beyond; None where they are not known yet.

    Raises:
        ConfigError: such a curve.
    """
    models = list(models)
    for name, curve in parse_schedules(text).items():
        takers = [model for model in models if name in followable(type(model))]
        if not takers:
            known = sorted({field for model in models for field in followable(type(model))})
            raise ConfigError(
                f"schedules must name numbers that may change while a run trains, got {shorten(name)}; "
                f"try {', '.join(known)}"
            )
        if total_steps is not None and curve.points_end(total_steps) > total_steps:
            raise ConfigError(
                f"schedules must have no point beyond the last step, {total_steps}, got one of {name} at "
                f"{curve.places[-1]}; try 100%"
            )
        for model in takers:
            if name == EXPONENT and isinstance(model, RunSettings) and model.sampling != "power":
                raise ConfigError(
                    f"schedules of {EXPONENT} must come with power sampling, got {model.sampling}; try --sampling power"
                )
            for value in curve.values:  # the numbers between two that are in bounds are too
                replace(model, name, _fitting(model, name, value))


def follow(settings: Model, run: RunSettings, step: int) -> tuple[Model, RunSettings]:
    """The settings of training step `step`, as the run's schedules have them; the same objects where nothing moves.

    Raises:
        ConfigError: numbers that are each in their bounds, and do not go together.
    """
    values = scheduled(run.schedules, step - 1, run.steps)
    return (_with(settings, values), _with(run, values)) if values else (settings, run)


def _with(model: Model, values: Mapping[str, float]) -> Model:
    for name in followable(type(model)):
        if name in values and (value := _fitting(model, name, values[name])) != getattr(model, name):
            model = replace(model, name, value)
    return model


def _fitting(model: BaseModel, name: str, value: float) -> float | int:
    """The value as the field has it: whole where it counts something."""
    return round(value) if type(model).model_fields[name].annotation is int else value


def _told(name: str, value: Any, before: Any, step: int) -> Event:
    return {"kind": "setting", "name": name, "value": value, "before": before, "step": step}


def _refused(name: str, value: Any, message: str, step: int) -> Event:
    return {"kind": "refused", "name": shorten(name), "value": shorten(value), "message": message, "step": step}
