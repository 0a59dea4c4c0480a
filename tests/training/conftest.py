"""Small methods to train with, known to the registry under the names toy, twin and faulty."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ltviz.methods import registry
from ltviz.methods.base import Batch, Card, Method, Settings, Setup, live
from ltviz.training.race import Race
from ltviz.training.settings import RunSettings
from ltviz.training.start import Entrant, begin


def card(name: str) -> Card:
    return Card(
        name=name, title=name.title(), year=2026, idea="", formula="", look_for="", sphere="", paper="", code=None
    )


class ToySettings(Settings):
    temperature: float = live(0.2, gt=0, le=10, description="of the cosine classifier")
    pull_weight: float = live(1.0, ge=0, le=10, description="of the pull towards the moving centre")
    size: int = Field(3, ge=1, le=9, description="not live")


class Toy(Method):
    """A cosine classifier with everything that a resume must restore: a buffer, own random numbers and torch's."""

    card = card("toy")
    Settings = ToySettings

    def __init__(self, settings: Settings, setup: Setup):
        super().__init__(settings, setup)
        self.prototypes = nn.Parameter(torch.randn(setup.num_classes, setup.dim))
        self.register_buffer("centre", torch.zeros(setup.dim))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        z = self.project(F.dropout(self.encoder(batch.views(0, 1)), 0.1))
        y = batch.y.repeat(2)
        weight = torch.rand(len(y), generator=self.setup_.generator)
        self.centre.lerp_(z.detach().mean(0), 0.1)
        logits = z @ F.normalize(self.prototypes, dim=1).T / self.settings.temperature
        return {
            "classify": (F.cross_entropy(logits, y, reduction="none") * (0.5 + weight)).mean(),
            "pull": -(z @ self.centre).mean(),
        }

    def classify(self, features: Tensor) -> Tensor:
        return self.project(features) @ F.normalize(self.prototypes, dim=1).T

    def landmarks(self) -> dict[str, Tensor]:
        return {"targets": F.normalize(self.prototypes, dim=1)}

    def target_index(self) -> Tensor:
        return torch.arange(len(self.prototypes)).roll(1)


class Twin(Toy):
    card = card("twin")


class FaultySettings(ToySettings):
    at: int = Field(7, ge=1, le=10**6, description="step of the fault")
    fault: str = Field("nan", description="kind of the fault")


class Faulty(Toy):
    """Does something wrong at one step."""

    card = card("faulty")
    Settings = FaultySettings

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        terms = super().losses(batch)
        if batch.step != self.settings.at:
            return terms
        match self.settings.fault:
            case "nan":
                terms["pull"] = terms["pull"] * float("nan")
            case "inf":
                terms["classify"] = terms["classify"] + float("inf")
            case "gradient":
                terms["pull"] = (terms["pull"] - terms["pull"].detach()).abs().sqrt()  # 0, with gradient inf * 0
            case "memory":
                raise torch.OutOfMemoryError(
                    "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 9.00 GiB "
                    "of which 5.25 MiB is free."
                )
            case "bug":
                raise IndexError("list index out of range")
        return terms


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {kind.card.name: kind for kind in (Toy, Twin, Faulty)}
    real = registry.method
    monkeypatch.setattr(registry, "method", lambda name: kinds.get(name) or real(name))
    monkeypatch.setattr("ltviz.recording.writer.REQUEST_SECONDS", 0.0)
    torch.set_num_threads(1)


QUICK = {"steps": 40, "batch_size": 16, "max_per_class": 30, "imbalance_factor": 10, "probe_points": 100}


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Race]:
    """start("toy", "twin", steps=30, settings={...}, progress=..., say=..., stop=...) -> a race whose runs lie under
    tmp_path."""

    def make(
        *names: str, folder: str = "runs", settings: dict[str, Any] | None = None, progress: Any = None, **run: Any
    ) -> Race:
        entrants = [Entrant(tmp_path / folder / name, name, settings or {}) for name in names]
        more = {key: run.pop(key) for key in ("say", "stop") if key in run}
        more |= {} if progress is None else {"progress": progress}
        return begin(entrants, RunSettings(**{**QUICK, **run}), **more)

    return make
