"""A method with all that a step needs: its optimiser and its own random numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ltviz.data.batch import Batch
from ltviz.methods.base import Method, Step
from ltviz.methods.parts.tracing import steady
from ltviz.recording import Weights
from ltviz.training import graphs, optimiser, weights
from ltviz.training.engine import Engine, growth
from ltviz.training.ledger import Ledger, Row
from ltviz.training.settings import RunSettings

SMALLEST_SCALE = 2.0**-14
"""A gradient scale below which 16 bits will not do: what is halved that often is not finite at all."""
Terms = tuple[int, dict[str, float]]
"""A step, and its numbers by name."""


class Refusal(NamedTuple):
    """A step that was not finite, and the sentence that says so."""

    step: int
    why: str


class Learner:
    """Takes optimiser steps; what it packs is all that it needs to go on bit for bit.

    A step reads nothing from the device: its terms are kept in a ledger, and a step that is not finite is refused
    there, with all that follow it, until `read` says so. Where the settings ask for CUDA graphs, and the method allows
    it, steps are captured and replayed (`graphs.Replays`).

    Args:
        share: rows of this method's batches and the views it takes of each, as `Batch.share` makes them.

    Attributes:
        run: settings of the run; those that are live may be replaced between steps.
        images_seen: images that the steps so far have asked for, each view of a sample an image.
        torn: whether the last step broke off after it had begun to move the weights.
        notes: what was chosen for this method beside what the engine says, a sentence each.
        outdated: whether weights came otherwise than by a step, so that ranks that follow do not have them.
    """

    def __init__(self, method: Method, run: RunSettings, engine: Engine, share: tuple[int, int]):
        self.method, self.run, self.engine = method, run, engine
        self.images_seen, self._share = 0, share
        self._trained = [p for p in method.parameters() if p.requires_grad]
        self.optimizer = optimiser.build(run, method)
        self._scaler = engine.scaler()
        self._ledger = Ledger(engine.device)
        self._stepped = False
        self.torn = self.outdated = False
        captures, self.notes = graphs.choice(method, run, engine)
        make = partial(graphs.CudaGraph, engine.device)
        self._replays = graphs.Replays(method, self._ledger, make) if captures else None
        self._rng_states = [
            torch.Generator(one.device).manual_seed(run.seed).get_state() for one in engine.generators()
        ]

    @property
    def unread(self) -> int:
        """Steps whose terms have not been read."""
        return len(self._ledger)

    def step(self, batch: Batch) -> None:
        """One step of the optimiser, or none at all where a loss term or a gradient is not finite, as `read` tells."""
        batch = self.share(batch)
        rate = optimiser.rate(self.run, batch.step, self.method.setup_.epoch_size)
        if self.engine.device.type == "cuda":
            rate = float(np.float32(rate))  # as a captured step has it, which reads it on the device
        # arguments of the losses are looked at in the first step, where a plug-in may be wrong about them
        with self.own_rng(), steady(checked=not self._stepped):
            if self._replays is None:
                self._work(batch, rate)
            else:
                self.torn = True
                # all that the work takes of the run's settings: the others may move
                self._replays.step(batch, rate, self._work, self.optimizer, numbers=(self.run.weight_decay,))
        self.images_seen += batch.images
        self._stepped, self.torn = True, False

    def _work(self, batch: Batch, rate: float | Tensor) -> None:
        """All that a step does to weights and buffers; the rate is a 0-d tensor on the device in a capture."""
        for group in self.optimizer.param_groups:
            group["lr"], group["weight_decay"] = rate, self.run.weight_decay
        with self.engine.autocast():
            step = Step.of(self.method.losses(batch), batch)
            total = self.method.weigh(step)
        self._ledger.note(batch.step, 0.0 if isinstance(rate, Tensor) else rate, step, total)
        self._descend(total)
        self.method.after_step(step)

    def _descend(self, total: Tensor) -> None:
        """Moves the weights down the gradient of `total`, unless a step has been refused."""
        for parameter in self._trained:
            parameter.grad = None
        if self._scaler is not None:
            # a step that 16 bits are too narrow for is left out, and the next one is scaled less: that is no refusal
            self._ledger.judge([])
            spoil = torch.ones_like(self._ledger.refused).masked_fill(self._ledger.refused > 0, torch.nan)
            self._scaler.scale(total * spoil).backward()  # NaN gradients are left out, as those that overflow are
            self._sum_gradients()
            self.torn = True
            self._scaler.step(self.optimizer)
            self._scaler.update()
            return
        self.engine.fabric.backward(total)
        self._sum_gradients()
        self.torn = True
        self._ledger.judge([p.grad for p in self._trained if p.grad is not None])
        if self.engine.is_fused(self.optimizer):
            self.optimizer.found_inf = self._ledger.refused  # pyright: ignore[reportAttributeAccessIssue]
            self.optimizer.step()
        elif not bool(self._ledger.refused):
            self.optimizer.step()

    def _sum_gradients(self) -> None:
        if self.engine.ranks is not None:
            self.engine.ranks.sum_gradients(self.method, self._trained)

    def renew(self) -> None:
        """A fresh optimiser: what the old one remembered of earlier gradients is gone."""
        self.optimizer = optimiser.build(self.run, self.method)

    def share(self, batch: Batch) -> Batch:
        """This method's own batch, of one that all methods of a race have in common."""
        return batch.share(*self._share)

    # ------------------------------------------------------------------ what the steps have brought

    def read(self, again: Callable[[int], Batch]) -> tuple[list[Terms], Refusal | None]:
        """The terms of the steps since the last reading, up to one that was refused; waits for the device.

        Args:
            again: gives the batch of a step once more, to look for the term whose gradient is not finite.

        Returns:
            Each step with its loss terms, their weighed sum "total" and the "learning_rate"; and what was refused.
            The weights are those of the step before then, and no further step changes them.
        """
        found: list[Terms] = []
        for row in self._ledger.read():
            if row.refused:
                return found, Refusal(row.step, self._why(row, again))
            found.append((row.step, {**row.terms, "learning_rate": row.rate}))
        if found and self._scaler is not None and self._scaler.get_scale() < SMALLEST_SCALE:
            row = found[-1][0]
            return found, Refusal(row, self._sentence(row, "its gradient is not finite at any scale of 16 bits"))
        return found, None

    def _why(self, row: Row, again: Callable[[int], Batch]) -> str:
        bad = row.bad
        if bad is not None:
            return self._sentence(row.step, f"loss term {bad!r} is {row.terms[bad]}", row.rate)
        with self.own_rng():
            bad = self._bad_term(self.share(again(row.step)))
        return self._sentence(row.step, f"the gradient of loss term {bad!r} is not finite", row.rate)

    def _sentence(self, step: int, why: str, rate: float | None = None) -> str:
        at = "" if rate is None else f" at learning rate {rate:.3g}"
        return (
            f"{self.method.card.name} stopped at step {step} of {self.run.steps} because {why}{at}; "
            "try a lower learning rate"
        )

    def _bad_term(self, batch: Batch) -> str:
        """Name of the loss term with the bad gradient: the step is lost anyway, so each is computed once more."""
        for name, term in self.method.losses(batch).items():
            if not term.requires_grad:
                continue
            gradients = torch.autograd.grad(term, self._trained, retain_graph=True, allow_unused=True)
            if not all(bool(g.isfinite().all()) for g in gradients if g is not None):
                return name
        return "total"

    def bytes_of(self, batch: Batch, rows: int) -> int:
        """Memory that a step of the first `rows` samples takes; for a learner that takes no further steps."""
        batch = batch.share(rows, 1)
        with self.own_rng(), steady(checked=False), growth(self.engine.device) as grown:
            with self.engine.autocast():
                total = self.method.weigh(Step.of(self.method.losses(batch), batch))
            torch.autograd.grad(total, self._trained, allow_unused=True)
        return grown.bytes

    @contextmanager
    def own_rng(self) -> Iterator[None]:
        """torch's global generators are the learner's own inside: dropout in a race draws what it draws alone."""
        generators = self.engine.generators()
        outside = [one.get_state() for one in generators]
        for one, state in zip(generators, self._rng_states, strict=True):
            one.set_state(state)
        try:
            yield
        finally:
            self._rng_states = [one.get_state() for one in generators]
            for one, state in zip(generators, outside, strict=True):
                one.set_state(state)

    def chance(self) -> list[str]:
        """States of all random generators that a step draws from, as text."""
        return [weights.pack_rng_state(one) for one in (self.method.setup_.generator.get_state(), *self._rng_states)]

    def set_chance(self, states: Sequence[str]) -> None:
        """Goes back to what `chance` gave."""
        own, *others = (weights.unpack_rng_state(one) for one in states)
        self.method.setup_.generator.set_state(own)
        self._rng_states = others

    # ------------------------------------------------------------------ weights

    def is_sound(self) -> bool:
        """Whether one could go on from here: all numbers are finite, and no step broke off half-way."""
        return not self.torn and weights.all_finite(self.pack()[0])

    def pack(self) -> tuple[dict[str, weights.Arrays], dict[str, Any]]:
        """Tensors by group, and JSON values, for `save_weights`."""
        tensors = {
            "model": weights.pack_module(self.method),
            "optimizer": weights.pack_optimizer(self.optimizer, self.method),
        }
        state = {
            "settings": self.method.settings.model_dump(mode="json"),
            "run": self.run.model_dump(mode="json"),
            "generator": weights.pack_rng_state(self.method.setup_.generator.get_state()),
            "images_seen": self.images_seen,
            "chance": weights.pack_rng_state(self._rng_states[0]),  # so named in every state.json since the first
        }
        if len(self._rng_states) > 1:
            state["chance_of_device"] = [weights.pack_rng_state(one) for one in self._rng_states[1:]]
        if self._scaler is not None:
            state["scaler"] = self._scaler.state_dict()
        return tensors, state

    def unpack(self, saved: Weights) -> None:
        """Goes back to what `pack` gave; the device stays that of this attempt.

        Raises:
            RecordingError: weights that belong to another method.
        """
        state = saved.state
        weights.unpack_module(self.method, saved.tensors["model"])
        weights.unpack_optimizer(self.optimizer, self.method, saved.tensors["optimizer"])
        self.images_seen = int(state["images_seen"])
        self.method.settings = type(self.method).Settings.model_validate(state["settings"])
        here = self.run.model_dump(include={"device", "devices", "nodes"})
        self.run = RunSettings.model_validate({**state["run"], **here})
        self.method.setup_.generator.set_state(weights.unpack_rng_state(state["generator"]))
        chance = [state["chance"], *state.get("chance_of_device", [])][: len(self._rng_states)]
        self._rng_states[: len(chance)] = [weights.unpack_rng_state(one) for one in chance]
        if self._scaler is not None and state.get("scaler"):
            self._scaler.load_state_dict(state["scaler"])
