"""Class centres of a frame."""

from __future__ import annotations

import numpy as np

from ltviz.geometry.class_sums import class_sums


def training_labels(labels: np.ndarray, split: np.ndarray | None) -> np.ndarray:
    """(N,) labels of the samples that centres are of, -1 for the others: training samples, of which theory speaks, and
    all samples of a class that has no training sample here. All labels where nobody knows the split.

    Args:
        labels: (N,) ints; -1 is a sample without a label.
        split: (N,) 0 for train, as in a probe; None where it is unknown.

    Example:
        >>> training_labels(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])).tolist()
        [0, -1, 1, 1]
    """
    if split is None:
        return labels
    train = split == 0
    return np.where(train | ~np.isin(labels, labels[train]), labels, -1)


def class_centres(embeddings: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Normalised class means (C, D) of embeddings (N, D); rows of NaN for classes without points or direction."""
    sums, _ = class_sums(np.asarray(embeddings), labels, num_classes)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(length > 1e-9, sums / np.maximum(length, 1e-9), np.nan)
