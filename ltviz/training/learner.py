"""A method with all that a step needs: its optimiser and its own random numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from ltviz.data.batch import Batch
from ltviz.errors import TrainingError
from ltviz.methods.base import Method, Step
from ltviz.recording import Weights
from ltviz.training import optimiser, weights
from ltviz.training.engine import Engine
from ltviz.training.settings import RunSettings


class Learner:
    """Takes optimiser steps; what it packs is all that it needs to go on bit for bit.

    Args:
        share: rows of this method's batches and the views it takes of each, as `Batch.share` makes them.

    Attributes:
        run: settings of the run; those that are live may be replaced between steps.
        images_seen: images that the steps so far have asked for, each view of a sample an image.
    """

    def __init__(self, method: Method, run: RunSettings, engine: Engine, share: tuple[int, int]):
        self.method, self.run, self.engine = method, run, engine
        self.images_seen, self._share = 0, share
        self._optimizer = optimiser.build(run, method)
        self._rng_state = torch.Generator().manual_seed(run.seed).get_state()

    def step(self, batch: Batch) -> dict[str, float]:
        """One step of the optimiser; gives the loss terms, their weighed sum "total" and the "learning_rate".

        Raises:
            TrainingError: a loss term or a gradient is not finite; the weights are those of the step before.
        """
        batch = self.share(batch)
        rate = optimiser.rate(self.run, batch.step, self.method.setup_.epoch_size)
        for group in self._optimizer.param_groups:
            group["lr"], group["weight_decay"] = rate, self.run.weight_decay
        with self.own_rng():
            with self.engine.autocast():
                step = Step.of(self.method.losses(batch), batch)
                total = self.method.weigh(step)
            self._optimizer.zero_grad(set_to_none=True)
            self.engine.fabric.backward(total)
            values = self._check(step, total, rate)
            self._optimizer.step()
            self.method.after_step(step)
        self.images_seen += batch.images
        return {**values, "learning_rate": rate}

    def renew(self) -> None:
        """A fresh optimiser: what the old one remembered of earlier gradients is gone."""
        self._optimizer = optimiser.build(self.run, self.method)

    def share(self, batch: Batch) -> Batch:
        """This method's own batch, of one that all methods of a race have in common."""
        return batch.share(*self._share)

    def _check(self, step: Step, total: Tensor, rate: float) -> dict[str, float]:
        """The terms and their sum as numbers; refuses what is not finite. One transfer from the device."""
        batch = step.batch
        gradients = [p.grad for p in self.method.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        numbers = torch.stack([x.detach().float() for x in (*step.values(), total, norm)]).tolist()
        named = dict(zip([*step, "total"], numbers[:-1], strict=True))
        bad = next((f"loss term {name!r} is {x}" for name, x in named.items() if not math.isfinite(x)), None)
        # A norm may overflow where every entry is finite, so the entries decide.
        if bad is None and not math.isfinite(numbers[-1]) and not all(bool(g.isfinite().all()) for g in gradients):
            bad = f"the gradient of loss term {self._bad_term(batch)!r} is not finite"
        if bad is not None:
            raise TrainingError(
                f"{self.method.card.name} stopped at step {batch.step} of {self.run.steps} because {bad} at learning "
                f"rate {rate:.3g}; the weights of step {batch.step - 1} are kept; try a lower learning rate"
            )
        return named

    def _bad_term(self, batch: Batch) -> str:
        """Name of the loss term with the bad gradient: the step is lost anyway, so each is computed once more."""
        parameters = [p for p in self.method.parameters() if p.requires_grad]
        for name, term in self.method.losses(batch).items():
            if not term.requires_grad:
                continue
            gradients = torch.autograd.grad(term, parameters, retain_graph=True, allow_unused=True)
            if not all(bool(g.isfinite().all()) for g in gradients if g is not None):
                return name
        return "total"

    @contextmanager
    def own_rng(self) -> Iterator[None]:
        """torch's global generator is the learner's own inside: dropout in a race draws what it draws alone."""
        outside = torch.get_rng_state()
        torch.set_rng_state(self._rng_state)
        try:
            yield
        finally:
            self._rng_state = torch.get_rng_state()
            torch.set_rng_state(outside)

    # ------------------------------------------------------------------ weights

    def pack(self) -> tuple[dict[str, weights.Arrays], dict[str, Any]]:
        """Tensors by group, and JSON values, for `save_weights`."""
        tensors = {
            "model": weights.pack_module(self.method),
            "optimizer": weights.pack_optimizer(self._optimizer, self.method),
        }
        state = {
            "settings": self.method.settings.model_dump(mode="json"),
            "run": self.run.model_dump(mode="json"),
            "generator": weights.pack_rng_state(self.method.setup_.generator.get_state()),
            "images_seen": self.images_seen,
            "chance": weights.pack_rng_state(self._rng_state),  # so named in every state.json since the first
        }
        return tensors, state

    def unpack(self, saved: Weights) -> None:
        """Goes back to what `pack` gave; the device stays that of this attempt.

        Raises:
            RecordingError: weights that belong to another method.
        """
        state = saved.state
        weights.unpack_module(self.method, saved.tensors["model"])
        weights.unpack_optimizer(self._optimizer, self.method, saved.tensors["optimizer"])
        self.images_seen = int(state["images_seen"])
        self.method.settings = type(self.method).Settings.model_validate(state["settings"])
        self.run = RunSettings.model_validate({**state["run"], "device": self.run.device})
        self.method.setup_.generator.set_state(weights.unpack_rng_state(state["generator"]))
        self._rng_state = weights.unpack_rng_state(state["chance"])
