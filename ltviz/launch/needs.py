"""How much memory of a device a job needs: an estimate from sizes alone, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ltviz.data import registry as data_registry
from ltviz.errors import LtvizError
from ltviz.launch.places import Device, Place, Room, Wish
from ltviz.launch.queue import Choose, Job
from ltviz.recording import Recording, run_path
from ltviz.training.parameters import classifier_size, encoder_size, head_size
from ltviz.training.settings import EQUAL_VIEWS, RunSettings

CONTEXT = 600 * 2**20
"""Bytes that a process takes on a CUDA device before any tensor."""
SPARE = 1.2
"""Times the sum, for what the allocator cannot use."""
_A_PARAMETER = 20
"""Bytes: weight, gradient, two moments, and the weight of a momentum encoder."""
_MEASURED = {"identity": 4, "mlp": 64, "convnet": 80, "resnet32": 2390, "resnet56": 4180}
_DERIVED = {"resnet18": 400, "resnet34": 590, "resnet50": 1770, "resnet101": 2590, "resnet152": 3610}
_KEPT = {**_MEASURED, **_DERIVED, "resnext50": 2300, "resnext50_32x4d": 2300}
"""Bytes of float32 that the backward pass keeps of an image, by encoder, for each of its pixels: 8 for each number that
a convolution gives. The first are measured by torch's hooks on saved tensors; the others follow from the networks'
convolutions, which give 11.1 million numbers of 224 x 224 pixels in ResNet-50."""
_WIDTH = {"32": 1.0, "64": 2.0}
"""Of a kept number against float32; half as wide in mixed precision."""
_known: dict[tuple[Path, bytes], Wish] = {}


def wish_of(home: Path, job: Job) -> Wish:
    """What a job asks of the devices; it is computed once a process.

    A job that goes on has its settings in its folders, and goes to any device.
    """
    key = (home, job.as_file())
    if key not in _known:
        if len(_known) >= 1000:
            _known.clear()
        _known[key] = _wish(_settings(home, job), job)
    return _known[key]


def chooser(home: Path, devices: Sequence[Device]) -> Choose | None:
    """How a worker that sees these devices chooses its next job; None where it sees none, and takes the first."""
    return partial(_choose, home, devices) if devices else None


def _choose(
    home: Path, devices: Sequence[Device], waiting: Sequence[Job], taken: Sequence[Job]
) -> tuple[str, Place | None] | None:
    room = Room(devices, [job.place for job in taken if job.place is not None])
    return room.first_that_fits({job.job_id: wish_of(home, job) for job in waiting})


def _settings(home: Path, job: Job) -> RunSettings | None:
    run: Any = job.run
    try:
        if job.resume:
            run = Recording(run_path(home, job.runs[0].run_id)).config.get("run", {})
        return RunSettings.model_validate(run)
    except (LtvizError, ValidationError):
        return None


def _wish(run: RunSettings | None, job: Job) -> Wish:
    if run is None:
        return Wish()
    if run.device in ("cpu", "mps"):
        return Wish(anywhere=True)
    number = run.device.partition(":")[2]
    only = int(number) if number and not job.resume else None
    return Wish(memory_of(run, len(job.runs)), run.devices, only)


def memory_of(run: RunSettings, methods: int) -> int | None:
    """Bytes that a race takes on each of its devices, about; None for an encoder or data whose size is not known.

    Its methods have their weights at the same time, and take their steps one after another.
    """
    try:
        about = data_registry.describe(run.data, **run.cut)
    except LtvizError:
        return None
    shape, encoder = about.image_shape, run.encoder.removeprefix("timm:")
    size = encoder_size(run.encoder, shape, of_pixels=about.of_pixels) if shape else None
    if size is None or encoder not in _KEPT:
        return None
    parameters = size.parameters + classifier_size(size.feature_dim, len(about.class_names))
    parameters += head_size(size.feature_dim, run.dim, run.head, run.head_width)
    rows = run.batch_size * (run.views or EQUAL_VIEWS)
    kept = rows * _pixels(shape) * _KEPT[encoder] * _WIDTH.get(run.precision, 0.5) / run.devices
    pairs = 3 * 4 * rows**2  # similarities, their exponentials and gradients
    tensors = methods * parameters * _A_PARAMETER + kept + pairs + (about.bytes or 0)
    return round(CONTEXT + SPARE * tensors)


def _pixels(shape: Sequence[int]) -> int:
    return prod(shape) if len(shape) == 1 else shape[0] * shape[1]
