"""The operations of AutoAugment and RandAugment against Pillow, which the papers' code calls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from ltviz.data.views import autoaugment, randaugment
from ltviz.data.views import operations as op
from ltviz.data.views.policy import Randoms

Change = Callable[[Image.Image, float], Image.Image]
CASES: list[tuple[Callable[[Tensor, Tensor], Tensor], Change, tuple[float, ...]]] = [
    (op.autocontrast, lambda picture, _: ImageOps.autocontrast(picture), (0,)),
    (op.equalize, lambda picture, _: ImageOps.equalize(picture), (0,)),
    (op.invert, lambda picture, _: ImageOps.invert(picture), (0,)),
    (op.posterize, lambda picture, bits: ImageOps.posterize(picture, int(bits)), (1, 4, 7, 8)),
    (op.solarize, lambda picture, at: ImageOps.solarize(picture, int(at)), (0, 100, 256)),
    (op.saturation, lambda picture, by: ImageEnhance.Color(picture).enhance(by), (0, 0.5, 1, 1.9)),
    (op.contrast, lambda picture, by: ImageEnhance.Contrast(picture).enhance(by), (0, 0.5, 1, 1.9)),
    (op.brightness, lambda picture, by: ImageEnhance.Brightness(picture).enhance(by), (0, 0.5, 1, 1.9)),
    (op.sharpness, lambda picture, by: ImageEnhance.Sharpness(picture).enhance(by), (0, 0.5, 1, 1.9)),
]

MIXED = {op.contrast, op.saturation, op.sharpness}


def pictures(rng: np.random.Generator) -> list[Image.Image]:
    """Smooth, rough, of few values, and of one."""
    y, x = np.mgrid[0:24, 0:20]
    smooth = np.stack([x * 12, y * 10, 255 - x * 5 - y * 5], 2)
    rough = rng.integers(0, 256, (24, 20, 3))
    few = rng.integers(0, 3, (24, 20, 3)) * 90 + 20
    return [Image.fromarray(one.astype(np.uint8)) for one in (smooth, rough, few, np.full((24, 20, 3), 77))]


def tensor(images: list[Image.Image]) -> Tensor:
    return torch.stack([torch.from_numpy(np.array(one)).permute(2, 0, 1) for one in images]).float() / 255


@pytest.mark.parametrize("operation, change, strengths", CASES, ids=lambda one: getattr(one, "__name__", ""))
def test_an_operation_is_pillows(
    operation: Callable[[Tensor, Tensor], Tensor], change: Change, strengths: tuple[float, ...]
) -> None:
    """To one step of 8 bits, to which Pillow cuts its results. What it mixes an image with it rounds too, by half a
    step at most, of which |1 - strength| is left."""
    images = pictures(np.random.default_rng(0))
    for strength in strengths:
        got = operation(tensor(images), torch.full((len(images), 1, 1, 1), float(strength)))
        expected = tensor([change(one, strength) for one in images])
        rounded = 0.5 * abs(1 - strength) if operation in MIXED else 0
        assert (got - expected).abs().max() * 255 < 1.001 + rounded, strength


def test_what_is_dark_becomes_lighter() -> None:
    levels = torch.arange(256.0).view(1, 1, 16, 16) / 255
    got = (op.solarize_add(levels, torch.full((1, 1, 1, 1), 110.0)) * 255).round().int().flatten().tolist()
    assert got == [min(255, i + 110) if i < 128 else i for i in range(256)]


@pytest.mark.parametrize(
    "operation, strength, matrix",
    [
        (op.shear_x, 0.3, (1, 0.3, 0, 0, 1, 0)),
        (op.shear_y, -0.2, (1, 0, 0, -0.2, 1, 0)),
        (op.translate_x, 0.25, (1, 0, 10, 0, 1, 0)),
        (op.translate_y, -0.1, (1, 0, 0, 0, 1, -3)),
        (op.rotate, 25.0, None),
    ],
)
def test_a_warp_is_pillows_within_the_image(
    operation: Callable[[Tensor, Tensor], Tensor], strength: float, matrix: tuple[float, ...] | None
) -> None:
    """And grey outside; on the seam, one pixel wide, the two blend here."""
    y, x = np.mgrid[0:30, 0:40]
    smooth = np.stack([x * 6, y * 8, 250 - x * 3 - y * 4], 2).astype(np.uint8)
    picture = Image.fromarray(smooth)

    def pillow(one: Image.Image, fill: object) -> Image.Image:
        if matrix is None:
            return one.rotate(strength, Image.Resampling.BILINEAR, fillcolor=fill)
        return one.transform(one.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=fill)

    got = operation(tensor([picture]), torch.full((1, 1, 1, 1), strength))
    expected = tensor([pillow(picture, (128, 128, 128))])
    inside = np.asarray(pillow(Image.new("L", picture.size, 255), 0)) / 255.0
    seam = np.zeros_like(inside, dtype=bool)
    for shift in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        seam |= np.roll(inside, shift, (0, 1)) != inside
    seam[[0, -1]] = seam[:, [0, -1]] = True
    clear = torch.from_numpy(~seam).expand_as(got[0])
    assert clear.float().mean() > 0.7
    assert ((got - expected)[0].abs() * 255)[clear].max() < 1.51


def test_each_row_has_an_operation_and_a_strength_of_its_own() -> None:
    images = tensor(pictures(np.random.default_rng(1)))
    kinds = np.array([op.NUMBER[op.invert], op.NOTHING, op.NUMBER[op.rotate], op.NUMBER[op.invert]])
    strengths = np.array([0.0, 5.0, 90.0, 0.0])
    got = op.operate(images, kinds, strengths)
    assert torch.equal(got[[0, 3]], 1 - images[[0, 3]]) and torch.equal(got[1], images[1])
    torch.testing.assert_close(got[2], op.rotate(images[2:3], torch.full((1, 1, 1, 1), 90.0))[0])
    for kind in range(len(op.OPERATIONS)):
        each = op.operate(images, np.full(4, kind), np.array([0.1, 1.0, 0.5, 2.0]))
        one = op.operate(images[2:3], np.array([kind]), np.array([0.5]))
        torch.testing.assert_close(each[2:3], one, atol=1e-6, rtol=0)


def test_randaugments_strengths_are_those_of_its_code() -> None:
    """At half the level, with the sign turned: timm's formulas, whose level is 5 of 10."""
    table = randaugment._strengths(np.array([0.5]), np.array([-1]))[:, 0]
    said = {operation.__name__: float(table[i]) for operation, i in op.NUMBER.items()}
    expected = {
        "rotate": -15.0, "shear_x": -0.15, "shear_y": -0.15, "translate_x": -0.225, "translate_y": -0.225,
        "posterize": 2.0, "solarize": 128.0, "solarize_add": 55.0,
        "saturation": 1.0, "contrast": 1.0, "brightness": 1.0, "sharpness": 1.0,
    }  # fmt: skip
    assert {name: said[name] for name in expected} == pytest.approx(expected)
    assert len(op.OPERATIONS) == 15


