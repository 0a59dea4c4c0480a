"""Samplers: the class frequencies of the decoupling paper, drawn as a function of (seed, step)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltviz.data import registry
from ltviz.data.longtail import LongTailed
from ltviz.data.sampling import Sampler, class_probabilities
from ltviz.data.tensors import Batches

COUNTS = np.array([100, 25, 4, 0])


@pytest.fixture(scope="module")
def data() -> LongTailed:
    return registry.load("digits-lt", imbalance_factor=50)


def make(data: LongTailed, sampling: str, total_steps: int = 100) -> Batches:
    cpu = torch.device("cpu")
    return Batches(data, batch_size=64, seed=3, device=cpu, sampling=sampling, total_steps=total_steps)  # type: ignore[arg-type]


def test_probabilities_are_the_powers_of_the_counts() -> None:
    np.testing.assert_allclose(class_probabilities("instance", COUNTS), COUNTS / 129)
    np.testing.assert_allclose(class_probabilities("class-balanced", COUNTS), [1 / 3, 1 / 3, 1 / 3, 0])
    np.testing.assert_allclose(class_probabilities("square-root", COUNTS), np.array([10, 5, 2, 0]) / 17)


def test_progressive_goes_from_instance_to_class_balanced() -> None:
    ends = class_probabilities("instance", COUNTS), class_probabilities("class-balanced", COUNTS)
    np.testing.assert_allclose(class_probabilities("progressive", COUNTS, 0.0), ends[0])
    np.testing.assert_allclose(class_probabilities("progressive", COUNTS, 1.0), ends[1])
    np.testing.assert_allclose(class_probabilities("progressive", COUNTS, 0.25), 0.75 * ends[0] + 0.25 * ends[1])


@pytest.mark.parametrize("sampling", ["instance", "class-balanced", "square-root", "progressive"])
def test_classes_are_drawn_with_their_probability_and_samples_alike_within_a_class(sampling: str) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(3), COUNTS[:3]))  # in no order
    sampler = Sampler(labels, sampling)  # type: ignore[arg-type]
    drawn = sampler.draw(np.random.default_rng(1), 60_000, 0.5)
    expected = class_probabilities(sampling, COUNTS[:3], 0.5)  # type: ignore[arg-type]
    np.testing.assert_allclose(np.bincount(labels[drawn]) / len(drawn), expected, atol=0.01)
    for c, probability in enumerate(expected):
        times = np.bincount(drawn, minlength=len(labels))[labels == c]
        mean = len(drawn) * probability / COUNTS[c]
        assert abs(times - mean).max() < 6 * np.sqrt(mean)


@pytest.mark.parametrize("sampling", ["class-balanced", "square-root", "progressive"])
def test_a_batch_needs_none_of_the_steps_before_it(data: LongTailed, sampling: str) -> None:
    one, two = make(data, sampling), make(data, sampling)
    for step in range(1, 30):
        one.at(step)
    first, again = one.at(30), two.at(30)
    assert torch.equal(first.index, again.index) and torch.equal(first.views(0, 1), again.views(0, 1))
    np.testing.assert_array_equal(first.y.numpy(), data.train_labels[first.index.numpy()])


def test_samplers_change_the_samples_alone_and_the_fingerprint_tells(data: LongTailed) -> None:
    prints = {make(data, name).fingerprint(100) for name in ("instance", "class-balanced", "square-root")}
    assert len(prints) == 3
    assert make(data, "progressive", 100).fingerprint(100) != make(data, "progressive", 200).fingerprint(100)
    assert make(data, "instance").fingerprint(100) == Batches(
        data, batch_size=64, seed=3, device=torch.device("cpu")
    ).fingerprint(100)


def test_progressive_batches_begin_long_tailed_and_end_balanced(data: LongTailed) -> None:
    batches = make(data, "progressive", 400)

    def share_of_tail(steps: range) -> float:
        return float(np.mean([(batches.at(t).y >= 7).float().mean().item() for t in steps]))

    tail = data.counts[7:].sum() / data.counts.sum()
    assert share_of_tail(range(1, 41)) < tail + 0.05 < 0.3 - 0.05 < share_of_tail(range(361, 401))


@pytest.mark.parametrize("sampling", ["class-balanced", "square-root"])
def test_with_several_labels_a_class_is_drawn_and_then_a_sample_that_shows_it(sampling: str) -> None:
    present = np.array([[1, 0, 0]] * 60 + [[1, 1, 0]] * 15 + [[1, 0, 1]] * 4 + [[0, 1, 1]])
    counts = present.sum(0)
    drawn = Sampler(present, sampling).draw(np.random.default_rng(1), 60_000, 0.0)  # type: ignore[arg-type]
    chances = class_probabilities(sampling, counts)  # type: ignore[arg-type]
    expected = (present / counts * chances).sum(1) * len(drawn)
    assert (abs(np.bincount(drawn, minlength=len(present)) - expected) / np.sqrt(expected)).max() < 5


def test_with_several_labels_instance_sampling_draws_all_samples_alike() -> None:
    present = np.array([[1, 1, 1]] * 5 + [[1, 0, 0]] * 45)
    drawn = np.bincount(Sampler(present, "instance").draw(np.random.default_rng(2), 50_000, 0.0), minlength=50)
    assert (abs(drawn - 1000) / np.sqrt(1000)).max() < 5
