"""One training batch, and the views of its samples."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor


class Batch:
    """One training batch; views are made when first asked for and shared by all methods of a race.

    Each method of a race is given a batch of its own by `share`, which takes its views from the common one and counts
    the images that were asked for.

    Args:
        step: number of the training step, from 1.
        index: (B,) int64, positions in the training set.
        y: (B,) int64 labels.
        make_view: gives view i, a (B, 1, H, W) float tensor.
        labels: (B, C) float32, 1 for every class that a sample shows, where samples have several labels; y is the
            rarest of them then.
        make_rebalanced: gives the step's second batch, in which every class is drawn alike; with `labels` only.
    """

    def __init__(
        self,
        step: int,
        index: Tensor,
        y: Tensor,
        make_view: Callable[[int], Tensor],
        *,
        labels: Tensor | None = None,
        make_rebalanced: Callable[[], Batch] | None = None,
    ):
        self.step, self.index, self.y = step, index, y
        self._make_view, self._views = make_view, {}
        self._labels, self._make_rebalanced = labels, make_rebalanced

    @property
    def labels(self) -> Tensor:
        """(B, C) float32, 1 for every class that a sample shows. ValueError where samples have one label."""
        if self._labels is None:
            raise ValueError(f"the batch of step {self.step} has one label a sample, so it has y and no labels")
        return self._labels

    @cached_property
    def rebalanced(self) -> Batch:
        """The step's second batch, in which every class is drawn alike. ValueError where samples have one label."""
        if self._make_rebalanced is None:
            raise ValueError(f"the batch of step {self.step} has one label a sample, so no second one comes with it")
        return self._make_rebalanced()

    @property
    def images(self) -> int:
        """Images that have been asked for: samples times different views, those of `rebalanced` too."""
        second = self.__dict__.get("rebalanced")  # without making it
        return len(self.index) * len(self._views) + (0 if second is None else second.images)

    def share(self, num_rows: int, views: int) -> Batch:
        """A batch of its own for one method: the samples in their order, and again from the first until there are
        `num_rows` rows; where a sample comes again its views are the next `views`, so that no image comes twice."""
        size = len(self.index)
        if num_rows == size:
            return Batch(
                self.step,
                self.index,
                self.y,
                self.view,
                labels=self._labels,
                make_rebalanced=None if self._make_rebalanced is None else lambda: self.rebalanced.share(size, views),
            )
        rounds = [(start, min(size, num_rows - start)) for start in range(0, num_rows, size)]

        def repeat(rows: Tensor) -> Tensor:
            return torch.cat([rows[:taken] for _, taken in rounds])

        return Batch(
            self.step,
            repeat(self.index),
            repeat(self.y),
            lambda i: torch.cat([self.view(start // size * views + i)[:taken] for start, taken in rounds]),
            labels=None if self._labels is None else repeat(self._labels),
            make_rebalanced=(None if self._make_rebalanced is None else lambda: self.rebalanced.share(num_rows, views)),
        )

    def view(self, i: int) -> Tensor:
        """View i of every sample, (B, 1, H, W): another augmentation for each i."""
        if i not in self._views:
            self._views[i] = self._make_view(i)
        return self._views[i]

    def views(self, *which: int) -> Tensor:
        """Several views stacked view-major, (V * B, 1, H, W)."""
        return torch.cat([self.view(i) for i in which])
