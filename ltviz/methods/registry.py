"""Methods by name: every file of this folder that defines one, and entry points `ltviz.methods` of other packages."""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType

from ltviz import methods as folder
from ltviz.errors import ConfigError
from ltviz.methods.base import Card, Method

GROUP = "ltviz.methods"


def methods() -> dict[str, type[Method]]:
    """Every known method by its card's name, in order of publication.

    A plug-in that cannot be loaded, is no method, or takes a name that is in use is left out with a warning.
    """
    return dict(_discovered())


def method(name: str) -> type[Method]:
    """The method of this name.

    Raises:
        ConfigError: no such method.
    """
    known = _discovered()
    if name not in known:
        raise ConfigError(f"method must be one of {', '.join(known)}, got {name!r}")
    return known[name]


@cache
def _discovered() -> dict[str, type[Method]]:
    found: dict[str, type[Method]] = {}
    for info in pkgutil.iter_modules(folder.__path__):
        for kind in _defined_in(importlib.import_module(f"{folder.__name__}.{info.name}")):
            found[kind.card.name] = kind
    for point in entry_points(group=GROUP):
        try:
            kind = _check(point.load(), taken=found)
        except Exception as error:  # whatever a stranger's package raises must not end ltviz
            warnings.warn(f"method plug-in {point.name} ({point.value}) is left out: {error}", stacklevel=3)
        else:
            found[kind.card.name] = kind
    return dict(sorted(found.items(), key=lambda item: (item[1].card.year, item[0])))


def _defined_in(module: ModuleType) -> list[type[Method]]:
    """The methods that a module defines itself; without a card a class is a part, not a method."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Method)
        and value.__module__ == module.__name__
        and "card" in vars(value)
    ]


def _check(kind: object, taken: dict[str, type[Method]]) -> type[Method]:
    if not (isinstance(kind, type) and issubclass(kind, Method)):
        raise TypeError(f"{kind!r} is not a subclass of ltviz.methods.base.Method")
    if not isinstance(getattr(kind, "card", None), Card):
        raise TypeError(f"{kind.__name__} has no card")
    if kind.card.name in taken:
        raise ValueError(f"the name {kind.card.name!r} is taken")
    return kind
