r"""Kernels that compute \sum_i w_i \log Z_i and its gradients together, a block of rows at a time.

With s = x y^T / \tau + b and p its row softmax, the gradient of the sum in s is w_i p_ia, known as soon as the
row's total is. So the forward pass makes the gradient too, and nothing N x N is kept for the backward pass.

    Dense         anchors against one another and their positives, all at once: for the batches of small networks
    Pairs         anchors against one another: each pair once for both of its ends
    Rows          anchors against other columns
    ShiftedRows   the same at any temperature, each row shifted by its maximum

Pairs and Rows take exp without a shift, which `fit_unshifted` allows at all but the lowest temperatures. They read
values on the host, which a GPU would have to be waited for: there it is ShiftedRows, whatever the values.

Legend: R anchors, M columns, D dimensions, r rows of a block.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ltviz.methods.parts.contrast import Contrast

# exp(+-60), summed over and divided by any number of samples, is well inside float32's range; exp(+-600) float64's
LARGEST_LOGIT = {torch.float32: 60.0, torch.float64: 600.0}
CPU_BLOCK_ROWS = 128
GPU_BLOCK_ELEMENTS = 1 << 24
# exponentials that Pairs keeps from the sums to the gradients (32 MB): up to two thousand images of two views need no
# second product, and at four thousand the whole stays below a twentieth of the dense loss
KEPT_ELEMENTS = 1 << 23

Gradients = list[Tensor | None]


@torch.no_grad()
def fit_unshifted(tau: Tensor, *vectors: Tensor, extra: Tensor | None = None) -> bool:
    """Whether no logit among the given rows can exceed what exp takes without a shift (Cauchy and Schwarz)."""
    limit = LARGEST_LOGIT.get(vectors[0].dtype, 0.0)
    longest = [float(rows.norm(dim=1).max()) if len(rows) else 0.0 for rows in vectors]
    if longest[0] * longest[-1] / float(tau) > limit:
        return False
    return extra is None or float(extra.abs().max()) <= limit


def _block_rows(x: Tensor, num_columns: int) -> int:
    return CPU_BLOCK_ROWS if x.device.type == "cpu" else max(CPU_BLOCK_ROWS, GPU_BLOCK_ELEMENTS // max(num_columns, 1))


def _temperature_gradient(tau: float, *vectors_and_gradients: tuple[Tensor, Tensor | None]) -> Tensor:
    # logits are homogeneous of degree 2 in all vectors together and of degree -1 in tau (Euler)
    return sum((v * g).sum() for v, g in vectors_and_gradients if g is not None) / (-2 * tau)  # pyright: ignore[reportReturnType]


def _with_bias(x: Tensor, y: Tensor, t: float, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    """Factors (R, D') and (D', M) whose product are the logits; one more dimension carries the columns' log-weights."""
    if bias is None:
        return x / t, y.T.contiguous()
    return torch.cat([x / t, x.new_ones(len(x), 1)], dim=1), torch.cat([y.T, bias[None]])


class Pairs:
    """Anchors against one another, each pair once; then against `others`, which are no anchors (prototypes)."""

    def __init__(self, contrast: Contrast, weights: Tensor):
        self.contrast, self.weights = contrast, weights

    def dense(self, z: Tensor, others: Tensor | None, tau: Tensor) -> Tensor:
        columns = z if others is None else torch.cat([z, others])
        return (self.weights * self.contrast.log_partition(z, columns, tau)).sum()

    def value_and_gradients(
        self, z: Tensor, others: Tensor | None, tau: Tensor, *, needs: tuple[bool, ...]
    ) -> tuple[Tensor, Gradients]:
        contrast, weights, t, num_rows = self.contrast, self.weights, float(tau), len(z)
        order = None
        if contrast.labels is not None and contrast.own_bias is not None:
            # rows sorted by class make each class's own block contiguous, so no N x N label mask is needed
            order = contrast.labels[0].argsort()
            z, weights, contrast = z[order], weights[order], contrast.sorted_by(order)
        blocks = _PairBlocks(contrast, z, t)
        beside = None if others is None else _Beside(contrast, z, others, t)
        # e_ia carries the weight of column a; from a's side the same pair carries i's weight
        column_weight = z.new_ones(num_rows) if contrast.bias is None else contrast.bias[:num_rows].exp()

        total = z.new_zeros(num_rows)
        for a, b, e in blocks:
            total[a:b] += e.sum(1)
            total[b:] += (column_weight[a:b] @ e[:, b - a :]) / column_weight[b:]
            if beside is not None:
                total[a:b] += beside.exponentials(a, b).sum(1)
        value = (weights * total.log()).sum()
        if not any(needs):
            return value, [None, None, None]

        share = weights / total
        per_column = share / column_weight
        weighted = z if contrast.bias is None else z * column_weight[:, None]
        grad = torch.zeros_like(z)
        grad_others = None if others is None else torch.zeros_like(others)
        factors = torch.empty_like(blocks.buffer)
        for a, b, e in blocks:
            e.mul_(torch.add(per_column[a:b, None], per_column[a:], out=factors[: e.numel()].view_as(e)))
            grad[a:b].addcmul_(e @ z[a:], column_weight[a:b, None])
            grad[b:].addmm_(e[:, b - a :].T, weighted[a:b])
            if beside is not None and others is not None and grad_others is not None:
                f = beside.exponentials(a, b).mul_(share[a:b, None])
                grad[a:b].addmm_(f, others)
                grad_others.addmm_(f.T, z[a:b])
        grad /= t
        if others is not None and grad_others is not None:
            grad_others /= t
        grad_tau = None
        if needs[2]:
            grad_tau = _temperature_gradient(t, (z, grad), (z if others is None else others, grad_others))
        if order is not None:
            grad = torch.empty_like(grad).index_copy_(0, order, grad)
        return value, [grad if needs[0] else None, grad_others if needs[1] else None, grad_tau]


