"""Hugging Face: `Trainer(..., callbacks=[LtvizCallback("checkpoints/my-run", dataset, every=50, embed=pooled)])`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.data import DataLoader, default_collate
from transformers import TrainerCallback  # pyright: ignore[reportMissingImports]

from ltviz.integrations.watch import Watch


class LtvizCallback(TrainerCallback):  # pyright: ignore[reportGeneralTypeIssues]
    """Records the embeddings of the samples in `dataset` every `every` optimiser steps, at the start and at the end.

    Batches are collated as those of training. Training is the same, bit for bit, as without it: random generators and
    modes are as before after every look. What goes wrong after the first frame is warned of and counted, and training
    goes on.

    Args:
        path: folder of the run. A training that goes on from a checkpoint goes on with its run.
        dataset: of samples with "labels" (or "label") once they are collated.
        every: optimiser steps between two frames.
        embed: `embed(model, batch)`, (B, D) tensor, such as
            `lambda model, batch: model.bert(batch["input_ids"], batch["attention_mask"]).last_hidden_state[:, 0]`.
        **given: to `ltviz.record`: class_names, images, split, on_error, overwrite, ...
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        dataset: Any,
        every: int = 100,
        *,
        embed: Callable[[Any, Any], torch.Tensor],
        **given: Any,
    ) -> None:
        self._watch = Watch(path, every, **given)
        self._dataset = dataset
        self._embed = embed
        self._collate: Callable[[Any], Any] = default_collate

    def _look(self, args: Any, state: Any, model: Any, *, end: bool = False) -> None:
        if not self._watch.is_due(state.global_step, end=end):
            return
        batches = DataLoader(self._dataset, args.per_device_eval_batch_size, collate_fn=self._collate)
        self._watch.look(
            state.global_step,
            model,
            batches,
            lambda batch: self._embed(model, batch),
            device=args.device,
            writes=state.is_world_process_zero,
        )

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **about: Any) -> None:
        self._collate = getattr(about.get("train_dataloader"), "collate_fn", default_collate)
        self._look(args, state, model)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **about: Any) -> None:
        self._look(args, state, model)

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **about: Any) -> None:
        self._look(args, state, model, end=True)
        self._watch.end()
