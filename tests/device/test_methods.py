"""Every method takes steps on the device, in every precision that it has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ltviz.methods import registry
from ltviz.recording import Recording
from ltviz.training.race import Race

Start = Callable[..., Race]


def data_of(name: str) -> str:
    return "digits-ml" if registry.method(name).several_labels else "digits-lt"


@pytest.mark.parametrize("name", registry.methods())
def test_every_method_trains_twenty_steps(start: Start, tmp_path: Path, name: str, device: str) -> None:
    (outcome,) = start(name, data=data_of(name)).run()
    assert (outcome.state, outcome.reason, outcome.step) == ("finished", None, 20)
    recording = Recording(tmp_path / "runs" / name)
    assert [row["step"] for row in recording.metrics()] == list(range(1, 21))
    assert recording.config["engine"]["device"].startswith(device.partition(":")[0])
    embeddings = recording.frame(20).embeddings
    assert np.isfinite(embeddings).all() and np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("precision", ["bf16", "16"])
@pytest.mark.parametrize("name", ["ce", "supcon", "kcl"])
def test_sixteen_bits_learn(start: Start, tmp_path: Path, name: str, precision: str, device: str) -> None:
    if precision == "16" and device == "cpu":
        pytest.skip("precision 16 is for CUDA")
    (outcome,) = start(name, steps=60, precision=precision).run()
    assert outcome.state == "finished", outcome.reason
    totals = [row["total"] for row in Recording(tmp_path / "runs" / name).metrics()]
    assert np.mean(totals[-10:]) < np.mean(totals[:10])


@pytest.mark.parametrize("encoder", ["convnet", "resnet32"])
def test_networks_of_convolutions_train(start: Start, encoder: str) -> None:
    (outcome,) = start("supcon", encoder=encoder, steps=3, probe_points=40).run()
    assert (outcome.state, outcome.step) == ("finished", 3)
