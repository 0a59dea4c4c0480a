"""Data sets by name: those that the files of `sources` define, and entry points `ltviz.data` of other packages."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple, cast

import numpy as np
from pydantic import ValidationError

from ltviz.data.longtail import NATURAL, PROFILES, LongTailed, Tail, exponential_counts, rank_classes
from ltviz.data.source import Outline, Source, Where, usual_policy
from ltviz.errors import ConfigError, DataError, sentence
from ltviz.plugins import Registry, defined_in, subclass_of
from ltviz.recording.names import typed_path


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a form shows of a data set before any image is opened.

    `counts`, `test_counts` and `class_names` are ordered by rank. Where files are missing, classes may be unknown and
    these are empty; a set that says nothing of its files has no `test_counts` and may yet be cut to what they hold.
    """

    name: str
    title: str
    about: str
    several_labels: bool
    missing: str | None
    """Why the set cannot be used here; None where it can."""
    image_shape: tuple[int, ...] = ()
    class_names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    test_counts: tuple[int, ...] = ()
    profile: str = ""
    policies: str = ""
    """Names of the view policies where a run names none."""
    notes: tuple[str, ...] = ()
    images: int = 0
    """Training images: as many as samples, or what these are pixels of."""
    of_pixels: bool = False
    """Whether the samples are pixels."""

    @property
    def bytes(self) -> int | None:
        """Memory that all inputs take, uint8 images or float32 vectors, by the counts; None where they do not say it:
        where they are unknown, and where a sample counts for several classes."""
        if self.several_labels or not self.counts or not self.image_shape:
            return None
        each = prod(self.image_shape) * (4 if len(self.image_shape) == 1 else 1)
        return each * (sum(self.counts) + sum(self.test_counts))


def _built_in() -> dict[str, Source]:
    """Without a name a class is what several sets share."""
    defined = (kind for kind in defined_in("ltviz.data.sources") if isinstance(kind, type) and "name" in vars(kind))
    kinds = [kind for kind in defined if issubclass(kind, Source)]
    made = [make() for make in cast(list[Callable[[], Source]], kinds)]
    return {source.name: source for source in sorted(made, key=_order)}


def _order(source: Source) -> tuple[bool, bool, str]:
    """What can be used at once comes first."""
    return source.several_labels, source.needs_files, source.name


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


def locate(
    name: str,
    *,
    data_dir: str | None = None,
    image_root: str | None = None,
    image_size: int | None = None,
    skip_bad: bool = False,
    data_options: Mapping[str, Any] | None = None,
) -> Where:
    """Where a set's files are and how they are read, from what a user gave: paths are made absolute, LTVIZ_DATA stands
    in for a folder that nobody named, and the set judges its own options.

    Raises:
        ConfigError: an unknown name, an option that the set has not or out of its bounds, or a setting of image files
            for a set that reads none.
    """
    kind = source(name)
    for setting, value in (("image_root", image_root), ("image_size", image_size)):
        if value is not None and not kind.reads_images:
            raise ConfigError(
                f"{setting} is for sets that read image files, and {name} is none, got {value}; leave it out"
            )
    folder = data_dir or (os.environ.get("LTVIZ_DATA") if kind.needs_files else None)
    try:
        options = kind.Options.model_validate(dict(data_options or {}))
    except ValidationError as error:
        raise ConfigError(f"{name}: {sentence(error, kind.Options)}") from error
    return Where(
        data_dir=typed_path(folder).absolute() if folder else None,
        image_root=typed_path(image_root).absolute() if image_root else None,
        image_size=image_size,
        skip_bad=skip_bad,
        options=options,
    )


def resolve(name: str, **files: Any) -> dict[str, Any]:
    """The settings of a run that say where its files are, as run.json is to keep them: absolute, and options complete.

    Args:
        files: as `locate` takes them.
    """
    where = locate(name, **files)
    found: dict[str, Any] = {"data_options": where.options.model_dump(mode="json")}
    if source(name).needs_files and where.data_dir:
        found["data_dir"] = str(where.data_dir)
    if where.image_root:
        found["image_root"] = str(where.image_root)
    return found


