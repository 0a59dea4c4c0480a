"""How well a what-if's stand-ins do: measured where the truth is known, on the method's own run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from ltviz.errors import DataError
from ltviz.metrics.declaration import Measure, Value, declare
from ltviz.metrics.space import Space

STAND_INS, LENT = "what_if_cosine", "what_if_cosine_lent"
"""Keys in a frame's metrics: of the run's own what-if with stand-ins for all that the method keeps, as other runs get
it, and with the class directions that the run itself keeps on its sphere, where it has such."""
LEAST = 0.5
"""Cosine below which a what-if is not shown: its arrows would be more than 60 degrees off on the method's own run."""
RECORDED = Path(__file__).with_name("agreement.json")
"""What `ltviz bench what_if` has measured."""


def agreement(own: np.ndarray, imagined: np.ndarray) -> float | None:
    """Cosine between two fields of forces, -1 to 1; None where one of them is nothing or not finite.

    All classes count together, by the sizes of their forces, as the longest arrows are what is looked at.

    Example:
        >>> round(agreement(np.array([[3.0, 0.0], [0.0, 1.0]]), np.array([[6.0, 0.0], [0.0, 2.0]])), 6)
        1.0

    Args:
        own, imagined: (C, D) force on each class, zero where it has none.

    Raises:
        DataError: two shapes.
    """
    a, b = (np.asarray(force, dtype=np.float64) for force in (own, imagined))
    if a.shape != b.shape:
        raise DataError(f"Forces are compared class by class, but their shapes are {a.shape} and {b.shape}.")
    size = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    if not np.isfinite(size) or size == 0:
        return None
    return min(1.0, max(-1.0, float((a * b).sum()) / size))


def recorded_for(run_method: str | None) -> dict[str, float]:
    """Method -> the cosine that its what-if on a run of `run_method` can be trusted to, as the bench has measured it on
    the method's own runs: with that run's class directions where it lends such, else with stand-ins for everything."""
    table = _table()
    lends = run_method in table["lends"]
    return {
        method: row.get(LENT, row[STAND_INS]) if lends else row[STAND_INS] for method, row in table["methods"].items()
    }


@cache
def _table() -> dict:
    return json.loads(RECORDED.read_text(encoding="utf-8"))


@declare(
    *(
        Measure(
            key=key,
            title=title,
            low=-1,
            high=1,
            short=f"How far this method's what-if on its own run is its own force, {how}: 1 is the same direction.",
            formula=r"\frac{\sum_c f_c \cdot g_c}{\|f\| \, \|g\|}",
            source="ltviz",
            behind=True,
            order=order,
        )
        for key, title, how, order in (
            (STAND_INS, "What-if against force", "with stand-ins for all that it keeps", 114),
            (LENT, "What-if against force, own directions", "at the class directions that this run keeps", 115),
        )
    )
)
def what_if_agreement(space: Space) -> Mapping[str, Value]:
    """Nothing of a space tells it: a trainer notes it, as the methods themselves are needed."""
    return {}
