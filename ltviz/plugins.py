"""Things by name: those of ltviz, and those that installed packages offer under an entry point group.

There are six groups, and all are read here: `ltviz.methods`, `ltviz.data`, `ltviz.views`, `ltviz.encoders`,
`ltviz.metrics` and `ltviz.projections`.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from ltviz.errors import ConfigError

T = TypeVar("T")
Named = tuple[str, T]


class Registry(Mapping[str, T], Generic[T]):
    """Name -> thing, read when first asked: a plug-in may then import all of ltviz.

    A plug-in that cannot be loaded, is not what its group takes, or has a name that is in use is left out with a
    warning and listed in `problems`: a stranger's fault must not end ltviz.

    Args:
        noun: what one of them is called in messages, such as "method".
        group: entry point group of other packages.
        built_in: gives those of ltviz, by name.
        accept: the name of an entry point and what it holds -> the thing's own name and the thing; raises for what is
            none. It may look at the registry, which holds what was found so far.
        order: of the listing, from name and thing; as they were found where None.
    """

    def __init__(
        self,
        noun: str,
        group: str,
        built_in: Callable[[], Mapping[str, T]],
        accept: Callable[[str, object], Named[T]],
        *,
        order: Callable[[Named[T]], Any] | None = None,
    ) -> None:
        self.noun, self.group = noun, group
        self._built_in, self._accept, self._order = built_in, accept, order
        # Reentrant: a plug-in that reads the registry while it is loaded sees what was found so far.
        self._lock = threading.RLock()
        self._found: dict[str, T] | None = None
        self._problems: list[str] = []
        self._added: list[str] = []

    def find(self, name: str) -> T:
        """The thing of this name.

        Raises:
            ConfigError: there is none; the message lists those that there are, and the most similar one.
        """
        known = self._read()
        if not isinstance(name, str) or name not in known:
            near = get_close_matches(str(name), known, 1) or list(known)
            raise ConfigError(f"{self.noun} must be one of {', '.join(known)}, got {str(name)[:60]!r}; try {near[0]}")
        return known[name]

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence on each plug-in that was left out, with the reason."""
        self._read()
        return tuple(self._problems)

    @property
    def added(self) -> tuple[str, ...]:
        """Names of those that other packages offer."""
        self._read()
        return tuple(self._added)

    def forget(self) -> None:
        """Reads the plug-ins anew when next asked, as after one was installed."""
        with self._lock:
            self._found, self._problems, self._added = None, [], []

    def __getitem__(self, name: str) -> T:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._read()))

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[str, T]:
        with self._lock:
            if self._found is None:
                self._discover()
            assert self._found is not None
            return self._found

    def _discover(self) -> None:
        found = self._found = dict(self._built_in())
        for point in entry_points(group=self.group):
            try:
                name, thing = self._accept(point.name, point.load())
                if name in found:
                    raise ValueError(f"the name {name!r} is taken")
            except Exception as error:  # whatever a stranger's package raises
                problem = f"{self.noun} plug-in {point.name} ({point.value}) is left out: {error}"
                self._problems.append(problem)
                warnings.warn(problem, stacklevel=4)
            else:
                found[name] = thing
                self._added.append(name)
        if self._order is not None:
            self._found = dict(sorted(found.items(), key=self._order))


def subclass_of(base: type[T], kind: object) -> type[T]:
    """`kind` if it is a class derived from `base`.

    Raises:
        TypeError: it is not.
    """
    if not (isinstance(kind, type) and issubclass(kind, base)):
        raise TypeError(f"{kind!r} is not a subclass of {base.__module__}.{base.__qualname__}")
    return kind


def defined_in(package: str) -> Iterator[Any]:
    """What the modules of a package define themselves, by module and then in the order of their text."""
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        module = importlib.import_module(f"{package}.{info.name}")
        yield from (value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__)
