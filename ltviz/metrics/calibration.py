"""Whether confidence means what it says."""

from __future__ import annotations

import numpy as np

from ltviz.errors import DataError


def expected_calibration_error(confidence: np.ndarray, right: np.ndarray, *, bins: int = 15) -> float:
    """Mean over samples of |accuracy - confidence| of their bin of confidence. 0 is calibrated, at most 1.

    Args:
        confidence: (N,) probability of the predicted class, 0 to 1.
        right: (N,) whether the prediction was right.
        bins: equal-width bins on (0, 1].

    Raises:
        DataError: shapes that do not match, no sample, or a confidence outside 0 ... 1.

    Source: Naeini et al. 2015; Guo et al. 2017, eq. (3), 15 bins.

    Example:
        >>> import numpy as np
        >>> right = np.array([True, False, True])
        >>> round(expected_calibration_error(np.array([0.9, 0.9, 0.6]), right), 3)
        0.4
    """
    p = np.asarray(confidence, dtype=np.float64)
    hit = np.asarray(right, dtype=np.float64)
    if p.ndim != 1 or p.shape != hit.shape or len(p) == 0:
        raise DataError(f"Calibration takes one confidence for each prediction, got shapes {p.shape} and {hit.shape}.")
    if not ((p >= 0) & (p <= 1 + 1e-6)).all():
        raise DataError("A confidence is a probability from 0 to 1; something else was given.")
    place = np.clip(np.ceil(p * bins).astype(np.int64) - 1, 0, bins - 1)
    gap = np.bincount(place, weights=hit - p, minlength=bins)
    return float(np.abs(gap).sum() / len(p))
