"""How often a batch draws each class: the samplers of the decoupling paper (Kang et al., 2020, Section 4.1)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Sampling = Literal["instance", "class-balanced", "square-root", "progressive", "power"]


def class_probabilities(
    sampling: Sampling, counts: NDArray[np.integer], progress: float = 0.0, exponent: float = 1.0
) -> NDArray[np.float64]:
    """(C,) probability that a drawn sample is of each class; within a class all samples are alike.

    Args:
        sampling: with q = 1, 0 or 1/2 the probability goes by n_c to the power q: "instance", "class-balanced",
            "square-root"; "power" takes q as `exponent`; "progressive" mixes the first two, (1 - progress) instance +
            progress class-balanced.
        counts: (C,) training samples per class; a class without samples is never drawn.
        progress: share of the training that is over, 0 to 1; of "progressive" alone.
        exponent: q, of "power" alone.

    >>> class_probabilities("power", np.array([90, 10]), exponent=0.5).round(2)
    array([0.75, 0.25])

    Source: Kang et al. 2020, Eq. 1 and 2; code: classifier-balancing, whose progress goes by epochs instead of steps.
    """
    if sampling == "progressive":
        ends = (class_probabilities("instance", counts), class_probabilities("class-balanced", counts))
        return (1 - progress) * ends[0] + progress * ends[1]
    power = {"instance": 1.0, "class-balanced": 0.0, "square-root": 0.5, "power": exponent}[sampling]
    weights = np.where(counts > 0, counts.astype(np.float64) ** power, 0.0)
    return weights / weights.sum()


class Sampler:
    """Draws samples of a training set class by class.

    Where samples have several labels, a class is drawn first and then one of the samples that show it, as the
    class-aware sampler of Wu et al. 2020 (DB-Loss) does; "instance" draws every sample alike.

    Args:
        labels: (N,) class of each sample, 0 to C - 1; or (N, C) with 1 for every class that a sample shows.
        sampling: how often each class is drawn.
    """

    def __init__(self, labels: NDArray[np.integer], sampling: Sampling):
        self.sampling: Sampling = sampling
        self._num_samples = len(labels)
        if labels.ndim == 2:
            classes, self._order = np.nonzero(labels.T)
            self.counts = np.bincount(classes, minlength=labels.shape[1])
        else:
            self.counts = np.bincount(labels)
            self._order = np.argsort(labels, kind="stable")
        self._first = np.cumsum(self.counts) - self.counts

    def draw(
        self, generator: np.random.Generator, num: int, progress: float, exponent: float = 1.0
    ) -> NDArray[np.int64]:
        """(num,) positions in the training set, with replacement; `progress` and `exponent` as in
        `class_probabilities`."""
        if self.sampling == "instance":
            return generator.integers(self._num_samples, size=num)
        edges = np.cumsum(class_probabilities(self.sampling, self.counts, progress, exponent))
        classes = np.searchsorted(edges / edges[-1], generator.random(num), side="right")
        return self._order[self._first[classes] + generator.integers(self.counts[classes])]
