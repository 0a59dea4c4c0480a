"""hypersphere: a tree of von Mises-Fisher classes whose centres and concentration are what was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz import geometry
from ltviz.data import registry
from ltviz.data.sources.hypersphere import HypersphereOptions, tree
from ltviz.errors import ConfigError


def load(**options):
    return registry.load("hypersphere", imbalance_factor=10, data_options=options)


def test_samples_have_the_centres_and_the_concentration_that_were_asked_for() -> None:
    options = {"classes": 6, "dim": 8, "concentration": 30.0, "train_per_class": 2000}
    data = load(**options)
    z = data.train_inputs.read(np.arange(len(data.train_labels))).astype(float)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, atol=1e-6)
    truth = {leaf.name: leaf.centre for leaf in tree(HypersphereOptions(**options))}
    head = z[data.train_labels == 0]
    mean = head.mean(0)
    assert len(head) == 2000 and abs(mean @ truth[data.class_names[0]] / np.linalg.norm(mean)) > 0.999
    assert geometry.kappa(float(np.linalg.norm(mean)), 8) == pytest.approx(30, rel=0.05)


@pytest.mark.parametrize("classes", [2, 7, 10, 27, 100])
@pytest.mark.parametrize("dim", [2, 3, 16, 200])
@pytest.mark.parametrize("branching", [2, 3, 10])
def test_classes_of_one_group_are_closer_than_others(classes: int, dim: int, branching: int) -> None:
    leaves = tree(HypersphereOptions(classes=classes, dim=dim, branching=branching, spread=20.0, narrowing=0.3))
    assert len({leaf.name for leaf in leaves}) == classes == len(leaves)
    centres = np.stack([leaf.centre for leaf in leaves])
    np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 1, atol=1e-9)
    top = np.array([leaf.name.split(".")[0] for leaf in leaves])
    cosines = centres @ centres.T
    same = top[:, None] == top[None]
    np.fill_diagonal(cosines, np.nan)
    pairs_within = same & ~np.isnan(cosines)
    if pairs_within.any() and (dim > 3 or branching <= 3):
        assert np.min(cosines[pairs_within]) > np.max(cosines[~same]) - 1e-9


def test_parts_stand_as_far_from_the_centre_of_their_group_as_asked() -> None:
    leaves = tree(HypersphereOptions(classes=9, dim=16, branching=3, spread=25.0))
    group = np.stack([leaf.centre for leaf in leaves[:3]])
    centre = group.mean(0) / np.linalg.norm(group.mean(0))
    np.testing.assert_allclose(np.degrees(np.arccos(group @ centre)), 25, atol=1e-6)
    tops = np.stack([np.mean([leaf.centre for leaf in leaves[at : at + 3]], axis=0) for at in (0, 3, 6)])
    tops /= np.linalg.norm(tops, axis=1, keepdims=True)
    np.testing.assert_allclose((tops @ tops.T)[~np.eye(3, dtype=bool)], -0.5, atol=1e-9)


def test_the_draw_and_not_the_seed_of_a_run_makes_the_vectors() -> None:
    one, same, other = load(classes=3), load(classes=3), load(classes=3, draw=1)
    every = np.arange(20)
    np.testing.assert_array_equal(one.train_inputs.read(every), same.train_inputs.read(every))
    assert not np.array_equal(one.train_inputs.read(every), other.train_inputs.read(every))
    assert one.counts.tolist() == [500, 158, 50] and np.bincount(one.test_labels).tolist() == [100] * 3
    seeded = registry.load("hypersphere", imbalance_factor=10, data_options={"classes": 3}, seed=5)
    assert {tuple(row) for row in seeded.test_inputs.read(np.arange(300)).tolist()} == {
        tuple(row) for row in one.test_inputs.read(np.arange(300)).tolist()
    }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"classes": 1}, "classes"),
        ({"dim": 1}, "dim"),
        ({"concentration": -1}, "concentration"),
        ({"concentration": float("nan")}, "concentration"),
        ({"branching": 1}, "branching"),
        ({"colour": "red"}, "colour"),
        ({"classes": 1000, "dim": 2048, "train_per_class": 20_000}, r"may take up to 2,048 MB"),
    ],
)
def test_options_out_of_their_bounds_are_refused(options: dict, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        load(**options)
    assert "\n" not in str(caught.value)
