"""`ltviz bench cost`: the memory that a step of each loss takes at large batches, queues and class counts.

The encoder is left out: vectors go straight to the head. On CUDA it is the peak of forward and backward pass that the
allocator counts; on a CPU, which counts none, what the backward pass keeps of the forward pass.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from pydantic import BaseModel, Field

from ltviz import encoders
from ltviz.cli.arguments import parse_one
from ltviz.data.batch import Batch
from ltviz.methods import registry
from ltviz.methods.base import NONE, Method, Setup
from ltviz.methods.parts.class_queue import ClassQueue
from ltviz.methods.parts.queue import KeyQueue
from ltviz.methods.parts.step import Step
from ltviz.training import engine
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import parse_settings

IMAGES = ("clip",)
"""Methods whose losses look at the image itself; vectors do not serve them."""
MIB, MOST_VIEWS = 2**20, 3
MOST_OF_CLASS = 1280, 5
"""Samples of the largest and of the smallest class, as in ImageNet-LT (Liu et al. 2019)."""


class CostOptions(BaseModel):
    batch: str = Field("1024,8192", max_length=200, description="Batch sizes, separated by commas.")
    queue: int = Field(65536, ge=2, le=65536, description="Places of the queue, of methods that have one.")
    classes: int = Field(1000, ge=2, le=10_000, description="Classes: 1000 as ImageNet-LT, 8142 as iNaturalist 2018.")
    dim: int = Field(128, ge=2, le=4096, description="Dimension of the embedding.")
    methods: str = Field("", description="Methods, separated by commas; all with one label where empty.")
    device: str = Field("auto", description="auto, cpu or cuda.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


def run(argv: Sequence[str] = ()) -> None:
    """Prints one line a method: MiB of a step at each batch size; a dash where there was not enough."""
    options = parse_one("ltviz bench cost", argv, CostOptions, about="Memory of losses at large batches.")
    sizes = [int(size) for size in options.batch.split(",")]
    names = list(filter(None, (name.strip() for name in options.methods.split(","))))
    kinds = {name: registry.method(name) for name in names} or served()
    rows: dict[str, dict[int, float | None]] = {}
    if not options.json_:
        print(f"{'method':24} " + " ".join(f"{f'B {size:,}':>10}" for size in sizes) + "  MiB")
    for name, kind in kinds.items():
        rows[name] = {size: taken(kind, size, options) for size in sizes}
        if not options.json_:
            print(f"{name:24} " + " ".join(_shown(one) for one in rows[name].values()), flush=True)
    if options.json_:
        print(json.dumps({**options.model_dump(exclude={"json_", "methods"}), "mib": rows}))


def served() -> dict[str, type[Method]]:
    """All methods that vectors with one label serve, by name."""
    return {name: kind for name, kind in registry.methods().items() if not kind.several_labels and name not in IMAGES}


def _shown(mib: float | None) -> str:
    return f"{'–':>10}" if mib is None else f"{mib:10,.0f}"


def taken(kind: type[Method], batch_size: int, options: CostOptions) -> float | None:
    """MiB of one step of the method's losses, with all queues full; None where there was not so much."""
    chosen = engine.start(RunSettings.model_validate({"device": options.device}))
    method = build(kind, options)
    chosen.place(method)
    fill_queues(method, options.queue)
    batch, views = _batch(batch_size, options, chosen.device)
    trained = [one for one in method.parameters() if one.requires_grad]
    there = [*method.parameters(), *method.buffers(), *views]  # what a batch holds is no part of a loss
    try:
        with engine.growth(chosen.device, there) as grown:
            total = method.weigh(Step.of(method.losses(batch), batch))
            torch.autograd.grad(total, trained, allow_unused=True)
    except Exception as error:
        if engine.out_of_memory(error) is None:
            raise
        engine.let_go(error)
        return None
    return grown.bytes / MIB


def build(kind: type[Method], options: CostOptions) -> Method:
    """A method for vectors, with as long a queue as is asked for where it has one."""
    known = kind.Settings.model_fields
    values: dict[str, Any] = {"queue_size": options.queue} if "queue_size" in known else {}
    if "teacher" in known:
        values["teacher"] = NONE
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder, feature_dim = encoders.build("identity", (options.dim,))
        setup = Setup(
            encoder=encoder,
            head=encoders.build_head(feature_dim, options.dim),
            feature_dim=feature_dim,
            dim=options.dim,
            counts=class_sizes(options.classes),
            total_steps=100,
            generator=torch.Generator().manual_seed(0),
        )
        return kind(parse_settings(kind, values), setup)


def class_sizes(classes: int) -> torch.Tensor:
    """(C,) samples per class, falling evenly on a logarithmic scale between those of `MOST_OF_CLASS`."""
    most, least = MOST_OF_CLASS
    return torch.logspace(math.log10(most), math.log10(least), classes).round()


def _batch(size: int, options: CostOptions, device: torch.device) -> tuple[Batch, list[torch.Tensor]]:
    """A batch of vectors, and its views."""
    generator = torch.Generator().manual_seed(1)
    y = torch.multinomial(class_sizes(options.classes), size, replacement=True, generator=generator)
    views = [torch.randn(size, options.dim, generator=generator).to(device) for _ in range(MOST_VIEWS)]
    return Batch(1, torch.arange(size, device=device), y.to(device), views.__getitem__), views


def fill_queues(method: Method, size: int) -> None:
    """Puts random keys into every place, those of a class queue so that each class has its share."""
    for queue in method.modules():
        if isinstance(queue, KeyQueue):
            device = queue.all_keys.device
            labels = torch.arange(size, device=device) % len(method.counts)
            queue.push(F.normalize(torch.randn(size, queue.all_keys.shape[1], device=device), dim=1), labels)
        elif isinstance(queue, ClassQueue):
            labels = queue.slot_labels
            features = torch.randn(len(labels), queue.all_features.shape[1], device=labels.device)
            queue.push(features, labels, torch.arange(len(labels), device=labels.device))
