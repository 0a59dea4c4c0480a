"""A paper's recipe in the form: its choice, what the fields take from it, the number that it aims at and its cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from pydantic import ValidationError

from ltviz import recipes
from ltviz.errors import ConfigError, sentence
from ltviz.recipes import Recipe
from ltviz.training.settings import LAB_WATCH_SHARE, RunSettings

from .. import words
from . import forms

_NONE = ""


@dataclass(frozen=True)
class Start:
    """What the fields of the form start from.

    Attributes:
        recipe: None where all starts from the lab's own settings.
        key: of the fields. Streamlit gives a widget that it has drawn before no new default, so each recipe has its
            own, and another one on other data than the recipe's.
        run: run settings that are not at the defaults of `RunSettings`.
    """

    recipe: Recipe | None
    key: str
    run: Mapping[str, Any]

    @property
    def schema(self) -> dict[str, Any]:
        """Of `RunSettings`, with these values as the defaults."""
        return forms.with_defaults(RunSettings.model_json_schema(), self.run)

    def settings_of(self, method: str) -> Mapping[str, Any]:
        """Settings of a method that are not at its own defaults."""
        return {} if self.recipe is None or self.recipe.method != method else self.recipe.settings


def draw_choice() -> Recipe | None:
    """The methods that have recipes, and the benchmarks of the one that is chosen; the recipe."""
    known: dict[str, list[Recipe]] = {}
    for recipe in recipes.recipes():
        known.setdefault(recipe.method, []).append(recipe)
    method = st.selectbox(
        words.lab.RECIPE,
        [_NONE, *known],
        format_func=lambda name: words.lab.recipe_title(known[name][0].title)[0] if name else words.lab.RECIPE_NONE,
        key="race-recipe",
        help=words.lab.RECIPE_HELP,
    )
    if method not in known:
        return None
    own = {recipe.name: recipe for recipe in known[method]}
    chosen = st.selectbox(
        words.lab.BENCHMARK,
        list(own),
        format_func=lambda name: words.lab.recipe_title(own[name].title)[1],
        key=f"race-recipe-{method}",
    )
    return own[chosen]


def key_of(recipe: Recipe | None) -> str:
    """Key of the fields of a recipe, or of the lab's own settings."""
    return "race" if recipe is None else f"recipe-{recipe.method}-{recipe.name}"


def start_from(recipe: Recipe | None, data: str) -> Start:
    """What the form starts from on a data set."""
    lab = {"data": data, "watch_share": LAB_WATCH_SHARE}
    if recipe is None:
        return Start(None, key_of(None), lab)
    key = key_of(recipe) if data == recipe.run["data"] else f"{key_of(recipe)}-{data}"
    return Start(recipe, key, {**recipe.values_for([data]), **lab})


def draw_about(recipe: Recipe) -> None:
    """The number that a recipe aims at and what it costs; folded away, what it follows and what differs."""
    published = recipe.published
    told = [words.lab.recipe_aim(published.value, published.measure, published.source)]
    reckoned = recipes.cost(recipe)
    if reckoned is not None:
        told.append(words.lab.recipe_cost(reckoned.steps, reckoned.images, reckoned.hours))
    st.caption(forms.escape(" ".join(told)))
    with st.expander(words.lab.RECIPE_ABOUT, key=f"{key_of(recipe)}-about"):
        rests_on = [] if reckoned is None else [reckoned.rests_on]
        for line in (recipe.follows, *recipe.notes, *rests_on):
            st.caption(forms.escape(words.shared.sentence(line[:1].upper() + line[1:]) or ""))


def differing(recipe: Recipe, run: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the recipe says of what is set otherwise, by name.

    Args:
        run: fields of `RunSettings`.
        settings: of the method, with all that the recipe sets.

    Raises:
        ConfigError: `run` is out of bounds.
    """
    return recipe.differing(_whole(run), settings)


def draw_changes(recipe: Recipe, run: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """What is set otherwise than the recipe says; `run` and `settings` as `differing` takes them, and in bounds."""
    now = {**_whole(run), **{f"settings.{name}": value for name, value in settings.items()}}
    st.caption(forms.escape(words.lab.recipe_changed(differing(recipe, run, settings), now)))


def _whole(run: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return RunSettings.model_validate(dict(run)).model_dump()
    except ValidationError as error:
        raise ConfigError(sentence(error, RunSettings)) from error
