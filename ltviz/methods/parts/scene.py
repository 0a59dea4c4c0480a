"""The scene of a what-if: the embeddings of one run, and stand-ins for what another method would meet there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz import geometry

_ROUNDS = 10  # of matching and turning; two or three are enough as a rule


class Queries(NamedTuple):
    """Queries, and what a method with a queue compares them with."""

    query: Tensor
    """(B, D) unit."""
    key: Tensor
    """(B, D) unit, without gradient: each query's own."""
    queue: Tensor
    """(K, D) unit: keys of earlier batches."""
    y: Tensor
    """(B,) int64 classes of the queries and their keys."""
    queue_y: Tensor
    """(K,) int64."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a what-if is asked of. Everything but the batch is made from this run: it is not the other method's state.

    Where this run keeps class directions on its own sphere, as those of CE, logit adjustment and re-weighting do, they
    serve as those of each such method; what a what-if then tells is its loss at this run's directions.

    A queue stands in for the keys that a momentum encoder would have stored: they are embeddings of this run, all of
    one moment. Prototypes, learned centres and directions of a classifier are replaced by this run's class centres, a
    density by the mean of this run's embeddings of the class, targets by the best arrangement there is, turned and
    matched so that it lies as near as possible to this run's centres. Temperatures and other settings that a method
    would have learned are at their starts.
    """

    z: Tensor
    """(B, 2, D) unit: the batch under this run's encoder, in two views; the second serves as the keys."""
    y: Tensor
    """(B,) int64."""
    counts: Tensor
    """(C,) training samples of each class."""
    queue: Tensor
    """(K, D) unit: embeddings of training samples, as often of each class as it has samples."""
    queue_y: Tensor
    """(K,) int64."""
    means: Tensor
    """(C, D) mean embedding of each class, not normalised; zero where none is known."""
    generator: torch.Generator
    """Where positives are drawn from the queue."""
    lent: Tensor | None = None
    """(C, D) unit class directions of this run's own read-out; None where it has none."""

    def with_gradient(self) -> Scene:
        """The same with embeddings that carry a gradient."""
        moved = replace(self, z=self.z.detach().requires_grad_())
        if "targets" in vars(self):
            vars(moved)["targets"] = self.targets
        return moved

    @property
    def queries(self) -> Queries:
        """What a method with a queue compares: the first view with keys that are the second."""
        return Queries(self.z[:, 0], self.z[:, 1].detach(), self.queue, self.y, self.queue_y)

    @property
    def centres(self) -> Tensor:
        """(C, D) unit, or zero where none is known."""
        return F.normalize(self.means, dim=1)

    @property
    def directions(self) -> Tensor:
        """(C, D) unit class directions: this run's own, else its centres."""
        return self.centres if self.lent is None else self.lent

    @cached_property
    def targets(self) -> Tensor:
        """(C, D) unit: row c is class c's."""
        centres = self.centres.double().cpu().numpy()
        return torch.from_numpy(place_targets(centres)).to(self.means)


def place_targets(centres: np.ndarray) -> np.ndarray:
    """Optimal targets (C, D), row c for class c, matched and turned by turns until they lie near the centres (C, D).

    A mirror image is as good as a turn. Where C > D + 1 the arrangement is not symmetric, and another start might find
    a nearer place.
    """
    targets = geometry.optimal_targets(*centres.shape, seed=0)
    matched = geometry.match_targets(centres, targets)
    for _ in range(_ROUNDS):
        targets = targets[matched]
        targets = targets @ geometry.procrustes(targets, centres)
        matched = geometry.match_targets(centres, targets)
        if (matched == np.arange(len(matched))).all():
            break
    return targets
