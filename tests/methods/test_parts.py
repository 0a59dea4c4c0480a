"""The parts that several methods share: queue, momentum encoder, cosine classifier, probe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ltviz.methods import registry
from ltviz.methods.base import Setup
from ltviz.methods.logit_adjust import logit_adjusted
from ltviz.methods.parts.class_queue import ClassQueue, slots_per_class
from ltviz.methods.parts.cosine import CosineClassifier
from ltviz.methods.parts.inputs import unit
from ltviz.methods.parts.momentum import MomentumCopy
from ltviz.methods.parts.queue import KeyQueue

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize("size", [1, 5, 8])
@pytest.mark.parametrize("batch", [1, 3, 11])
def test_queue_holds_the_newest_keys(size, batch):
    queue, pushed = KeyQueue(size, 2), []
    assert len(queue) == 0 and queue.keys.shape == (0, 2) and queue.labels.shape == (0,)
    for step in range(4):
        y = torch.arange(step * batch, (step + 1) * batch)
        queue.push(torch.stack([y, -y], dim=1).float(), y)
        pushed += y.tolist()
        newest = pushed[-size:]
        assert sorted(queue.labels.tolist()) == sorted(newest)
        assert torch.equal(queue.keys, torch.stack([queue.labels, -queue.labels], dim=1).float())


def test_momentum_copy_follows_slowly_and_without_gradient():
    trained = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    slow = MomentumCopy(trained)
    start = trained[0].weight.detach().clone()
    with torch.no_grad():
        trained[0].weight += 1
    slow.follow(trained, 0.9)
    torch.testing.assert_close(slow.module[0].weight, start + 0.1)
    assert not slow(torch.randn(6, 4)).requires_grad
    assert not any(p.requires_grad for p in slow.parameters())
    assert torch.equal(trained[1].running_mean, torch.zeros(3)), "batch-norm statistics are not shared"


def test_cosine_classifier_ignores_lengths():
    torch.manual_seed(0)
    classifier, features = CosineClassifier(5, 3, scale=16), torch.randn(4, 5)
    logits = classifier(features)
    torch.testing.assert_close(classifier(7 * features), logits)
    assert logits.abs().max() <= 16 + 1e-5
    with torch.no_grad():
        classifier.weight *= 3
    torch.testing.assert_close(classifier(features), logits)
    torch.testing.assert_close(classifier.directions().norm(dim=1), torch.ones(3))


@pytest.mark.parametrize("file", sorted((GOLDEN / "gml_queue").glob("*.npz")), ids=lambda file: file.stem)
def test_class_queue_is_the_official_one(file):
    with np.load(file) as stored:
        golden = {name: torch.from_numpy(np.array(stored[name])) for name in stored.files if name != "meta__json"}
    slots = slots_per_class(
        golden["input__class_counts"], int(golden["param__queue_total"]), int(golden["param__base_k"])
    )
    assert slots == golden["out__queue_len_per_class"].tolist()
    queue = ClassQueue(slots, golden["step0__keys"].shape[1])
    assert torch.equal(queue.starts, golden["out__class_start"])
    assert torch.equal(queue.slot_labels, golden["out__queue_labels_initial"])
    for step in range(4):
        prefix = f"step{step}__"
        queue.push(golden[prefix + "keys"], golden[prefix + "labels"], golden[prefix + "image_index"])
        assert torch.equal(queue.pointers, golden[prefix + "out_ptr"])
        # the official slots begin with negative image numbers and random vectors, ours empty
        assert torch.equal(queue.all_images, golden[prefix + "out_queue_index"].clamp_min(-1))
    filled = queue.all_images >= 0
    assert torch.equal(queue.all_features[filled], golden["out__queue_k_after"][filled])
    features, labels, images = queue.contents()
    assert len(features) == len(labels) == len(images) == int(filled.sum())


def test_class_queue_keeps_the_first_of_too_many():
    queue = ClassQueue([2, 1], 1)
    queue.push(torch.arange(5.0)[:, None], torch.tensor([0, 1, 0, 0, 1]), torch.arange(5))
    features, labels, images = queue.contents()
    assert images.tolist() == [0, 2, 1] and labels.tolist() == [0, 0, 1]
    assert torch.equal(features[:, 0], images.float())


def test_class_queue_needs_a_slot_for_each_class():
    with pytest.raises(ValueError, match="4 classes x 3 slots, but has 11"):
        slots_per_class(torch.ones(4), 11, 3)


def test_unit_rows_have_the_gradients_of_normalize():
    x = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(unit, [x]) and torch.autograd.gradgradcheck(unit, [x])
    far = torch.tensor([[0.0, 0.0], [3.0, 4.0], [1e-20, 0.0]], requires_grad=True)
    found, wanted = (f(far).sum() for f in (unit, lambda rows: F.normalize(rows, dim=-1)))
    torch.testing.assert_close(found, wanted, rtol=0, atol=0)
    grads = (torch.autograd.grad(value, far)[0] for value in (found, wanted))
    torch.testing.assert_close(*grads, rtol=1e-6, atol=1e-6)


def test_the_probe_is_taught_with_logit_adjustment():
    kind = registry.method("supcon")
    counts = torch.tensor([90.0, 9.0, 0.0])
    method = kind(kind.Settings(), Setup(nn.Flatten(), nn.Linear(4, 3), 4, 3, counts, 10, torch.Generator()))
    features, y = torch.randn(6, 4, requires_grad=True), torch.tensor([0, 1, 0, 0, 1, 0])
    value = method.probe_loss(features, y)
    torch.testing.assert_close(value, logit_adjusted(method.probe(features), y, counts), rtol=0, atol=0)
    value.backward()
    assert features.grad is None, "the probe reads the encoder and never steers it"