def describe(
    name: str,
    *,
    imbalance_factor: float,
    max_per_class: int | None = None,
    profile: str = "",
    seed: int = 0,
    **files: Any,
) -> Description:
    """Class names and training counts by rank, from lists and headers alone.

    Args:
        imbalance_factor, max_per_class, profile, seed, files: as `load` takes them.

    Raises:
        ConfigError: an unknown name, or a factor, number or option out of range.
        DataError: damaged files.
    """
    kind, where = source(name), locate(name, **files)
    missing = kind.missing(where)
    about = Description(
        name=name, title=kind.title, about=kind.about, several_labels=kind.several_labels, missing=missing
    )
    try:
        outline = kind.outline(where)
    except DataError:
        if missing is None:
            raise
        return about
    tail = kind.foresee(where, _plan(name, outline, _Wish(imbalance_factor, max_per_class, profile, seed)))
    held_out = [outline.test_counts[c] for c in tail.order] if outline.test_counts else []
    return replace(
        about,
        image_shape=outline.shape,
        class_names=tuple(outline.class_names[c] for c in tail.order),
        counts=tail.counts,
        test_counts=tuple(n if tail.test_per_class is None else min(n, tail.test_per_class) for n in held_out),
        profile=tail.profile,
        policies=outline.policies or usual_policy(outline.shape),
        notes=outline.notes,
        images=sum(tail.counts) if tail.images is None else tail.images,
        of_pixels=tail.images is not None,
    )


def load(
    name: str,
    *,
    imbalance_factor: float,
    max_per_class: int | None = None,
    profile: str = "",
    seed: int = 0,
    **files: Any,
) -> LongTailed:
    """A long-tailed data set; class order and training samples are drawn by seed.

    Args:
        imbalance_factor: samples of the largest class over those of the smallest; not of the profile "natural".
        max_per_class: training samples of the largest class; the set's own default, or as many as every class has,
            where None.
        profile: how the sizes fall between these, "exp", "step" or "pareto"; "natural" for all that the files hold; the
            set's own where empty.
        files: where they are and how they are read, as `locate` takes them: `data_dir`, `image_root`, `image_size`,
            `skip_bad`, `data_options`.

    Raises:
        ConfigError: an unknown name, a factor below 1, or more samples than every class has.
        DataError: missing or damaged files.
    """
    kind, where = source(name), locate(name, **files)
    if why := kind.missing(where):
        raise DataError(why)
    outline, wish = kind.outline(where), _Wish(imbalance_factor, max_per_class, profile, seed)
    _plan(name, outline, wish)  # refuse before reading
    pool = kind.read(where)
    found = replace(outline, train_counts=kind.sizes(pool))
    if outline.test_per_class is not None:
        found = replace(found, test_counts=kind.test_sizes(pool))
    tail = _plan(name, found, wish, kind.available(pool))
    return replace(
        kind.compose(pool, tail), profile=tail.profile, mean=outline.mean, std=outline.std, policies=outline.policies
    )


class _Wish(NamedTuple):
    """What a user asks of the sizes."""

    imbalance_factor: float
    max_per_class: int | None
    profile: str
    seed: int


def _plan(name: str, outline: Outline, wish: _Wish, available: int | None = None) -> Tail:
    """The sizes and the order of the classes.

    Args:
        available: training samples that every class can have, where that is not the smallest class of the outline.
    """
    profile = wish.profile or outline.profile
    if profile != NATURAL and profile not in PROFILES:
        raise ConfigError(f"profile must be one of {', '.join(PROFILES)} or {NATURAL}, got {profile!r}; try exp")
    num_classes = len(outline.class_names)
    exponential_counts(1 if wish.max_per_class is None else wish.max_per_class, num_classes, wish.imbalance_factor)
    if profile == NATURAL:
        if not outline.train_counts:
            raise ConfigError(f"profile {NATURAL} needs files with classes of their own sizes, unlike {name}; try exp")
        order = np.argsort(-np.array(outline.train_counts), kind="stable")
        counts = [min(outline.train_counts[c], wish.max_per_class or outline.train_counts[c]) for c in order]
    else:
        if available is None and outline.train_counts:
            available = min(outline.train_counts)
        n_max = _largest(name, outline, wish.max_per_class, available)
        order = np.arange(num_classes) if outline.keeps_order else rank_classes(num_classes, wish.seed)
        counts = PROFILES[profile](n_max, num_classes, wish.imbalance_factor)
    test = outline.test_per_class
    if test is not None and outline.test_counts:
        test = min(test, *outline.test_counts)
    return Tail(order=order, counts=tuple(counts), seed=wish.seed, profile=profile, test_per_class=test)


def _largest(name: str, outline: Outline, asked: int | None, available: int | None) -> int:
    """Training samples of the largest class."""
    if asked is not None and available is not None and asked > available:
        usual = min(outline.max_per_class or available, available)
        raise ConfigError(
            f"max_per_class of {name} must be at most {available}, so that any class can be the largest, "
            f"got {asked}; try {usual}"
        )
    known = [n for n in (outline.max_per_class, available) if n is not None]
    if asked is None and not known:
        raise ConfigError(f"max_per_class of {name} must be given, for the set names no number; try 100")
    return min(known) if asked is None else asked
