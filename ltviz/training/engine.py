"""Where a run computes, and in which precision. Lightning Fabric knows the devices; this says which, and why."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import re
import shutil
import threading
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import psutil
import torch
from lightning_fabric import Fabric
from torch import nn

from ltviz.errors import ConfigError
from ltviz.training.ranks import Ranks
from ltviz.training.settings import RunSettings

logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # the choice is recorded in run.json instead
# the threads of an OpenMP pool do not live on in a forked child, which would wait for them for ever
_forked = threading.Event()
os.register_at_fork(after_in_child=_forked.set)
_PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed", "64": "64-true"}
_MIB = 2**20
SPARE = 0.9
"""Share of the free memory that a batch size is proposed for."""


@dataclass(frozen=True)
class Engine:
    """A device and a precision.

    Attributes:
        why: how the device came about, a sentence for run.json and the page.
        notes: what else was chosen, and why, a sentence each.
        compiled: whether encoders are compiled.
        ranks: the processes that take each step together; None where there is this one alone.
    """

    fabric: Fabric
    why: str
    precision: str = "32"
    notes: tuple[str, ...] = ()
    compiled: bool = False
    ranks: Ranks | None = None

    @property
    def device(self) -> torch.device:
        return self.fabric.device

    def autocast(self) -> AbstractContextManager:
        """Forward passes inside run in the chosen precision."""
        if self.precision == "64":
            return nullcontext()  # of float64 modules; images are float32 all the same, and are made inside
        return self.fabric.autocast()

    def place(self, method: nn.Module) -> None:
        """Puts a method on the device, in the layout that it computes fastest in; compiles its encoder where asked."""
        if self.device.type == "cuda":
            method.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.fabric.to_device(method)
        if self.precision == "64":
            method.double()
        encoder = getattr(method, "encoder", None)
        if self.compiled and isinstance(encoder, nn.Module):
            encoder.compile()  # in place: names of weights stay, and a copy of it is not compiled

    def scaler(self) -> torch.amp.GradScaler | None:
        """A method's own scale of gradients, where 16 bits are too narrow for them as they are."""
        return torch.amp.GradScaler(self.device.type) if self.precision == "16" else None

    def generators(self) -> list[torch.Generator]:
        """torch's global generators that a step may draw from, the CPU's first."""
        found = [torch.default_generator]
        if self.device.type == "cuda":
            found.append(torch.cuda.default_generators[self.device.index or 0])
        return found

    def is_fused(self, optimizer: torch.optim.Optimizer) -> bool:
        """Whether the optimiser can be told on the device to leave a step out (`found_inf`)."""
        return self.device.type in ("cpu", "cuda") and getattr(optimizer, "_step_supports_amp_scaling", False)

    def describe(self) -> dict[str, Any]:
        """For the config of run.json."""
        return {
            "device": str(self.device),
            "name": _name(self.device),
            "why": self.why,
            "precision": self.precision,
            "notes": list(self.notes),
        }

    def memory(self) -> dict[str, float]:
        """MiB: `used` by tensors at the peak of this process (on the CPU by the process now), and `total` there are."""
        if self.device.type == "cuda":
            used, total = torch.cuda.max_memory_allocated(self.device), torch.cuda.mem_get_info(self.device)[1]
        else:
            used, total = psutil.Process().memory_info().rss, psutil.virtual_memory().total
        return {"used": round(used / _MIB, 1), "total": round(total / _MIB, 1)}


