"""The tug: who pulls and pushes each embedding of a batch, and how hard."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

GROUPS = ("head", "medium", "tail")
LARGEST = 2**26
"""Weights that one tug may have; a split needs a few arrays of this size."""


class TooManyWeights(ValueError):
    """A batch and its partners are too many for their weights to be held at once."""


@dataclass(frozen=True, kw_only=True)
class Tug:
    """What one loss term does to the R rows of a batch, views after one another, through dot products with K partners.

    Partners are samples, keys, prototypes, targets, directions of a classifier. Where rows are partners of each other,
    a weight holds both what row i feels as an anchor and what it feels as row k's partner.
    """

    partners: Tensor
    """(K, D)."""
    classes: Tensor
    """(K,) int64, the class of each partner."""
    weights: Tensor
    """(R, K): minus the derivative of the mean loss by each dot product; above 0 pulls, below pushes."""
    positives: Tensor
    """(R, K) bool: what the loss takes for positive."""
    targets: Tensor | None = None
    """(K,) bool: partners that are fixed targets; none where left out."""
    prior: Tensor | None = None
    """(R, K): the share of `weights` that is due to the training counts; none where left out."""

    def scaled(self, factor: float) -> Tug:
        """The same for the loss times `factor`."""
        if factor == 1:
            return self
        prior = None if self.prior is None else factor * self.prior
        return replace(self, weights=factor * self.weights, prior=prior)

    def split(self, group_of: Tensor) -> dict[str, Tensor]:
        """What each kind of partner does, (R, D) each and not yet tangent.

        Args:
            group_of: (C,) int64, the shot group of each class, 0 head, 1 medium, 2 tail.

        Returns:
            "positives"; "head", "medium" and "tail" of all other partners; "targets" and "prior" where there are any.
        """
        weights = self.weights if self.prior is None else self.weights - self.prior
        found = {}
        if self.targets is not None:
            found["targets"] = (weights * self.targets) @ self.partners
            weights = weights * ~self.targets
        if self.prior is not None:
            found["prior"] = self.prior @ self.partners
        pushing, group = weights.masked_fill(self.positives, 0.0), group_of[self.classes]
        for i, name in enumerate(GROUPS):
            found[name] = pushing[:, group == i] @ self.partners[group == i]
        found["positives"] = weights @ self.partners - found["head"] - found["medium"] - found["tail"]
        return found


def similarities(rows: Tensor, partners: Tensor) -> Tensor:
    """Dot products of rows (R, D) and partners (K, D), (R, K).

    Raises:
        TooManyWeights: more than `LARGEST`.
    """
    if len(rows) * len(partners) > LARGEST:
        raise TooManyWeights(
            f"forces hold a weight for each row and partner, at most {LARGEST:,}, but here are {len(rows):,} rows x "
            f"{len(partners):,} partners; try a smaller batch or queue"
        )
    return rows @ partners.T


def shares(logits: Tensor) -> Tensor:
    """Softmax over the columns of logits (R, K); 0 in a row that is minus infinity throughout."""
    return logits.softmax(1).nan_to_num(0.0)


def own_column(num: int, like: Tensor) -> Tensor:
    """(num, num) bool, true on the diagonal: each row's own key, caption or self."""
    return torch.eye(num, dtype=torch.bool, device=like.device)
