"""What a frame sees of a method: the probe through its encoder, and all that it lets be seen beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz import metrics
from ltviz.data.batch import Batch
from ltviz.data.device_inputs import DevicePixels, OnDevice
from ltviz.data.pixels import Pixels
from ltviz.data.transfer import Copies
from ltviz.errors import ConfigError
from ltviz.marks import Shown, primitive_of
from ltviz.methods.base import Method
from ltviz.metrics.information import LIVE
from ltviz.recording import Frame
from ltviz.training.probe_set import TRAIN, ProbeSet
from ltviz.training.theory import OwnTheory


class ProbeOutputs(NamedTuple):
    """What a method makes of the probe set, for measures; numbers on the CPU."""

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
    """Two views of the fixed samples, each (M, dim) unit rows."""


class Observer:
    """Looks at a method without touching it: weights, buffers and random numbers are afterwards as before.

    Args:
        probe: the samples that every frame shows.
        shown: the fixed samples that a frame shows marks of, and whose two views say how well they are aligned.
        inputs: those of the probe, where the method is.
        exponent: of the class counts, by which batches draw throughout, which theory rests on; None where it changes.
    """

    def __init__(self, probe: ProbeSet, shown: Batch, inputs: OnDevice, exponent: float | None = 1.0):
        self.probe, self.shown = probe, shown
        self._inputs, self._back = inputs.together() if isinstance(inputs, DevicePixels) else (inputs, None)
        self._exponent = exponent

    @torch.no_grad()
    def observe(self, method: Method, step: int) -> Frame:
        """The frame of a method as it is now, measured; epoch, seconds, events and forces are the caller's.

        Raises:
            ConfigError: the method shows or reads what it has not declared.
        """
        was_training = method.training
        method.eval()
        copies = Copies(self._inputs.device)
        try:
            outputs = self._run(method, copies)
            landmarks = {name: _numbers(points, copies) for name, points in method.landmarks().items()}
            marks = {key: _columns(shown, copies) for key, shown in method.show(self.shown).items()}
            readings = {name: _numbers(value, copies) for name, value in method.read().items()}
            target_index = method.target_index()
            matched = None if target_index is None else copies.start(target_index)
            counts = copies.start(method.counts)
            theory = OwnTheory.of(method, self._exponent)
        finally:
            method.train(was_training)
        copies.wait()
        _check_declared(method, marks, readings)
        index = None if matched is None else matched.numpy().astype(np.int32)
        predictions, confidence = predict(outputs.logits, several=self.probe.multi is not None)
        loss = per_sample_loss(outputs.logits, self.probe.labels, self.probe.multi)
        targets = None if index is None else landmarks["targets"][index]
        if theory is not None:
            landmarks |= theory.places(self._centres(outputs.embeddings, len(counts)))
        return Frame(
            step=step,
            embeddings=outputs.embeddings,
            labels=self.probe.labels,
            landmarks=landmarks,
            target_index=index,
            samples={"prediction": predictions, "confidence": confidence, "loss": loss},
            marks=marks,
            readings=readings,
            metrics=self._measure(outputs, counts.numpy().astype(np.int64), predictions, confidence, targets, theory),
        )

    def _run(self, method: Method, copies: Copies) -> ProbeOutputs:
        """One pass of the probe through the encoder, and two small ones of the fixed samples; whole with the copies."""
        parts = []
        for rows in self._inputs.blocks():
            features = method.encoder(rows)
            parts.append((method.project(features), method.classify(features), features))
        whole = (torch.cat(rows).float() for rows in zip(*parts, strict=True))
        embeddings, logits, features = (rows if self._back is None else rows[self._back] for rows in whole)
        linear = method.linear_classifier()
        if linear is not None and linear.unit:
            features = F.normalize(features, dim=1)
        first, second = (_numbers(method.embed(self.shown.view(i)), copies) for i in (0, 1))
        return ProbeOutputs(
            _numbers(embeddings, copies),
            copies.start(logits),
            _numbers(features, copies),
            None if linear is None else _numbers(linear.weight, copies),
            None if linear is None else _numbers(linear.bias, copies),
            (first, second),
        )

    def _centres(self, embeddings: np.ndarray, num_classes: int) -> np.ndarray:
        """(C, D) unit centres of the training samples; NaN rows for classes without any."""
        train = self.probe.split == TRAIN
        return metrics.Classes.of(embeddings[train], self.probe.labels[train], num_classes).centres

    def _measure(
        self,
        outputs: ProbeOutputs,
        counts: np.ndarray,
        predictions: np.ndarray,
        confidence: np.ndarray,
        targets: np.ndarray | None,
        theory: OwnTheory | None,
    ) -> dict[str, float]:
        # one predicted class says little of a sample with several: average precision is measured there
        one_label = self.probe.multi is None
        return metrics.measure(
            outputs.embeddings,
            self.probe.labels,
            num_classes=len(counts),
            counts=counts,
            split=self.probe.split,
            predictions=predictions if one_label else None,
            confidence=confidence if one_label else None,
            views=outputs.views,
            features=outputs.features,
            weights=outputs.weights if one_label else None,
            bias=outputs.bias if one_label else None,
            targets=targets,
            **({} if theory is None else theory.measured),
            scores=None if one_label else outputs.logits.numpy(),
            labels=self.probe.multi,
            images=self.probe.inputs.of if isinstance(self.probe.inputs, Pixels) else None,
            also=LIVE if one_label else (),
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


def _numbers(values: Tensor, copies: Copies) -> np.ndarray:
    return copies.start(values.detach().float()).numpy()


def _columns(shown: Shown, copies: Copies) -> Shown:
    """The value of a mark as arrays on the CPU."""
    columns = shown._asdict().items()
    return type(shown)(**{name: None if column is None else _array(column, copies) for name, column in columns})


def _array(column: Tensor, copies: Copies) -> np.ndarray:
    return _numbers(column, copies) if column.is_floating_point() else copies.start(column).numpy()


def _check_declared(method: Method, marks: Mapping[str, Shown], readings: Iterable[str]) -> None:
    """ConfigError for what a method gives and has not declared: nobody could say what it is. Landmarks need not be."""
    declared = {mark.key: mark.primitive for mark in method.marks}
    for key, shown in marks.items():
        if declared.get(key) != (primitive := primitive_of(shown)):
            raise ConfigError(
                f"{method.card.name} must declare all that it shows, but its marks have no {primitive} named {key!r}; "
                f"add Mark(key={key!r}, primitive={primitive!r}, ...)"
            )
    known = {reading.key for reading in method.readings}
    strange = next((key for key in readings if key not in known), None)
    if strange is not None:
        raise ConfigError(
            f"{method.card.name} must declare all that it reads, but its readings have no {strange!r}; "
            f"add Reading(key={strange!r}, ...)"
        )
