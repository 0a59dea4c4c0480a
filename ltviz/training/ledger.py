"""What steps have brought, kept beside the weights until somebody asks: to ask after each step is to wait for a GPU."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_mark = torch._amp_foreach_non_finite_check_and_unscale_  # pyright: ignore[reportPrivateImportUsage]
"""Sets a flag to 1 where an entry of some tensors is not finite, and multiplies them by a scale."""


@dataclass(frozen=True)
class Entry:
    """One step. `numbers` holds its terms and their weighed sum; `refused` is 1 where weights were not to follow."""

    step: int
    rate: float
    names: tuple[str, ...]
    numbers: Tensor
    refused: Tensor


@dataclass(frozen=True)
class Row:
    """An entry that has been read.

    Attributes:
        terms: by name, with their sum "total".
        bad: the first of them that is not finite, None where it is a gradient.
    """

    step: int
    rate: float
    terms: dict[str, float]
    refused: bool

    @property
    def bad(self) -> str | None:
        return next((name for name, value in self.terms.items() if not math.isfinite(value)), None)


class Ledger:
    """Loss terms of the steps since they were last read, and whether one of the steps was not finite.

    Attributes:
        refused: 0-d float32 on the device, 1 from the first step on whose terms or gradients are not finite: what a
            fused optimiser asks for as `found_inf`, to leave the weights as they are.
    """

    def __init__(self, device: torch.device):
        self.refused = torch.zeros((), device=device)
        self._one = torch.ones((), device=device)
        self._entries: list[Entry] = []

    def __len__(self) -> int:
        """Steps that have not been read."""
        return len(self._entries)

    @torch.no_grad()
    def note(self, step: int, rate: float, terms: Mapping[str, Tensor], total: Tensor) -> None:
        """Takes in the terms of a step and their sum, before anything follows from them."""
        numbers = torch.stack([value.float() for value in (*terms.values(), total)])
        self._judge([numbers])
        self._entries.append(Entry(step, rate, (*terms, "total"), numbers, self.refused))

    @torch.no_grad()
    def judge(self, gradients: Sequence[Tensor]) -> None:
        """Refuses the step noted last where an entry of these gradients is not finite; they stay as they are.

        To be called once a step, with none where others judge them.
        """
        self._judge(gradients)
        last = self._entries[-1]
        self._entries[-1] = Entry(last.step, last.rate, last.names, last.numbers, self.refused.clone())

    def take_back(self) -> Entry:
        """The step noted last, which then was none."""
        return self._entries.pop()

    def note_again(self, step: int, rate: float, entry: Entry) -> None:
        """Takes in a step whose numbers lie where those of `entry` did, and will be overwritten."""
        self._entries.append(Entry(step, rate, entry.names, entry.numbers.clone(), entry.refused.clone()))

    def _judge(self, tensors: Sequence[Tensor]) -> None:
        # the kernel of a GradScaler, at scale 1: one pass over all entries, and the flag is never taken back
        for dtype in {tensor.dtype for tensor in tensors}:
            alike = [tensor for tensor in tensors if tensor.dtype == dtype]
            _mark(alike, self.refused, self._one)

    def read(self) -> list[Row]:
        """The steps since the last reading, in one transfer from the device."""
        entries, self._entries = self._entries, []
        if not entries:
            return []
        flags = torch.stack([entry.refused for entry in entries])
        numbers = torch.cat([flags, *(entry.numbers for entry in entries)]).tolist()
        rows, start = [], len(entries)
        for entry, flag in zip(entries, numbers, strict=False):
            end = start + len(entry.names)
            terms = dict(zip(entry.names, numbers[start:end], strict=True))
            rows.append(Row(entry.step, entry.rate, terms, flag > 0))
            start = end
        return rows
