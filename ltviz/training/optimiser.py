"""The optimiser of a method, and its learning rate at each step."""

from __future__ import annotations

import math

import torch
from torch import nn

from ltviz.training.settings import RunSettings
from ltviz.training.timetable import parse_milestones, parse_switches


def build(run: RunSettings, method: nn.Module) -> torch.optim.Optimizer:
    """A fresh optimiser of all that the method trains; rate and decay are those of the settings until they are set.

    Weight decay is AdamW's own in AdamW, and part of the gradient in SGD, as in the papers' code.
    """
    trained = [p for p in method.parameters() if p.requires_grad]
    if run.optimizer == "adamw":
        return torch.optim.AdamW(trained, lr=run.learning_rate, weight_decay=run.weight_decay, fused=True)
    return torch.optim.SGD(
        trained,
        lr=run.learning_rate,
        momentum=run.momentum,
        weight_decay=run.weight_decay,
        nesterov=run.nesterov,
        fused=True,
    )


def rate(run: RunSettings, step: int, training_size: float) -> float:
    """The learning rate of training step `step`, from 1.

    In a stretch of n steps, after a warm-up of w that climbs in equal parts, the t-th (from 0) has, for a cosine,

        last + (rate - last) (1 + cos(pi (t - w) / (n - w))) / 2,    last = final_rate * rate,

    and otherwise rate * decay_factor^(milestones passed), or `rate`. A stretch is the whole training, or reaches from
    one switch that renews the optimiser to the next; milestones count from its beginning. With `rate_every` "epoch" the
    same is said of epochs instead of steps, and holds for all steps of an epoch.

    Args:
        training_size: samples of an epoch.
    """
    begin, end = _stretch(run, step)
    epoch = training_size / run.batch_size  # in steps
    at, length, warm = float(step - 1 - begin), float(end - begin), run.warmup * epoch
    if run.rate_every == "epoch":
        # the last epoch may lack half a step, or have half a step more: how many steps there are is rounded
        at, length, warm = float(at // epoch), float(math.ceil((length - 0.5) / epoch)), run.warmup
    if at < warm:
        return run.learning_rate * min(1.0, (at + 1) / warm)
    if run.schedule == "constant":
        return run.learning_rate
    if run.schedule == "step":
        epochs_done = at if run.rate_every == "epoch" else at / epoch
        passed = sum(epochs_done >= milestone for milestone in parse_milestones(run.milestones))
        return run.learning_rate * run.decay_factor**passed
    last = run.final_rate * run.learning_rate
    return last + (run.learning_rate - last) * 0.5 * (1 + math.cos(math.pi * (at - warm) / (length - warm)))


def _stretch(run: RunSettings, step: int) -> tuple[int, int]:
    """Steps before the stretch that `step` lies in, and its last step."""
    starts = [switch.first_step(run.steps) for switch in parse_switches(run.switches) if switch.renew]
    begin = max((start - 1 for start in starts if start <= step), default=0)
    return begin, min((start - 1 for start in starts if start > step), default=run.steps)