class Dense:
    """Anchors against one another, then against `others`, minus what their positives bring: N x N numbers at once.

    Small batches spend their time on the number of operations, and autograd's are twice those of a known gradient.
    Nothing is read from the device.

    Args:
        pulls: (R, M), each anchor's weight in equal parts on its positives among the columns.
    """

    def __init__(self, contrast: Contrast, weights: Tensor, pulls: Tensor):
        self.contrast, self.weights, self.pulls = contrast, weights, pulls

    def dense(self, z: Tensor, others: Tensor | None, tau: Tensor) -> Tensor:
        columns = z if others is None else torch.cat([z, others])
        evidence = (self.pulls * (z @ columns.T)).sum() / tau
        return (self.weights * self.contrast.log_partition(z, columns, tau)).sum() - evidence

    def value_and_gradients(
        self, z: Tensor, others: Tensor | None, tau: Tensor, *, needs: tuple[bool, ...]
    ) -> tuple[Tensor, Gradients]:
        columns, num_rows = z if others is None else torch.cat([z, others]), len(z)
        similar = (z / tau) @ columns.T
        pulled = self.pulls.view(-1).dot(similar.view(-1))
        logits, _ = self.contrast.biased(similar.clone() if needs[2] else similar)
        top = logits.amax(1, keepdim=True)
        total = logits.sub_(top).exp_().sum(1, keepdim=True)
        value = self.weights.dot((total.log() + top)[:, 0]) - pulled
        if not any(needs):
            return value, [None, None, None]
        slope = logits.mul_(self.weights[:, None] / total).sub_(self.pulls)
        grad = torch.addmm(slope @ columns, slope[:, :num_rows].T, z).div_(tau) if needs[0] else None
        grad_others = slope[:, num_rows:].T @ z / tau if needs[1] else None
        grad_tau = slope.view(-1).dot(similar.view(-1)) / -tau if needs[2] else None
        return value, [grad, grad_others, grad_tau]


class _PairBlocks:
    """Blocks (a, b, e) of rows a ... b: e (b - a, N - a) holds the exponentials of each pair once.

    Iterated twice, for sums and for gradients. The first blocks are kept in between, KEPT_ELEMENTS in all; the others
    are computed again, which is cheaper than a gradient pass over every ordered pair.
    """

    def __init__(self, contrast: Contrast, z: Tensor, t: float):
        self.num_rows, self.rows = len(z), _block_rows(z, len(z))
        bias = None if contrast.bias is None else contrast.bias[: self.num_rows]
        self.left, self.right = _with_bias(z, z, t, bias)
        self.buffer = z.new_empty(min(self.rows, self.num_rows) * self.num_rows)
        self.kept: dict[int, Tensor] = {}
        self.room = KEPT_ELEMENTS
        self.segments: list[tuple[int, int, float]] = []
        if contrast.labels is not None and contrast.own_bias is not None:
            sizes = torch.unique_consecutive(contrast.labels[0], return_counts=True)[1]
            ends = sizes.cumsum(0)
            factors = contrast.own_bias[ends - 1].exp()
            self.segments = list(zip((ends - sizes).tolist(), ends.tolist(), factors.tolist(), strict=True))

    def __iter__(self) -> Iterator[tuple[int, int, Tensor]]:
        first = 0
        for a in range(0, self.num_rows, self.rows):
            b = min(a + self.rows, self.num_rows)
            if a in self.kept:
                yield a, b, self.kept.pop(a)
                continue
            size = (b - a) * (self.num_rows - a)
            e = self.buffer[:size].view(b - a, -1)
            if size <= self.room:
                self.room -= size
                e = self.kept[a] = torch.empty_like(e)
            torch.mm(self.left[a:b], self.right[:, a:], out=e).exp_()
            e[:, : b - a].diagonal().zero_()
            while self.segments and self.segments[first][1] <= a:
                first += 1
            for start, end, factor in self.segments[first:]:
                if start >= b:
                    break
                e[max(start, a) - a : min(end, b) - a, max(start, a) - a : end - a].mul_(factor)
            yield a, b, e


