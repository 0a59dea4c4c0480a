"""What all settings share: frozen, strict about unknown names, and a truth is no number."""

from __future__ import annotations

import typing
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Bounded(BaseModel):
    """Base of models that hold settings. pydantic by itself takes `true` for 1: in a file that is a slip, and told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        wrong = [name for name, value in given.items() if isinstance(value, bool) and _is_number(cls, name)]
        # As a word it breaks the field's own rule, which then says what the field takes.
        return {**given, **{name: str(given[name]).lower() for name in wrong}} if wrong else given


def _is_number(model: type[BaseModel], name: Any) -> bool:
    """Whether a field takes numbers and no truths."""
    if name not in model.model_fields:
        return False
    annotation = model.model_fields[name].annotation
    kinds = set(typing.get_args(annotation)) or {annotation}
    return bool(kinds & {int, float}) and bool not in kinds
