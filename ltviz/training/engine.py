"""Where a run computes, and in which precision. Lightning Fabric knows the devices; this says which, and why."""

from __future__ import annotations

import logging
import os
import re
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric

from ltviz.errors import ConfigError
from ltviz.training.settings import RunSettings

logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # the choice is recorded in run.json instead
# the threads of an OpenMP pool do not live on in a forked child, which would wait for them for ever
_forked = threading.Event()
os.register_at_fork(after_in_child=_forked.set)
_PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed"}


@dataclass(frozen=True)
class Engine:
    """A device and a precision.

    Attributes:
        why: how the device came about, a sentence for run.json and the page.
    """

    fabric: Fabric
    why: str

    @property
    def device(self) -> torch.device:
        return self.fabric.device

    def autocast(self) -> AbstractContextManager:
        """Forward passes inside run in the chosen precision."""
        return self.fabric.autocast()

    def describe(self) -> dict[str, Any]:
        """For the config of run.json."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "CPU"
        return {"device": str(self.device), "name": name, "why": self.why}


def start(settings: RunSettings) -> Engine:
    """The device and precision that the settings ask for; sets torch's CPU threads.

    Raises:
        ConfigError: CUDA is asked for and absent, or several threads in a process that was forked from one with torch.
    """
    if settings.threads > 1 and _forked.is_set():
        raise ConfigError(
            "threads must be 1 in a process that was forked from one with torch, where the others can be waited for "
            f"without end, got {settings.threads}; start the process with spawn, or set threads to 1"
        )
    torch.set_num_threads(settings.threads)
    accelerator, index, why = _choose(settings.device)
    fabric = Fabric(
        accelerator=accelerator,
        devices=[index] if accelerator == "cuda" else 1,
        precision=_PRECISIONS[settings.precision],  # type: ignore[arg-type]
    )
    return Engine(fabric, why)


def _choose(device: str) -> tuple[str, int, str]:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "cpu":
        return "cpu", 0, "cpu: asked for"
    if device == "auto":
        if count:
            return "cuda", 0, f"cuda: auto takes the first of {count} CUDA devices"
        built = torch.version.cuda
        reason = "no CUDA device is visible" if built else "this torch is built without CUDA"
        return "cpu", 0, f"cpu: auto found that {reason}"
    index = int(device.partition(":")[2] or 0)
    if index >= count:
        raise ConfigError(
            f"device must be one that torch {torch.__version__} can see ({count} CUDA devices here), got {device!r}; "
            "try --device auto or --device cpu"
        )
    return "cuda", index, f"{device}: asked for"


def out_of_memory(error: BaseException) -> str | None:
    """What could not be allocated, a clause like "20.00 MiB were needed"; None where `error` says something else."""
    text = str(error)
    cpu = isinstance(error, RuntimeError) and "can't allocate memory" in text
    if not (cpu or isinstance(error, torch.OutOfMemoryError | MemoryError)):
        return None
    needed = re.search(r"(?:tried to allocate|you tried to allocate) ([\d.]+ \w+)", text, re.IGNORECASE)
    free = re.search(r"of which ([\d.]+ \w+) is free", text)
    clause = f"{needed[1]} were needed" if needed else "the amount is not known"
    return f"{clause}, {free[1]} were free" if free else clause
