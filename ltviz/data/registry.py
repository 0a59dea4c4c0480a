"""Data sets by name: those of ltviz and those that other packages offer under the entry point group `ltviz.data`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from ltviz.data.digits import Digits
from ltviz.data.digits_ml import DigitsMl
from ltviz.data.idx import FashionMnist, Mnist
from ltviz.data.longtail import LongTailed, exponential_counts, rank_classes
from ltviz.data.source import Source
from ltviz.errors import ConfigError
from ltviz.recording.names import typed_path

GROUP = "ltviz.data"


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


@cache
def sources() -> dict[str, Source]:
    """Every known data set by its name.

    Raises:
        ConfigError: an installed package offers something that is not a `Source`.
    """
    found: dict[str, Source] = {kind.name: kind() for kind in (Digits, Mnist, FashionMnist, DigitsMl)}
    for point in entry_points(group=GROUP):
        kind = point.load()
        if not (isinstance(kind, type) and issubclass(kind, Source)):
            raise ConfigError(f"entry point {point.name!r} of group {GROUP} must be a Source class, got {kind!r}")
        found[kind.name] = kind()
    return found


def source(name: str) -> Source:
    """The data set of this name.

    Raises:
        ConfigError: there is none.
    """
    known = sources()
    if name not in known:
        near = get_close_matches(name, known, 1) or list(known)
        raise ConfigError(f"data must be one of {', '.join(known)}, got {name!r}; try {near[0]}")
    return known[name]


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
