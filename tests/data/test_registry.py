"""Data sets by name, ltviz's own and those of other packages."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from ltviz import plugins
from ltviz.data import registry
from ltviz.data.inputs import HeldInputs
from ltviz.data.longtail import Pool
from ltviz.data.source import Source, Where
from ltviz.data.sources.digits import Digits
from ltviz.errors import ConfigError


class Stripes(Source):
    name = "stripes-lt"
    title = "Stripes"
    about = "Three kinds of stripes."
    class_names = ("a", "b", "c")
    image_shape = (4, 4)
    max_per_class = 8
    test_per_class = 2

    def read(self, where: Where) -> Pool:
        labels = np.repeat(np.arange(3), 10)
        images = np.broadcast_to(labels[:, None, None] / 2, (30, 4, 4)).astype(np.float32)
        ids = np.arange(30)
        return Pool(
            train_inputs=HeldInputs(images[ids % 10 < 8]),
            train_labels=labels[ids % 10 < 8],
            train_ids=ids[ids % 10 < 8],
            test_inputs=HeldInputs(images[ids % 10 >= 8]),
            test_labels=labels[ids % 10 >= 8],
            test_ids=ids[ids % 10 >= 8],
            class_names=self.class_names,
        )


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    point = EntryPoint(name="stripes", value=f"{__name__}:Stripes", group="ltviz.data")
    monkeypatch.setattr(EntryPoint, "load", lambda self: Stripes if self is point else 0)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point] if group == "ltviz.data" else [])
    registry.SOURCES.forget()
    yield
    registry.SOURCES.forget()


def test_a_foreign_data_set_needs_one_file(plugin: None) -> None:
    assert registry.describe("stripes-lt", imbalance_factor=4).counts == (8, 4, 2)
    data = registry.load("stripes-lt", imbalance_factor=4)
    assert data.counts.tolist() == [8, 4, 2] and len(data.test_labels) == 6
    assert {
        (name, float(image[0, 0])) for name, image in zip(data.class_names, data.test_inputs.whole()[::2], strict=True)
    } == {
        ("a", 0.0),
        ("b", 0.5),
        ("c", 1.0),
    }


def test_an_entry_point_that_is_no_source_is_left_out_with_a_warning(plugin: None, monkeypatch) -> None:
    monkeypatch.setattr(EntryPoint, "load", lambda self: 0)
    with pytest.warns(UserWarning, match=r"data plug-in stripes .* is left out: 0 is not a subclass of .*Source"):
        assert "digits-lt" in registry.sources() and "stripes-lt" not in registry.sources()


@pytest.mark.parametrize("name, near", [("digit-lt", "digits-lt"), ("minst-lt", "mnist-lt"), ("", "digits-lt")])
def test_an_unknown_name_is_answered_with_the_known_ones(name: str, near: str) -> None:
    known = "digits-lt, digits-seg, hypersphere, ade20k, cifar10-lt, .*, mnist-lt, .*, digits-ml, coco-mlt, voc-mlt"
    with pytest.raises(ConfigError, match=rf"one of {known}, got '{name}'; try {near}$"):
        registry.load(name, imbalance_factor=10)


@pytest.mark.parametrize("bad", [{"imbalance_factor": 0.5}, {"imbalance_factor": 50, "max_per_class": 0}])
def test_impossible_numbers_are_refused_before_anything_is_read(bad: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Digits, "read", lambda self, where: pytest.fail("the data were read"))
    with pytest.raises(ConfigError, match=r"must be at least 1"):
        registry.load("digits-lt", **bad)


def test_a_description_agrees_with_the_data() -> None:
    told = registry.describe("digits-lt", imbalance_factor=20, seed=4, max_per_class=100)
    data = registry.load("digits-lt", imbalance_factor=20, seed=4, max_per_class=100)
    assert told.counts == tuple(data.counts) and told.class_names == data.class_names
    assert tuple(np.bincount(data.test_labels)) == told.test_counts == (50,) * 10
