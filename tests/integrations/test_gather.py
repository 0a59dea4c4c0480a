"""Three real processes with torch.distributed over gloo."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import numpy as np
import torch

import ltviz
from ltviz.recording import Recording

PROGRAM = """
import os, sys, numpy as np, torch, ltviz
torch.distributed.init_process_group("gloo")
rank = int(os.environ["RANK"])
rows = [3, 0, 2][rank]
ids = torch.arange(rows) * 3 + rank
z = (torch.eye(9, 4)[ids] + 0.5).requires_grad_() * 2
flags = ids.numpy() % 2 == 0
half = torch.full((rows, 2), float(rank), dtype=torch.bfloat16)
z, ids, flags, half = ltviz.gather(z, ids, flags, half)
run = ltviz.record(sys.argv[1], labels=[0, 0, 1, 1, 1, 0, 0, 0, 1])
run.frame(0, embeddings=z, sample_ids=ids)
run.close()
if rank == 0:
    assert ids.tolist() == [0, 3, 6, 2, 5] and not z.requires_grad
    assert torch.equal(z, 2 * (torch.eye(9, 4)[ids] + 0.5))
    assert isinstance(flags, np.ndarray) and flags.tolist() == [True, False, True, True, False]
    assert half.dtype == torch.bfloat16 and half[:, 0].tolist() == [0, 0, 0, 2, 2]
else:
    assert len(z) == rows
print("rank", rank, "is done", run.path, run.dropped)
torch.distributed.destroy_process_group()
"""


def test_all_rows_come_to_rank_0_and_it_alone_writes(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    about = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "3"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path / "run")],
            env={**os.environ, **about, "RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(3)
    ]
    ended = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], "\n".join(error for _, error in ended)
    frame = Recording(tmp_path / "run").frame(0)
    assert frame.present is not None and np.flatnonzero(frame.present).tolist() == [0, 2, 3, 5, 6]


def test_alone_everything_comes_back_as_it_is():
    z, y = torch.eye(3, requires_grad=True), np.arange(3)
    given = ltviz.gather(z, y)
    assert given[0] is z and given[1] is y
