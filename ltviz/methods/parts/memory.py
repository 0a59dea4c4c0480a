"""What a method's memory looks like from outside: how much of each class it holds, and how old that is."""

from __future__ import annotations

import torch
from torch import Tensor

from ltviz.marks import Reading
from ltviz.methods.base import MOST_POINTS

QUEUE_READINGS = (
    Reading(
        key="queue_length",
        title="Queue length",
        unit="keys",
        short="How many keys of this class the queue holds now.",
    ),
    Reading(
        key="queue_age",
        title="Queue age",
        unit="steps",
        short="How many training steps ago this class's keys were stored, on average; the encoder has moved since.",
    ),
)


def read_queue(y: Tensor, ages: Tensor, num_classes: int) -> dict[str, Tensor]:
    """Values of `QUEUE_READINGS` for stored keys with labels (K,) and ages in steps (K,): (C,) float32 each."""
    lengths = torch.bincount(y, minlength=num_classes).float()
    sums = torch.zeros_like(lengths).index_add_(0, y, ages.float())
    # 0 / 0 is the NaN of a class that has no keys
    return {"queue_length": lengths, "queue_age": sums / lengths}


def thin(y: Tensor, ages: Tensor) -> Tensor:
    """Indices of at most `MOST_POINTS` of the stored keys with labels (K,) and ages (K,): spread evenly over age, and
    over the classes among keys of one age; all of them where they fit."""
    order = y.argsort(stable=True)
    order = order[ages[order].argsort(stable=True)]
    if len(order) <= MOST_POINTS:
        return order
    return order[torch.arange(MOST_POINTS, device=order.device) * (len(order) - 1) // (MOST_POINTS - 1)]
