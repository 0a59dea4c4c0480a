"""Other people's trainers. Those that are not installed are skipped with a sentence; where the environment says
LTVIZ_REQUIRE_INTEGRATIONS=1, as tests/release/check_integrations.py does, that is a failure."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from types import ModuleType

import pytest
import torch


@pytest.fixture
def installed() -> Callable[[str], ModuleType]:
    def find(name: str) -> ModuleType:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            reason = f"{name} is not installed, so its callback is not tested: `pip install 'ltviz[integrations]'`"
            if os.environ.get("LTVIZ_REQUIRE_INTEGRATIONS") == "1":
                pytest.fail(reason)
            pytest.skip(reason)

    return find


class Net(torch.nn.Module):
    """With a dropout and a batch norm, both of which a look could disturb."""

    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(
            torch.nn.Linear(8, 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(), torch.nn.Dropout(0.3)
        )
        self.neck = torch.nn.Linear(16, 3)
        self.head = torch.nn.Linear(3, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.neck(self.body(x))


@pytest.fixture
def samples() -> torch.utils.data.TensorDataset:
    """(64, 8) inputs and (64,) labels of four classes."""
    draw = torch.Generator().manual_seed(1)
    y = torch.arange(64) % 4
    return torch.utils.data.TensorDataset(torch.randn(64, 8, generator=draw) + y[:, None], y)
