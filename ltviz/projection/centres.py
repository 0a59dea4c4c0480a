"""Class centres of a frame."""

from __future__ import annotations

import numpy as np

from ltviz.geometry.class_sums import class_sums


def class_centres(embeddings: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Normalised class means (C, D) of embeddings (N, D); rows of NaN for classes without points or direction."""
    sums, _ = class_sums(np.asarray(embeddings), labels, num_classes)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(length > 1e-9, sums / np.maximum(length, 1e-9), np.nan)
