"""How evenly points cover the sphere, by distances from the uniform law; `pairwise` has Wang and Isola's measure."""

from __future__ import annotations

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry.blocks import BLOCK, blocks, gram_of
from ltviz.geometry.uniform_law import expected_kernel
from ltviz.metrics.declaration import Measure, Value, declare
from ltviz.metrics.pairwise import EXACT_POINTS, FEWEST_POINTS, uniformity, uniformity_of_some
from ltviz.metrics.rows import finite_rows
from ltviz.metrics.space import Space

LARGEST_LIVE_SPECTRUM = 64
"""Dimensions from which singular values take longer than a live frame may."""


def uniformity_wasserstein(z: np.ndarray) -> float:
    r"""Wasserstein distance between a Gaussian with the points' mean and covariance and one with those of the uniform
    law. Lower is more even.

    .. math:: \sqrt{|m|^2 + 1 + \operatorname{tr} \Sigma - \frac{2}{\sqrt D} \operatorname{tr} \Sigma^{1/2}}

    Args:
        z: (N, D), N >= 1, unit rows; taken as given.

    Returns:
        0 (mean 0, covariance I / D) to sqrt(2) (all points in one place).

    Raises:
        DataError: not two-dimensional, empty, or not finite.

    Source: Fang et al. 2024, eq. (8), without the 1e-8 that their code adds to eigenvalues (2e-4 too small where
    directions are dead). Roots of eigenvalues are singular values of the centred rows, which no rounding makes complex.

    Example:
        >>> import numpy as np
        >>> round(uniformity_wasserstein(np.vstack((np.eye(3), -np.eye(3)))), 6)
        0.0
        >>> round(uniformity_wasserstein(np.ones((4, 3)) / np.sqrt(3)), 4)
        1.4142
    """
    mean, roots = _moments(np.asarray(z))
    square = mean @ mean + 1 + roots @ roots - 2 / np.sqrt(len(mean)) * roots.sum()
    return float(np.sqrt(max(square, 0.0)))