def start(settings: RunSettings, ranks: Ranks | None = None, place: int = 0) -> Engine:
    """The device and precision that the settings ask for; sets torch's CPU threads and its global switches.

    Args:
        ranks: the processes that take each step together.
        place: of this process among those on its machine; it takes the device that is so many further on.

    Raises:
        ConfigError: a device that is absent, a precision or a compiler that it has not, or several threads in a process
            that was forked from one with torch.
    """
    if settings.threads > 1 and _forked.is_set():
        raise ConfigError(
            "threads must be 1 in a process that was forked from one with torch, where the others can be waited for "
            f"without end, got {settings.threads}; start the process with spawn, or set threads to 1"
        )
    torch.set_num_threads(settings.threads)
    accelerator, index, why = _choose(settings.device)
    index += place
    if settings.precision == "16" and accelerator != "cuda":
        raise ConfigError(
            f"precision 16 is for CUDA, whose 16-bit products are scaled, but the device is {accelerator} ({why}); "
            "try --precision bf16"
        )
    if settings.compile:
        _check_compiler(accelerator)
    fabric = Fabric(
        accelerator=accelerator,
        devices=[index] if accelerator == "cuda" else 1,
        precision=_PRECISIONS[settings.precision],  # type: ignore[arg-type]
    )
    notes = (*_switch(accelerator, settings), *(["compile: the encoder is compiled"] if settings.compile else []))
    if ranks is not None:
        notes = (
            *notes,
            f"ranks: {ranks.size} processes divide the rows of the encoder, whose batch norm sees all of them; each "
            "computes the loss of the whole batch",
        )
    return Engine(fabric, why, settings.precision, notes, settings.compile, ranks)


def _choose(device: str) -> tuple[str, int, str]:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "cpu":
        return "cpu", 0, "cpu: asked for"
    if device == "mps":
        if not torch.backends.mps.is_available():
            raise ConfigError(
                f"device must be one that torch {torch.__version__} can see (no Apple GPU here), got 'mps'; "
                "try --device auto or --device cpu"
            )
        return "mps", 0, "mps: asked for"
    if device == "auto":
        if count:
            return "cuda", 0, f"cuda: auto takes the first of {count} CUDA devices"
        built = torch.version.cuda
        reason = "no CUDA device is visible" if built else "this torch is built without CUDA"
        beside = ", and takes mps only where asked" if torch.backends.mps.is_available() else ""
        return "cpu", 0, f"cpu: auto found that {reason}{beside}"
    index = int(device.partition(":")[2] or 0)
    if index >= count:
        raise ConfigError(
            f"device must be one that torch {torch.__version__} can see ({count} CUDA devices here), got {device!r}; "
            "try --device auto or --device cpu"
        )
    return "cuda", index, f"{device}: asked for"


def _switch(accelerator: str, settings: RunSettings) -> list[str]:
    """Sets torch's switches for the whole process, those of earlier runs in it too, and says what was chosen."""
    exact = settings.deterministic
    if accelerator == "cuda" and exact:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA starts
    torch.use_deterministic_algorithms(exact)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    notes = ["deterministic: operations without a repeatable form are refused"] if exact else []
    if accelerator != "cuda":
        return notes
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = not exact
    if exact:
        return [*notes, "TF32: off, and convolutions by the first repeatable algorithm"]
    return [*notes, "TF32: on in convolutions, off in matrix products, whose cosines need all digits"]


def _check_compiler(accelerator: str) -> None:
    """Raises ConfigError where torch.compile would find nothing to compile with."""
    if accelerator == "cpu":
        names = [name for name in (os.environ.get("CXX"), "g++", "clang++", "c++", "cl") if name]
        missing = None if any(map(shutil.which, names)) else "a C++ compiler"
    else:
        missing = None if accelerator == "mps" or find_spec("triton") else "the package triton"
    if missing is not None:
        raise ConfigError(f"compile needs {missing}, which is not there; install it, or leave --compile out")


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()


class Growth:
    """Memory that a step takes beside what is there, in bytes, known at the end of `growth`."""

    bytes: int = 0


@contextmanager
def growth(device: torch.device, but: Collection[torch.Tensor] = ()) -> Iterator[Growth]:
    """On CUDA what the allocator counts at the peak; elsewhere what the backward pass keeps of the forward pass.

    Args:
        but: tensors that are there anyway and count for nothing, such as parameters; CUDA counts what is added alone.
    """
    found = Growth()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield found
        found.bytes = torch.cuda.max_memory_allocated(device) - before
        return
    kept: dict[int, int] = {}
    held = {tensor.untyped_storage().data_ptr() for tensor in but}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in held:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield found
    found.bytes = sum(kept.values())


