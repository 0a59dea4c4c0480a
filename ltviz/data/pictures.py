"""One image file as an array of pixels: decoded with Pillow in threads, resized and cut to one shape."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

MAX_PIXELS = 89_478_485
"""Of one image, as in Pillow: a file of some kilobytes may claim to be gigabytes of pixels."""
MOST_WORKERS = 8
_RUNS_PROGRAMS = {"EPS"}  # formats for which Pillow starts other programs; no data set has them


class Picked(NamedTuple):
    """A file and the row of an array that its pixels go to."""

    path: Path
    row: int


class BadPicture(Exception):
    """Why a file is no picture, without its name: a sentence whose path comes last."""


def decode(
    picked: Sequence[Picked], out: NDArray[np.uint8], read: Callable[[Path, tuple[int, ...]], NDArray] | None = None
) -> list[tuple[int, BadPicture]]:
    """Decodes files into the rows of `out`; gives (row, why) of those that cannot be decoded, by row.

    Args:
        out: (N, H, W) for grey, (N, H, W, 3) for colour.
        read: what decodes one file to a shape; `read_picture`, or `read_labels`.
    """
    reader = read or read_picture

    def one(place: Picked) -> tuple[int, BadPicture] | None:
        try:
            out[place.row] = reader(place.path, out.shape[1:])
        except BadPicture as bad:
            return place.row, bad
        return None

    found = map(one, picked) if len(picked) == 1 else _workers(os.getpid()).map(one, picked)
    return [bad for bad in found if bad is not None]


def read_picture(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The pixels of a file as uint8 of this shape, (H, W) grey or (H, W, 3) colour.

    The image is resized, bilinearly and with its aspect kept, to cover H x W, and what stands over is cut off on both
    sides alike: the usual "resize the short side, centre crop". An image of that size stays as it is, pixel by pixel.
    Palettes, CMYK and grey become RGB as asked, 16 bits become 8, and how opaque a pixel is is left out. As in
    torchvision, on which the published numbers rest, the orientation that a camera noted (EXIF) is not applied.

    Raises:
        BadPicture: no file, no image, a damaged one, or one of more than `MAX_PIXELS`.
    """
    mode = "RGB" if len(shape) == 3 else "L"
    size = shape[1], shape[0]
    with _opened(path) as image:
        image.draft(mode, size)  # a JPEG is decoded at a half, a quarter or an eighth where that is enough
        fitted = ImageOps.fit(_in_mode(image, mode), size, Image.Resampling.BILINEAR)
        return np.asarray(fitted)


def read_labels(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Labels from a file, one for each pixel, as uint8 of shape (H, W): its grey values, or its palette's numbers.

    It is resized and cut as `read_picture` does with the image beside it, each pixel taking the nearest label.

    Raises:
        BadPicture: as of `read_picture`, or a file with more than one number a pixel, or with more than 8 bits.
    """
    with _opened(path) as image:
        if image.mode not in ("L", "P"):
            raise BadPicture(f"labels must be one number of 8 bits a pixel, got an image of mode {image.mode}")
        numbers = Image.fromarray(np.asarray(image))  # a palette's numbers, not its colours
        return np.asarray(ImageOps.fit(numbers, (shape[1], shape[0]), Image.Resampling.NEAREST))


def size_of(path: Path) -> tuple[int, int]:
    """(height, width) that the header of a file tells; errors as of `read_picture`."""
    with _opened(path) as image:
        return image.height, image.width


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The image of a file; whatever goes wrong inside is a `BadPicture`."""
    try:
        with Image.open(path, formats=_formats()) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BadPicture(_too_large(f"{image.width} x {image.height}"))
            yield image
    except BadPicture:
        raise
    except FileNotFoundError as error:
        raise BadPicture("an image must be there, but no such file exists") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPicture(_too_large("more")) from error
    except Exception as error:  # Pillow's decoders raise whatever they stumble over
        told = " ".join(str(error).split()).replace(str(path), "").strip(" '\":")[:120] or type(error).__name__
        raise BadPicture(f"an image must be readable to its end, but Pillow says {told!r}") from error


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The whole image as "L" or "RGB"."""
    image.load()
    if image.mode.startswith("I"):  # Pillow would clip 16 bits to white
        deep = np.asarray(image).astype(np.int64)
        wide = image.mode != "I" or deep.max() > 0xFF  # "I" is how some formats and versions hold 8 or 16 bits
        if deep.min() < 0 or deep.max() > 0xFFFF:
            raise BadPicture(f"an image must have 8 or 16 bits a pixel, got values from {deep.min()} to {deep.max()}")
        image = Image.fromarray((deep >> 8 if wide else deep).astype(np.uint8))
    elif image.mode == "F":
        raise BadPicture("an image must have whole numbers as pixels, got floating-point ones")
    elif "transparency" in image.info and image.mode == "P":
        image = image.convert("RGBA")
    return image if image.mode == mode else image.convert(mode)


def _too_large(size: str) -> str:
    return f"an image may have at most {MAX_PIXELS:,} pixels, got {size}"


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(sorted(set(Image.OPEN) - _RUNS_PROGRAMS))


@cache
def _workers(pid: int) -> ThreadPoolExecutor:
    """Threads that decode, one pool a process: those of a parent do not live on in a forked child."""
    return ThreadPoolExecutor(min(MOST_WORKERS, os.cpu_count() or 1), thread_name_prefix=f"ltviz-decode-{pid}")
