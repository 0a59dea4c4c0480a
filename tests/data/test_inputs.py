"""Inputs in memory and in files: what is read, how much memory it takes, and what is said of bad files."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ltviz.data import inputs as inputs_module
from ltviz.data import pictures
from ltviz.data.inputs import HeldInputs, ImageFiles, Inputs, JoinedInputs
from ltviz.errors import DataError

SHAPES = {(6, 4): np.uint8, (6, 4, 3): np.uint8, (5,): np.float32}


def made(shape: tuple[int, ...], dtype: type, num: int = 7) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (num, *shape)).astype(dtype)


def write(folder: Path, arrays: np.ndarray) -> list[str]:
    """One PNG an array, whose pixels come back as they are."""
    names = [f"{i}.png" for i in range(len(arrays))]
    for name, array in zip(names, arrays, strict=True):
        Image.fromarray(array).save(folder / name)
    return names


@pytest.mark.parametrize("shape", SHAPES)
def test_inputs_in_memory_are_read_as_they_are(shape: tuple[int, ...]) -> None:
    array = made(shape, SHAPES[shape])
    held = HeldInputs(array)
    index = np.array([3, 0, 3])
    assert len(held) == 7 and held.shape == shape and held.white == (1 if len(shape) == 1 else 255)
    np.testing.assert_array_equal(held.read(index), array[index])
    np.testing.assert_array_equal(held.subset(index).whole(), array[index])
    assert held.is_vectors == (len(shape) == 1) and held.nbytes == array.nbytes


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((3, 4, 4), np.int64), "int64 of shape"),
        (np.zeros((3, 4), np.uint8), "uint8 of shape"),
        (np.zeros((3, 4, 4, 4), np.uint8), r"\(3, 4, 4, 4\)"),
        (np.zeros(3, np.float32), r"\(3,\)"),
        (np.zeros((3, 0), np.float32), r"\(3, 0\)"),
        (np.array([[1, np.nan], [0, np.inf]], np.float32), "2 numbers are NaN or infinite"),
    ],
)
def test_what_is_no_input_is_refused(array: np.ndarray, says: str) -> None:
    with pytest.raises(DataError, match=says):
        HeldInputs(array)


@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 3)])
def test_files_of_the_right_size_are_read_pixel_by_pixel(tmp_path: Path, shape: tuple[int, ...]) -> None:
    arrays = made(shape, np.uint8)
    files = ImageFiles(write(tmp_path, arrays), shape, root=tmp_path)
    index = np.array([5, 1, 1, 0])
    np.testing.assert_array_equal(files.read(index), arrays[index])
    np.testing.assert_array_equal(files.subset(index).read(np.array([0, 3])), arrays[[5, 0]])
    held = files.hold()
    assert isinstance(held, HeldInputs) and held.white == 255
    np.testing.assert_array_equal(held.array, arrays)
    assert files.hold(most_bytes=arrays.nbytes - 1) is files


def test_the_short_side_is_fitted_and_the_centre_is_cut(tmp_path: Path) -> None:
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, :10, 0], wide[:, 10:20, 1], wide[:, 20:, 2] = 200, 200, 200
    Image.fromarray(wide).save(tmp_path / "wide.png")
    (seen,) = ImageFiles(["wide.png"], (5, 5, 3), root=tmp_path).whole()
    assert (seen[:, 1:-1] == [0, 200, 0]).all(), "the middle third"


def picture_of(mode: str) -> Image.Image:
    """Two by two pixels: black, white, and two of the same grey of 128."""
    grey = np.array([[0, 255], [128, 128]], np.uint8)
    image = Image.fromarray(grey)
    match mode:
        case "I;16":
            return Image.fromarray(grey.astype(np.uint16) * 257)
        case "RGBA" | "LA":
            image = image.convert(mode)
            image.putalpha(90)
            return image
        case "P":
            return image.convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE)
        case "CMYK":
            return image.convert("RGB").convert("CMYK")
    return image.convert(mode)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        ("L", "png"), ("RGB", "png"), ("P", "png"), ("P", "gif"), ("RGBA", "png"), ("LA", "png"), ("I;16", "png"),
        ("CMYK", "tiff"), ("I;16", "tiff"), ("RGB", "webp"), ("L", "bmp"), ("L", "pgm"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", [(2, 2), (2, 2, 3)])
def test_every_kind_of_pixel_becomes_grey_or_colour(
    tmp_path: Path, mode: str, suffix: str, shape: tuple[int, ...]
) -> None:
    options = {"lossless": True} if suffix == "webp" else {}
    picture_of(mode).save(tmp_path / f"x.{suffix}", **options)
    (seen,) = ImageFiles([f"x.{suffix}"], shape, root=tmp_path).whole()
    expected = np.array([[0, 255], [128, 128]])
    assert seen.shape == shape
    assert np.abs(seen.astype(int) - (expected if len(shape) == 2 else expected[..., None])).max() <= 1


def test_the_orientation_of_a_camera_is_not_applied_as_in_torchvision(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    top = np.zeros((8, 8), np.uint8)
    top[:4] = 255
    Image.fromarray(top).save(tmp_path / "x.jpg", exif=exif)
    (seen,) = ImageFiles(["x.jpg"], (8, 8), root=tmp_path).whole()
    assert seen[0].mean() > 200 > 50 > seen[-1].mean()


def spoil(path: Path, how: str) -> None:
    match how:
        case "gone":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("no image at all")
        case "torn":
            path.write_bytes(path.read_bytes()[:-30])
        case "bomb":
            Image.new("1", (40_000, 40_000)).save(path)
        case "program":
            path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 2 2\n")
        case "float":
            Image.new("F", (3, 3)).save(path, format="tiff")


BAD = {
    "gone": "no such file",
    "empty": "Pillow says",
    "text": "Pillow says",
    "torn": "Pillow says",
    "bomb": "at most 89,478,485 pixels",
    "program": "Pillow says",
    "float": "floating-point",
}


@pytest.mark.parametrize("how", BAD)
def test_a_bad_file_is_one_sentence_with_file_and_line(tmp_path: Path, how: str) -> None:
    names = write(tmp_path, made((16, 16), np.uint8))
    spoil(tmp_path / names[3], how)
    files = ImageFiles(names, (16, 16), root=tmp_path, lines=np.arange(7) + 10, list_name="list.txt")
    for held in (files, files.subset(np.array([0, 3]))):
        with pytest.raises(DataError, match=BAD[how]) as caught:
            held.whole()
        told = str(caught.value)
        assert told.endswith(f"{tmp_path / '3.png'} (line 13 of list.txt)") and "\n" not in told
        assert told.count(str(tmp_path)) == 1


def test_a_bad_file_is_replaced_by_the_next_of_its_class_always_the_same(tmp_path: Path) -> None:
    arrays = made((16, 16), np.uint8)
    names = write(tmp_path, arrays)
    for at in (1, 3):
        spoil(tmp_path / names[at], "torn")
    classes = np.array([0, 1, 0, 1, 2, 1, 0])
    files = ImageFiles(names, (16, 16), root=tmp_path, stand_ins=classes)
    seen = files.read(np.array([1, 0, 3, 1]))
    np.testing.assert_array_equal(seen, arrays[[5, 0, 5, 5]])
    assert len(files.replaced) == 2 and "so 5.png of its class stands in" in files.replaced[0]
    assert files.replaced[0].endswith(str(tmp_path / "1.png"))
    some = files.subset(np.array([1, 6, 5]))
    np.testing.assert_array_equal(some.read(np.array([0])), arrays[[5]])
    assert len(some.replaced) == len(files.replaced) == 2, "subsets keep one account, and name each file once"


def test_a_class_without_a_readable_file_is_refused(tmp_path: Path) -> None:
    names = write(tmp_path, made((16, 16), np.uint8))
    spoil(tmp_path / names[0], "torn")
    files = ImageFiles(names, (16, 16), root=tmp_path, stand_ins=np.array([0, 1, 1, 1, 1, 1, 1]))
    with pytest.raises(DataError, match=r"no other image of its class.*0\.png$"):
        files.read(np.array([2, 0]))


def test_nothing_is_opened_before_it_is_read_and_memory_does_not_grow_with_the_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = write(tmp_path, made((64, 64, 3), np.uint8, 8)) * 5000
    with monkeypatch.context() as patch:
        patch.setattr(inputs_module, "decode", lambda *args: pytest.fail("an image was decoded"))
        files = ImageFiles(names, (64, 64, 3), root=tmp_path)
        some = JoinedInputs([files.subset(np.arange(39_000)), files.subset(np.arange(5))])
        assert len(some) == 39_005 and some.nbytes > 400e6 and some.hold(1 << 20) is some
    files.read(np.arange(8))
    tracemalloc.start()
    for index in list(files.blocks(64))[:20]:
        files.read(index)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6, "a block of 64 images takes 0.8 MB"


def test_joined_inputs_are_read_part_by_part() -> None:
    one, two = made((4, 4), np.uint8), made((4, 4), np.uint8, 3) ^ 255
    both: Inputs = JoinedInputs([HeldInputs(one), HeldInputs(two)])
    index = np.array([8, 0, 9, 6, 7])
    np.testing.assert_array_equal(both.read(index), np.concatenate([one, two])[index])
    np.testing.assert_array_equal(both.subset(np.array([2, 2, 8])).whole(), np.stack([one[2], one[2], two[1]]))
    with pytest.raises(ValueError, match="order of the parts"):
        both.subset(np.array([8, 0]))
    with pytest.raises(DataError, match=r"must be alike, got uint8 \(4, 4\) with white 255 and"):
        JoinedInputs([HeldInputs(one), HeldInputs(two, 16)])


def test_a_child_of_a_process_that_decoded_decodes_too(tmp_path: Path) -> None:
    """The threads of a parent are gone in a forked child, which would wait for them for ever."""
    arrays = made((8, 8), np.uint8)
    files = ImageFiles(write(tmp_path, arrays), (8, 8), root=tmp_path)
    files.whole()
    assert pictures._workers(os.getpid()) is not pictures._workers(os.getpid() + 1)
