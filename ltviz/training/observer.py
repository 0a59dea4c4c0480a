"""What a frame sees of a method: the probe through its encoder, and all that it lets be seen beside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

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


class Seen(NamedTuple):
    """The probe as a method sees it, for measures; numbers on the CPU."""

    embeddings: np.ndarray
    """(N, dim) float32 unit rows."""
    logits: Tensor
    """(N, C) of the method's own classifier."""
    features: np.ndarray
    """(N, F) float32, as the classifier reads them."""
    weights: np.ndarray | None
    """(C, F) of the classifier, where it is linear."""
    bias: np.ndarray | None
    """(C,)."""
    views: tuple[np.ndarray, np.ndarray]
    """Two views of the linked samples, each (M, dim) unit rows."""


class Observer:
    """Looks at a method without touching it: weights, buffers and random numbers are afterwards as before.

    Args:
        probe: the samples that every frame shows; `device` is where the method is.
        linked: the fixed samples whose pairs a frame links, and whose two views say how well they are aligned.
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
            seen = self._read(method)
            landmarks = {name: _numbers(points) for name, points in method.landmarks().items()}
            links = {name: Links(*_columns(held)) for name, held in method.links(self.linked).items()}
            clouds = {name: Cloud(*_columns(held)) for name, held in method.clouds().items()}
            readings = {name: _numbers(value) for name, value in method.read().items()}
            matched = method.target_index()
        finally:
            method.train(was_training)
        index = None if matched is None else matched.cpu().numpy().astype(np.int32)
        predictions, confidence = predict(seen.logits, several=self.probe.multi is not None)
        loss = per_sample_loss(seen.logits, self.probe.labels, self.probe.multi)
        targets = None if index is None else landmarks["targets"][index]
        measured = self._measure(seen, method.counts.cpu().numpy().astype(np.int64), predictions, confidence, targets)
        frame = {
            "embeddings": seen.embeddings,
            "landmarks": landmarks,
            "target_index": index,
            "samples": {"prediction": predictions, "confidence": confidence, "loss": loss},
            "metrics": measured,
            "links": links,
            "clouds": clouds,
            "readings": readings,
        }
        return frame

    def _read(self, method: Method) -> Seen:
        """One pass of the probe through the encoder, and two small ones of the linked samples."""
        parts = []
        for rows in self._images.split(_ROWS):
            features = method.encoder(rows)
            parts.append((method.project(features), method.classify(features), features))
        embeddings, logits, features = (torch.cat(rows).float().cpu() for rows in zip(*parts, strict=True))
        linear = method.linear_classifier()
        if linear is not None and linear.unit:
            features = F.normalize(features, dim=1)
        return Seen(
            embeddings.numpy(),
            logits,
            features.numpy(),
            None if linear is None else _numbers(linear.weight),
            None if linear is None else _numbers(linear.bias),
            (_numbers(method.embed(self.linked.view(0))), _numbers(method.embed(self.linked.view(1)))),
        )

    def _measure(
        self,
        seen: Seen,
        counts: np.ndarray,
        predictions: np.ndarray,
        confidence: np.ndarray,
        targets: np.ndarray | None,
    ) -> dict[str, float]:
        # one predicted class says little of a sample with several: average precision is measured there
        one_label = self.probe.multi is None
        return metrics.measure(
            seen.embeddings,
            self.probe.labels,
            num_classes=len(counts),
            counts=counts,
            split=self.probe.split,
            predictions=predictions if one_label else None,
            confidence=confidence if one_label else None,
            views=seen.views,
            features=seen.features,
            weights=seen.weights if one_label else None,
            bias=seen.bias if one_label else None,
            targets=targets,
            scores=None if one_label else seen.logits.numpy(),
            labels=self.probe.multi,
        )


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
