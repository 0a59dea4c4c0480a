"""The momentum copy: a slow shadow of a trained module, which gives the keys of a contrast."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class MomentumCopy(nn.Module):
    """Gives the module's output without gradient; its weights follow those of the trained one.

    Batch-norm statistics are its own and not averaged, as in the official MoCo.
    """

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = copy.deepcopy(module).requires_grad_(False)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return self.module(x)

    @torch.no_grad()
    def follow(self, trained: nn.Module, momentum: float) -> None:
        """weights <- momentum * weights + (1 - momentum) * those of `trained`."""
        for slow, fast in zip(self.module.parameters(), trained.parameters(), strict=True):
            slow.lerp_(fast, 1 - momentum)
