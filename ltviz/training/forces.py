"""The forces that a frame holds: what the next step will do to the embeddings, and what another method would do."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz.data.batch import Batch
from ltviz.data.longtail import random
from ltviz.errors import ConfigError
from ltviz.marks import class_of
from ltviz.methods import registry as method_registry
from ltviz.methods.base import Method
from ltviz.methods.parts.forces import TOTAL, act, imagine, offers_what_if
from ltviz.methods.parts.rehearsal import rehearsal
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.similarities import TooManyWeights
from ltviz.metrics.agreement import LENT, STAND_INS, agreement
from ltviz.recording import Frame
from ltviz.training.engine import let_go, out_of_memory
from ltviz.training.probe_set import TRAIN, ProbeSet

QUEUE = 512
"""Embeddings that stand in for another method's queue of keys."""
MOST_PULLS = 8_192
"""Numbers of a force told apart by class: C x C x D of 10 classes in 81 dimensions, of 52 on the sphere."""
DIRECTIONS = "classifier"
"""Landmarks that are directions of a classifier on the sphere: a run that has such lends them to a what-if."""
_STREAM = 25  # Philox stream

log = logging.getLogger(__name__)

Forces = dict[str, dict[str, np.ndarray]]
"""Method -> part -> (C, D) float32, as a frame holds them."""


@dataclass(frozen=True)
class Measured:
    """What a frame holds of forces.

    Attributes:
        metrics: how far the method's what-if on its own run is its own force (`metrics.agreement`).
        pulls: (C, C, D) float32, as `Frame.pulls`.
    """

    forces: Forces = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    pulls: np.ndarray | None = None

    def put_in(self, frame: Frame) -> Frame:
        return replace(frame, forces=self.forces, pulls=self.pulls, metrics=frame.metrics | self.metrics)


