"""A settings model, as JSON schema, becomes widgets: label, help and bounds come from the model's own fields."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from .. import words

MOST_EXACT = 2**53 - 1
SHOWN_AS = "%.9g"
"""Format of numbers that need not be whole: all digits that anybody types, and none of what rounding leaves."""
_MARKUP = re.compile(r"[!-/:-@\[-`{-~]")


def escape(text: str) -> str:
    """Text from outside for a place that reads Markdown: every character that could be markup is taken literally."""
    return _MARKUP.sub(r"\\\g<0>", text)


def draw_field(name: str, schema: Mapping[str, Any], key: str, *, value: Any = None, disabled: bool = False) -> Any:
    """One field's widget; returns what it is set to. `value` replaces the schema's default."""
    field = _plain(schema)
    start = field.get("default") if value is None else value
    label, help_text = label_of(name, field), field.get("description")
    if "enum" in field:
        options = list(field["enum"])
        return st.selectbox(
            label,
            options,
            index=_position(options, start),
            format_func=lambda option: words.lab.AUTOMATIC if option == "" else option,
            key=key,
            help=help_text,
            disabled=disabled,
        )
    kind = field.get("type")
    if kind == "boolean":
        return st.checkbox(label, bool(start), key=key, help=help_text, disabled=disabled)
    if kind in ("integer", "number"):
        return _number(label, field, kind == "integer", start, key, help_text, disabled)
    text = st.text_input(label, "" if start is None else str(start), key=key, help=help_text, disabled=disabled)
    return text if text or not field.get("nullable") else None


def draw_form(
    schema: Mapping[str, Any], key: str, *, fields: Sequence[str] | None = None, kept: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Widgets for a model's fields (all, or those named); returns only what differs from the defaults.

    A field that is a table of further settings has no widget.

    `kept` is what an earlier call returned: a form that was folded away opens as it was left.
    """
    chosen = {}
    for name, field in fields_of(schema).items():
        if (fields is not None and name not in fields) or field.get("type") == "object":
            continue
        value = draw_field(name, field, f"{key}-{name}", value=(kept or {}).get(name))
        if value != field.get("default"):
            chosen[name] = value
    return chosen


def with_defaults(schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with other defaults; a name that it has not is left out.

    A widget that was drawn before takes no new default, so a form with other defaults needs another key.
    """
    properties = {
        name: {**field, "default": values[name]} if name in values else field
        for name, field in schema.get("properties", {}).items()
    }
    return {**schema, "properties": properties}


def label_of(name: str, field: Mapping[str, Any]) -> str:
    """A field's title in sentence case; the one that pydantic makes from the name has Every Word In Capitals."""
    title = field.get("title")
    return title if title and title.lower() != name.replace("_", " ") else name.replace("_", " ").capitalize()


def live_fields(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The fields that may change while a run trains."""
    return {name: field for name, field in fields_of(schema).items() if field.get("live")}


def group_of(schema: Mapping[str, Any], group: str) -> list[str]:
    """Names of the fields that a form folds away together."""
    return [name for name, field in fields_of(schema).items() if field.get("group") == group]


def fields_of(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Name -> schema of each field, references to shared definitions resolved."""
    shared = schema.get("$defs", {})
    fields = {}
    for name, field in schema.get("properties", {}).items():
        reference = field.get("$ref", "").rpartition("/")[2]
        fields[name] = {**shared.get(reference, {}), **field}
    return fields


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`X | None` as X that may be left empty."""
    options = schema.get("anyOf")
    if not options:
        return dict(schema)
    real = [option for option in options if option.get("type") != "null"]
    return {**real[0], **schema, "nullable": len(real) < len(options)}


def _number(
    label: str, field: Mapping[str, Any], whole: bool, start: Any, key: str, help_text: str | None, disabled: bool
) -> Any:
    cast = int if whole else float
    low, high = bounds_of(field, whole)
    if start is None and not field.get("nullable"):
        start = low
    step, shown = (1, "%d") if whole else _step(start)
    return st.number_input(
        label,
        min_value=None if low is None else cast(low),
        max_value=None if high is None else cast(high),
        value=None if start is None else cast(start),
        step=cast(step),
        format=shown,
        key=key,
        help=help_text,
        placeholder=words.lab.AUTOMATIC,
        disabled=disabled,
    )


def bounds_of(field: Mapping[str, Any], whole: bool) -> tuple[float | None, float | None]:
    """Bounds that a widget can hold: an exclusive one is moved by the smallest step that matters.

    A browser's numbers are exact up to 2^53 - 1, so a wider bound ends there.
    """
    low, high = field.get("minimum"), field.get("maximum")
    if low is None and (above := field.get("exclusiveMinimum")) is not None:
        low = above + (1 if whole else 1e-6)
    if high is None and (below := field.get("exclusiveMaximum")) is not None:
        high = below - (1 if whole else 1e-6)
    return None if low is None else max(low, -MOST_EXACT), None if high is None else min(high, MOST_EXACT)


def _step(start: float | None) -> tuple[float, str]:
    """Step and number format that suit a value's size: 0.002 goes by 0.001, 0.1 by 0.01, 50 by 1."""
    if not start:
        return 0.01, SHOWN_AS
    return 10.0 ** (math.floor(math.log10(abs(start))) - (0 if abs(start) < 0.01 else 1)), SHOWN_AS


def _position(options: list[Any], value: Any) -> int:
    return options.index(value) if value in options else 0
