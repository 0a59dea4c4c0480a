"""How many dimensions an embedding uses."""

from __future__ import annotations

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry.blocks import gram_of
from ltviz.metrics.classes import one_place
from ltviz.metrics.declaration import Measure, Value, declare
from ltviz.metrics.rows import finite_rows
from ltviz.metrics.space import Space

# Above this size an eigenvalue problem takes longer than a live frame may; `full` asks for it all the same.
LARGEST_LIVE_SPECTRUM = 512


def effective_rank(z: np.ndarray) -> float:
    """exp of the entropy of the normalised singular values of the embedding matrix, not centred.

    Args:
        z: (N, D), N >= 1, finite.

    Returns:
        1 (all rows on one line through the origin) to min(N, D).

    Raises:
        DataError: not two-dimensional, empty, all zero, or not finite.

    Source: Roy and Vetterli 2007; as RankMe (Garrido et al. 2023) applies it to embeddings. Singular values come from
    the smaller Gram matrix, so those below about 1e-7 of the largest are noise and left out.

    Example:
        >>> import numpy as np
        >>> round(effective_rank(np.eye(5)), 6), round(effective_rank(np.ones((5, 5))), 6)
        (5.0, 1.0)
    """
    rows = np.asarray(z)
    if rows.ndim != 2 or rows.size == 0:
        raise DataError(f"The effective rank takes embeddings (N, D), got shape {rows.shape}.")
    gram = gram_of(rows if rows.shape[0] >= rows.shape[1] else rows.T)
    if not np.isfinite(gram).all() or not np.trace(gram) > 0:
        raise DataError("The effective rank takes finite embeddings that are not all zero.")
    eigenvalues = np.linalg.eigvalsh(gram)
    singular = np.sqrt(eigenvalues[eigenvalues > len(gram) * np.finfo(np.float64).eps * eigenvalues[-1]])
    share = singular / singular.sum()
    return float(np.exp(-np.sum(share * np.log(share))))


def lidar(z: np.ndarray, *, delta: float = 1e-4, epsilon: float = 1e-8) -> float:
    """LiDAR: effective rank of the directions in which samples differ more than their own views do.

    Args:
        z: (N, V, D) embeddings of V >= 2 views of N >= 2 samples.
        delta: added to the diagonal of the scatter within samples.
        epsilon: added to eigenvalues before their logarithms.

    Returns:
        1 to D.

    Raises:
        DataError: not three-dimensional, too few samples or views, or not finite.

    Source: Thilak et al. 2024; as stable-pretraining 9aa93f8 computes it. reptrix takes the spectrum of the LDA matrix
    as if its rows were data, which is another and far smaller number.

    Example:
        >>> import numpy as np
        >>> samples = np.random.default_rng(0).standard_normal((500, 1, 4))
        >>> 3.9 < lidar(samples + 0.1 * np.random.default_rng(1).standard_normal((500, 2, 4))) < 4
        True
    """
    views = np.asarray(z, dtype=np.float64)
    if views.ndim != 3 or views.shape[0] < 2 or views.shape[1] < 2 or views.shape[2] < 1:
        raise DataError(f"LiDAR takes embeddings (N, V, D) with N >= 2 and V >= 2, got shape {views.shape}.")
    if not np.isfinite(views).all():
        raise DataError("LiDAR takes finite embeddings; NaN or infinity was given.")
    num_samples, num_views, dim = views.shape
    means = views.mean(axis=1)
    between = means - means.mean(axis=0)
    within = (views - means[:, None]).reshape(-1, dim)
    scatter = within.T @ within / (num_samples * (num_views - 1)) + delta * np.eye(dim)
    values, vectors = np.linalg.eigh(scatter)
    if values[0] <= 0:
        raise DataError(f"LiDAR needs a scatter of views, or a delta above 0 in place of it; got delta {delta}.")
    turned = between @ (vectors / np.sqrt(values))
    spectrum = np.linalg.eigvalsh(turned.T @ turned / (num_samples - 1)).clip(min=0)
    share = (spectrum + epsilon) / (spectrum + epsilon).sum()
    return float(np.exp(-np.sum(share * np.log(share))))


