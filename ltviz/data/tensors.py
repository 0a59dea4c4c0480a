"""Batches of augmented views, drawn from a data set whose inputs are on the device or are read as they are needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from ltviz.data import views
from ltviz.data.batch import Batch
from ltviz.data.device_inputs import DeviceInputs, OnDevice, on_device
from ltviz.data.divided import Divided, Part
from ltviz.data.longtail import LongTailed, random
from ltviz.data.pixels import Pixels, PixelSampler
from ltviz.data.sampling import Sampler, Sampling
from ltviz.data.transfer import send

AFRESH = "afresh at each step"
"""How views are made, as run.json says it. Older runs saw eight fixed copies of each image, and say nothing."""
FINGERPRINT_STEPS = 256
_INDEX, _VIEW, _BALANCED, _BALANCED_VIEW = 11, 12, 13, 14  # Philox streams


def describe_augmentation(policies: Sequence[str]) -> str:
    """As run.json says it; "affine" alone as it was said when there was nothing else."""
    return AFRESH if set(policies) == {"affine"} else f"{', '.join(policies)}, {AFRESH}"


class Batches:
    """Batches of a long-tailed training set, the same for every method of a race and for every machine.

    Batch t is a function of (seed, t) alone, so training may be continued at any step. Samples are drawn with
    replacement; view i of the batch is augmented afresh, every row by itself, by random numbers of (seed, t, i), which
    come from the CPU wherever the images are. Where samples have several labels, a batch knows them all and comes with
    a second, re-balanced one: a class is drawn uniformly, then one of the samples that show it. Image files of the next
    batch are decoded while this one is trained on.

    Where the samples are pixels, a batch holds B images and several pixels of each (`PixelSampler`), one image after
    the other.

    Args:
        data: the set; its inputs are put on `device`, or read batch by batch where they are files.
        batch_size: B, images.
        seed: of the batches and the augmentations.
        sampling: how often each class is drawn; "instance" draws all samples alike.
        exponent: of "power" sampling, one for all steps or by how many were taken before.
        total_steps: of the training, which "progressive" sampling goes by.
        policies: names of the view policies, separated by commas, one a view and the last for all further ones; those
            of the data set, or of the shape of its inputs, where empty.
        own: of several processes that train together, which rows of so many are this one's: views are then `Divided`,
            and only these rows are read and augmented, unless somebody looks at the whole view. Labelled pixels, and
            policies that are not `by_rows`, are made whole by each process.

    Attributes:
        inputs: of the training set, on the device.
        policies: names of the view policies in force.

    Raises:
        ConfigError: a policy that does not exist, or is not for such inputs.
    """

    def __init__(
        self,
        data: LongTailed,
        *,
        batch_size: int,
        seed: int,
        device: torch.device,
        sampling: Sampling = "instance",
        exponent: float | Callable[[int], float] = 1.0,
        total_steps: int = 1,
        policies: str = "",
        own: Callable[[int], slice] | None = None,
    ):
        self.batch_size, self.seed, self.device, self.total_steps = batch_size, seed, device, total_steps
        self._exponent = exponent
        pixels = data.train_inputs if isinstance(data.train_inputs, Pixels) else None
        self._each = 1 if pixels is None else pixels.each
        if pixels is None:
            self._sampler = Sampler(data.train_labels if data.train_multi is None else data.train_multi, sampling)
        else:
            self._sampler = PixelSampler(data.train_labels, pixels.of, each=pixels.each, sampling=sampling)
        self.labels = torch.from_numpy(data.train_labels).to(device)
        self._multi = self._balanced = None
        if data.train_multi is not None:
            self._multi = torch.from_numpy(data.train_multi).to(device, torch.float32)
            self._balanced = Sampler(data.train_multi, "class-balanced")
        self.inputs = on_device(data.train_inputs, device, mean=data.mean, std=data.std)
        self._policies = views.chosen(
            policies or data.policies, data.train_inputs.shape, in_place=isinstance(data.train_inputs, Pixels)
        )
        self.policies = tuple(policy.name for policy in self._policies)
        alike = len(self._policies) == 1 and self._policies[0].together is not None
        self._in_blocks = alike and isinstance(self.inputs, DeviceInputs)
        divides = isinstance(self.inputs, DeviceInputs) and all(policy.by_rows for policy in self._policies)
        self._own = own if divides else None

    def at(self, step: int) -> Batch:
        """The batch of training step `step`, from 1."""
        index = self._draw(step)
        if self.inputs.reads_ahead:
            own = slice(None, None, self._each) if self._own is None else self._own(len(index))
            self.inputs.expect(index[own])
            if step < self.total_steps:
                self.inputs.expect(self._draw(step + 1)[own])
        if self._balanced is None:
            return self._make(step, index, each=self._each)
        return self._make(step, index, lambda: self._make(step, self._draw_balanced(step), stream=_BALANCED_VIEW))

    def fixed(self, per_class: int, limit: int) -> Batch:
        """A batch of step 0 that is the same at every call: the first `per_class` samples of each class, fewer where
        that would be more than `limit`. Of pixels they are spread over the images, each with an image of its own."""
        few = max(1, min(per_class, limit // max(1, int(self.labels.max()) + 1)))
        labels = self.labels.cpu().numpy()
        members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
        if self._each > 1:
            members = [own[:: max(1, len(own) // few)] for own in members]
        return self._make(0, np.concatenate([own[:few] for own in members])[:limit])

    def _make(
        self,
        step: int,
        index: np.ndarray,
        rebalanced: Callable[[], Batch] | None = None,
        stream: int = _VIEW,
        each: int = 1,
    ) -> Batch:
        rows = send(torch.from_numpy(index), self.device)

        def seed(i: int) -> int:
            return int(random(self.seed, stream, step, i).integers(2**62))

        maker = _Maker(self.inputs, self._policies, seed, index, rows, each)
        view, several = maker.view, maker.several if self._in_blocks else None
        if step and self._own is not None:
            view, several = maker.divided(self._own(len(index))), None
        return Batch(
            step,
            rows,
            self.labels[rows],
            view,
            make_views=several,
            labels=None if self._multi is None else self._multi[rows],
            make_rebalanced=rebalanced,
            each=each,
        )

    def fingerprint(self, total_steps: int) -> str:
        """SHA-256 of which samples the first (at most 256) steps take, and of how views are made of them, as
        hexadecimal digits."""
        digest = hashlib.sha256(describe_augmentation(self.policies).encode())
        for step in range(1, min(total_steps, FINGERPRINT_STEPS) + 1):
            for drawn in (self._draw(step), *([self._draw_balanced(step)] if self._balanced else [])):
                digest.update(drawn.astype("<i8").tobytes())
        return digest.hexdigest()

    def _draw(self, step: int) -> np.ndarray:
        """(B,) samples."""
        progress = min(1.0, (step - 1) / max(self.total_steps - 1, 1))
        exponent = self._exponent(step - 1) if callable(self._exponent) else self._exponent
        return self._sampler.draw(random(self.seed, _INDEX, step), self.batch_size, progress, exponent)

    def _draw_balanced(self, step: int) -> np.ndarray:
        """As `_draw`, every class alike."""
        assert self._balanced is not None
        return self._balanced.draw(random(self.seed, _BALANCED, step), self.batch_size, 0.0)


class _Maker:
    """Makes views of the samples at `index`, which are `rows` on the device, or of the rows `own` of `num` of them."""

    def __init__(
        self,
        inputs: OnDevice,
        policies: Sequence[views.Policy],
        seed: Callable[[int], int],
        index: np.ndarray,
        rows: Tensor,
        each: int = 1,
        own: slice | None = None,
        num: int = 0,
    ):
        self._inputs, self._policies, self._seed = inputs, policies, seed
        self._index, self._rows, self._each, self._own, self._num = index, rows, each, own, num

    @cached_property
    def _images(self) -> Tensor:
        return self._inputs.at(self._index[:: self._each], self._rows[:: self._each])

    def _randoms(self, i: int) -> views.Randoms:
        return views.Randoms(self._seed(i), self._own, self._num)

    def view(self, i: int) -> Tensor:
        """View i."""
        policy, chance = self._policies[min(i, len(self._policies) - 1)], self._randoms(i)
        return self._inputs.finish(policy.apply(self._images, chance), self._rows, chance)

    def several(self, which: Sequence[int]) -> Tensor:
        """Several views, one after the other."""
        together = self._policies[0].together
        assert together is not None and isinstance(self._inputs, DeviceInputs)
        return self._inputs.normalise(together(self._images, [self._randoms(i) for i in which]))

    def divided(self, own: slice) -> Callable[[int], Tensor]:
        """What makes view i of all samples where that is looked at, and of the rows `own` alone where that will do."""
        num = len(self._index)
        part = _Maker(self._inputs, self._policies, self._seed, self._index[own], self._rows[own], 1, own, num)
        assert isinstance(self._inputs, DeviceInputs)
        like = torch.empty((0, *self._inputs.shape), device=self._rows.device)
        return lambda i: Divided.of([Part(num, own, partial(self.view, i), partial(part.view, i))], like)
