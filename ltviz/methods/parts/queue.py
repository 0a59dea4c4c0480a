"""The queue of keys from earlier batches, and the methods that have one."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from ltviz.methods.base import Cloud, Method, Settings, Setup, live
from ltviz.methods.parts.inputs import unit
from ltviz.methods.parts.memory import QUEUE_READINGS, read_queue, thin
from ltviz.methods.parts.momentum import MomentumCopy
from ltviz.methods.parts.tally import allow_absent


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
        return min(int(self.pushed), len(self.all_keys))

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
        self.pushed += len(keys)
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


class Queued(Method):
    """A method whose keys come from a momentum copy of encoder and head and are kept in a queue.

    Subclasses call `note` in their losses; keys and whatever else `remember` takes in follow the optimiser's step, so a
    step that is refused leaves no trace in them.
    """

    settings: QueuedSettings
    readings = QUEUE_READINGS

    def __init__(self, settings: QueuedSettings, setup: Setup):
        super().__init__(settings, setup)
        self.key_encoder = MomentumCopy(nn.Sequential(self.encoder, self.head))
        self.queue = KeyQueue(settings.queue_size, setup.dim)
        self._seen: tuple[Tensor, Tensor, Tensor] | None = None

    def key(self, x: Tensor) -> Tensor:
        """Unit keys (B, dim) of images, without gradient."""
        return unit(self.key_encoder(x))

    def note(self, query: Tensor, key: Tensor, y: Tensor) -> None:
        """Keep queries (B, dim), keys (B, dim) and labels (B,) until the step is made."""
        self._seen = query.detach(), key, y

    def met(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """What the losses of this step have compared: queries (B, dim), keys (B, dim), the keys in the queue
        (filled, dim), and the labels of the queries and of the queue."""
        if self._seen is None:
            raise RuntimeError(f"{self.card.name} has compared nothing since its last step; call losses(batch) first")
        query, key, y = self._seen
        return query, key, self.queue.keys, y, self.queue.labels

    def after_step(self) -> None:
        self.key_encoder.follow(nn.Sequential(self.encoder, self.head), self.settings.momentum)
        if self._seen is not None:
            self.remember(*self._seen)
            self._seen = None

    def read(self) -> dict[str, Tensor]:
        return read_queue(self.queue.labels, self.queue.ages, len(self.counts))

    def clouds(self) -> dict[str, Cloud]:
        keys, y, ages = self.queue.keys, self.queue.labels, self.queue.ages
        kept = thin(y, ages)
        return {"queue": Cloud(keys[kept], y[kept], ages[kept])}

    def remember(self, query: Tensor, key: Tensor, y: Tensor) -> None:
        """Take in the queries, keys and labels of a step that was made."""
        self.queue.push(key, y)
