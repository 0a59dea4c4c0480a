"""How often batches draw each class as training goes on: the exponent of power sampling, along its curve. No torch."""

from __future__ import annotations

from ltviz.errors import ConfigError
from ltviz.training.schedules import Curve, parse_schedules, scheduled
from ltviz.training.settings import RunSettings

EXPONENT = "sampling_exponent"
"""Name of the setting. All methods of a race share their batches, so it follows what run.json says and nothing else:
a batch is a function of seed and step alone, and training goes on at any step bit for bit."""


def exponent_at(run: RunSettings, taken: int) -> float:
    """The exponent of the batch that comes after `taken` steps."""
    return scheduled(run.schedules, taken, run.steps).get(EXPONENT, run.sampling_exponent)


def exponent_throughout(run: RunSettings) -> float | None:
    """The q of a run whose batches draw each class by n_c to the power q from first to last; None where that changes.

    >>> exponent_throughout(RunSettings(sampling="square-root"))
    0.5
    """
    if run.sampling == "power":
        return None if EXPONENT in parse_schedules(run.schedules) else run.sampling_exponent
    return {"instance": 1.0, "class-balanced": 0.0, "square-root": 0.5}.get(run.sampling)


def turns_of(run: RunSettings) -> dict[int, float]:
    """First step that feels it -> exponent, where its curve begins, jumps or ends; empty without a curve.

    >>> turns_of(RunSettings(sampling="power", steps=40, schedules="sampling_exponent: linear 1 0 from 10 over 50%"))
    {11: 1.0, 31: 0.0}
    """
    curve = parse_schedules(run.schedules).get(EXPONENT) if run.sampling == "power" else None
    if curve is None:
        return {}
    steps = (int(-(-place // 1)) + 1 for place in _places(curve, run.steps))
    return {step: exponent_at(run, step - 1) for step in steps if step <= run.steps}


def check_exponent(before: str, after: str) -> None:
    """Refuses another curve of the exponent while a run trains.

    Raises:
        ConfigError: schedules that differ in it.
    """
    if parse_schedules(before).get(EXPONENT) != parse_schedules(after).get(EXPONENT):
        raise ConfigError(
            f"schedules must leave the curve of {EXPONENT} as the race began with it, since all its methods share "
            "their batches; try a new race"
        )


def _places(curve: Curve, total_steps: int) -> list[float]:
    begin = curve.places[0].after(total_steps)
    if curve.kind == "step":
        return [place.after(total_steps) for place in curve.places]
    if curve.kind == "drawn":
        return [begin, curve.places[-1].after(total_steps)]
    return [begin, begin + curve.places[1].after(total_steps)] if curve.kind in ("linear", "cosine") else [begin]
