"""How many dimensions an embedding uses."""

from __future__ import annotations

import numpy as np

from ltviz.errors import DataError


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
    """
    rows = np.asarray(z, dtype=np.float64)
    if rows.ndim != 2 or rows.size == 0:
        raise DataError(f"The effective rank takes embeddings (N, D), got shape {rows.shape}.")
    gram = rows.T @ rows if rows.shape[0] >= rows.shape[1] else rows @ rows.T
    if not np.isfinite(gram).all() or not np.trace(gram) > 0:
        raise DataError("The effective rank takes finite embeddings that are not all zero.")
    eigenvalues = np.linalg.eigvalsh(gram)
    singular = np.sqrt(eigenvalues[eigenvalues > len(gram) * np.finfo(np.float64).eps * eigenvalues[-1]])
    share = singular / singular.sum()
    return float(np.exp(-np.sum(share * np.log(share))))
