"""Lightning: `Trainer(callbacks=[LtvizCallback("checkpoints/my-run", loader, every=50)])`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

import torch

from ltviz.integrations.watch import Watch

try:
    from lightning.pytorch.callbacks import Callback  # pyright: ignore[reportMissingImports]
except ModuleNotFoundError:  # the package of the older name
    from pytorch_lightning.callbacks import Callback  # pyright: ignore[reportMissingImports]


class LtvizCallback(Callback):
    """Records the embeddings of the samples in `loader` every `every` optimiser steps, at the start and at the end.

    Training is the same, bit for bit, as without it: random generators and modes are as before after every look. What
    goes wrong after the first frame is warned of and counted, and training goes on.

    Args:
        path: folder of the run. A training that goes on from a checkpoint goes on with its run.
        loader: gives the same samples every time; of a batch the first part goes into the module, the second is labels.
        every: optimiser steps between two frames.
        embed: `embed(module, batch)`, (B, D) tensor; `module(batch[0])` where left out.
        **given: to `ltviz.record`: class_names, images, split, on_error, overwrite, ...
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        loader: Iterable[Any],
        every: int = 100,
        embed: Callable[[Any, Any], torch.Tensor] | None = None,
        **given: Any,
    ) -> None:
        self._watch = Watch(path, every, **given)
        self._loader = loader
        self._embed = embed or (lambda module, batch: module(batch[0]))

    def _look(self, trainer: Any, module: Any, *, end: bool = False) -> None:
        if not self._watch.is_due(trainer.global_step, end=end):
            return
        precision = trainer.precision_plugin

        def embed(batch: Any) -> torch.Tensor:
            with precision.forward_context():
                return self._embed(module, precision.convert_input(batch))

        # Every rank looks, since the parts of a sharded model answer only together.
        writes = trainer.is_global_zero
        self._watch.look(trainer.global_step, module, self._loader, embed, device=module.device, writes=writes)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        self._look(trainer, pl_module)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any, **__: Any) -> None:
        self._look(trainer, pl_module)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self._look(trainer, pl_module, end=True)
        self._watch.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self._watch.end(type(exception), exception, exception.__traceback__)
