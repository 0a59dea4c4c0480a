"""Data sets by name: those that the files of `sources` define, and entry points `ltviz.data` of other packages."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ltviz.data.longtail import LongTailed, exponential_counts, rank_classes
from ltviz.data.source import Source
from ltviz.errors import ConfigError
from ltviz.plugins import Registry, defined_in, subclass_of
from ltviz.recording.names import typed_path


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a form shows of a data set before any file is opened.

    `counts` and `class_names` are ordered by rank; a set whose files hold less than `max_per_class` is cut to them.
    """

    name: str
    title: str
    about: str
    image_shape: tuple[int, int]
    class_names: tuple[str, ...]
    counts: tuple[int, ...]
    test_per_class: int
    missing: str | None
    """Why the set cannot be used here; None where it can."""


def _built_in() -> dict[str, Source]:
    """Without a name a class is what several sets share."""
    defined = (kind for kind in defined_in("ltviz.data.sources") if isinstance(kind, type) and "name" in vars(kind))
    kinds = [kind for kind in defined if issubclass(kind, Source)]
    made = [make() for make in cast(list[Callable[[], Source]], kinds)]
    return {source.name: source for source in sorted(made, key=lambda source: source.several_labels)}


def _accept(_: str, kind: object) -> tuple[str, Source]:
    make = cast(Callable[[], Source], subclass_of(Source, kind))
    made = make()
    return made.name, made


SOURCES: Registry[Source] = Registry("data", "ltviz.data", _built_in, _accept)
"""Name -> data set."""


def sources() -> dict[str, Source]:
    """Every known data set by its name. A plug-in that cannot be used is left out with a warning."""
    return dict(SOURCES)


def source(name: str) -> Source:
    """The data set of this name.

    Raises:
        ConfigError: there is none.
    """
    return SOURCES.find(name)


def describe(
    name: str, *, imbalance_factor: float, max_per_class: int | None = None, seed: int = 0, data_dir: str | None = None
) -> Description:
    """Class names and training counts by rank, without opening the data.

    Raises:
        ConfigError: an unknown name, or a factor or number out of range.
    """
    kind = source(name)
    counts = exponential_counts(
        kind.max_per_class if max_per_class is None else max_per_class, len(kind.class_names), imbalance_factor
    )
    order = rank_classes(len(kind.class_names), seed)
    return Description(
        name=name,
        title=kind.title,
        about=kind.about,
        image_shape=kind.image_shape,
        class_names=tuple(kind.class_names[c] for c in order),
        counts=tuple(counts),
        test_per_class=kind.test_per_class,
        missing=kind.missing(Path(data_dir) if data_dir else None),
    )


def resolve_folder(name: str, data_dir: str | None) -> str | None:
    """The folder that a set which needs files is read from, absolute: `data_dir`, else LTVIZ_DATA; None for others."""
    folder = data_dir or os.environ.get("LTVIZ_DATA")
    return str(typed_path(folder).absolute()) if folder and source(name).needs_files else data_dir


def load(
    name: str, *, imbalance_factor: float, max_per_class: int | None = None, seed: int = 0, data_dir: str | None = None
) -> LongTailed:
    """A long-tailed data set: exponential counts, class order and training samples drawn by seed, balanced test set.

    Args:
        max_per_class: training samples of class 0; the set's own default, or as many as every class has, where None.
        data_dir: folder of the files, for sets that need some; the variable LTVIZ_DATA where None.

    Raises:
        ConfigError: an unknown name, a factor below 1, or more samples than every class has.
        DataError: missing or damaged files.
    """
    kind = source(name)
    num_classes = len(kind.class_names)
    exponential_counts(
        kind.max_per_class if max_per_class is None else max_per_class, num_classes, imbalance_factor
    )  # refuse before reading
    pool = kind.read(Path(data_dir) if data_dir else None)
    available = kind.available(pool)
    if max_per_class is not None and max_per_class > available:
        raise ConfigError(
            f"max_per_class of {name} must be at most {available}, so that any class can be the largest, "
            f"got {max_per_class}; try {min(kind.max_per_class, available)}"
        )
    n_max = min(kind.max_per_class, available) if max_per_class is None else max_per_class
    counts = exponential_counts(n_max, num_classes, imbalance_factor)
    return kind.compose(pool, counts, seed)
