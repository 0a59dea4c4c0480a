"""Running means: what the last steps brought to each class, for people to read; training never looks at them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ltviz.methods.parts.anchors import class_sizes

SLOWEST = 0.05
"""Share of a new step in the mean: it forgets over about 20 steps that hold the class."""


class RunningMean(nn.Module):
    """A running mean by class of a number that every sample of a step brings.

    The first steps count alike, later ones fade exponentially; a step without a class leaves that class as it is. All
    state lies in buffers and is saved with the weights.
    """

    def __init__(self, num_classes: int):
        super().__init__()
        self.register_buffer("means", torch.zeros(num_classes))
        self.register_buffer("steps", torch.zeros(num_classes, dtype=torch.int64))
        self.means: Tensor
        self.steps: Tensor
        allow_absent(self, "means", "steps")

    @torch.no_grad()
    def take(self, values: Tensor, y: Tensor) -> None:
        """Take in the numbers (R,) of samples with labels (R,)."""
        amounts = class_sizes(y, len(self.means))
        sums = torch.zeros_like(self.means).index_add_(0, y, values.to(self.means.dtype))
        self.take_means(sums / amounts.clamp_min(1), amounts)

    @torch.no_grad()
    def take_means(self, means: Tensor, amounts: Tensor) -> None:
        """As `take`, of what is known by class already: means (C,) and how many samples there are, (C,) int64."""
        seen = amounts > 0
        self.steps += seen
        share = (1 / self.steps.clamp_min(1)).clamp_min(SLOWEST).to(self.means.dtype) * seen
        self.means.lerp_(means.to(self.means.dtype), share)

    def read(self) -> Tensor:
        """(C,) means; NaN for a class that no step has held."""
        return self.means.masked_fill(self.steps == 0, torch.nan)


def allow_absent(module: nn.Module, *names: str) -> None:
    """Let weights load that were saved before the module kept these buffers, which stay as they are then."""

    def fill(module: nn.Module, state: dict[str, Any], prefix: str, *_: object) -> None:
        for name in names:
            state.setdefault(prefix + name, module.get_buffer(name))

    module.register_load_state_dict_pre_hook(fill)
