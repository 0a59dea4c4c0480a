"""Class centres of a frame."""

from __future__ import annotations

import numpy as np


def class_centres(embeddings: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Normalised class means (C, D) of embeddings (N, D); rows of NaN for classes without points or direction."""
    members = (labels == np.arange(num_classes)[:, None]).astype(np.float32)
    sums = members @ np.asarray(embeddings, np.float32)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(length > 1e-9, sums / np.maximum(length, 1e-9), np.nan)
