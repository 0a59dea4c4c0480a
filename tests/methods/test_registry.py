"""Methods by name, and what strangers may plug in."""

from __future__ import annotations

import pytest

from ltviz import plugins
from ltviz.errors import ConfigError
from ltviz.methods import registry
from ltviz.methods.supcon import SupCon


class Point:
    """Stands for an entry point of another package."""

    def __init__(self, name, value):
        self.name, self.value, self._loaded = name, f"elsewhere:{name}", value

    def load(self):
        if isinstance(self._loaded, Exception):
            raise self._loaded
        return self._loaded


class Mine(SupCon):
    """A method of another package."""

    card = type(SupCon.card)(**{**vars(SupCon.card), "name": "mine", "year": 2031})


class Nameless(SupCon.__mro__[2]):
    """A method without a card."""


@pytest.fixture
def plugged(monkeypatch):
    """Registry with other entry points; the cache is empty before and after."""

    def plug(*points):
        monkeypatch.setattr(plugins, "entry_points", lambda group: points if group == "ltviz.methods" else ())
        registry.METHODS.forget()
        return registry.methods

    yield plug
    registry.METHODS.forget()


def test_names_are_those_of_the_cards():
    found = registry.methods()
    assert {"ce", "logit_adjust", "supcon", "tsc", "bcl"} <= found.keys()
    assert all(kind.card.name == name for name, kind in found.items())
    assert registry.method("tsc") is found["tsc"]


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"method must be one of .*supcon.*, got 'sup-con'"):
        registry.method("sup-con")


def test_a_caller_cannot_change_the_registry():
    registry.methods().clear()
    assert registry.methods()


def test_plug_in_joins(plugged):
    assert plugged(Point("mine", Mine))()["mine"] is Mine
    assert registry.method("mine") is Mine


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (ImportError("no module named elsewhere"), "no module named elsewhere"),
        (dict, "is not a subclass"),
        (Nameless, "has no card"),
        (SupCon, "the name 'supcon' is taken"),
    ],
)
def test_broken_plug_in_is_left_out_with_a_warning(plugged, value, reason):
    methods = plugged(Point("odd", value), Point("mine", Mine))
    with pytest.warns(UserWarning, match=f"method plug-in odd .* is left out: .*{reason}"):
        found = methods()
    assert found["mine"] is Mine and found["supcon"] is SupCon and "odd" not in found