class ForceMeter:
    """Measures the forces on one run's embeddings.

    The batch is the one of the step that follows the frame, at the frame's weights: what is measured is exactly the
    force that the next step exerts, with its augmentations and draws. (The batch of the step before has been stepped on
    already, and its keys lie in the queues, where they would be taken for others' keys.)

    Stand-ins for what-ifs are made of the probe's training samples, whose embeddings the frame has anyway: class means,
    and a queue of `QUEUE` of them, drawn once with the frequencies of the training set.

    Args:
        probe: the samples that every frame shows.
        counts: (C,) training samples of each class.
        seed: of the run; it chooses the queue.
    """

    def __init__(self, probe: ProbeSet, counts: Tensor, seed: int):
        self._several = probe.multi is not None
        self._seed = seed
        self._train = np.flatnonzero(probe.split == TRAIN)
        self._labels = probe.labels[self._train].astype(np.int64)
        shown = np.bincount(self._labels, minlength=len(counts))
        frequency = counts.double().cpu().numpy()[self._labels] / shown[self._labels]
        rng = random(seed, _STREAM)
        self._queue = rng.choice(len(self._train), size=QUEUE, p=frequency / frequency.sum())

    def measure(
        self, method: Method, own: Batch, upcoming: Batch, embeddings: np.ndarray, names: Iterable[str]
    ) -> Measured:
        """The method's own force, and those of the methods named, on the batch of the next step.

        The method is imagined too, where it can be: nowhere else can be told how well stand-ins do.

        Args:
            own: that batch, as the method takes it.
            upcoming: the same, as all methods of a race have it in common; what others would do is told of this one.
            embeddings: (N, D) float32 of the probe, now.
            names: of methods to imagine; the method's own is left out.

        Returns:
            Nothing under a name whose force cannot be told.
        """
        mine, counts = method.card.name, method.counts
        acts = act(method, own, by_class=len(counts) ** 2 * embeddings.shape[1] <= MOST_PULLS)
        pulls = [acts.pop(name) for name in list(acts) if class_of(name) is not None]
        found = {mine: acts}
        others, itself = [name for name in names if name != mine], offers_what_if(type(method)) and bool(found[mine])
        metrics: dict[str, float] = {}
        if others:
            scene = self._scene(method, upcoming, embeddings)
            for name in others:
                try:
                    found[name] = imagine(method_registry.method(name), scene)
                except TooManyWeights as error:
                    log.warning("%s: no what-if of %s, because %s", mine, name, str(error))
        if itself:  # of the very rows of its step: what differs is what stands in, not what was drawn
            metrics = _agreements(method, self._scene(method, own, embeddings), found[mine][TOTAL])
        told = {name: _arrays(parts) for name, parts in found.items() if parts and _is_finite(parts)}
        return Measured(told, metrics, _array(torch.stack(pulls, 1)) if pulls and mine in told else None)

    def try_to(self, method: Method, own: Batch, upcoming: Batch, *rest: Any) -> Measured:
        """As `measure`; nothing where that fails, which is logged and costs no frame: the step that follows does the
        same, and ends the run by the rules."""
        try:
            return self.measure(method, own, upcoming, *rest)
        except Exception as error:
            name, step = method.card.name, upcoming.step - 1
            # as text: who keeps the record would keep the error's frames, and with them the memory that it ran out of
            log.warning("%s: no forces at step %d: %s: %s", name, step, type(error).__name__, str(error))
            if out_of_memory(error) is not None:
                let_go(error)
            return Measured()

    def _scene(self, method: Method, batch: Batch, embeddings: np.ndarray) -> Scene:
        """The batch's first two views as the method would embed them in its next step, and the stand-ins."""
        with rehearsal(method) as double, torch.no_grad():
            z = double.embed(batch.views(0, 1)).float().view(2, len(batch.y), -1).transpose(0, 1)
            lent = double.landmarks().get(DIRECTIONS)
        stored = F.normalize(torch.from_numpy(embeddings[self._train]).to(z), dim=1)
        labels = torch.from_numpy(self._labels).to(batch.y)
        counts = method.counts.to(z)
        amounts = torch.bincount(labels, minlength=len(counts)).clamp_min(1)
        drawn = torch.from_numpy(self._queue).to(labels)
        return Scene(
            z=z,
            y=batch.y,
            counts=counts,
            queue=stored[drawn],
            queue_y=labels[drawn],
            means=torch.zeros(len(counts), z.shape[2]).to(z).index_add_(0, labels, stored) / amounts[:, None],
            generator=torch.Generator().manual_seed(self._seed + batch.step),
            lent=None if lent is None else lent.to(z),
        )


def _agreements(method: Method, scene: Scene, own: Tensor) -> dict[str, float]:
    """Of the method's what-if on its own run with its own force (C, D), by the keys of a frame's metrics."""
    found = {}
    for key, seen in ((STAND_INS, replace(scene, lent=None)), (LENT, scene)):
        if key == LENT and scene.lent is None:
            continue
        try:
            imagined = imagine(type(method), seen, method.settings)[TOTAL]
        except TooManyWeights:  # the what-ifs that were asked for have said so
            continue
        value = agreement(own.detach().cpu().numpy(), imagined.cpu().numpy())
        if value is not None:
            found[key] = value
    return found


def parse_what_if(text: str, *, several_labels: bool) -> tuple[str, ...]:
    """Names of methods from a comma separated list, each once.

    Raises:
        ConfigError: a name that is no method, or one whose force on another run cannot be told; any name where samples
            have several labels.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    known = [name for name, kind in method_registry.methods().items() if offers_what_if(kind)]
    if names and several_labels:
        raise ConfigError(
            f"what_if must be empty where samples have several labels, since all their methods show the sphere by one "
            f"and the same loss, got {text!r}"
        )
    strange = next((name for name in names if name not in known), None)
    if strange is not None:
        raise ConfigError(f"what_if must name methods among {', '.join(known)}, got {strange!r}; try bcl,tsc")
    return names


def _is_finite(parts: Mapping[str, Tensor]) -> bool:
    # a loss that is not finite ends the run at its step, with the reason; the frame before it is sound without
    return all(bool(part.isfinite().all()) for part in parts.values())


def _arrays(parts: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: _array(part) for name, part in parts.items()}


def _array(part: Tensor) -> np.ndarray:
    return part.detach().float().cpu().numpy()
