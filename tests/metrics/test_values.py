"""Every measure of a few clouds, held against values written down before measures were declared one by one.

`python tests/metrics/test_values.py` writes them anew, where a measure was meant to change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltviz import metrics

VALUES = Path(__file__).with_name("values.json")


def clouds() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name -> arguments of `measure`."""
    for seed, (name, n, dim, classes) in enumerate(
        (("flat", 60, 2, 4), ("ball", 300, 3, 10), ("wide", 240, 16, 6), ("few", 9, 3, 5))
    ):
        rng = np.random.default_rng(seed)
        weight = 50.0 ** (-np.arange(classes) / (classes - 1))
        y = np.sort(np.concatenate([np.arange(classes), rng.choice(classes, n - classes, p=weight / weight.sum())]))
        z = rng.standard_normal((classes, dim))[y] + 0.6 * rng.standard_normal((n, dim))
        z /= np.linalg.norm(z, axis=1, keepdims=True)
        split = (np.arange(n) % 5 > 2).astype(np.uint8) + (np.arange(n) % 10 == 9)
        answers = np.where(rng.random(n) < 0.7, y, (y + 1) % classes)
        given = {"counts": np.bincount(y, minlength=classes) * 9, "split": split.astype(np.uint8)}
        given |= {"predictions": answers}
        yield name, {"z": z, "y": y, **given}
        scores = rng.standard_normal((n, classes))
        given |= {"confidence": rng.uniform(0.3, 1, n), "views": (z[:20], np.roll(z, 1, 0)[:20])}
        given |= {"features": 3 * rng.standard_normal((n, dim + 2)) + np.eye(classes, dim + 2)[y]}
        given |= {"weights": rng.standard_normal((classes, dim + 2)), "bias": rng.standard_normal(classes)}
        given |= {"targets": np.eye(classes, dim) + 0.1, "scores": scores, "full": True}
        given |= {"labels": (scores + rng.standard_normal((n, classes)) > 0).astype(int)}
        yield f"{name} full", {"z": z, "y": y, **given}
        yield f"{name} unlabelled", {"z": z, "y": np.where(np.arange(n) % 4 == 0, -1, y), **given}
        yield f"{name} no labels", {"z": z, "y": np.full(n, -1)}
        yield f"{name} plain", {"z": 2.5 * z, "y": y, "full": True}


@pytest.mark.parametrize(("name", "given"), clouds(), ids=lambda it: it if isinstance(it, str) else "")
def test_every_measure_has_its_value(name: str, given: dict[str, Any]) -> None:
    expected = json.loads(VALUES.read_text())[name]
    found = metrics.measure(**given)
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-9)


def short(found: dict[str, float]) -> dict[str, float]:
    return {key: float(f"{value:.12g}") for key, value in sorted(found.items())}


if __name__ == "__main__":
    lines = (f'"{name}": {json.dumps(short(metrics.measure(**given)))}' for name, given in clouds())
    VALUES.write_text("{\n" + ",\n".join(lines) + "\n}\n")