def test_autoaugments_pairs_are_those_of_the_paper() -> None:
    kinds, probabilities, middles, widths = autoaugment._table()
    assert kinds.shape == probabilities.shape == middles.shape == widths.shape == (25, 2)
    shear = autoaugment._PAIRS[3][0]
    assert shear == (op.shear_y, 0.5, 8) and widths[3, 0] == pytest.approx(0.3 * 8 / 9)
    assert middles[0, 1] == 1 and widths[0, 1] == pytest.approx(0.6), "contrast 6"
    assert middles[5, 1] == round(8 - 4 * 7 / 9) and middles[14, 0] == pytest.approx(256 * 7 / 9)
    used = {operation for pair in autoaugment._PAIRS for operation, _, _ in pair}
    assert used == set(op.OPERATIONS) - {op.shear_x, op.solarize_add}
    assert probabilities.sum() == pytest.approx(26.5)
    assert sum(level for pair in autoaugment._PAIRS for _, _, level in pair) == 267


@pytest.mark.parametrize("policy, still", [(randaugment.randaugment, 0.267), (autoaugment.autoaugment, 0.235)])
def test_how_often_a_policy_leaves_an_image_as_it_is(policy: Callable, still: float) -> None:
    """RandAugment: half of the time, twice; AutoAugment: by its table; and where there is nothing to change."""
    image = tensor(pictures(np.random.default_rng(2))[1:2]).expand(2000, -1, -1, -1)
    same = (policy(image, Randoms(0)) == image).flatten(1).all(1).float().mean()
    assert abs(same - still) < 0.03
