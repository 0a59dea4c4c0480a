"""`ltviz recipes`: the papers' training settings, the numbers they aim at and what they cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from ltviz import recipes
from ltviz.cli.arguments import parse_one, positional
from ltviz.errors import ConfigError
from ltviz.recipes import Recipe, cost

ABOUT = (
    "List the papers' training settings: `ltviz train METHOD --recipe NAME` trains as one says; flags beside it go "
    "before it. METHOD... are the methods to list; without them, all."
)


class RecipesOptions(BaseModel):
    method: list[str] = positional([], description="methods whose recipes are listed", many=True)
    images_per_second: float | None = Field(
        None,
        gt=0,
        le=1e9,
        allow_inf_nan=False,
        description="Images a second that a machine was measured to train, as `ltviz bench train` does; hours are "
        "reckoned from it.",
    )
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str]) -> int:
    """Prints a line, or a JSON object, for every recipe.

    Raises:
        ConfigError: a method without recipes.
    """
    options = parse_one("ltviz recipes", argv, RecipesOptions, about=ABOUT)
    known = recipes.names()
    for method in options.method:
        if method not in known:
            raise ConfigError(f"METHOD must be one with recipes ({', '.join(known)}), got {method[:80]!r}")
    rows = [
        _row(recipe, options.images_per_second)
        for recipe in recipes.recipes()
        if not options.method or recipe.method in options.method
    ]
    print(json.dumps({"recipes": rows}) if options.json_ else _table(rows))
    return 0


def _row(recipe: Recipe, images_per_second: float | None) -> dict[str, Any]:
    """A recipe as JSON: `source` is where the published number stands, `follows` where the settings are from."""
    reckoned = cost(recipe, images_per_second)
    return {
        "name": recipe.name,
        "method": recipe.method,
        "title": recipe.title,
        "data": recipe.run_settings.data,
        "published": recipe.published.value,
        "measure": recipe.published.measure,
        "source": recipe.published.source,
        "follows": recipe.follows,
        "notes": list(recipe.notes),
        "cost": None if reckoned is None else reckoned.as_json(),
        "run": recipe.run_values,
        "settings": recipe.settings,
        "sha256": recipe.sha256,
    }


def _table(rows: Sequence[dict[str, Any]]) -> str:
    heads = ("METHOD", "RECIPE", "published", "steps", "hours", "source of the number")
    lines = [heads, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads) - 1)]
    told = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]) for line in lines
    ]
    rests_on = {row["cost"]["rests_on"].partition(";")[2].strip() for row in rows if row["cost"]}
    return "\n".join([*told, "", f"{len(rows)} recipes. {'; '.join(sorted(rests_on))}"])


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    published = "unknown" if row["published"] is None else f"{row['published']:.2f} %"
    reckoned = row["cost"] or {"steps": None, "hours": None}
    steps = "-" if reckoned["steps"] is None else f"{reckoned['steps']:,}"
    hours = "-" if reckoned["hours"] is None else f"{reckoned['hours']:.2f}"
    return row["method"], row["name"], published, steps, hours, row["source"]
