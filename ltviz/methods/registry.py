"""Methods by name: every file of this folder that defines one, and entry points `ltviz.methods` of other packages."""

from __future__ import annotations

from ltviz.methods.base import Card, Method
from ltviz.plugins import Registry, defined_in, subclass_of


def methods() -> dict[str, type[Method]]:
    """Every known method by its card's name, in order of publication.

    A plug-in that cannot be loaded, is no method, or takes a name that is in use is left out with a warning.
    """
    return dict(METHODS)


def method(name: str) -> type[Method]:
    """The method of this name.

    Raises:
        ConfigError: no such method.
    """
    return METHODS.find(name)


def _built_in() -> dict[str, type[Method]]:
    """Without a card a class is a part, not a method."""
    defined = (value for value in defined_in("ltviz.methods") if isinstance(value, type) and "card" in vars(value))
    return {kind.card.name: kind for kind in defined if issubclass(kind, Method)}


def _accept(_: str, kind: object) -> tuple[str, type[Method]]:
    found = subclass_of(Method, kind)
    if not isinstance(getattr(found, "card", None), Card):
        raise TypeError(f"{found.__name__} has no card")
    return found.card.name, found


METHODS: Registry[type[Method]] = Registry(
    "method", "ltviz.methods", _built_in, _accept, order=lambda item: (item[1].card.year, item[0])
)
"""Name -> class."""
