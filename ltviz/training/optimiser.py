"""The optimiser of a method, and its learning rate at each step."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from ltviz.training.settings import RunSettings
from ltviz.training.timetable import parse_milestones, parse_switches

_add = torch._foreach_add_  # pyright: ignore[reportPrivateImportUsage]
_subtract = torch._foreach_sub_  # pyright: ignore[reportPrivateImportUsage]
_move = torch._fused_adamw_  # pyright: ignore[reportPrivateImportUsage]


class LeanAdamW(torch.optim.AdamW):
    """`torch.optim.AdamW(fused=True)`, bit for bit, in about half of its time for a small network: what it finds
    out about its tensors at each step, and they never change, is known of one group on one device in one dtype. Hooks
    and marks for the profiler around a step, which take as long again, are left out."""

    def __init__(self, trained: list[nn.Parameter], *, lr: float, weight_decay: float):
        super().__init__(trained, lr=lr, weight_decay=weight_decay, fused=True)
        self._alike = len({(p.device, p.dtype, p.layout) for p in trained}) == 1

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        (group,) = self.param_groups
        moved = [p for p in group["params"] if p.grad is not None]
        states = [state for p in moved if (state := self.state.get(p))]
        usual = self._alike and 0 < len(moved) == len(states)  # the first step of a parameter makes its state
        if closure or not usual or getattr(self, "grad_scale", None) is not None:
            return super().step(closure)
        refused = getattr(self, "found_inf", None)
        steps = [state["step"] for state in states]
        _add(steps, 1)
        _move(
            moved,
            [p.grad for p in moved],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            steps,
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
            found_inf=refused,
        )
        if refused is not None:
            _subtract(steps, [refused] * len(steps))
        return None


# torch wraps the step of a class that does not say that it is wrapped
LeanAdamW.step.hooked = True  # pyright: ignore[reportFunctionMemberAccess]


def build(run: RunSettings, method: nn.Module) -> torch.optim.Optimizer:
    """A fresh optimiser of all that the method trains; rate and decay are those of the settings until they are set.

    Weight decay is AdamW's own in AdamW, and part of the gradient in SGD, as in the papers' code.
    """
    trained = [p for p in method.parameters() if p.requires_grad]
    if run.optimizer == "adamw":
        return LeanAdamW(trained, lr=run.learning_rate, weight_decay=run.weight_decay)
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
