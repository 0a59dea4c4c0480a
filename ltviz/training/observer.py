"""What a frame sees of a method: the probe through its encoder, and all that it lets be seen beside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz import metrics
from ltviz.data.batch import Batch
from ltviz.methods.base import Method
from ltviz.recording import Cloud, Links
from ltviz.training.probe_set import ProbeSet

_ROWS = 2048  # probe samples in one forward pass


class Observer:
    """Looks at a method without touching it: weights, buffers and random numbers are afterwards as before.

    Args:
        probe: the samples that every frame shows; `device` is where the method is.
        linked: the fixed samples whose pairs a frame links.
    """

    def __init__(self, probe: ProbeSet, linked: Batch, device: torch.device):
        self.probe, self.linked = probe, linked
        self._images = torch.from_numpy(probe.images)[:, None].to(device)

    @torch.no_grad()
    def observe(self, method: Method) -> dict[str, Any]:
        """The frame of a method as it is now, measured: arguments of `RunWriter.frame`."""
        was_training = method.training
        method.eval()
        try:
            parts = [method.observe(rows) for rows in self._images.split(_ROWS)]
            landmarks = {name: _numbers(points) for name, points in method.landmarks().items()}
            links = {name: Links(*_columns(held)) for name, held in method.links(self.linked).items()}
            clouds = {name: Cloud(*_columns(held)) for name, held in method.clouds().items()}
            readings = {name: _numbers(value) for name, value in method.read().items()}
            matched = method.target_index()
        finally:
            method.train(was_training)
        embeddings, logits = (torch.cat(rows).float().cpu() for rows in zip(*parts, strict=True))
        index = None if matched is None else matched.cpu().numpy().astype(np.int32)
        return self._measure(method, embeddings.numpy(), logits, landmarks, index, links, clouds, readings)

    def _measure(
        self,
        method: Method,
        embeddings: np.ndarray,
        logits: Tensor,
        landmarks: dict[str, np.ndarray],
        matched: np.ndarray | None,
        links: dict[str, Links],
        clouds: dict[str, Cloud],
        readings: dict[str, np.ndarray],
    ) -> dict[str, Any]:
        labels, multi = self.probe.labels, self.probe.multi
        predictions, confidence = predict(logits, several=multi is not None)
        counts = method.counts.cpu().numpy().astype(np.int64)
        measured = metrics.measure(
            embeddings,
            labels,
            num_classes=len(counts),
            counts=counts,
            split=self.probe.split,
            # one predicted class says little of a sample with several: average precision is measured there
            predictions=None if multi is not None else predictions,
            confidence=None if multi is not None else confidence,
            targets=None if matched is None else landmarks["targets"][matched],
            scores=None if multi is None else logits.numpy(),
            labels=multi,
        )
        samples = {"prediction": predictions, "confidence": confidence, "loss": per_sample_loss(logits, labels, multi)}
        return {
            "embeddings": embeddings,
            "landmarks": landmarks,
            "target_index": matched,
            "samples": samples,
            "metrics": measured,
            "links": links,
            "clouds": clouds,
            "readings": readings,
        }


def predict(logits: Tensor, *, several: bool) -> tuple[np.ndarray, np.ndarray]:
    """(N,) int32 predicted class and (N,) float32 its probability, of logits (N, C) on the CPU.

    Where samples have several labels, their colour is the rarest, and so the prediction is the rarest class that is at
    least as likely as not; the likeliest one where there is none.
    """
    probability = logits.sigmoid() if several else logits.softmax(1)
    best = probability.max(1)
    if not several:
        return best.indices.int().numpy(), best.values.numpy()
    likely = probability >= 0.5
    rarest = (likely * torch.arange(logits.shape[1])).amax(1)
    chosen = torch.where(likely.any(1), rarest, best.indices)
    return chosen.int().numpy(), probability.gather(1, chosen[:, None])[:, 0].numpy()


def per_sample_loss(logits: Tensor, labels: np.ndarray, multi: np.ndarray | None) -> np.ndarray:
    """(N,) float16: the classifier's loss of each sample, from logits (N, C) on the CPU.

    Cross-entropy of the labels (N,), or the mean binary cross-entropy over classes where samples have several labels,
    `multi` (N, C). float16 holds it to a thousandth, which a colour needs, and to 65,504, beyond which it is clipped.
    """
    if multi is None:
        cost = F.cross_entropy(logits, torch.from_numpy(labels).long(), reduction="none")
    else:
        cost = F.binary_cross_entropy_with_logits(logits, torch.from_numpy(multi).float(), reduction="none").mean(1)
    return cost.clamp(max=float(np.finfo(np.float16).max)).numpy().astype(np.float16)


def _numbers(values: Tensor) -> np.ndarray:
    return values.detach().float().cpu().numpy()


def _columns(held: Iterable[Tensor]) -> list[np.ndarray]:
    return [(x.detach().float() if x.is_floating_point() else x).cpu().numpy() for x in held]
