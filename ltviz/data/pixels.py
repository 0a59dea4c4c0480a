"""Dense sets, in which every sample is a labelled pixel: an image, and a place in it.

    pixels = Pixels(HeldInputs(images), of=np.array([0, 0, 3]), places=np.array([5, 9, 0]), each=8)
    pixels.read(np.array([1]))      # (1, H, W), the image that sample 1 is in
    pixels.places[1]                # 9: row 9 // W, column 9 % W

Labels, ids, sampling and the probe know pixels as they know images elsewhere. A batch takes several pixels of each of
its images, and an encoder is taken through an image once for all of them (`ltviz.encoders.PixelEncoder`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltviz.data.inputs import HELD_BYTES, Index, Inputs
from ltviz.data.sampling import Sampling, class_probabilities

UNLABELLED = -1
MARK = np.array([255, 64, 160], np.uint8)
"""Colour of the frame around a pixel on its thumbnail; digits and photographs have it nowhere."""


@dataclass(frozen=True)
class LabelMaps:
    """The label of every pixel of some images.

    Attributes:
        numbers: (H, W) uint8 of each image, as the files have them.
        ranks: (256,) int16, class by rank of each number, or `UNLABELLED`.
    """

    numbers: Inputs
    ranks: NDArray[np.int16]

    def read(self, index: Index) -> NDArray[np.int16]:
        """(len(index), H, W) classes by rank, `UNLABELLED` where there is none; errors as of `Inputs.read`."""
        return self.ranks[self.numbers.read(index)]


class Pixels(Inputs):
    """N labelled pixels of M images of one shape.

    Args:
        images: M of them.
        of: (N,) the image of each sample.
        places: (N,) where in it, row by row: y * W + x.
        each: pixels that a batch takes of an image.
        mirror: whether views may show images mirrored.
        maps: of the images, where all their pixels are to be judged.
    """

    def __init__(
        self,
        images: Inputs,
        of: NDArray[np.integer],
        places: NDArray[np.integer],
        *,
        each: int,
        mirror: bool = False,
        maps: LabelMaps | None = None,
    ):
        if images.is_vectors:
            raise ValueError("pixels are of images, not of vectors")
        self.images, self.each, self.mirror, self.maps = images, each, mirror, maps
        self.of, self.places = of.astype(np.int32), places.astype(np.int32)
        self.shape, self.white, self.dtype = images.shape, images.white, images.dtype

    def __len__(self) -> int:
        return len(self.of)

    def read(self, index: Index) -> NDArray:
        """(len(index), *shape): the image of each sample."""
        return self.images.read(self.of[index].astype(np.int64))

    def subset(self, index: Index) -> Pixels:
        """Of the images only those stay that one of these samples is in, in their order."""
        used, of = np.unique(self.of[index], return_inverse=True)
        maps = (
            None if self.maps is None else LabelMaps(self.maps.numbers.subset(used.astype(np.int64)), self.maps.ranks)
        )
        return self._like(self.images.subset(used.astype(np.int64)), of, self.places[index], maps)

    def join(self, further: Inputs) -> Pixels:
        """ValueError where the others are no pixels."""
        if not isinstance(further, Pixels):
            raise ValueError("pixels can be joined with pixels alone")
        of = np.concatenate([self.of, further.of + len(self.images)])
        return self._like(self.images.join(further.images), of, np.concatenate([self.places, further.places]), None)

    def hold(self, most_bytes: int = HELD_BYTES) -> Pixels:
        return self._like(self.images.hold(most_bytes), self.of, self.places, self.maps)

    def ranked(self, order: NDArray[np.integer]) -> Pixels:
        """The same where class `order[k]` of the maps has rank k."""
        if self.maps is None:
            return self
        rank = np.full(len(order) + 1, UNLABELLED, np.int16)  # the last stands for unlabelled
        rank[order] = np.arange(len(order))
        return self._like(self.images, self.of, self.places, LabelMaps(self.maps.numbers, rank[self.maps.ranks]))

    @property
    def num_images(self) -> int:
        return len(self.images)

    @property
    def replaced(self) -> Sequence[str]:
        return self.images.replaced

    @property
    def nbytes(self) -> int:
        return self.images.nbytes

    def shares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(N,) and (N,): how far down and to the right the middle of each pixel is, as a share of the image's sides."""
        height, width = self.shape[:2]
        return (self.places // width + 0.5) / height, (self.places % width + 0.5) / width

    def spread(self, most: int) -> Index:
        """At most so many samples, as many of each image as of any other and spread evenly over it, image by image; of
        some images alone where there are more images than that."""
        order = np.argsort(self.of, kind="stable")
        sizes = np.bincount(self.of, minlength=len(self.images))
        first = np.cumsum(sizes) - sizes
        images = np.arange(len(sizes))[:: -(-len(sizes) // most)]
        quota = max(1, most // len(images))
        taken = np.minimum(sizes[images], quota)
        nth = np.arange(taken.sum()) - np.repeat(np.cumsum(taken) - taken, taken)
        return order[np.repeat(first[images], taken) + nth * np.repeat(sizes[images], taken) // np.repeat(taken, taken)]

    def together(self) -> Index:
        """(N,) an order of the samples in which those of an image follow one another, and images with equally many."""
        sizes = np.bincount(self.of, minlength=len(self.images))
        return np.lexsort((self.of, sizes[self.of]))

    def reordered(self, order: Index) -> Pixels:
        """The same images, and their samples in another order."""
        return self._like(self.images, self.of[order], self.places[order], self.maps)

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """(first, images, each): samples in order that are of so many images one after the other, with equally many
        samples of each."""
        if not len(self):
            return
        starts = np.flatnonzero(np.diff(self.of, prepend=-1))
        sizes = np.diff(starts, append=len(self))
        changes = np.flatnonzero(np.diff(sizes, prepend=0))
        for at, images in zip(changes, np.diff(changes, append=len(sizes)), strict=True):
            yield int(starts[at]), int(images), int(sizes[at])

    def _like(self, images: Inputs, of: NDArray, places: NDArray, maps: LabelMaps | None) -> Pixels:
        return Pixels(images, of, places, each=self.each, mirror=self.mirror, maps=maps)


class PixelSampler:
    """Draws images, and labelled pixels of each.

    The pixels that a batch holds fall on the classes as those of `Sampler` do: an image is drawn as often as all its
    pixels together, and then each pixel within it as often as it would be alone. Pixels are drawn with replacement.

    Args:
        labels: (N,) class of each sample, 0 to C - 1.
        of: (N,) its image.
        each: pixels to draw of an image.
        sampling: how often each class is drawn.
    """

    def __init__(self, labels: NDArray[np.integer], of: NDArray[np.integer], *, each: int, sampling: Sampling):
        self.sampling: Sampling = sampling
        self.each, self.counts = each, np.bincount(labels)
        self._order = np.argsort(of, kind="stable")
        self._labels, image = labels[self._order], of[self._order]
        self._first = np.searchsorted(image, image, side="left")
        self._after = np.searchsorted(image, image, side="right")
        self._known: NDArray[np.float64] | None = None

    def draw(self, generator: np.random.Generator, num: int, progress: float, exponent: float = 1.0) -> Index:
        """(num * each,) positions in the training set, those of an image one after the other; `progress` and `exponent`
        as in `class_probabilities`."""
        edges = self._edges(progress, exponent)
        drawn = np.searchsorted(edges, generator.random(num) * edges[-1], side="right").clip(max=len(edges) - 1)
        first, after = self._first[drawn, None], self._after[drawn, None]
        low = np.where(first > 0, edges[first - 1], 0.0)
        wanted = low + generator.random((num, self.each)) * (edges[after - 1] - low)
        rows = np.searchsorted(edges, wanted.ravel(), side="right").reshape(wanted.shape).clip(first, after - 1)
        return self._order[rows.ravel()]

    def _edges(self, progress: float, exponent: float) -> NDArray[np.float64]:
        """(N,) cumulative probabilities of the samples, image by image."""
        if self._known is None or self.sampling in ("progressive", "power"):
            of_class = class_probabilities(self.sampling, self.counts, progress, exponent) / np.maximum(self.counts, 1)
            self._known = np.cumsum(of_class[self._labels])
        return self._known


def mark(thumbnails: NDArray[np.uint8], down: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(N, h, w, 3) the thumbnails with a frame of `MARK` around one pixel each, which stays to be seen.

    Args:
        thumbnails: (N, h, w) or (N, h, w, 3).
        down, right: (N,) where it is, as a share of the sides.

    Example:
        >>> import numpy as np
        >>> mark(np.zeros((1, 8, 8), np.uint8), np.array([0.3]), np.array([0.3]))[0, :, :, 0].astype(bool).sum()
        np.int64(16)
    """
    colour = np.repeat(thumbnails[..., None], 3, axis=3) if thumbnails.ndim == 3 else thumbnails.copy()
    height, width = colour.shape[1:3]
    rows = (down * height).astype(int)[:, None, None] - np.arange(height)[:, None]
    columns = (right * width).astype(int)[:, None, None] - np.arange(width)
    colour[np.maximum(np.abs(rows), np.abs(columns)) == 2] = MARK
    return colour