def _moments(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(D,) mean of points (N, D), and roots of the eigenvalues of their covariance, one at least."""
    if z.ndim != 2 or len(z) <= BLOCK:
        rows = finite_rows("The Wasserstein uniformity", z)
        mean = rows.mean(axis=0)
        return mean, np.linalg.svd(rows - mean, compute_uv=False) / np.sqrt(len(rows))
    # Singular values of a million rows take seconds; a root of what rounding leaves of nothing is below 1e-7.
    mean = np.sum([z[block].sum(axis=0, dtype=np.float64) for block in blocks(len(z))], axis=0) / len(z)
    covariance = gram_of(z) / len(z) - np.outer(mean, mean)
    finite_rows("The Wasserstein uniformity", covariance)
    return mean, np.sqrt(np.maximum(np.linalg.eigvalsh(covariance), 0.0))


def mmd_sphere(z: np.ndarray, *, t: float = 2.0) -> float:
    r"""Squared maximum mean discrepancy from the uniform law with a Gaussian kernel. Lower is more even.

    It is `uniformity` without the logarithm, minus its value for the uniform law.

    .. math:: \operatorname{mean}_{i<j} e^{-t |z_i - z_j|^2} - e^{-2t} {}_0F_1(; D/2; t^2)

    Args:
        z: (N, D), N >= 2, D >= 2, unit rows.
        t: > 0.

    Returns:
        0 for uniform points, below by O(1/N) for points more even than chance would have them, up to 1 less the
        constant for all in one place.

    Raises:
        DataError: fewer than two rows, or a dimension below 2, not two-dimensional, or not finite, or t not above 0.

    Source: derived from Wang and Isola 2020; its constant in closed form makes dimensions comparable.

    Example:
        >>> import numpy as np
        >>> round(mmd_sphere(np.ones((4, 3)) / np.sqrt(3)), 3)
        0.875
    """
    rows = finite_rows("The discrepancy from the uniform law", z, least=2, dim=2)
    if not 0 < t < np.inf:
        raise DataError(f"The discrepancy from the uniform law takes a finite t > 0, got {t}.")
    return float(np.exp(uniformity(rows, t=t))) - expected_kernel(rows.shape[1], t)


def sliced_wasserstein_sphere(
    z: np.ndarray, *, planes: np.ndarray | None = None, num_planes: int = 50, seed: int = 0
) -> float:
    r"""Sliced spherical Wasserstein distance from the uniform law: that of the angles in random planes. Lower is more
    even.

    For the N angles x of the rows projected on a plane, sorted, in turns,

    .. math:: W^2 = \overline{x^2} - \bar x^2 + \sum_i x_i (N + 1 - 2i) / N^2 + 1/12

    Args:
        z: (N, D), N >= 1, D >= 2; lengths do not matter.
        planes: (P, D, 2) with orthonormal columns; drawn from `seed` where left out.
        num_planes: P where they are drawn.
        seed: of the planes.

    Returns:
        The root of the mean over planes, in turns: 0 to sqrt(1/12) = 0.2887 (all points in one place).

    Raises:
        DataError: shapes that do not match, too few dimensions or planes, or values that are not finite.

    Source: Bonet et al. 2023, eq. (13); as `ot.sliced_wasserstein_sphere_unif` of POT 0.9.7.

    Example:
        >>> import numpy as np
        >>> round(sliced_wasserstein_sphere(np.eye(3)[:1]), 4)
        0.2887
    """
    rows = finite_rows("The sliced Wasserstein distance", z, dim=2)
    if planes is None:
        if num_planes < 1:
            raise DataError(f"The sliced Wasserstein distance takes one plane or more, got {num_planes}.")
        normal = np.random.default_rng(seed).standard_normal((num_planes, rows.shape[1], 2))
        planes = np.linalg.qr(normal).Q
    planes = np.asarray(planes, dtype=np.float64)
    if planes.ndim != 3 or planes.shape[1:] != (rows.shape[1], 2) or not len(planes):
        raise DataError(f"Planes must be (P, {rows.shape[1]}, 2) for points {rows.shape}, got shape {planes.shape}.")
    if not np.isfinite(planes).all():
        raise DataError("Planes must be finite; NaN or infinity was given.")
    n = len(rows)
    weight = (n + 1 - 2 * np.arange(1, n + 1)) / n**2
    total = 0.0
    for plane in planes:
        flat = rows @ plane
        turns = np.sort((np.arctan2(flat[:, 1], flat[:, 0]) / (2 * np.pi)) % 1.0)
        total += float((turns**2).mean() - turns.mean() ** 2 + turns @ weight) + 1 / 12
    return float(np.sqrt(max(total / len(planes), 0.0)))


# ---------------------------------------------------------------------- measures


@declare(
    Measure(
        key="uniformity_wasserstein",
        title="Uniformity, Wasserstein",
        low=0,
        high=2**0.5,
        better="lower",
        short="How far mean and covariance of the points are from those of uniform ones: 0 is even.",
        formula=r"\sqrt{|m|^2 + 1 + \operatorname{tr} \Sigma - 2 \operatorname{tr} \Sigma^{1/2} / \sqrt D}",
        source="Fang et al. 2024",
        caution="It sees mean and covariance alone: two opposite clumps on every axis are even to it. Few points for "
        "their dimensions look less even, so compare runs of one probe and one D only.",
        order=17,
    ),
    needs_labels=False,
)
def distance_of_moments(space: Space) -> Value:
    """None for a single point, as for every evenness."""
    quick = space.full or min(space.z.shape) <= LARGEST_LIVE_SPECTRUM
    return uniformity_wasserstein(space.z) if quick and len(space.z) >= FEWEST_POINTS else None


@declare(
    Measure(
        key="mmd_sphere",
        title="Discrepancy from uniform (MMD)",
        low=-1,
        high=1,
        better="lower",
        short="How much closer two points are, by a Gaussian kernel, than two uniform ones would be: 0 is even.",
        formula=r"\operatorname{mean}_{i<j} e^{-2 \|z_i - z_j\|^2} - e^{-4} {}_0F_1(; D/2; 4)",
        source="derived from Wang and Isola 2020",
        caution="Below zero by up to 1/N for points more even than chance; in many dimensions nearly all clouds are "
        "near zero.",
        order=18,
    ),
    full=True,
    needs_labels=False,
)
def discrepancy_from_uniform(space: Space) -> Value:
    if len(space.z) < FEWEST_POINTS or space.z.shape[1] < 2:
        return None
    if len(space.z) <= EXACT_POINTS:
        return mmd_sphere(space.z)
    logarithm, _ = uniformity_of_some(space.z, EXACT_POINTS)
    return float(np.exp(logarithm)) - expected_kernel(space.z.shape[1], 2.0)


@declare(
    Measure(
        key="sliced_wasserstein_sphere",
        title="Uniformity, sliced Wasserstein",
        unit="turns",
        low=0,
        high=12**-0.5,
        better="lower",
        short="How far the angles of the points in fifty fixed random planes are from even ones: 0 is even.",
        formula=r"\sqrt{\operatorname{mean}_P W_2^2(\operatorname{angle}(P^\top z), U)}",
        source="Bonet et al. 2023",
        caution="Its planes are drawn once, by a seed; N points that are even by chance still give about "
        "1 / sqrt(12 N).",
        order=19,
    ),
    full=True,
    needs_labels=False,
)
def distance_of_slices(space: Space) -> Value:
    if len(space.z) < FEWEST_POINTS or space.z.shape[1] < 2:
        return None
    return sliced_wasserstein_sphere(space.z)
