"""200 training steps of every method on real digits: a change that alters how a method trains is seen here.

`python tests/golden/test_curves.py` writes the curves anew; do that only where training is meant to change, and say so.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from ltviz.methods.base import Batch, Setup, Step
from ltviz.methods.registry import method, methods

CURVES = Path(__file__).parent / "curves"
STEPS, EVERY, BATCH, WIDTH, DIM = 200, 10, 32, 32, 3


def train(name: str) -> list[float]:
    """Total loss of every tenth step; float64 throughout, so that rounding differs between machines without effect."""
    digits = load_digits()
    rank = [np.flatnonzero(digits.target == c)[: int(80 * 20 ** (-c / 9))] for c in range(10)]
    images = torch.from_numpy(digits.images[np.concatenate(rank)] / 16)[:, None]
    labels = torch.from_numpy(np.repeat(np.arange(10), [len(rows) for rows in rank]))
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(WIDTH)
    setup = Setup(
        encoder=nn.Sequential(nn.Flatten(), nn.Linear(64, WIDTH), norm, nn.ReLU()).double(),
        head=nn.Linear(WIDTH, DIM).double(),
        feature_dim=WIDTH,
        dim=DIM,
        counts=torch.bincount(labels).double(),
        total_steps=STEPS,
        generator=torch.Generator().manual_seed(0),
    )
    kind = method(name)
    made = kind(kind.Settings(), setup).double()
    optimizer = torch.optim.AdamW([p for p in made.parameters() if p.requires_grad], lr=2e-3, weight_decay=1e-3)
    chance, curve = np.random.Generator(np.random.Philox(0)), []
    rare, alike = np.random.Generator(np.random.Philox(1)), 1 / np.bincount(labels)[labels] / 10
    one_hot = torch.eye(10, dtype=torch.float64)
    several = torch.maximum(one_hot[labels], one_hot[labels // 2])  # a digit and its half, for several labels
    for step in range(1, STEPS + 1):
        index = torch.from_numpy(chance.integers(len(labels), size=BATCH))
        noise = torch.from_numpy(0.1 * chance.standard_normal((3, BATCH, 1, 8, 8)))
        second = torch.from_numpy(rare.choice(len(labels), size=BATCH, p=alike))
        batch = Batch(
            step,
            index,
            labels[index],
            lambda view, i=index, n=noise: images[i] + n[view],
            labels=several[index],
            make_rebalanced=lambda step=step, i=second, n=noise: Batch(
                step, i, labels[i], lambda view: images[i] + n[view], labels=several[i]
            ),
        )
        found = Step.of(made.losses(batch), batch)
        loss = made.weigh(found)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        made.after_step(found)
        if step % EVERY == 0:
            curve.append(float(loss.detach()))
    return curve


@pytest.mark.parametrize("name", sorted(file.stem for file in CURVES.glob("*.json")))
def test_training_follows_the_recorded_curve(name):
    expected = json.loads((CURVES / f"{name}.json").read_text())
    np.testing.assert_allclose(train(name), expected["loss"], rtol=1e-5)


if __name__ == "__main__":
    torch.set_num_threads(1)
    CURVES.mkdir(exist_ok=True)
    for known in methods():
        curve = {"method": known, "every": EVERY, "loss": [float(f"{value:.9g}") for value in train(known)]}
        (CURVES / f"{known}.json").write_text(json.dumps(curve) + "\n")
