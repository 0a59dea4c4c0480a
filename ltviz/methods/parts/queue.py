"""The queue of keys from earlier batches, and the methods that have one."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor, nn

from ltviz.data.batch import Batch
from ltviz.marks import QUEUE, Points, Shown
from ltviz.methods.base import Method, Settings, Setup, live
from ltviz.methods.parts.host_count import add_to_count, read_count
from ltviz.methods.parts.inputs import unit
from ltviz.methods.parts.memory import QUEUE_READINGS, read_queue, thin
from ltviz.methods.parts.momentum import MomentumCopy
from ltviz.methods.parts.running_mean import allow_absent
from ltviz.methods.parts.scene import Queries
from ltviz.methods.parts.step import Step


class KeyQueue(nn.Module):
    """A first-in first-out ring of keys and their labels; all state lies in buffers and is saved with the weights.

    Only the filled part is shown to a loss, so nothing is contrasted with the random vectors that the official queues
    begin with. Batches of any size fit; of one larger than the queue the newest keys stay. Each push is a step; ages of
    keys from weights that were saved without them count from the loading on.

    Args:
        size: K slots.
        dim: D of the keys.
    """

    def __init__(self, size: int, dim: int):
        super().__init__()
        self.register_buffer("all_keys", torch.zeros(size, dim))
        self.register_buffer("all_labels", torch.full((size,), -1))
        self.register_buffer("all_steps", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("pushed", torch.zeros((), dtype=torch.int64))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.all_keys: Tensor
        self.all_labels: Tensor
        self.all_steps: Tensor
        self.pushed: Tensor
        self.steps: Tensor
        allow_absent(self, "all_steps", "steps")

    def __len__(self) -> int:
        return min(read_count(self, "pushed"), len(self.all_keys))

    @property
    def keys(self) -> Tensor:
        """(filled, D)."""
        return self.all_keys[: len(self)]

    @property
    def labels(self) -> Tensor:
        """(filled,) int64."""
        return self.all_labels[: len(self)]

    @property
    def ages(self) -> Tensor:
        """(filled,) int64: how many pushes ago each key came in, 0 for the newest."""
        return self.steps - self.all_steps[: len(self)]

    @torch.no_grad()
    def push(self, keys: Tensor, y: Tensor) -> None:
        """Overwrite the oldest keys with these (B, D) and their labels (B,)."""
        size = len(self.all_keys)
        slots = (self.pushed + torch.arange(len(keys), device=keys.device))[-size:] % size
        self.all_keys[slots] = keys[-size:].to(self.all_keys.dtype)
        self.all_labels[slots] = y[-size:]
        add_to_count(self, "pushed", len(keys))
        self.steps += 1
        self.all_steps[slots] = self.steps


class QueuedSettings(Settings):
    temperature: float = live(0.1, ge=0.01, le=2, description="Temperature of the similarities; low is sharp.")
    momentum: float = live(
        0.9,
        ge=0,
        le=1,
        description="How much of the key encoder stays at each step; 0.9 forgets half in 7 steps, 0.999 in 693.",
    )
    queue_size: int = Field(
        512, ge=1, le=65536, description="Keys of earlier batches that queries are contrasted with."
    )


class QueuedStep(Step):
    """A step of a method with a queue: what its queries have met."""

    def __init__(self, terms: Mapping[str, Tensor], batch: Batch, queries: Queries, *, positives: Tensor | None = None):
        super().__init__(terms, batch)
        self.queries = queries
        self.positives = positives
        """(B, K) bool: the keys in the queue that have attracted each query, where a method draws them."""


class Queued(Method):
    """A method whose keys come from a momentum copy of encoder and head and are kept in a queue.

    Subclasses give a `QueuedStep` from their losses; keys and whatever else `remember` takes in follow the optimiser's
    step, so a step that is refused leaves no trace in them.
    """

    settings: QueuedSettings
    readings = QUEUE_READINGS
    marks = (QUEUE,)

    def __init__(self, settings: QueuedSettings, setup: Setup):
        super().__init__(settings, setup)
        self.key_encoder = MomentumCopy(nn.Sequential(self.encoder, self.head))
        self.queue = KeyQueue(settings.queue_size, setup.dim)

    def sizes(self) -> int:
        """Keys in the queue."""
        return len(self.queue)

    def key(self, x: Tensor) -> Tensor:
        """Unit keys (B, dim) of images, without gradient."""
        return unit(self.key_encoder(x))

    def queries(self, query: Tensor, key: Tensor, y: Tensor) -> Queries:
        """Queries (B, dim), their keys (B, dim) and labels (B,), beside the queue as it is."""
        return Queries(query, key, self.queue.keys, y, self.queue.labels)

    def after_step(self, step: Step) -> None:
        self.key_encoder.follow(nn.Sequential(self.encoder, self.head), self.settings.momentum)
        if not isinstance(step, QueuedStep):
            raise TypeError(
                f"{self.card.name}.after_step needs the keys of its step to keep them, but got a {type(step).__name__} "
                "with loss terms alone; let losses give a QueuedStep, such as super().losses(batch) | more_terms"
            )
        self.remember(step)

    def read(self) -> dict[str, Tensor]:
        return read_queue(self.queue.labels, self.queue.ages, len(self.counts))

    def show(self, batch: Batch) -> dict[str, Shown]:
        """Under "queue" the keys."""
        keys, y, ages = self.queue.keys, self.queue.labels, self.queue.ages
        kept = thin(y, ages)
        return {"queue": Points(keys[kept], y[kept], ages[kept])}

    def remember(self, step: QueuedStep) -> None:
        """Take in what a step that was made has met."""
        self.queue.push(step.queries.key, step.queries.y)
