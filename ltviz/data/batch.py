"""One training batch, and the views of its samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        make_view: gives view i, a float tensor with a row for each image.
        make_views: gives several views at once, one after the other, where that takes less time.
        labels: (B, C) float32, 1 for every class that a sample shows, where samples have several labels; y is the
            rarest of them then.
        make_rebalanced: gives the step's second batch, in which every class is drawn alike; with `labels` only.
        each: samples that share an image, as the labelled pixels of dense sets do; they follow one another.
    """

    def __init__(
        self,
        step: int,
        index: Tensor,
        y: Tensor,
        make_view: Callable[[int], Tensor],
        *,
        make_views: Callable[[Sequence[int]], Tensor] | None = None,
        labels: Tensor | None = None,
        make_rebalanced: Callable[[], Batch] | None = None,
        each: int = 1,
    ):
        self.step, self.index, self.y = step, index, y
        self._make_view, self._make_views, self._views = make_view, make_views, {}
        self._labels, self._make_rebalanced, self._each = labels, make_rebalanced, each

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
    def size(self) -> int:
        """Images that the samples are of: as many as samples, or fewer where these are pixels."""
        return len(self.index) // self._each

    @property
    def images(self) -> int:
        """Images that have been asked for: `size` times different views, those of `rebalanced` too."""
        second = self._second
        return self.size * len(self._views) + (0 if second is None else second.images)

    def share(self, num_rows: int, views: int) -> Batch:
        """A batch of its own for one method: the samples in their order, and again from the first until there are
        `num_rows` images; where a sample comes again its views are the next `views`, so that no image comes twice."""
        size = self.size
        if num_rows == size:
            return Batch(
                self.step,
                self.index,
                self.y,
                self.view,
                make_views=lambda which: self.views(*which),
                labels=self._labels,
                make_rebalanced=None if self._make_rebalanced is None else lambda: self.rebalanced.share(size, views),
                each=self._each,
            )
        rounds = [(start, min(size, num_rows - start)) for start in range(0, num_rows, size)]

        def repeat(rows: Tensor) -> Tensor:
            return torch.cat([rows[: taken * self._each] for _, taken in rounds])

        return Batch(
            self.step,
            repeat(self.index),
            repeat(self.y),
            lambda i: torch.cat([self.view(start // size * views + i)[:taken] for start, taken in rounds]),
            labels=None if self._labels is None else repeat(self._labels),
            make_rebalanced=(None if self._make_rebalanced is None else lambda: self.rebalanced.share(num_rows, views)),
            each=self._each,
        )

    def held(self) -> Batch:
        """A copy in memory of its own, with the views that this batch has been asked for and no others, so that
        `take` can put another batch there."""
        views = {i: view.clone() for i, view in self._views.items()}
        second = self._second
        copy = Batch(
            self.step,
            self.index.clone(),
            self.y.clone(),
            views.__getitem__,
            labels=None if self._labels is None else self._labels.clone(),
            make_rebalanced=None if second is None else second.held,
            each=self._each,
        )
        copy._views = views
        if second is not None:
            _ = copy.rebalanced
        return copy

    def take(self, other: Batch) -> None:
        """Puts the numbers of `other`, which is of the same sizes, in the place of this one's, which is `held`."""
        for mine, its in zip(self._numbers(self), other._numbers(self), strict=True):
            mine.copy_(its)

    def _numbers(self, asked: Batch) -> list[Tensor]:
        """All that there is of this batch, with the views that `asked` has been asked for."""
        self._together([*asked._views])
        found = [self.index, self.y, *([] if self._labels is None else [self._labels])]
        found += [self.view(i) for i in asked._views]
        return found if asked._second is None else [*found, *self.rebalanced._numbers(asked._second)]

    @property
    def _second(self) -> Batch | None:
        """`rebalanced`, where it has been asked for."""
        return self.__dict__.get("rebalanced")

    def view(self, i: int) -> Tensor:
        """View i of every image, (B, C, H, W) or (B, F): another augmentation for each i. Of images with B P pixels as
        samples (B, C H W + P), of which an encoder makes a row for each of them (`encoders.PixelEncoder`)."""
        if i not in self._views:
            self._views[i] = self._make_view(i)
        return self._views[i]

    def views(self, *which: int) -> Tensor:
        """Several views stacked view-major, (V * B, ...)."""
        block = self._together(which)
        return torch.cat([self.view(i) for i in which]) if block is None else block

    def _together(self, which: Sequence[int]) -> Tensor | None:
        """Makes those of these views that are not there yet, at once where that can be; gives them, where it was all
        of them."""
        new = [i for i in dict.fromkeys(which) if i not in self._views]
        if self._make_views is None or len(new) < 2:
            return None
        block = self._make_views(new)
        self._views.update(zip(new, block.chunk(len(new)), strict=True))
        return block if new == [*which] else None
