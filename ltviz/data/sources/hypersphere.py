"""hypersphere: von Mises-Fisher mixtures whose classes are the leaves of a tree, the toy whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ltviz.bounds import Bounded
from ltviz.data.inputs import HeldInputs
from ltviz.data.longtail import Pool
from ltviz.data.source import Outline, Source, Where
from ltviz.errors import ConfigError
from ltviz.geometry import optimal_targets, sample_von_mises_fisher

MAX_BYTES = 2**31
"""All vectors of a set are held in memory."""


class HypersphereOptions(Bounded):
    classes: int = Field(10, ge=2, le=1000, description="Number of classes, the leaves of the tree.")
    dim: int = Field(16, ge=2, le=2048, description="Dimensions of the vectors.")
    concentration: float = Field(
        50.0,
        ge=0,
        le=1e6,
        description="How closely the samples of a class lie around its centre (kappa); 0 is uniform.",
    )
    branching: int = Field(3, ge=2, le=32, description="Children of each node of the tree of classes.")
    spread: float = Field(
        40.0, gt=0, le=90, description="Degrees between a group of classes and the centre of its parts, at the top."
    )
    narrowing: float = Field(0.5, gt=0, le=1, description="By which that angle shrinks at each level below.")
    train_per_class: int = Field(500, ge=1, le=20_000, description="Training samples of each class before the cut.")
    test_per_class: int = Field(100, ge=1, le=5_000, description="Test samples of each class.")
    draw: int = Field(0, ge=0, lt=2**31, description="Seed of the centres and of the samples.")


class Leaf(NamedTuple):
    """A class: its place in the tree, as "2.1", and its centre, a unit vector (D,)."""

    name: str
    centre: NDArray[np.float64]


def tree(options: HypersphereOptions) -> list[Leaf]:
    """The classes in the order of the tree, so that neighbours in the list are neighbours on the sphere.

    The groups at the top are spread as far as they can be. Below, the parts of a group are spread evenly around its
    centre, each `spread` degrees from it, and from level to level by `narrowing` less: classes of one group are closer
    to one another than to any other.

    Example:
        >>> leaves = tree(HypersphereOptions(classes=4, dim=8, branching=2))
        >>> [leaf.name for leaf in leaves]
        ['1.1', '1.2', '2.1', '2.2']
        >>> bool(leaves[0].centre @ leaves[1].centre > leaves[0].centre @ leaves[2].centre)
        True
    """
    chance = np.random.default_rng(options.draw)
    sizes = _parts(options.classes, options.branching)
    tops = _evenly(len(sizes), options.dim, chance)
    return [
        leaf
        for number, (size, top) in enumerate(zip(sizes, tops, strict=True), 1)
        for leaf in _leaves(Leaf(str(number), top), size, options, np.deg2rad(options.spread), chance)
    ]


def _leaves(
    node: Leaf, classes: int, options: HypersphereOptions, angle: float, chance: np.random.Generator
) -> Iterator[Leaf]:
    if classes == 1:
        yield node
        return
    sizes = _parts(classes, options.branching)
    for number, (size, offset) in enumerate(
        zip(sizes, _evenly(len(sizes), options.dim - 1, chance), strict=True), start=1
    ):
        turn = angle * np.linalg.norm(offset)
        towards = _tangent(node.centre, offset)
        centre = np.cos(turn) * node.centre + np.sin(turn) * towards / max(float(np.linalg.norm(towards)), 1e-12)
        yield from _leaves(Leaf(f"{node.name}.{number}", centre), size, options, angle * options.narrowing, chance)


def _parts(classes: int, branching: int) -> list[int]:
    """The sizes of the groups that classes are split into, as equal as they can be."""
    groups = min(classes, branching)
    return [classes // groups + (part < classes % groups) for part in range(groups)]


def _evenly(count: int, dim: int, chance: np.random.Generator) -> NDArray[np.float64]:
    """(count, dim) directions spread evenly and turned at random; on a line, steps from one end to the other."""
    if dim == 1:
        return np.linspace(-1, 1, count)[:, None]
    few = min(count, dim)
    frame = np.linalg.qr(chance.standard_normal((dim, few)))[0]
    return optimal_targets(count, few) @ frame.T


def _tangent(at: NDArray[np.float64], offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """A vector of D - 1 numbers as one of D that is orthogonal to the unit vector `at`: the reflection that takes the
    first axis to `at` takes the others to its tangents."""
    first = np.zeros_like(at)
    first[0] = 1.0
    mirror = first - at
    length = float(mirror @ mirror)
    moved = np.concatenate([[0.0], offset])
    return moved if length < 1e-24 else moved - 2 * mirror * (mirror @ moved) / length


def _options(where: Where) -> HypersphereOptions:
    options = cast(HypersphereOptions, where.options)
    size = options.classes * (options.train_per_class + options.test_per_class) * options.dim * 4
    if size > MAX_BYTES:
        raise ConfigError(
            f"the vectors of hypersphere may take up to {MAX_BYTES >> 20:,} MB, got {options.classes} classes of "
            f"{options.train_per_class + options.test_per_class} vectors of {options.dim} numbers, "
            f"{size / 2**20:,.0f} MB; try fewer per class"
        )
    return options


class Hypersphere(Source):
    """Its input is what an embedding is elsewhere, so an encoder that learns nothing (`identity`) is the best one."""

    name = "hypersphere"
    title = "Hypersphere"
    about = "Vectors drawn around the centres of a tree of classes, close classes close together: the truth is known."
    Options = HypersphereOptions

    def outline(self, where: Where) -> Outline:
        options = _options(where)
        leaves = tree(options)
        return Outline(
            class_names=tuple(leaf.name for leaf in leaves),
            shape=(options.dim,),
            train_counts=(options.train_per_class,) * options.classes,
            test_counts=(options.test_per_class,) * options.classes,
        )

    def read(self, where: Where) -> Pool:
        options = _options(where)
        leaves = tree(options)
        each = options.train_per_class + options.test_per_class
        seeds = np.random.SeedSequence(options.draw).generate_state(options.classes)
        drawn = np.stack(
            [
                sample_von_mises_fisher(leaf.centre, options.concentration, each, seed=int(seed)).astype(np.float32)
                for leaf, seed in zip(leaves, seeds, strict=True)
            ]
        )
        train, test = drawn[:, : options.train_per_class], drawn[:, options.train_per_class :]
        number = np.arange(options.classes)
        return Pool(
            train_inputs=HeldInputs(train.reshape(-1, options.dim)),
            train_labels=number.repeat(options.train_per_class),
            train_ids=np.arange(options.classes * options.train_per_class),
            test_inputs=HeldInputs(test.reshape(-1, options.dim)),
            test_labels=number.repeat(options.test_per_class),
            test_ids=options.classes * options.train_per_class + np.arange(options.classes * options.test_per_class),
            class_names=tuple(leaf.name for leaf in leaves),
        )