class _Beside:
    """Exponentials of anchors against columns that are no anchors (prototypes)."""

    def __init__(self, contrast: Contrast, z: Tensor, others: Tensor, t: float):
        self.contrast, self.z, self.columns, self.num_rows = contrast, z, others.T / t, len(z)

    def exponentials(self, a: int, b: int) -> Tensor:
        """(b - a, number of others)."""
        contrast = self.contrast
        logits = self.z[a:b] @ self.columns
        if contrast.bias is not None:
            logits += contrast.bias[self.num_rows :]
        if contrast.labels is not None and contrast.own_bias is not None:
            own = contrast.labels[0][a:b, None] == contrast.labels[1][self.num_rows :]
            logits += own * contrast.own_bias[a:b, None]
        return logits.exp_()


class Rows:
    """Anchors against other columns. Biases per column and the share of the own class are covered, own biases not."""

    def __init__(self, contrast: Contrast, weights: Tensor):
        self.contrast, self.weights = contrast, weights

    def dense(self, x: Tensor, y: Tensor, tau: Tensor, extra: Tensor | None) -> Tensor:
        return (self.weights * self.contrast.log_partition(x, y, tau, extra)).sum()

    def value_and_gradients(
        self, x: Tensor, y: Tensor, tau: Tensor, extra: Tensor | None, *, needs: tuple[bool, ...]
    ) -> tuple[Tensor, Gradients]:
        contrast, t, block = self.contrast, float(tau), _block_rows(x, len(y))
        weights, bias, own_slices = self.weights, contrast.bias, None
        order = columns = None
        self_column = torch.arange(len(x), device=x.device) if contrast.skip_self else None
        if contrast.against_own and contrast.labels is not None:
            order, columns = contrast.labels[0].argsort(), contrast.labels[1].argsort()
            own_slices = _OwnSlices(contrast.labels[0][order], contrast.labels[1][columns])
            x, y, weights = x[order], y[columns], weights[order]
            bias = None if bias is None else bias[columns]
            if self_column is not None:
                self_column = torch.empty_like(columns).index_copy_(0, columns, torch.arange(len(y), device=y.device))[
                    order
                ]
        left, right = _with_bias(x, y, t, bias)
        buffer = x.new_empty(min(block, len(x)), len(y))
        grad_x = torch.empty_like(x) if needs[0] or needs[2] else None
        grad_y = torch.zeros_like(y) if needs[1] else None
        grad_extra = None if extra is None else torch.empty_like(extra)
        value = x.new_zeros(())
        for a in range(0, len(x), block):
            b = min(a + block, len(x))
            e = torch.mm(left[a:b], right, out=buffer[: b - a]).exp_()
            if self_column is not None:
                e[torch.arange(b - a, device=e.device), self_column[a:b]] = 0.0
            total = e.sum(1)
            if extra is not None and grad_extra is not None:
                own_column = extra[a:b].exp()
                total += own_column
                grad_extra[a:b] = weights[a:b] * own_column / total
            share = weights[a:b]
            if own_slices is not None:
                # d log(own sum / total): own columns get -1/own on top of 1/total; `e` is scaled by total for both
                own_total = own_slices.sums(e, a, b)
                share = share * (own_total > 0)
                own_total = torch.where(own_total > 0, own_total, total)
                own_slices.scale_(e, a, b, 1 - total / own_total)
                value += (share * (total / own_total).log()).sum()
            else:
                value += (share * total.log()).sum()
            share = (share / total)[:, None]
            if grad_x is not None:
                torch.mul(e @ y, share / t, out=grad_x[a:b])
            if grad_y is not None:
                grad_y.addmm_(e.T, x[a:b] * (share / t))
        # sum of x . grad_x alone equals that of y . grad_y
        grad_tau = None if grad_x is None or not needs[2] else (x * grad_x).sum() / -t
        if order is not None and columns is not None:
            grad_x = None if grad_x is None else torch.empty_like(x).index_copy_(0, order, grad_x)
            grad_y = None if grad_y is None else torch.empty_like(y).index_copy_(0, columns, grad_y)
        return value, [grad_x if needs[0] else None, grad_y, grad_tau, grad_extra if needs[3] else None]


