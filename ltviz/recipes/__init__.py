"""Recipes: the papers' own training settings, a TOML file each in a folder of its method. No torch.

`ltviz train bcl --recipe cifar100-lt-if100` reads `bcl/cifar100-lt-if100.toml`; to add one, add a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from ltviz.errors import ConfigError
from ltviz.recipes.cost import Cost as Cost
from ltviz.recipes.cost import cost as cost
from ltviz.recipes.recipe import Recipe as Recipe
from ltviz.recipes.recipe import read_recipe as read_recipe
from ltviz.recording.names import typed_path

_HERE = Path(__file__).parent

__all__ = ["Cost", "Recipe", "cost", "find", "names", "recipes"]


def names() -> dict[str, tuple[str, ...]]:
    """Method -> names of its recipes, in alphabetical order."""
    found: dict[str, list[str]] = {}
    for path in sorted(_HERE.glob("*/*.toml")):
        found.setdefault(path.parent.name, []).append(path.stem)
    return {method: tuple(listed) for method, listed in found.items()}


def recipes() -> Iterator[Recipe]:
    """Every recipe that ltviz brings along, by method and name."""
    return (_read(method, name) for method, listed in names().items() for name in listed)


def find(method: str, text: str) -> Recipe:
    """A recipe of a method, by its name or by its file.

    Args:
        text: such as "cifar100-lt-if100", or a path that ends in .toml.

    Raises:
        ConfigError: there is none, its file cannot be read, or it is another method's.
    """
    if text.endswith(".toml"):
        path = typed_path(text)
        recipe = read_recipe(path, path.stem)
        if recipe.method != method:
            raise ConfigError(
                f"a recipe is for its own method, but this one is for {recipe.method:.60} and {method} is to be "
                f"trained; try `ltviz train {recipe.method:.60}`: {path}"
            )
        return recipe
    known = names()
    own = known.get(method, ())
    if text in own:
        return _read(method, text)
    if not own:
        raise ConfigError(
            f"recipe must name a TOML file for {method}, for which there is no recipe, got {text[:80]!r}; "
            f"there are some for {', '.join(known)}"
        )
    near = get_close_matches(text, own, 2, cutoff=0.3) or own[:1]
    raise ConfigError(
        f"recipe must be one of {', '.join(own)} for {method}, got {text[:80]!r}; try {' or '.join(near)}"
    )


@cache
def _read(method: str, name: str) -> Recipe:
    return read_recipe(_HERE / method / f"{name}.toml", name)
