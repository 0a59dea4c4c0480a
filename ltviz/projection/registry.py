"""Projections by name: those that the files of this folder define, and entry points `ltviz.projections` of others."""

from __future__ import annotations

import inspect
import re

from ltviz.errors import ConfigError
from ltviz.plugins import Registry, defined_in, subclass_of
from ltviz.projection.base import Projection

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SOME = (0, 3, 8, 9, *range(10, 100))
_RANKS = re.compile(r"\d{1,4}(-\d{1,4})*")


def _built_in() -> dict[str, type[Projection]]:
    kinds = (kind for kind in defined_in("ltviz.projection") if isinstance(kind, type) and issubclass(kind, Projection))
    return {kind.name: kind for kind in kinds if not inspect.isabstract(kind)}


def _accept(_: str, given: object) -> tuple[str, type[Projection]]:
    kind = subclass_of(Projection, given)
    if inspect.isabstract(kind):
        raise TypeError(f"{kind.__name__} does not define {', '.join(sorted(kind.__abstractmethods__))}")
    if missing := [name for name in ("name", "title", "short") if not isinstance(getattr(kind, name, None), str)]:
        raise TypeError(f"{kind.__name__} has no {missing[0]}")
    if not _NAME.fullmatch(kind.name):
        raise ValueError(f"a name has lower-case letters, digits and hyphens, at most 40, got {kind.name[:60]!r}")
    return kind.name, kind


REGISTRY: Registry[type[Projection]] = Registry(
    "projection", "ltviz.projections", _built_in, _accept, order=lambda item: item[1].order
)
"""Name -> class, the default first. One object follows one run."""


def make_projection(name: str) -> tuple[str, Projection]:
    """A new projection, and the name under which all that ask for the same one find it.

    Args:
        name: a name of the registry, or "simplex:0-3-8-9" for one that is of chosen classes: their ranks in any order.

    Raises:
        ConfigError: there is none of that name.

    Example:
        >>> import numpy as np
        >>> name, projection = make_projection("centres")
        >>> projection.update(np.eye(5), np.eye(5)).shown.shape
        (5, 3)
        >>> make_projection("simplex:9-3-8-0")[0]
        'simplex:0-3-8-9'
    """
    base, colon, ranks = name.partition(":") if isinstance(name, str) else ("", "", "")
    kind = REGISTRY.get(base)
    if kind is not None and not colon:
        return base, kind()
    classes = tuple(sorted({int(rank) for rank in ranks.split("-")})) if _RANKS.fullmatch(ranks) else ()
    if kind is None or not classes or len(classes) != kind.chosen_classes:
        few = [f"{one.name}:{_written(_SOME[: one.chosen_classes])}" for one in REGISTRY.values() if one.chosen_classes]
        raise ConfigError(
            f"There is no projection called {str(name)[:40]!r}; choose one of {', '.join(sorted(REGISTRY))}, "
            f"or one of as many different classes by rank as it takes, such as {', '.join(few)}."
        )
    return f"{base}:{_written(classes)}", kind(classes)  # type: ignore[call-arg]


def _written(classes: tuple[int, ...]) -> str:
    return "-".join(map(str, classes))
