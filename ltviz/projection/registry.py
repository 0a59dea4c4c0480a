"""Projections by name."""

from __future__ import annotations

import re

from ltviz.errors import ConfigError
from ltviz.projection.base import Projection
from ltviz.projection.chosen import ChosenClasses
from ltviz.projection.neighbour_map import NeighbourMap, SphereNeighbourMap
from ltviz.projection.none import Identity
from ltviz.projection.principal import CentresPCA, SamplesPCA
from ltviz.projection.spread import SpreadCentres

REGISTRY: dict[str, type[Projection]] = {
    projection.name: projection
    for projection in (
        CentresPCA,
        SamplesPCA,
        SpreadCentres,
        ChosenClasses,
        NeighbourMap,
        SphereNeighbourMap,
        Identity,
    )
}
"""Name -> class, the default first. One object follows one run."""

_CHOSEN = re.compile(r"simplex:(\d{1,4})-(\d{1,4})-(\d{1,4})-(\d{1,4})")


def make_projection(name: str) -> tuple[str, Projection]:
    """A new projection, and the name under which all that ask for the same one find it.

    Args:
        name: a name of the registry, or "simplex:0-3-8-9", the view of four classes by rank, in any order.

    Raises:
        ConfigError: there is none of that name.
    """
    if isinstance(name, str) and name in REGISTRY:
        return name, REGISTRY[name]()
    chosen = _CHOSEN.fullmatch(name) if isinstance(name, str) else None
    classes = sorted({int(word) for word in chosen.groups()}) if chosen else []
    if len(classes) != 4:
        raise ConfigError(
            f"There is no projection called {str(name)[:40]!r}; choose one of {', '.join(sorted(REGISTRY))}, "
            "or four different classes by rank, such as simplex:0-3-8-9."
        )
    return f"simplex:{'-'.join(map(str, classes))}", ChosenClasses(tuple(classes))
