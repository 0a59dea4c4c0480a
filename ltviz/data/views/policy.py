"""What a policy is: a name, a sentence, a source, and what it does to a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltviz.data.transfer import send


class Randoms:
    """The random parameters of one view of one batch.

    They are drawn on the CPU, so that every device makes the same view, and one after the other, so that a view is a
    function of the seed and of the shape of the batch alone.

    A process that makes some rows of a batch alone draws the numbers of all of them, and takes those of its rows: the
    shapes that its policies ask for are of its own rows, and `rows` is the axis along which these lie.

    Args:
        seed: 0 to 2**63 - 1; one for each (seed of the run, step, view).
        own, num: the rows that are made, of so many; all of them where None.

    Attributes:
        generator: of numbers that the device computes with.
    """

    def __init__(self, seed: int, own: slice | None = None, num: int = 0):
        self._seed, self._own, self._num = seed, own, num
        self.generator = torch.Generator().manual_seed(seed)

    @cached_property
    def choices(self) -> np.random.Generator:
        """Of numbers by which the CPU chooses what is computed; arrays, so that no tensor is read for them."""
        return np.random.Generator(np.random.Philox(self._seed))

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0, rows: int = 0) -> Tensor:
        """float32 on the CPU, uniform in [low, high)."""
        return low + (high - low) * self._draw(lambda size: torch.rand(size, generator=self.generator), shape, rows)

    def normal(self, *shape: int, rows: int = 0) -> Tensor:
        """float32 on the CPU, of mean 0 and standard deviation 1."""
        return self._draw(lambda size: torch.randn(size, generator=self.generator), shape, rows)

    def integers(self, high: int, *shape: int, rows: int = 0) -> Tensor:
        """int64 on the CPU, 0 to high - 1."""
        return self._draw(lambda size: torch.randint(high, size, generator=self.generator), shape, rows)

    def happens(self, probability: float, num: int) -> Tensor:
        """(num,) bool on the CPU, each true with this probability; as many draws whatever it is."""
        return self.uniform(num) < probability

    def chosen(self, draw: Callable[[np.random.Generator, int], NDArray], num: int) -> NDArray:
        """(num, ...): what `draw` gives of `choices` for so many rows, the numbers of which do not depend on the own
        ones."""
        if self._own is None:
            return draw(self.choices, num)
        return draw(self.choices, self._num)[self._own]

    def _draw(self, draw: Callable[[tuple[int, ...]], Tensor], shape: tuple[int, ...], rows: int) -> Tensor:
        if self._own is None:
            return draw(shape)
        first, last = self._own.start, self._own.stop
        if shape[rows] != last - first:
            raise ValueError(f"axis {rows} of {shape} must be that of the rows, of which {last - first} are made here")
        whole = draw((*shape[:rows], self._num, *shape[rows + 1 :]))
        return whole.narrow(rows, first, last - first).contiguous()


Together = Callable[[Tensor, Sequence[Randoms]], Tensor]
"""Images (B, C, H, W) and the random parameters of V views -> the views (V B, C, H, W), one after the other."""
Step = Callable[[Tensor, Randoms], Tensor]
"""Images (B, C, H, W) float32 in [0, 1] on any device -> as many of the same shape beside them."""


@dataclass(frozen=True)
class Policy:
    """How one view of a batch is made.

    Args:
        name: on the command line and in run.json: "crop-flip".
        title: on the page.
        about: one plain sentence.
        source: paper and code; where ours differs from them.
        apply: images (B, C, H, W) float32 in [0, 1], C 1 or 3, or vectors (B, F), and the random parameters -> the
            view, of the same shape on the same device. It changes nothing in place, and asks the device for no value.
        vectors: whether it takes vectors (B, F).
        together: several views at once, the same to the bit, where that takes less time than one after the other.
        by_rows: whether each row is made by itself, from numbers that are drawn by the methods of `Randoms` alone, and
            never of its generators: then each of several processes makes only those of its own.
        in_place: whether what an image shows stays where it was and in sight, so that the label of a pixel stays true.
    """

    name: str
    title: str
    about: str
    source: str
    apply: Step
    vectors: bool = False
    in_place: bool = False
    together: Together | None = None
    by_rows: bool = False


def sequence(*steps: Step | Policy) -> Step:
    """One step after the other, each with random parameters of its own."""
    each = [step.apply if isinstance(step, Policy) else step for step in steps]

    def apply(images: Tensor, randoms: Randoms) -> Tensor:
        for step in each:
            images = step(images, randoms)
        return images

    return apply


def beside(parameter: Tensor, images: Tensor) -> Tensor:
    """Parameters (B,) of the CPU as (B, 1, 1, 1) on the device of the images, without waiting for it."""
    return send(parameter, images.device).view(-1, 1, 1, 1)


def where(chosen: Tensor, changed: Tensor, images: Tensor) -> Tensor:
    """`changed` in the rows that are chosen, (B,) bool on the CPU, and the images as they were in the others.

    Both must be finite. At weights of 0 and 1 `lerp` gives its ends to the bit, in a tenth of `torch.where`'s time.
    """
    return torch.lerp(images, changed, beside(chosen.float(), images))
