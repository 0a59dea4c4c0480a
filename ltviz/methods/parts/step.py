"""A step: what a method has computed for one batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Self

from torch import Tensor

from ltviz.data.batch import Batch


class Step(Mapping[str, Tensor]):
    """The loss terms of one batch, by name, and what the method needs of it after the optimiser's step.

    It reads like a dictionary of its terms. A method that must keep more than the batch until then gives a subclass
    with further fields from its `losses`, and `after_step` gets it back; nothing lies on the module in between, so a
    step that is refused, or only tried, leaves no trace.

        step = Step.of(method.losses(batch), batch)
        method.weigh(step).backward()
        optimizer.step()
        method.after_step(step)
    """

    def __init__(self, terms: Mapping[str, Tensor], batch: Batch):
        self.terms, self.batch = dict(terms), batch

    @staticmethod
    def of(terms: Mapping[str, Tensor], batch: Batch) -> Step:
        """What `losses(batch)` gave, as a step: as it is where it is one, for a method may give its terms alone."""
        return terms if isinstance(terms, Step) else Step(terms, batch)

    def __getitem__(self, name: str) -> Tensor:
        return self.terms[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    def __or__(self, terms: Mapping[str, Tensor]) -> Self:
        """The same step with further terms, or others of the same name."""
        more = copy(self)
        more.terms = {**self.terms, **terms}
        return more
