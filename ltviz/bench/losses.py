"""Time and peak memory of `ltviz.losses` against plain dense implementations (`ltviz bench losses`).

The plain ones are what a paper's repository has: an N x N similarity matrix, masks of its size, autograd through all
of it. Both run forward and backward on the same inputs and must agree before they are timed. Memory is the growth of
the process's peak resident size, each measured in a fresh process (on CUDA: of the allocator's peak).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz import losses

TAU = 0.1
QUEUE_PER_SAMPLE = 4


def plain_supcon(z: Tensor, y: Tensor) -> Tensor:
    """SupCon as its repository writes it: masks, row maximum, log-probability of every pair."""
    rows, labels = z.transpose(0, 1).flatten(0, 1), y.repeat(z.shape[1])
    logits = rows @ rows.T / TAU
    logits = logits - logits.amax(1, keepdim=True).detach()
    others = 1 - torch.eye(len(rows), dtype=z.dtype, device=z.device)
    positives = (labels[:, None] == labels).to(z.dtype) * others
    log_probability = logits - (logits.exp() * others).sum(1, keepdim=True).log()
    return -((positives * log_probability).sum(1) / positives.sum(1).clamp_min(1)).mean()


def plain_bcl(z: Tensor, y: Tensor, prototypes: Tensor) -> Tensor:
    """BalSCL with a dense matrix of per-pair class counts."""
    num_rows = z.shape[0] * z.shape[1]
    labels = torch.cat([y.repeat(z.shape[1]), torch.arange(len(prototypes), device=y.device)])
    columns = torch.cat([z.transpose(0, 1).flatten(0, 1), prototypes])
    logits = columns[:num_rows] @ columns.T / TAU
    logits = logits - logits.amax(1, keepdim=True).detach()
    others = 1 - torch.eye(num_rows, len(columns), dtype=z.dtype, device=z.device)
    same = (labels[:num_rows, None] == labels).to(z.dtype)
    positives = same * others
    counts = torch.bincount(labels)[labels].to(z.dtype)[None] - same
    denominator = (logits.exp() * others / counts.clamp_min(1)).sum(1, keepdim=True)
    return -((positives * (logits - denominator.log())).sum(1) / positives.sum(1)).mean()


def plain_kcl(query: Tensor, key: Tensor, queue: Tensor, positives: Tensor) -> Tensor:
    """KCL as cross-entropy with soft labels over own key and queue."""
    logits = torch.cat([(query * key).sum(1, keepdim=True), query @ queue.T], dim=1) / TAU
    soft = torch.cat([torch.ones_like(logits[:, :1]), positives.to(logits)], dim=1)
    return -(soft / soft.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1).mean()


def plain_tsc(query: Tensor, key: Tensor, queue: Tensor, y: Tensor, targets: Tensor, positives: Tensor) -> Tensor:
    """TSC with the official normalisation, masks over own key, queue and targets."""
    columns = torch.cat([queue, targets])
    logits = torch.cat([(query * key).sum(1, keepdim=True), query @ columns.T], dim=1) / TAU
    log_probability = logits.log_softmax(1)
    own_target = F.one_hot(y, len(targets)).to(logits)
    of_class = torch.cat([torch.ones_like(logits[:, :1]), positives.to(logits), torch.zeros_like(own_target)], dim=1)
    of_target = torch.cat([torch.zeros_like(logits[:, : 1 + len(queue)]), own_target], dim=1)
    weight = (of_class + 0.2 * of_target) / (of_class + of_target).sum(1, keepdim=True)
    return -(weight * log_probability).sum(1).mean()


def plain_gml(query: Tensor, y: Tensor, keys: Tensor, keys_y: Tensor, counts: Tensor) -> Tensor:
    """GML's contrastive term with the class means taken by a one-hot product."""
    logits = query @ keys.T / TAU
    top = logits.amax(1, keepdim=True).detach()
    one_hot = F.one_hot(keys_y, len(counts)).to(logits)
    means = ((logits - top).exp() @ one_hot) / one_hot.sum(0)
    return F.cross_entropy(means.clamp_min(1e-30).log() + (counts / counts.sum()).log(), y)


@dataclass(frozen=True)
class Case:
    """One loss on one batch: the same inputs for both implementations."""

    ours: Callable[[], Tensor]
    plain: Callable[[], Tensor]
    leaves: tuple[Tensor, ...]


