"""A batch that is too large for the device ends with a sentence, and the size that it names fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import torch

from ltviz.training.race import Race

Start = Callable[..., Race]
TOO_MANY = 2_048
"""Of 331 images: more would be refused before anything is computed."""


@pytest.fixture
def little_memory(device: str) -> Iterator[None]:
    """A twentieth of the memory, at most 1 GiB."""
    if device == "cpu":
        pytest.skip("the memory of a CPU has no limit that a test may set")
    total = torch.cuda.mem_get_info()[1]
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(min(0.05, 2**30 / total))
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)
    torch.cuda.empty_cache()


def test_exhausted_memory_names_a_batch_that_fits(start: Start, little_memory: None) -> None:
    (outcome,) = start("supcon", encoder="resnet32", steps=2, batch_size=TOO_MANY, probe_points=40).run()
    assert outcome.state == "failed" and outcome.reason is not None
    found = re.search(r"ran out of memory on cuda.*try batch size (\d+) instead of", outcome.reason)
    assert found, outcome.reason
    (again,) = start(
        "supcon", folder="again", encoder="resnet32", steps=2, batch_size=int(found[1]), probe_points=40
    ).run()
    assert again.state == "finished", again.reason