def free_memory(device: torch.device) -> int:
    """Bytes that tensors may still take: what is free, and no more than this process is allowed."""
    if device.type != "cuda":
        return psutil.virtual_memory().available
    free, total = torch.cuda.mem_get_info(device)
    reserved = torch.cuda.memory_reserved(device)
    allowed = int(torch.cuda.get_per_process_memory_fraction(device) * total) - reserved
    return max(0, min(free, allowed)) + reserved - torch.cuda.memory_allocated(device)


def fitting_batch(measure: Callable[[int], int], size: int, free: int) -> tuple[int, float | None]:
    """A batch size below `size` that fits, and the bytes that a sample of it takes where they could be measured.

    The size is halved until a step of it was measured to fit: contrasts grow with the square of the batch, so no line
    through smaller ones is trusted.

    Args:
        measure: bytes that a step of so many samples takes; raises where they are not there.
        free: bytes that there are.
    """
    rows = size // 2
    while rows >= 4:
        try:
            taken = measure(rows)
        except Exception as error:
            if out_of_memory(error) is None:
                raise
            let_go(error)
            rows //= 2
            continue
        if taken <= 0:
            break
        if taken <= SPARE * free:
            return rows, taken / rows
        rows //= 2
    return max(2, rows), None


def let_go(error: BaseException) -> None:
    """Frees what the frames that an error came through hold: tensors of a step, for whom there was no room.

    Whoever handles the error, a `with` around it too, holds the error, its traceback, and those frames' variables.
    """
    link: BaseException | None = error
    while link is not None:
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
    empty_caches()


def empty_caches() -> None:
    """Gives memory that no tensor needs any more back to the devices, for whoever comes next on them."""
    gc.collect()
    if torch.cuda.is_available():
        with contextlib.suppress(RuntimeError):  # a device that is lost has nothing to give, and that is said elsewhere
            torch.cuda.empty_cache()


def visible_devices() -> list[tuple[str, str, int]]:
    """Uuid, name and bytes of every CUDA device that this process sees, in the order of their numbers."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    found = [torch.cuda.get_device_properties(i) for i in range(count)]
    return [(str(one.uuid), one.name, one.total_memory) for one in found]


_NO_ROOM = ("can't allocate memory", "MPS backend out of memory", "CUDA error: out of memory")


def out_of_memory(error: BaseException) -> str | None:
    """What could not be allocated, a clause like "20.00 MiB were needed"; None where `error` says something else."""
    text = str(error)
    told = any(words in text for words in _NO_ROOM)
    if not ((isinstance(error, RuntimeError) and told) or isinstance(error, torch.OutOfMemoryError | MemoryError)):
        return None
    needed = re.search(r"(?:tried to allocate|you tried to allocate) ([\d.]+ \w+)", text, re.IGNORECASE)
    free = re.search(r"of which ([\d.]+ \w+) is free", text)
    allowed = re.search(r"([\d.]+ \w+) allowed", text)
    clause = f"{needed[1]} were needed" if needed else "the amount is not known"
    if free:
        clause += f", {free[1]} were free"
    return f"{clause}, {allowed[1]} are allowed to this process" if allowed else clause


_LOST = (
    "unspecified launch failure",
    "device-side assert",
    "illegal memory access",
    "illegal instruction",
    "illegal address",
    "misaligned address",
    "invalid program counter",
    "hardware stack error",
    "launch timed out",
    "uncorrectable ECC",
    "uncorrectable NVLink",
    "device unavailable",
    "device is lost",
    "device lost",
    "unknown error",
)
"""What CUDA says once its context is dead: every later call of the process fails with it, whatever it asks for."""


def device_lost(error: BaseException) -> str | None:
    """What the device said, in one line, where no computation of this process can use it any more; None otherwise."""
    if not isinstance(error, RuntimeError):  # torch's AcceleratorError is one
        return None
    said = str(error).strip().partition("\n")[0]
    told = said.startswith(("CUDA error", "HIP error", "CUDA driver error", "cuDNN error", "CUBLAS", "NCCL"))
    return said if told and any(words.casefold() in said.casefold() for words in _LOST) else None