def alpha_req(z: np.ndarray, *, first: int = 10, last: int = 100) -> float:
    """Exponent alpha of the power law lambda_i ~ i^-alpha that fits the spectrum of the centred covariance.

    Args:
        z: (N, D) embeddings.
        first, last: eigenvalues first + 1 to last enter, weighed by 1 / i; fewer where the spectrum ends before.

    Returns:
        Slope of -log lambda_i on log i.

    Raises:
        DataError: not two-dimensional, not finite, or fewer than 3 eigenvalues above zero in that range.

    Source: Agrawal et al. 2022; code reptrix dbf53c5, `get_alpha`, which rounds its weights to float32, raises where D
    is below `last`, and changes the caller's range in place.

    Example:
        >>> import numpy as np
        >>> rows = np.random.default_rng(0).standard_normal((5000, 50)) * np.arange(1, 51) ** -0.5
        >>> round(alpha_req(rows), 1)
        1.0
    """
    rows = finite_rows("The exponent of a spectrum", z, least=2)
    if not 0 <= first < last:
        raise DataError(f"The exponent of a spectrum takes 0 <= first < last, got {first} and {last}.")
    spectrum = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
    spectrum = spectrum[spectrum > len(spectrum) * np.finfo(np.float64).eps ** 2 * spectrum[0]]
    place = np.arange(first + 1, min(last, len(spectrum)) + 1)
    if len(place) < 3:
        raise DataError(
            f"The exponent of a spectrum needs 3 eigenvalues after number {first}, of {len(spectrum)} above zero."
        )
    x, y, weight = np.log(place), -np.log(spectrum[place - 1]), 1 / place
    x_mean, y_mean = np.average(x, weights=weight), np.average(y, weights=weight)
    return float((weight * (x - x_mean)) @ (y - y_mean) / ((weight * (x - x_mean)) @ (x - x_mean)))


# ---------------------------------------------------------------------- measures


@declare(
    Measure(
        key="effective_rank",
        title="Effective rank",
        unit="dimensions",
        low=1,
        better="higher",
        short="How many dimensions the points use.",
        formula=r"\exp(-\sum_k p_k \log p_k), \; p_k = \sigma_k / \sum_j \sigma_j",
        source="Roy and Vetterli 2007; RankMe 2023",
        caution="Full neural collapse to a simplex uses C - 1 dimensions: more is not better there.",
        order=16,
    ),
    needs_labels=False,
)
def dimensions_used(space: Space) -> Value:
    """None for a single point, which is a direction and no cloud."""
    quick = space.full or min(space.z.shape) <= LARGEST_LIVE_SPECTRUM
    return effective_rank(space.z) if quick and len(space.z) > 1 else None


@declare(
    Measure(
        key="lidar",
        title="LiDAR",
        unit="dimensions",
        low=1,
        better="higher",
        short="How many dimensions tell samples apart better than two views of one sample differ.",
        formula=r"\exp(-\sum_k p_k \log p_k), \; p = \lambda(\Sigma_w^{-1/2} \Sigma_b \Sigma_w^{-1/2}) / \sum \lambda",
        source="Thilak et al. 2024",
        caution="Of the few samples that a run shows in two views; full neural collapse uses C - 1 dimensions.",
        order=57,
    ),
    full=True,
    needs_labels=False,
)
def dimensions_that_tell_samples(space: Space) -> Value:
    if space.views is None or len(space.views[0]) < 2 or one_place(np.concatenate(space.views)):
        return None
    return lidar(np.stack(space.views, axis=1))


@declare(
    Measure(
        key="alpha_req",
        title="Spectral exponent (alpha-ReQ)",
        better=None,
        short="How fast the eigenvalues of the covariance fall: near 1 is between flat and collapsed.",
        formula=r"\lambda_i \propto i^{-\alpha}, \; i = 11 \ldots 100",
        source="Agrawal et al. 2022",
        caution="It needs more than 12 dimensions, and says little of fewer than a hundred.",
        order=59,
    ),
    full=True,
    needs_labels=False,
)
def exponent_of_spectrum(space: Space) -> Value:
    try:
        return alpha_req(space.z)
    except DataError:  # too few dimensions
        return None
