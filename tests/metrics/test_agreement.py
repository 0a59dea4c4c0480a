"""How far a what-if can be trusted: a cosine, and what was recorded of methods that are not beside."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz.errors import DataError
from ltviz.methods.parts.forces import offers_what_if
from ltviz.methods.registry import methods
from ltviz.metrics import BEHIND
from ltviz.metrics.agreement import LEAST, LENT, STAND_INS, agreement, recorded_for


def test_it_is_the_cosine_of_all_classes_together() -> None:
    rng = np.random.default_rng(0)
    force, other = rng.normal(size=(2, 10, 3))
    assert agreement(force, 7 * force) == pytest.approx(1)
    assert agreement(force, -force) == pytest.approx(-1)
    wanted = force.ravel() @ other.ravel() / np.linalg.norm(force) / np.linalg.norm(other)
    assert agreement(force, other) == pytest.approx(wanted)


def test_a_class_without_force_says_nothing_and_small_forces_say_little() -> None:
    own = np.array([[1.0, 0, 0], [0, 0.01, 0], [0, 0, 0]])
    assert agreement(own, own * [[1], [-1], [1]]) > 0.999


def test_where_there_is_no_force_there_is_no_cosine() -> None:
    nothing, some = np.zeros((3, 2)), np.ones((3, 2))
    assert agreement(nothing, some) is None and agreement(some, nothing) is None
    assert agreement(np.full((3, 2), np.nan), some) is None
    with pytest.raises(DataError, match="class by class"):
        agreement(some, np.ones((3, 3)))


def test_every_method_that_can_be_imagined_was_measured() -> None:
    offered = {
        name for name, kind in methods().items() if kind.__module__.startswith("ltviz.") and offers_what_if(kind)
    }
    assert {*recorded_for("simclr")} == {*recorded_for(None)} == offered


def test_read_outs_lend_their_directions_to_one_another() -> None:
    """What the issue asks: at least .9 for CE and logit adjustment, where directions are there."""
    on_ce, on_supcon = recorded_for("ce"), recorded_for("supcon")
    for name in ("ce", "logit_adjust", "reweight"):
        assert on_ce[name] > 0.9 > on_supcon[name]
    assert on_ce["bcl"] == on_supcon["bcl"]
    assert on_supcon["supcon"] > 0.999 and on_supcon["simclr"] > LEAST


def test_its_keys_are_described() -> None:
    assert {STAND_INS, LENT} <= BEHIND.keys()
