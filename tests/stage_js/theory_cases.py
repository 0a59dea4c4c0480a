"""Where theory says that the lab's losses end: what Python predicts, and tests/stage_js/predicted.test.mjs compares.

python tests/stage_js/theory_cases.py     writes theory_cases.json anew
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ltviz.data.longtail import exponential_counts
from ltviz.geometry import Prediction, predicted_ce, predicted_decay, predicted_supcon, turned_onto
from ltviz.metrics.theory import angle_error, simplex_error

FILE = Path(__file__).with_suffix(".json")
DIGITS = 13


def step(heads: int, tails: int, ratio: int) -> list[int]:
    return [ratio] * heads + [1] * tails


def asked() -> list[dict[str, Any]]:
    """The function, the counts, and its other arguments by name."""
    tail = exponential_counts(1000, 10, 100)
    profiles = [step(5, 5, 10), step(5, 5, 100), step(3, 2, 1000), tail, [7, 7, 7, 7], [900, 30, 30, 4]]
    cases: list[dict[str, Any]] = [{"of": "ce", "counts": n} for n in [*profiles, exponential_counts(1000, 40, 1000)]]
    for average, denominator in (("sample", "samples"), ("class", "samples"), ("sample", "classes")):
        for temperature in (0.05, 0.2, 1.0):
            cases += [
                {
                    "of": "supcon",
                    "counts": n,
                    "temperature": temperature,
                    "average": average,
                    "denominator": denominator,
                }
                for n in (profiles[1], profiles[2], tail, profiles[5])
            ]
    for pays, average, tau in (
        ("class", "sample", 0),
        ("sample", "sample", 0),
        ("class", "sample", 1),
        ("sample", "class", 0.5),
    ):
        for decay in (0.02, 0.001):
            cases += [
                {"of": "decay", "counts": n, "decay": decay, "pays": pays, "average": average, "tau": tau}
                for n in (profiles[0], profiles[1], profiles[5], tail)
            ]
    return [*cases, {"of": "turn", "classes": 5, "dim": 6, "seed": 3}]


FUNCTIONS = {"ce": predicted_ce, "supcon": predicted_supcon, "decay": predicted_decay}


def judge(case: dict[str, Any]) -> dict[str, Any]:
    """The case with what Python predicts: the value, and products of rows, upper half and diagonal, those of a
    classifier with the means too; or rows at random, turned onto others, and how far their angles are."""
    if case["of"] == "turn":
        return case | turned(case["classes"], case["dim"], case["seed"])
    arguments = {name: value for name, value in case.items() if name not in ("of", "counts")}
    found: Prediction = FUNCTIONS[case["of"]](case["counts"], **arguments)
    assert found.gap is not None
    upper = np.triu_indices(len(found.means))
    told = {"value": found.value, "means": (found.means @ found.means.T)[upper].tolist()}
    if found.weights is not None:
        told["weights"] = (found.weights @ found.weights.T)[upper].tolist()
        told["logits"] = (found.means @ found.weights.T).ravel().tolist()
    return case | told


def turned(classes: int, dim: int, seed: int) -> dict[str, Any]:
    """Unit rows (C, C - 1) and goals (C, D), flat; the rows turned onto these; differences of angles."""
    rng = np.random.default_rng(seed)
    rows, goals = rng.standard_normal((classes, classes - 1)), rng.standard_normal((classes, dim))
    rows, goals = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (rows, goals))
    own, even = angle_error(goals, rows), simplex_error(goals)
    assert own is not None and even is not None
    flat = {"rows": rows, "goals": goals, "turned": turned_onto(rows, goals)}
    return {name: x.ravel().tolist() for name, x in flat.items()} | {"off": [*own, *even]}


def rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    return [rounded(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    made = [{name: rounded(value) for name, value in judge(case).items()} for case in asked()]
    FILE.write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in made) + "\n]\n")
