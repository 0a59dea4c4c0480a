"""Where the processes of a race meet: on which devices, how they are started, and how they find one another."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed
from torch.distributed import TCPStore  # pyright: ignore[reportPrivateImportUsage]

from ltviz.errors import ConfigError
from ltviz.training.settings import RunSettings

PATIENCE = timedelta(days=7)
"""A race may be paused for long; who is gone is known at once, since its connection is."""
JOINING = 300.0
"""Seconds that all have to start."""
LOST, EXHAUSTED = 70, 71
LAST_WORDS = {
    LOST: "its device was lost",
    EXHAUSTED: "it ran out of memory, of which more devices or a smaller batch size need less",
}
"""Exit codes of a rank that tells rank 0 why it ends, with what rank 0 says of it."""


def node_rank() -> int:
    """Number of this machine among those that train together, from 0: NODE_RANK, or that of a Slurm job."""
    return int(os.environ.get("NODE_RANK") or os.environ.get("SLURM_NODEID") or 0)


def check(run: RunSettings) -> None:
    """Raises ConfigError for settings that several devices cannot meet."""
    if run.batch_size < 2 * run.devices * run.nodes:
        raise ConfigError(
            f"batch_size must be at least two samples a rank, {2 * run.devices * run.nodes} for {run.devices} devices "
            f"on {run.nodes} machines, got {run.batch_size}; try a larger batch, or fewer devices"
        )
    if run.compile:
        raise ConfigError("compile is for one device, where no step waits for others; leave out --compile or --devices")
    if run.cuda_graphs == "on":
        raise ConfigError("cuda_graphs are for one device; leave out --cuda-graphs on, or --devices")
    if run.device.startswith("cuda") or (run.device == "auto" and torch.cuda.is_available()):
        count, start = torch.cuda.device_count(), int(run.device.partition(":")[2] or 0)
        if start + run.devices > count:
            raise ConfigError(
                f"devices must be at most the {count} CUDA devices that torch can see, from {run.device} on, "
                f"got {run.devices}; try --devices {max(1, count - start)}, or --device cpu for processes on the CPU"
            )
    elif run.device == "mps" and run.devices > 1:
        raise ConfigError("devices must be 1 on mps, of which a machine has one; leave out --devices")


def meeting(run: RunSettings) -> tuple[str, int]:
    """Address and port of rank 0, port 0 where any will do. ConfigError where several machines have no address."""
    if run.nodes == 1:
        return "127.0.0.1", 0
    address, port = os.environ.get("MASTER_ADDR"), os.environ.get("MASTER_PORT", "29500")
    if not address or not (port.isascii() and port.isdigit() and len(port) < 6):
        raise ConfigError(
            f"nodes needs an address where {run.nodes} machines meet: set MASTER_ADDR to that of the first machine, "
            "MASTER_PORT to a free port there, and NODE_RANK to 0, 1, ... on each"
        )
    return address, int(port)


def open_store(address: str, port: int, world: int, *, leads: bool) -> TCPStore:
    """What ranks find one another by; rank 0 `leads` and has it."""
    patience = timedelta(seconds=JOINING)
    return TCPStore(address, port, world, leads, timeout=patience, wait_for_workers=False)


def start_local(run: RunSettings, *, first: int, address: str, port: int) -> list[subprocess.Popen[bytes]]:
    """This machine's further ranks, from rank `first` on."""
    world = run.devices * run.nodes
    found = []
    for place in range(1, run.devices):
        command = [sys.executable, "-m", "ltviz.training.follower", str(first + place - 1), str(world), str(place)]
        found.append(
            subprocess.Popen(
                [*command, run.model_dump_json(), address, str(port)],
                stdin=subprocess.PIPE,  # whose end says that rank 0 is gone, however it went
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for rank 0, which ends the race in order
            )
        )
    return found


def join(store: TCPStore, rank: int, world: int, run: RunSettings, place: int = 0) -> None:
    """Waits for all ranks; this one is number `place` of its machine, and takes that device."""
    cuda = run.device.startswith("cuda") or (run.device == "auto" and torch.cuda.is_available())
    if cuda:
        torch.cuda.set_device(int(run.device.partition(":")[2] or 0) + place)
    with _loopback(run.nodes == 1):
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if cuda else "gloo", store=store, rank=rank, world_size=world, timeout=PATIENCE
        )
        distributed.barrier()


@contextmanager
def _loopback(alone: bool) -> Iterator[None]:
    """On one machine the ranks meet without its network, whose name may lead nowhere."""
    name = "GLOO_SOCKET_IFNAME"
    chosen = {"linux": "lo", "darwin": "lo0"}.get(sys.platform)
    if not alone or chosen is None or name in os.environ:
        yield
        return
    os.environ[name] = chosen
    try:
        yield
    finally:
        del os.environ[name]


def is_of_connection(error: BaseException) -> bool:
    """Whether the error says that somebody cannot be reached, as gloo and NCCL put it."""
    text = str(error).lower()
    return isinstance(error, distributed.DistError) or any(
        word in text for word in ("connection", "gloo", "nccl", "peer", "socket", "timed out", "aborted")
    )
