"""Rows of all processes that train together, brought to the one that records."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import distributed


def gather(*arrays: Any) -> tuple[Any, ...]:
    """All rows of all ranks, in the order of ranks, on rank 0; on the other ranks what they gave.

        z, y, ids = ltviz.gather(z, y, ids)
        run.frame(step, embeddings=z, sample_ids=ids)

    Every rank must call it, with as many arrays. Ranks may have different numbers of rows, also none. Without
    torch.distributed, or with one process, everything comes back as it is. A padded sampler gives some samples twice:
    `frame(sample_ids=...)` takes each once.

    Args:
        arrays: (rows, ...) tensors on any device, or numpy arrays; all but the number of rows alike on all ranks.

    Returns:
        As many arrays, of the kind that was given: tensors on their device and off their graph.
    """
    alone = not distributed.is_available() or not distributed.is_initialized() or distributed.get_world_size() == 1
    return arrays if alone else tuple(_gather(array) for array in arrays)


def _gather(array: Any) -> Any:
    given = array.detach() if isinstance(array, torch.Tensor) else torch.from_numpy(np.ascontiguousarray(array))
    device = given.device
    if distributed.get_backend() == "nccl" and device.type != "cuda":
        device = torch.device("cuda", torch.cuda.current_device())
    # What travels are bytes: backends know different types, and flags and halves are not among all of them.
    rows = given.to(device).contiguous()
    world, rank = distributed.get_world_size(), distributed.get_rank()
    count = torch.tensor([len(rows)], device=device)
    counts = [torch.zeros_like(count) for _ in range(world)]
    distributed.all_gather(counts, count)
    sizes = [int(one) for one in counts]
    wide = rows.new_zeros((max(sizes), *rows.shape[1:]))
    wide[: len(rows)] = rows
    flat = wide.view(-1).view(torch.uint8)
    parts = [torch.empty_like(flat) for _ in range(world)] if rank == 0 else None
    distributed.gather(flat, parts, dst=0)
    if parts is None:
        return array
    whole = torch.cat([part.view(rows.dtype).view(wide.shape)[:size] for part, size in zip(parts, sizes, strict=True)])
    return whole.to(given.device) if isinstance(array, torch.Tensor) else whole.cpu().numpy()
