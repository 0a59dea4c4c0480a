"""How many dimensions an embedding uses."""

from __future__ import annotations

import numpy as np

from ltviz.errors import DataError
from ltviz.geometry.blocks import gram_of
from ltviz.metrics.declaration import Measure, Value, declare
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
