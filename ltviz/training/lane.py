"""One method of a race: its model, its optimiser, its recording. The race decides when; the lane does."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltviz.errors import DiskFull, TrainingError
from ltviz.methods.base import Batch, Method, Settings
from ltviz.recording import Request, RunWriter, State, load_weights, save_weights
from ltviz.training import controls, weights
from ltviz.training.engine import Engine
from ltviz.training.forces import ForceGauge, Forces, parse_what_if
from ltviz.training.observer import Observer
from ltviz.training.probe import ProbeSet
from ltviz.training.settings import RunSettings
from ltviz.training.teachers import Recipe

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended."""

    path: Path
    method: str
    state: str
    reason: str | None
    step: int
    frames: int
    seconds: float
    ms_per_step: float
    watch_share: float
    metrics: dict[str, float]


class Lane:
    """A method on its way through the steps.

    Attributes:
        step: last step that changed the weights; 0 before training.
        teacher: whom the method learns from.
        writer: the run's recording; whoever opens the lane sets it.
        ended: state and reason, once the lane has left the race.
        frames, steps_here: frames written and steps trained since the lane began.
        last_frame, last_logged: last step that the recording has a frame or a line of loss terms of, -1 for none.
        seconds, seconds_before: of training up to the last frame; up to the end of earlier attempts.
    """

    def __init__(
        self,
        path: Path,
        method: Method,
        run: RunSettings,
        engine: Engine,
        probe: ProbeSet,
        watched: Batch,
        teacher: Recipe | None = None,
    ):
        self.path, self.method, self.run, self.engine = path, method, run, engine
        self.teacher = teacher
        self.name = method.card.name
        self.writer: RunWriter | None = None
        self.step = self.frames = self.steps_here = 0
        self.last_frame = self.last_logged = self._saved = -1
        self.ended: tuple[str, str | None] | None = None
        self.metrics: dict[str, float] = {}
        self.seconds_before = self.seconds = 0.0
        self._events: list[controls.Event] = []
        self._unlogged: list[tuple[int, dict[str, float]]] = []
        self._replay: dict[int, dict[str, Any]] = {}
        self._busy = 0.0
        self._optimizer = torch.optim.AdamW(
            [p for p in method.parameters() if p.requires_grad], lr=run.learning_rate, fused=True
        )
        self._chance = torch.Generator().manual_seed(run.seed).get_state()
        self._observer = Observer(probe, watched, engine.device)
        self._gauge = ForceGauge(probe, method.counts, run.seed)
        self._matched: np.ndarray | None = None

    @property
    def active(self) -> bool:
        return self.ended is None

    # ------------------------------------------------------------------ training

    def train(self, batch: Batch) -> None:
        """One step of the optimiser, or none at all where the loss or its gradient is not finite.

        Raises:
            TrainingError: a loss term or a gradient is not finite; the weights are those of the step before.
        """
        begin = time.perf_counter()
        if batch.step in self._replay:
            self.set(self._replay.pop(batch.step), batch.step, note=False)
        rate = self.run.learning_rate * 0.5 * (1 + math.cos(math.pi * (batch.step - 1) / self.run.steps))
        for group in self._optimizer.param_groups:
            group["lr"], group["weight_decay"] = rate, self.run.weight_decay
        with self._own_chance():
            with self.engine.autocast():
                terms = self.method.losses(batch)
                total = self.method.weigh(terms)
            self._optimizer.zero_grad(set_to_none=True)
            self.engine.fabric.backward(total)
            values = self._check(terms, total, batch, rate)
            self._optimizer.step()
            self.method.after_step()
        self.step = batch.step
        if batch.step > self.last_logged:
            self._unlogged.append((batch.step, {**values, "learning_rate": rate}))
            with contextlib.suppress(DiskFull):  # the next frame waits for room
                self._log()
        self._busy += time.perf_counter() - begin
        self.steps_here += 1

    def _check(self, terms: dict[str, Tensor], total: Tensor, batch: Batch, rate: float) -> dict[str, float]:
        """The terms and their sum as numbers; refuses what is not finite. One transfer from the device."""
        gradients = [p.grad for p in self.method.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        numbers = torch.stack([x.detach().float() for x in (*terms.values(), total, norm)]).tolist()
        named = dict(zip([*terms, "total"], numbers[:-1], strict=True))
        bad = next((f"loss term {name!r} is {x}" for name, x in named.items() if not math.isfinite(x)), None)
        # A norm may overflow where every entry is finite, so the entries decide.
        if bad is None and not math.isfinite(numbers[-1]) and not all(bool(g.isfinite().all()) for g in gradients):
            bad = f"the gradient of loss term {self._bad_term(batch)!r} is not finite"
        if bad is not None:
            raise TrainingError(
                f"{self.name} stopped at step {batch.step} of {self.run.steps} because {bad} at learning rate "
                f"{rate:.3g}; the weights of step {batch.step - 1} are kept; try a lower learning rate"
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
    def _own_chance(self) -> Iterator[None]:
        """torch's global generator is the lane's own inside: dropout in a race draws what it draws alone."""
        outside = torch.get_rng_state()
        torch.set_rng_state(self._chance)
        try:
            yield
        finally:
            self._chance = torch.get_rng_state()
            torch.set_rng_state(outside)

    # ------------------------------------------------------------------ settings

    def set(self, values: dict[str, Any], step: int, *, note: bool = True) -> list[controls.Event]:
        """Changes settings from training step `step` on; gives the events, which the next frame will hold."""
        (settings, run), events = controls.change(
            values, self.method.settings, self.run, step=step, check=self._check_what_if
        )
        assert isinstance(settings, Settings) and isinstance(run, RunSettings)
        self.method.settings, self.run = settings, run
        if note:
            self._events.extend(events)
        return events

    def _check_what_if(self, model: object) -> None:
        """ConfigError for run settings that name methods which cannot be imagined."""
        if isinstance(model, RunSettings):
            parse_what_if(model.what_if, several_labels=self.method.several_labels)

    def note(self, kind: str, **more: Any) -> None:
        """Adds an event to the next frame."""
        self._events.append({"kind": kind, "step": self.step, **more})

    # ------------------------------------------------------------------ recording

    def record(self, elapsed: float, upcoming: Batch) -> None:
        """Writes the frame of the current step, `elapsed` seconds into this attempt; none where it is recorded already.

        `upcoming` is the batch of the next step, whose forces the frame holds.

        Raises:
            DiskFull: nothing was written; try again.
        """
        self._log()
        if self.step <= self.last_frame or self.writer is None:
            return
        with self._own_chance():
            seen = self._observer.look(self.method)
            forces = self._measure_forces(upcoming, seen.frame["embeddings"])
        self._note_swaps(seen.matched)
        self.writer.frame(
            self.step,
            **seen.frame,
            forces=forces,
            epoch=self.step * self.run.batch_size / self.method.setup_.training_size,
            seconds=self.seconds_before + elapsed,
            events=tuple(self._events),
        )
        self._events.clear()
        self.last_frame, self.metrics, self.seconds = self.step, seen.metrics, self.seconds_before + elapsed
        self.frames += 1

    def _measure_forces(self, upcoming: Batch, embeddings: np.ndarray) -> Forces:
        """The forces of the next step, where this frame is to have them."""
        every, last = self.run.forces_every, self.step >= self.run.steps
        if not every or (self.frames % every and not last):
            return {}
        names = parse_what_if(self.run.what_if, several_labels=self.method.several_labels)
        try:
            return self._gauge.measure(self.method, upcoming, embeddings, names)
        except Exception as error:  # costs no frame: the step that follows does the same, and ends the run by the rules
            log.warning("%s: no forces at step %d: %s: %s", self.name, self.step, type(error).__name__, error)
            return {}

    def _note_swaps(self, matched: np.ndarray | None) -> None:
        """Adds an event where classes have been given other targets since the frame before."""
        if matched is None:
            return
        moved = [] if self._matched is None else np.flatnonzero(matched != self._matched).tolist()
        if moved:
            self.note("swap", classes=moved)
        self._matched = matched

    def _log(self) -> None:
        """Writes the loss terms that wait."""
        while self._unlogged and self.writer:
            self.writer.log(*self._unlogged[0])
            del self._unlogged[0]

    # ------------------------------------------------------------------ weights

    def save(self) -> None:
        """Writes weights/<step>/, unless they are there."""
        if self._saved == self.step:
            return
        state = {
            "settings": self.method.settings.model_dump(mode="json"),
            "run": self.run.model_dump(mode="json"),
            "generator": weights.pack_chance(self.method.setup_.generator.get_state()),
            "chance": weights.pack_chance(self._chance),
        }
        tensors = {
            "model": weights.pack_module(self.method),
            "optimizer": weights.pack_optimizer(self._optimizer, self.method),
        }
        save_weights(self.path, self.step, tensors, state)
        self._saved = self.step

    def restore(self) -> None:
        """Goes back to the last saved weights, where there are any.

        Raises:
            RecordingError: weights that cannot be read or belong to another method.
        """
        saved = load_weights(self.path)
        state = saved.state
        weights.unpack_module(self.method, saved.tensors["model"])
        weights.unpack_optimizer(self._optimizer, self.method, saved.tensors["optimizer"])
        self.method.settings = type(self.method).Settings.model_validate(state["settings"])
        self.run = RunSettings.model_validate({**state["run"], "device": self.run.device})
        self.method.setup_.generator.set_state(weights.unpack_chance(state["generator"]))
        self._chance = weights.unpack_chance(state["chance"])
        self.step = self._saved = saved.step

    def learn_from(self, teacher: Path) -> None:
        """Takes in the last weights of a teacher's run.

        Raises:
            RecordingError: weights that cannot be read or belong to another method.
        """
        held = self.method.get_submodule("teacher")
        weights.unpack_module(held, load_weights(teacher).tensors["model"])

    def replay(self, events: list[controls.Event]) -> None:
        """Takes in changes that the recording holds after the saved weights, to make them again at their steps."""
        for event in events:
            if event.get("kind") == "setting" and int(event["step"]) > self.step:
                self._replay.setdefault(int(event["step"]), {})[event["name"]] = event["value"]

    # ------------------------------------------------------------------ status

    def hear(self) -> list[Request]:
        """Requests that arrived since the last call."""
        return self.writer.requests() if self.writer else []

    def tell(self, state: State, reason: str | None, **details: Any) -> None:
        """Writes the state into status.json; training does not end for want of room there."""
        try:
            if self.writer:
                self.writer.set_state(state, reason, **details)
        except DiskFull as full:
            log.warning("%s: %s", self.name, full)

    def end(self, state: State, reason: str | None, **details: Any) -> None:
        """Leaves the race: the last word in status.json, the lock and the memory are released."""
        self.ended = (state, reason)
        self.tell(state, reason, **details)
        if self.writer is not None:
            self.writer.close()
        del self.method, self._optimizer, self._observer, self._gauge

    @property
    def ms_per_step(self) -> float:
        """Mean milliseconds of this method's own part of a step."""
        return 1000 * self._busy / max(self.steps_here, 1)

    def outcome(self, watch_share: float) -> Outcome:
        """How the run ended."""
        state, reason = self.ended or ("running", None)
        return Outcome(
            path=self.path,
            method=self.name,
            state=state,
            reason=reason,
            step=self.step,
            frames=self.frames,
            seconds=self.seconds,
            ms_per_step=self.ms_per_step,
            watch_share=watch_share,
            metrics=self.metrics,
        )
