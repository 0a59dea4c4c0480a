"""`ltviz bench cost`: the memory that a step of each loss takes at large batches, queues and class counts.

The encoder is left out: vectors go straight to the head. On CUDA it is the peak of forward and backward pass that the
allocator counts; on a CPU, which counts none, what the backward pass keeps of the forward pass.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from pydantic import BaseModel, Field

from ltviz.cli.arguments import parse_one
from ltviz.methods import registry
from ltviz.methods.base import NONE, Method
from ltviz.methods.parts.class_queue import ClassQueue
from ltviz.methods.parts.queue import KeyQueue
from ltviz.methods.parts.step import Step
from ltviz.training.engine import growth, let_go, out_of_memory
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import parse_settings, prepare

IMAGES = ("clip",)
"""Methods whose losses look at the image itself; vectors do not serve them."""
_MIB = 2**20


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
    kinds = {name: registry.method(name) for name in names} or {
        name: kind for name, kind in registry.methods().items() if not kind.several_labels and name not in IMAGES
    }
    rows: dict[str, dict[int, float | None]] = {}
    if not options.json_:
        print(f"{'method':24} " + " ".join(f"{f'B {size:,}':>10}" for size in sizes) + "  MiB")
    for name, kind in kinds.items():
        rows[name] = {size: taken(kind, size, options) for size in sizes}
        if not options.json_:
            print(f"{name:24} " + " ".join(_shown(one) for one in rows[name].values()), flush=True)
    if options.json_:
        print(json.dumps({**options.model_dump(exclude={"json_", "methods"}), "mib": rows}))


def _shown(mib: float | None) -> str:
    return f"{'–':>10}" if mib is None else f"{mib:10,.0f}"


def taken(kind: type[Method], batch_size: int, options: CostOptions) -> float | None:
    """MiB of one step of the method's losses, with all queues full; None where there was not so much."""
    known = kind.Settings.model_fields
    values: dict[str, Any] = {"queue_size": options.queue} if "queue_size" in known else {}
    if "teacher" in known:
        values["teacher"] = NONE
    shared = prepare(
        RunSettings.model_validate(
            {
                "data": "hypersphere",
                "data_options": {"classes": options.classes, "dim": options.dim},
                "imbalance_factor": 10,
                "max_per_class": 20,
                "encoder": "identity",
                "dim": options.dim,
                "batch_size": batch_size,
                "probe_points": 20,
                "device": options.device,
                "evaluate": False,
            }
        )
    )
    method = shared.build(kind, parse_settings(kind, values))
    fill_queues(method, options.queue)
    batch, trained = shared.batches.at(1), [one for one in method.parameters() if one.requires_grad]
    for view in range(3):
        batch.view(view)  # what a batch holds is no part of a loss
    try:
        with growth(shared.engine.device, [*method.parameters(), *method.buffers()]) as grown:
            total = method.weigh(Step.of(method.losses(batch), batch))
            torch.autograd.grad(total, trained, allow_unused=True)
    except Exception as error:
        if out_of_memory(error) is None:
            raise
        let_go(error)
        return None
    return grown.bytes / _MIB


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
