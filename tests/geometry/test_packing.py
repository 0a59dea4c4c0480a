from __future__ import annotations

import numpy as np
import pytest

from ltviz.errors import ConfigError
from ltviz.geometry import angle_source, best_angle, optimal_targets
from ltviz.geometry.packing import TAMMES_DEGREES, _levenshtein_cosine, _levenshtein_size


@pytest.mark.parametrize(
    ("num_classes", "dim", "degrees", "source"),
    [
        (2, 3, 180.0, "simplex"),
        (4, 3, 109.4712206, "simplex"),
        (5, 3, 90.0, "exact"),
        (6, 3, 90.0, "exact"),
        (256, 128, 90.0, "exact"),
        (10, 2, 36.0, "exact"),
        (12, 3, 63.4349488, "exact"),
        (20, 3, 47.4310362, "best known"),
        (240, 8, 60.0, "upper bound"),  # the roots of E8, which reach Levenshtein's bound
        (27, 6, np.degrees(np.arccos(0.25)), "upper bound"),  # the Schlaefli configuration
    ],
)
def test_best_angle_of_known_arrangements(num_classes: int, dim: int, degrees: float, source: str) -> None:
    assert best_angle(num_classes, dim) == pytest.approx(degrees, abs=1e-6)
    assert angle_source(num_classes, dim) == source


@pytest.mark.parametrize(("num_classes", "dim"), [(30, 3), (12, 5), (20, 8)])
def test_no_arrangement_exceeds_the_bound(num_classes: int, dim: int) -> None:
    targets = optimal_targets(num_classes, dim)
    cosines = targets @ targets.T
    np.fill_diagonal(cosines, -1.0)
    found = np.degrees(np.arccos(cosines.max()))
    assert 0.85 * best_angle(num_classes, dim) < found <= best_angle(num_classes, dim) + 1e-6


def test_more_classes_never_have_more_room() -> None:
    for dim in (3, 5, 64):
        angles = [best_angle(c, dim) for c in range(2, 200)]
        # from the table of what is known to the bounds behind it there may be a step up
        behind = [a for c, a in zip(range(2, 200), angles, strict=True) if dim != 3 or c <= max(TAMMES_DEGREES)]
        assert (np.diff(behind) <= 1e-9).all()


@pytest.mark.parametrize("dim", [3, 4, 16, 128])
def test_levenshtein_bound_is_inverted(dim: int) -> None:
    for num_points in (2 * dim + 1, 3 * dim, 10 * dim):
        s = _levenshtein_cosine(num_points, dim)
        sizes = [_levenshtein_size(s, degree, dim) for degree in range(1, 30)]
        assert min(abs(size - num_points) for size in sizes) < 1e-6 * num_points


@pytest.mark.parametrize(("num_classes", "dim"), [(1, 3), (3, 1), (2, 0)])
def test_impossible_packings_are_refused(num_classes: int, dim: int) -> None:
    with pytest.raises(ConfigError):
        best_angle(num_classes, dim)
