"""Alignment and uniformity on the hypersphere (Wang and Isola 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry.threads import may_start_threads, one_blas_thread
from ltviz.metrics.classes import one_place
from ltviz.metrics.declaration import Measure, Shown, Value, declare, family
from ltviz.metrics.shots import GROUPS
from ltviz.metrics.space import Space

# Up to here all pairs are taken in float64; above, float32 blocks are five times faster and right to 1e-6.
FEW_POINTS = 512
# Rows of a block of pairs. A block of 96 x 5,000 float32 stays in the second-level cache.
BLOCK = 96
# From here on sharing blocks between threads is worth starting them.
MANY_POINTS = 3000
EXACT_POINTS = 6000
"""Points up to which a live frame counts every pair, 0.06 s on a core; of more it takes the pairs of that many."""
FEWEST_POINTS = 3
"""A pair has a distance, and no evenness: two opposite points would be the most uniform cloud of all."""


def uniformity(z: np.ndarray, *, t: float = 2.0) -> float:
    """log of the mean over all pairs i < j of exp(-t |z_i - z_j|^2). Lower is more uniform.

    Exact: every pair counts, none is sampled; time grows with N^2, 0.02 s for 5,000 x 128 on two cores. Float64 up to
    512 points, above in float32 (error below 1e-6).

    Args:
        z: (N, D) with N >= 2, unit rows.
        t: > 0; 2 in the paper.

    Returns:
        From -4 t (two opposite points) to 0 (all points equal); about -4 for even points in many dimensions at t = 2.

    Raises:
        DataError: fewer than two rows, not two-dimensional, or not finite.

    Source: Wang and Isola 2020, eq. (3) and its code `uniform_loss`, i < j.

    Example:
        >>> from ltviz.geometry import simplex
        >>> round(uniformity(simplex(4, 3)), 3)
        -5.333
    """
    z = np.asarray(z)
    if z.ndim != 2 or len(z) < 2:
        raise DataError(f"Uniformity takes at least 2 points (N, D), got shape {z.shape}.")
    n = len(z)
    dtype = np.float64 if n <= FEW_POINTS else np.float32
    z = z.astype(dtype, copy=False)
    # With rows (z, -|z|^2/2, 1) against (z, 1, -|z|^2/2) one product gives -|z_i - z_j|^2 / 2 of every pair.
    half = -0.5 * np.einsum("nd,nd->n", z, z)[:, None]
    one = np.ones((n, 1), dtype)
    left = np.hstack((z, half, one)) * dtype(2 * t)
    right = np.hstack((z, one, half))
    starts = range(0, n, BLOCK)
    with one_blas_thread() as threads:
        if threads > 1 and n >= MANY_POINTS and may_start_threads():
            with ThreadPoolExecutor(threads) as pool:
                total = sum(pool.map(lambda start: _block_sum(left, right, start), starts))
        else:
            total = sum(_block_sum(left, right, start) for start in starts)
    if not np.isfinite(total):
        raise DataError("Uniformity takes finite points; NaN or infinity was given.")
    return float(np.log(total / (0.5 * n * (n - 1)))) if total > 0 else -np.inf


def _block_sum(left: np.ndarray, right: np.ndarray, start: int) -> float:
    """Sum of the kernel over pairs (i, j) with j in one block of rows and i > j."""
    kernel = left[start:] @ right[start : start + BLOCK].T
    np.exp(kernel, out=kernel)
    size = kernel.shape[1]
    square = kernel[:size]
    return float(kernel[size:].sum()) + 0.5 * (float(square.sum()) - float(np.trace(square)))


def uniformity_of_some(z: np.ndarray, size: int, *, t: float = 2.0, seed: int = 0) -> tuple[float, float]:
    """`uniformity` of `size` points drawn without replacement, and its standard error as an estimate for all of them.

    The same points are drawn at every step of a run, so that a curve shows what the points do and not the draw.

    Args:
        z: (N, D) unit rows, N > `size`.
        size: 3 or more.

    Returns:
        The estimate, and the error that a U-statistic has (Hoeffding 1948), with the correction for a finite number of
        points, taken to the logarithm.

    Raises:
        DataError: as `uniformity`.

    Example:
        >>> import numpy as np
        >>> rows = np.random.default_rng(0).standard_normal((4000, 3))
        >>> rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        >>> found, error = uniformity_of_some(rows, 1000)
        >>> bool(error < 0.01 and abs(found - uniformity(rows)) < 3 * error)
        True
    """
    z = np.asarray(z)
    drawn = z[np.sort(np.random.default_rng(seed).choice(len(z), size, replace=False))]
    value = uniformity(drawn, t=t)
    # The mean kernel of a point with the others; a few hundred points show how much these means differ.
    few = drawn[:: max(1, size // FEW_POINTS)].astype(np.float32)
    square = np.einsum("nd,nd->n", drawn, drawn)
    kernel = np.einsum("nd,nd->n", few, few)[:, None] + square - 2.0 * (few @ drawn.T)
    means = (np.exp(-t * kernel).sum(axis=1) - 1.0) / (size - 1)
    apart = float(means.std(ddof=1)) / max(float(means.mean()), 1e-300)
    return value, 2.0 * apart * float(np.sqrt((1.0 - size / len(z)) / size))


def alignment(a: np.ndarray, b: np.ndarray, *, alpha: float = 2.0) -> float:
    """Mean of |a_i - b_i|^alpha over pairs of views of the same sample. Lower is more aligned.

    Args:
        a, b: (N, D) unit rows, row i of both from sample i; N >= 1.
        alpha: > 0; 2 in the paper.

    Returns:
        0 (views coincide) to 2^alpha.

    Raises:
        DataError: shapes differ, are not two-dimensional, or values are not finite.

    Source: Wang and Isola 2020, eq. (2) and its code `align_loss`.

    Example:
        >>> import numpy as np
        >>> alignment(np.eye(3), np.eye(3)), alignment(np.eye(2), -np.eye(2))
        (0.0, 4.0)
    """
    first = np.asarray(a, dtype=np.float64)
    second = np.asarray(b, dtype=np.float64)
    if first.ndim != 2 or first.shape != second.shape or len(first) == 0:
        raise DataError(f"Alignment takes two views of one shape (N, D), got {first.shape} and {second.shape}.")
    difference = first - second
    square = np.einsum("nd,nd->n", difference, difference)
    value = float((square ** (alpha / 2)).mean())
    if not np.isfinite(value):
        raise DataError("Alignment takes finite points; NaN or infinity was given.")
    return value


# ---------------------------------------------------------------------- measures


@declare(
    Measure(
        key="uniformity",
        title="Uniformity",
        low=-8,
        high=0,
        better="lower",
        short="How evenly the points cover the sphere: lower is more even.",
        formula=r"\log \operatorname{mean}_{i<j} e^{-2 \|z_i - z_j\|^2}",
        source="Wang and Isola 2020, eq. (3)",
        caution="Well separated tight classes are not uniform: compare runs with the same probe only.",
        shown={"panel": Shown(at=30, label="uniformity"), "report": Shown(at=80), "report_curves": Shown(at=50)},
        order=14,
    ),
    Measure(
        key="uniformity_n",
        title="Points behind the uniformity",
        unit="samples",
        low=0,
        short="How many points were drawn for the uniformity, where a live frame holds too many for all pairs.",
        formula="n",
        source="ltviz",
        behind=True,
        order=131,
    ),
    Measure(
        key="uniformity_error",
        title="Uniformity: standard error",
        low=0,
        short="Standard error that drawing points leaves in the uniformity, where they were drawn.",
        formula=r"2 \sqrt{1 - n / N} \operatorname{sd}_i(\bar k_i) / (\sqrt{n} \, \bar k), "
        r"\; \bar k_i = \operatorname{mean}_{j \ne i} e^{-2 \|z_i - z_j\|^2}",
        source="Hoeffding 1948, U-statistics",
        behind=True,
        order=132,
    ),
    apart="full",
    needs_labels=False,
    slow=True,
)
def evenness(space: Space) -> Mapping[str, Value]:
    if len(space.z) < FEWEST_POINTS:
        return {}
    if space.full or len(space.z) <= EXACT_POINTS:
        return {"uniformity": uniformity(space.z)}
    found, error = uniformity_of_some(space.z, EXACT_POINTS)
    return {"uniformity": found, "uniformity_n": float(EXACT_POINTS), "uniformity_error": error}


@declare(
    family(
        Measure(
            key="uniformity_{}",
            title="Uniformity, {}",
            low=-8,
            high=0,
            better="lower",
            short="How evenly the points of {} cover the sphere: lower is more even.",
            formula=r"\log \operatorname{mean}_{i<j} e^{-2 \|z_i - z_j\|^2}",
            source="Wang and Isola 2020, eq. (3)",
            order=44,
        ),
        GROUPS,
    ),
    full=True,
)
def evenness_of_groups(space: Space) -> Mapping[str, Value]:
    rows = {name: space.z[np.isin(space.y, members)] for name, members in space.groups.items()}
    return {f"uniformity_{name}": uniformity(z) for name, z in rows.items() if len(z) >= FEWEST_POINTS}


@declare(
    Measure(
        key="uniformity_centres",
        title="Uniformity of centres",
        low=-8,
        high=0,
        better="lower",
        short="How evenly the class centres cover the sphere: lower is more even.",
        formula=r"\log \operatorname{mean}_{a<b} e^{-2 \|m_a - m_b\|^2}",
        source="Wang and Isola 2020, on class centres",
        order=53,
    ),
    full=True,
)
def evenness_of_centres(space: Space) -> Value:
    return uniformity(space.centres[space.present]) if space.present.sum() >= FEWEST_POINTS else None


@declare(
    Measure(
        key="alignment",
        title="Alignment",
        low=0,
        high=4,
        better="lower",
        short="How far apart two augmented views of the same training sample are, squared distance.",
        formula=r"\operatorname{mean}_i \|f(x_i) - f(x_i')\|^2",
        source="Wang and Isola 2020, eq. (2)",
        caution="A live frame takes the few samples whose pairs it links; points that all lie in one place are aligned "
        "too, so read it beside the uniformity.",
        order=15,
    ),
    Measure(
        key="alignment_n",
        title="Samples behind the alignment",
        unit="samples",
        low=0,
        short="How many samples were seen in two views.",
        formula="n",
        source="ltviz",
        behind=True,
        order=130,
    ),
)
def alignment_of_views(space: Space) -> Mapping[str, Value]:
    """Absent where both views of every sample lie in one place: then all samples are aligned with all others."""
    if space.views is None:
        return {}
    first, second = space.views
    distance = alignment(first, second)
    apart = not one_place(np.concatenate([first, second]))
    return {"alignment": distance, "alignment_n": float(len(first))} if apart else {}
