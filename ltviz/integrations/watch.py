"""What all trainers share: looking at a model while it learns, so that it learns as if nobody looked."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any

import numpy as np
import torch

from ltviz.errors import ConfigError, RecordingError
from ltviz.recording import Recorder, record

SEED = 0
"""Of every look: a loader that shuffles gives its samples in the same order each time then."""


@contextlib.contextmanager
def undisturbed(model: torch.nn.Module, *generators: torch.Generator | None) -> Iterator[None]:
    """The model in evaluation mode, without gradients and with seeded generators; afterwards all of it as before.

    Iterating over a `DataLoader` draws from torch's generator even where nothing is shuffled.

    Example:
        >>> before = torch.get_rng_state()
        >>> with undisturbed(torch.nn.Dropout()):
        ...     _ = torch.rand(3)
        >>> bool((torch.get_rng_state() == before).all())
        True
    """
    modes = [(module, module.training) for module in model.modules()]
    own = [(generator, generator.get_state()) for generator in generators if generator is not None]
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    mps = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    try:
        random.seed(SEED)
        np.random.seed(SEED)
        torch.manual_seed(SEED)
        for generator, _ in own:
            generator.manual_seed(SEED)
        model.eval()
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training
        for generator, state in own:
            generator.set_state(state)
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
        if mps is not None:
            torch.mps.set_rng_state(mps)


def to_device(batch: Any, device: torch.device | str) -> Any:
    """A batch with every tensor in it on the device; what is no tensor, list, tuple or mapping stays as it is."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {name: to_device(value, device) for name, value in batch.items()}
    return [to_device(value, device) for value in batch] if isinstance(batch, list | tuple) else batch


def labels_of(batch: Any) -> Any:
    """The labels of a batch: its entry "labels", or "label", of a mapping, else its second part."""
    try:
        if isinstance(batch, Mapping):
            return batch["labels"] if "labels" in batch else batch["label"]
        return batch[1]
    except (KeyError, IndexError, TypeError) as error:
        raise RecordingError(
            f"A batch must hold labels, under the name 'labels' or as its second part; got {type(batch).__name__}."
        ) from error


class Watch:
    """A run that is recorded every `every` optimiser steps, at the start and at the end.

    Args:
        path: as in `ltviz.record`, and so are `given`.
    """

    def __init__(self, path: str | os.PathLike[str], every: int, **given: Any) -> None:
        if not isinstance(every, int) or every < 1:
            raise ConfigError(f"every must be a number of optimiser steps, 1 or more; got {every!r:.80}.")
        self.path = path
        self._every = every
        self._given = given
        self._run: Recorder | None = None
        self._labels: np.ndarray | None = None
        self._last = -1
        self._begun = False

    def is_due(self, step: int, *, end: bool = False) -> bool:
        """Whether a frame of this step is still to be recorded: once for each multiple of `every` that was passed."""
        return step > self._last and (end or self._last < 0 or step // self._every > self._last // self._every)

    def look(
        self,
        step: int,
        model: torch.nn.Module,
        batches: Iterable[Any],
        embed: Callable[[Any], Any],
        *,
        device: torch.device | str,
        writes: bool = True,
    ) -> None:
        """Record a frame: `embed` of every batch, on the device. Ranks that do not write compute with the others."""
        self._last = step
        try:
            with undisturbed(model, *_generators(batches)):
                pairs = [
                    (embed(to_device(batch, device)).detach().float().cpu(), torch.as_tensor(labels_of(batch)).cpu())
                    for batch in batches
                ]
            if writes:
                self._record(step, torch.cat([z for z, _ in pairs]).numpy(), torch.cat([y for _, y in pairs]).numpy())
        except Exception as error:
            if not self._begun:
                raise
            if self._run is not None:  # else another rank writes, and says what went wrong
                self._run.drop(step, error)
        else:
            self._begun = True

    def _record(self, step: int, embeddings: np.ndarray, labels: np.ndarray) -> None:
        if self._run is None:
            # A training that goes on from a checkpoint goes on with its run.
            going_on = {"resume": True, "step": step} if step and "overwrite" not in self._given else {}
            self._run = record(self.path, labels=labels, **{**going_on, **self._given})
            self._labels = labels
        elif not np.array_equal(labels, self._labels):  # type: ignore[arg-type]
            raise RecordingError(
                f"The same samples must come in the same order at every step; at step {step} other labels came.",
                kind="other samples than at the start",
            )
        self._run.frame(step, embeddings=embeddings)

    def end(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """The training has ended, with an error where one is given."""
        run, self._run, self._last, self._begun = self._run, None, -1, False
        if run is not None:
            run.__exit__(kind, error, trace)


def _generators(batches: Iterable[Any]) -> list[torch.Generator | None]:
    """The generators that a loader has of its own."""
    parts = (batches, getattr(batches, "sampler", None), getattr(batches, "batch_sampler", None))
    found = {id(one): one for part in parts if isinstance(one := getattr(part, "generator", None), torch.Generator)}
    return list(found.values())