class _OwnSlices:
    """Where the own class's columns lie for each run of rows, both sorted by class."""

    def __init__(self, row_labels: Tensor, column_labels: Tensor):
        classes, sizes = torch.unique_consecutive(row_labels, return_counts=True)
        ends = sizes.cumsum(0)
        starts = torch.searchsorted(column_labels, classes)
        stops = torch.searchsorted(column_labels, classes, right=True)
        self.runs = list(zip((ends - sizes).tolist(), ends.tolist(), starts.tolist(), stops.tolist(), strict=True))

    def _within(self, a: int, b: int) -> Iterator[tuple[slice, slice]]:
        for first, last, start, stop in self.runs:
            if first < b and last > a and stop > start:
                yield slice(max(first, a) - a, min(last, b) - a), slice(start, stop)

    def sums(self, e: Tensor, a: int, b: int) -> Tensor:
        """Sum of each row's own columns, (r,); 0 without any."""
        found = e.new_zeros(len(e))
        for rows, columns in self._within(a, b):
            found[rows] = e[rows, columns].sum(1)
        return found

    def scale_(self, e: Tensor, a: int, b: int, factors: Tensor) -> None:
        """Multiply each row's own columns by its factor (r,), in place."""
        for rows, columns in self._within(a, b):
            e[rows, columns] *= factors[rows, None]


class ShiftedRows:
    """Anchors against columns, each row shifted by its maximum: any temperature, any `Contrast`, no value read."""

    def __init__(self, contrast: Contrast, weights: Tensor):
        self.contrast, self.weights = contrast, weights

    def dense(self, x: Tensor, y: Tensor, tau: Tensor, extra: Tensor | None) -> Tensor:
        return (self.weights * self.contrast.log_partition(x, y, tau, extra)).sum()

    def value_and_gradients(
        self, x: Tensor, y: Tensor, tau: Tensor, extra: Tensor | None, *, needs: tuple[bool, ...]
    ) -> tuple[Tensor, Gradients]:
        t, block = tau.detach(), _block_rows(x, len(y))
        grad_x = torch.zeros_like(x) if needs[0] or needs[2] else None
        grad_y = torch.zeros_like(y) if needs[1] else None
        grad_extra = torch.zeros_like(extra) if extra is not None else None
        value = x.new_zeros(())
        for a in range(0, len(x), block):
            rows = slice(a, a + block)
            weights = self.weights[rows, None]
            logits, own = self.contrast.logits(x[rows], y, t, a)
            masked = None
            if own is not None:
                # taken before the logits are overwritten; the own class needs a maximum of its own
                lonely = ~own.any(1, keepdim=True)
                weights = weights.masked_fill(lonely, 0.0)
                masked = logits.masked_fill(~(own | lonely), -math.inf)
            total, log_z, rest = _exponentiate_(logits, None if extra is None else extra[rows, None])
            gradient = logits.mul_(weights / total)
            if masked is not None:
                own_total, own_log_z, _ = _exponentiate_(masked, None)
                log_z = log_z - own_log_z
                gradient -= masked.mul_(weights / own_total)
            value += (weights * log_z).sum()
            if grad_x is not None:
                torch.mm(gradient, y, out=grad_x[rows]).div_(t)
            if grad_y is not None:
                grad_y.addmm_(gradient.T, x[rows] / t)
            if grad_extra is not None:
                grad_extra[rows] = (weights * rest)[:, 0]
        grad_tau = None if grad_x is None or not needs[2] else (x * grad_x).sum() / -t
        return value, [grad_x if needs[0] else None, grad_y, grad_tau, grad_extra if needs[3] else None]


def _exponentiate_(logits: Tensor, extra: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Turn logits (r, M) in place into exp(logits - row maximum); give their sum with the extra column, log Z and the
    share of the extra column, each (r, 1)."""
    top = logits.amax(1, keepdim=True)
    if extra is not None:
        top = torch.maximum(top, extra)
    total = logits.sub_(top).exp_().sum(1, keepdim=True)
    rest = torch.zeros_like(total) if extra is None else (extra - top).exp()
    total = total + rest
    return total, total.log() + top, rest / total