def build(name: str, batch: int, dim: int, classes: int, device: str) -> Case:
    """Inputs of loss `name`: a long-tailed batch (imbalance factor 100), two views or a queue of 4 x batch."""
    generator = torch.Generator().manual_seed(0)
    share = 100.0 ** (-torch.arange(classes) / max(classes - 1, 1))
    unit = lambda *shape: F.normalize(torch.randn(*shape, generator=generator), dim=-1).to(device)  # noqa: E731
    label = lambda n: torch.multinomial(share, n, replacement=True, generator=generator).to(device)  # noqa: E731
    y, num_keys = label(batch), QUEUE_PER_SAMPLE * batch
    if name in ("supcon", "bcl"):
        z, prototypes = unit(batch, 2, dim).requires_grad_(), unit(classes, dim).requires_grad_()
        if name == "supcon":
            return Case(lambda: losses.supcon(z, y, temperature=TAU), lambda: plain_supcon(z, y), (z,))
        return Case(
            lambda: losses.bcl(z, y, prototypes, temperature=TAU), lambda: plain_bcl(z, y, prototypes), (z, prototypes)
        )
    query, key, queue, queue_y = (
        unit(batch, dim).requires_grad_(),
        unit(batch, dim),
        unit(num_keys, dim),
        label(num_keys),
    )
    if name == "gml":
        queue_y = torch.cat([torch.arange(classes, device=device), queue_y])[:num_keys].sort().values
        keys, counts = queue.requires_grad_(), (share * 1000).ceil().to(device)
        return Case(
            lambda: losses.gml(query, y, keys, queue_y, counts, temperature=TAU),
            lambda: plain_gml(query, y, keys, queue_y, counts),
            (query, keys),
        )
    lot = torch.rand(batch, num_keys, generator=generator).to(device).masked_fill_(y[:, None] != queue_y, 2.0)
    positives = (lot <= lot.kthvalue(min(6, num_keys), dim=1, keepdim=True).values) & (lot < 1)
    if name == "kcl":
        return Case(
            lambda: losses.kcl(query, key, queue, y, queue_y, temperature=TAU, positives=positives),
            lambda: plain_kcl(query, key, queue, positives),
            (query,),
        )
    targets = unit(classes, dim)
    return Case(
        lambda: losses.tsc(query, key, queue, y, queue_y, targets, temperature=TAU, positives=positives),
        lambda: plain_tsc(query, key, queue, y, targets, positives),
        (query,),
    )


LOSSES = ("supcon", "bcl", "gml", "kcl", "tsc")


@dataclass(frozen=True)
class Row:
    """One line of the table; times in milliseconds, memory in MB of growth."""

    loss: str
    batch: int
    classes: int
    plain_ms: float
    ours_ms: float
    plain_mb: float
    ours_mb: float

    def __str__(self) -> str:
        faster, smaller = self.plain_ms / self.ours_ms, self.plain_mb / max(self.ours_mb, 0.1)
        return (
            f"{self.loss:7} {self.batch:6} {self.classes:6} {self.plain_ms:10.1f} {self.ours_ms:9.1f} {faster:7.1f}x"
            f" {self.plain_mb:9.1f} {self.ours_mb:8.1f} {smaller:7.1f}x"
        )


HEADER = "loss     batch classes   plain ms   ours ms   faster  plain MB  ours MB smaller"


def _step(function: Callable[[], Tensor], leaves: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    loss = function()
    return loss.detach(), *torch.autograd.grad(loss, leaves)


def _milliseconds(function: Callable[[], Tensor], leaves: tuple[Tensor, ...]) -> float:
    """Time of one pass; with one thread that of the processor, which other programs on the machine disturb less."""
    on_gpu = leaves[0].is_cuda
    clock = time.process_time if not on_gpu and torch.get_num_threads() == 1 else time.perf_counter
    if on_gpu:
        torch.cuda.synchronize()
    start = clock()
    _step(function, leaves)
    if on_gpu:
        torch.cuda.synchronize()
    return (clock() - start) * 1e3


def compare(name: str, options: argparse.Namespace, batch: int) -> Row:
    """Time both in turn in this process (best of the repeats), measure memory of each in a process of its own."""
    case = build(name, batch, options.dim, options.classes, options.device)
    for have, want in zip(_step(case.ours, case.leaves), _step(case.plain, case.leaves), strict=True):
        torch.testing.assert_close(have, want, rtol=2e-3, atol=2e-5)
    best = {"plain": float("inf"), "ours": float("inf")}
    for _ in range(options.repeats):
        for side in best:
            best[side] = min(best[side], _milliseconds(getattr(case, side), case.leaves))
    peak = {side: _peak_of_fresh_process(name, side, batch, options) for side in best}
    return Row(name, batch, options.classes, best["plain"], best["ours"], peak["plain"], peak["ours"])


def _peak_of_fresh_process(name: str, side: str, batch: int, options: argparse.Namespace) -> float:
    shape = ["--dim", str(options.dim), "--classes", str(options.classes), "--device", options.device]
    command = [sys.executable, "-m", "ltviz.bench.losses", "--peak-of", name, side, "--batch", str(batch), *shape]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _peak_megabytes(name: str, side: str, options: argparse.Namespace) -> float:
    """Growth of peak memory while one forward and backward pass runs, MB."""
    case = build(name, options.batch[0], options.dim, options.classes, options.device)
    # a small pass first, so that libraries and thread pools are loaded before memory is read
    small = build(name, 64, options.dim, options.classes, options.device)
    _step(getattr(small, side), small.leaves)
    if options.device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        _step(getattr(case, side), case.leaves)
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    before = _resident_megabytes("VmRSS")
    _reset_high_water_mark()
    _step(getattr(case, side), case.leaves)
    return _resident_megabytes("VmHWM") - before


def _reset_high_water_mark() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _resident_megabytes(field: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def run(argv: Sequence[str] | None = None) -> int:
    """Print the table; the command line of `ltviz bench losses`. Linux only, for its memory figures."""
    parser = argparse.ArgumentParser(prog="ltviz bench losses", description="Losses of ltviz against plain dense ones.")
    parser.add_argument("--losses", nargs="+", choices=LOSSES, default=list(LOSSES))
    parser.add_argument("--batch", nargs="+", type=int, default=[256, 1024])
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    parser.add_argument("--peak-of", nargs=2, metavar=("LOSS", "SIDE"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    if options.peak_of:
        name, side = options.peak_of
        print(_peak_megabytes(name, side, options))
        return 0
    rows = []
    print(HEADER)
    for batch in options.batch:
        for name in options.losses:
            rows.append(compare(name, options, batch))
            print(rows[-1], flush=True)
    if options.json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}))
    return 0


if __name__ == "__main__":
    raise SystemExit(run())
