from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

Cloud = Callable[..., tuple[np.ndarray, np.ndarray]]


@pytest.fixture
def cloud() -> Cloud:
    """A maker of long-tailed unit embeddings: cloud(counts, dim, noise=.4, seed=0) -> z (N, D), y (N,), shuffled."""

    def make(counts: list[int], dim: int, noise: float = 0.4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        y = np.repeat(np.arange(len(counts)), counts)
        rng.shuffle(y)
        centres = rng.standard_normal((len(counts), dim))
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
        z = centres[y] + noise * rng.standard_normal((len(y), dim))
        return z / np.linalg.norm(z, axis=1, keepdims=True), y

    return make


@pytest.fixture
def rotation() -> Callable[[int], np.ndarray]:
    """A fixed random orthogonal matrix of a given size."""
    return lambda dim: np.linalg.qr(np.random.default_rng(99).standard_normal((dim, dim)))[0]
