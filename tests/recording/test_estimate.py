"""Measures of many points are estimates, and say how far they may be off."""

from __future__ import annotations

import numpy as np
import pytest

from ltviz.metrics import measure
from ltviz.recording.estimate import estimate

KEYS = ("uniformity", "centre_sum", "spread_head", "simplex_deviation_mean", "effective_rank")


def cloud(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(5), [2000, 1000, 500, 300, 200])
    z = rng.normal(size=(5, 6))[labels] + rng.normal(size=(4000, 6))
    return z / np.linalg.norm(z, axis=1, keepdims=True), labels


def test_the_error_that_is_told_is_the_error_that_is_made() -> None:
    off = []
    for seed in range(12):
        z, labels = cloud(seed)
        found = estimate(lambda rows, _, z=z, y=labels: measure(z[rows], y[rows], full=True), labels, 800)
        assert (found.drawn, found.points, found.sampled) == (800, 4000, True)
        exact = measure(z, labels, full=True)
        off.append([(found[key] - exact[key]) / found.errors[key] for key in KEYS])
    spread = np.sqrt(np.mean(np.square(off), axis=0))
    # Of twelve draws with right errors the root mean square lies near 1; six parts make it a little wider.
    assert (spread > 0.3).all() and (spread < 2.2).all(), dict(zip(KEYS, spread, strict=True))


def test_of_few_points_all_are_measured_and_nothing_is_an_estimate() -> None:
    z, labels = cloud(0)
    found = estimate(lambda rows, _: measure(z[rows], labels[rows]), labels, 4000)
    assert found == measure(z, labels) and found.errors == {} and not found.sampled


def test_progress_grows_to_its_end_and_may_end_it() -> None:
    z, labels = cloud(0)
    told: list[float] = []
    estimate(lambda rows, tell: measure(z[rows], labels[rows], full=True, progress=tell), labels, 800, told.append)
    assert len(told) > 10 and told == sorted(told) and 0 < told[0] < 0.2 and 0.9 < told[-1] <= 1

    def stop(share: float) -> None:
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        estimate(lambda rows, tell: measure(z[rows], labels[rows], full=True, progress=tell), labels, 800, stop)
