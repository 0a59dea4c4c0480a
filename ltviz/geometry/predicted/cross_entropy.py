"""Where cross-entropy ends under a vanishing ridge: SELI, in closed form."""

from __future__ import annotations

import numpy as np

from ltviz.geometry.predicted.prediction import Prediction, checked_counts, checked_dim, into
from ltviz.geometry.threads import one_blas_thread


@one_blas_thread()
def predicted_ce(counts: object, *, dim: int | None = None) -> Prediction:
    r"""Class means and classifier of cross-entropy on free features with a vanishing ridge: SELI.

    With P = I - 11'/C and the decomposition P diag(sqrt n) = V S X' (C x C, rank C - 1), the classifier's rows are
    those of V S^(1/2) and the class means those of diag(n)^(-1/2) X S^(1/2), so that w_c . h_k = P_ck. The penalty is
    |W|^2 + sum_i |h_i|^2 over *samples*: a class pays for its features as often as it has samples. Tail rows of the
    classifier close up with the imbalance while tail means open and are the longer ones; no two ever meet.

    A ridge that vanishes is a limit that comes slowly: 1e-12 is still two degrees off at an imbalance of 100.

    Args:
        counts: (C,) above 0, C >= 2; only their ratios matter for angles and relative lengths. A thousand classes take
            a second.
        dim: D, C - 1 or more; without it C - 1.

    Returns:
        `means` and `weights` (C, C - 1), or (C, D) where `dim` is given; `value` is the nuclear norm of
        P diag(sqrt n), the least with which all margins are 1.

    Raises:
        ConfigError: counts or dim that break these rules.

    Source: Thrampoulidis et al. 2022, "Imbalance trouble: revisiting neural-collapse geometry" (SELI).

    Example:
        >>> found = predicted_ce([100] * 5 + [1] * 5)
        >>> [round(float(angles[8, 9]), 2) for angles in (found.weight_angles, found.mean_angles)]
        [70.24, 103.2]
    """
    n = checked_counts("predicted_ce", counts)
    checked_dim("SELI", len(n), dim)
    root = np.sqrt(n)
    centred = np.diag(root) - root[None, :] / len(n)
    left, singular, right = np.linalg.svd(centred)
    rank = len(n) - 1
    scale = np.sqrt(singular[:rank])
    return Prediction(
        title="SELI",
        means=into(right[:rank].T * scale / root[:, None], dim),
        weights=into(left[:, :rank] * scale, dim),
        value=float(singular[:rank].sum()),
        gap=0.0,
        basis="proven",
        penalty="a vanishing ridge on the classifier and on every sample's feature, so that classes pay by samples",
        source="Thrampoulidis et al. 2022 (SELI)",
    )
