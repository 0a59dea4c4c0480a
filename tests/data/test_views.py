"""View policies: what every one of them keeps to, and what each elementary one does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ltviz.data import views
from ltviz.data.views import colour, placing, still
from ltviz.data.views.policy import Randoms
from ltviz.errors import ConfigError

POLICIES = views.policies()


def pictures(num: int = 24, channels: int = 3, height: int = 32, width: int = 32) -> Tensor:
    """(N, C, H, W) smooth, all different, in 8 bits."""
    coarse = torch.rand(num, channels, 5, 5, generator=torch.Generator().manual_seed(5))
    fine = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    return (fine * 255).round() / 255


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (3, 20, 33)])
@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_keeps_shape_and_range_and_is_a_function_of_its_seed(name: str, shape: tuple[int, int, int]) -> None:
    images = pictures(16, *shape)
    kept, policy = images.clone(), POLICIES[name]
    view = policy.apply(images, Randoms(3))
    assert view.shape == images.shape and view.dtype == torch.float32 and torch.isfinite(view).all()
    assert torch.equal(images, kept), "the images on the device are those of every step"
    assert torch.equal(view, policy.apply(images, Randoms(3)))
    if name not in {"affine", "noise"}:  # whose noise may leave it
        assert view.min() > -1e-5 and view.max() < 1 + 1e-5
    if name != "none" and not (shape[0] == 1 and name == "gray"):
        assert not torch.equal(view, policy.apply(images, Randoms(4)))


@pytest.mark.parametrize("name", [name for name in POLICIES if name not in {"none"}])
def test_rows_are_changed_each_in_its_own_way(name: str) -> None:
    """A hundred times the same image: many different views, and each row is that of the row alone."""
    view = POLICIES[name].apply(pictures(1).expand(100, -1, -1, -1), Randoms(0))
    several = len(torch.unique(view.flatten(1), dim=0))
    assert several > (1 if name == "gray" else 30)


@pytest.mark.parametrize("name", POLICIES)
def test_random_parameters_do_not_depend_on_the_values_of_the_images(name: str) -> None:
    """Else a device that rounds differently would draw differently: the next number drawn is the same."""
    left = []
    for images in (pictures(8), torch.zeros(8, 3, 32, 32), torch.ones(8, 3, 32, 32)):
        POLICIES[name].apply(images, randoms := Randoms(1))
        left.append([*randoms.uniform(4).tolist(), *randoms.choices.random(4)])
    assert left[0] == left[1] == left[2]


@pytest.mark.parametrize("name", POLICIES)
def test_no_view_reads_a_tensor(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU's host would wait for it at every step."""

    class Reads(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            assert func.__name__.partition(".")[0] not in {"_local_scalar_dense", "nonzero", "masked_select", "equal"}
            masks = [part for given in args if isinstance(given, list) for part in given if isinstance(part, Tensor)]
            assert not any(mask.dtype == torch.bool for mask in masks), func
            return func(*args, **(kwargs or {}))

    def refuse(self: Tensor, *args: object) -> None:
        raise AssertionError("a tensor is read on the host")

    images = pictures(32)
    with monkeypatch.context() as patched, Reads():
        for reader in ("item", "tolist", "cpu", "numpy", "__bool__", "__float__", "__int__", "__index__", "__array__"):
            patched.setattr(Tensor, reader, refuse)
        POLICIES[name].apply(images, Randoms(0))


@pytest.mark.parametrize("name", POLICIES)
def test_the_memory_format_does_not_matter(name: str) -> None:
    images = pictures(8)
    last = images.contiguous(memory_format=torch.channels_last)
    one, two = (POLICIES[name].apply(x, Randoms(2)) for x in (images, last))
    torch.testing.assert_close(one, two, atol=1e-6, rtol=0)


def test_the_digits_are_augmented_as_before() -> None:
    """To the bit, so that curves and resumed runs stay."""
    images = pictures(5, 1, 8, 8)
    generator = torch.Generator().manual_seed(9)
    turn, stretch, right, down = (2 * torch.rand(4, 5, 1, generator=generator) - 1).unbind()
    noise = torch.randn(images.shape, generator=generator)
    scale = 1 + 0.1 * stretch
    cos, sin = (0.2 * turn).cos() * scale, (0.2 * turn).sin() * scale
    at = (2 * torch.arange(8) + 1) / 8 - 1
    columns = torch.stack([cos * at + 0.25 * right, sin * at + 0.25 * down], 1)
    grid = (columns[:, :, None] + torch.stack([-sin * at, cos * at], 1)[..., None]).permute(0, 2, 3, 1)
    expected = torch.nn.functional.grid_sample(images, grid, align_corners=False).add_(noise, alpha=0.1)
    assert torch.equal(POLICIES["affine"].apply(images, Randoms(9)), expected)


def test_crops_are_all_shifts_and_bring_in_black() -> None:
    images = pictures(400, 3, 12, 10) * 0.9 + 0.1
    cut = placing.crop(images, Randoms(0), padding=2)
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
    seen = set()
    for row, view in zip(padded, cut, strict=True):
        fits = [(y, x) for y in range(5) for x in range(5) if torch.equal(row[:, y : y + 12, x : x + 10], view)]
        assert len(fits) == 1
        seen.add(fits[0])
    assert len(seen) == 25
    assert torch.equal(placing.crop(images, Randoms(0), padding=0), images)


def test_a_flip_is_an_involution_and_takes_half_of_the_images() -> None:
    images = pictures(400)
    once = placing.flip(images, Randoms(1))
    moved = (once != images).flatten(1).any(1)
    assert torch.equal(once[moved], images[moved].flip(3)) and 160 < moved.sum() < 240
    assert torch.equal(placing.flip(once, Randoms(1)), images)
    assert torch.equal(placing.flip(images, Randoms(1), probability=0.0), images)
    assert torch.equal(placing.flip(images, Randoms(1), probability=1.0), images.flip(3))


def test_cutout_blackens_one_square_that_the_border_may_cut() -> None:
    hole = placing.cutout(torch.ones(500, 3, 32, 32), Randoms(2)) == 0
    assert torch.equal(hole[:, 0], hole[:, 2])
    tall, wide = hole[:, 0].any(2).sum(1), hole[:, 0].any(1).sum(1)
    assert torch.equal(tall * wide, hole[:, 0].sum((1, 2))), "a rectangle"
    assert tall.max() == wide.max() == 16 and tall.min() == wide.min() == 8, "half of it at a corner"
    images = pictures(4)
    assert torch.equal(placing.cutout(images, Randoms(2), share=0.0), images)


def test_the_rectangles_of_a_resized_crop_are_torchvisions() -> None:
    """Area uniform from 8 to 100 % but for rounding, ratio log-uniform from 3/4 to 4/3, inside the image, anywhere."""
    left, top, wide, high = placing.boxes(torch.empty(4000, 3, 96, 128), Randoms(0), 0.08)
    assert (left >= 0).all() and (top >= 0).all() and (left + wide <= 128).all() and (top + high <= 96).all()
    share, ratio = wide * high / (96 * 128), wide / high
    assert 0.079 < share.min() < 0.09 and share.max() > 0.95 and 0.72 < ratio.min() < 0.77 and 1.3 < ratio.max() < 1.38
    loose = (share < 0.4).nonzero()[:, 0]  # where nearly every try fits
    assert abs(ratio[loose].log().mean()) < 0.02 and abs((left / (128 - wide))[loose].mean() - 0.5) < 0.02
    left, top, wide, high = placing.boxes(torch.empty(5, 3, 10, 100), Randoms(0), 0.99)
    assert (wide == 13).all() and (high == 10).all() and (left == 43).all() and (top == 0).all(), "none fits"


def test_a_resized_crop_is_the_rectangle_enlarged_by_itself() -> None:
    """As Pillow enlarges it: nothing beyond the rectangle is seen."""
    from PIL import Image

    images = pictures(12)
    view = placing.resized_crop(images, Randoms(7), 0.08)
    for row, cut, (left, top, wide, high) in zip(
        images, view, placing.boxes(images, Randoms(7), 0.08).T.int().tolist(), strict=True
    ):
        for channel, got in zip(row.numpy(), cut.numpy(), strict=True):
            part = Image.fromarray(channel[top : top + high, left : left + wide])
            expected = np.asarray(part.resize((32, 32), Image.Resampling.BILINEAR))
            np.testing.assert_allclose(got, expected, atol=1e-5)
    torch.testing.assert_close(placing.resized_crop(images, Randoms(7), 1.0 - 1e-9), images, atol=0.2, rtol=0)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_colours_of_no_strength_change_nothing(probability: float) -> None:
    images = pictures()
    still_ones = colour.jitter(images, Randoms(0), 0.0, 0.0, 0.0, 0.0, probability)
    assert torch.equal(still_ones, images)
    assert torch.equal(colour.jitter(images, Randoms(0), probability=0.0), images)
    assert torch.equal(colour.gray(images, Randoms(0), probability=0.0), images)
    assert torch.equal(colour.blur(images, Randoms(0), probability=0.0), images)
    for change in (colour.contrast, colour.saturation, colour.brightness):
        assert torch.equal(change(images, torch.ones(24, 1, 1, 1)), images)
    torch.testing.assert_close(colour.hue(images, torch.zeros(24, 1, 1, 1)), images, atol=1e-6, rtol=0)


def test_hue_turns_as_the_colour_circle_does() -> None:
    from colorsys import hsv_to_rgb, rgb_to_hsv

    images = torch.cat([pictures(20, 3, 4, 4), torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)])
    turn = torch.linspace(-0.5, 0.5, 22).view(-1, 1, 1, 1)
    got = colour.hue(images, turn)
    for row, by, seen in zip(images, turn.flatten().tolist(), got, strict=True):
        for (red, green, blue), pixel in zip(row.flatten(1).T.tolist(), seen.flatten(1).T.tolist(), strict=True):
            h, s, v = rgb_to_hsv(red, green, blue)
            assert pixel == pytest.approx(hsv_to_rgb((h + by) % 1, s, v), abs=1e-5)
    back = colour.hue(colour.hue(images, turn), -turn)
    torch.testing.assert_close(back, images, atol=1e-5, rtol=0)


def test_gray_is_pillows_lightness_for_one_image_in_five() -> None:
    from PIL import Image

    images = pictures(500)
    view = colour.gray(images, Randoms(0))
    moved = (view != images).flatten(1).any(1)
    assert 70 < moved.sum() < 130
    row = int(moved.nonzero()[0, 0])
    picture = Image.fromarray((images[row] * 255).round().byte().permute(1, 2, 0).numpy()).convert("L")
    for channel in view[row]:
        np.testing.assert_allclose(channel.numpy() * 255, np.asarray(picture), atol=0.51)


def test_blur_is_a_normal_kernel_that_mirrors_the_border() -> None:
    from scipy.ndimage import gaussian_filter

    images = pictures(30, 3, 20, 14)
    view = colour.blur(images, Randoms(0), probability=1.0)
    sigma = Randoms(0).uniform(30, low=0.1, high=2.0)
    for row, by, got in zip(images, sigma.tolist(), view, strict=True):
        expected = gaussian_filter(row.double().numpy(), (0, by, by), mode="reflect", truncate=6)
        np.testing.assert_allclose(got.numpy(), expected, atol=2e-3)
    torch.testing.assert_close(colour.blur(torch.ones(4, 1, 9, 9), Randoms(0), 1.0), torch.ones(4, 1, 9, 9))


def test_noise_is_a_tenth_of_each_vectors_own_spread() -> None:
    vectors = torch.randn(2, 4000) * torch.tensor([[0.03], [50.0]])
    moved = (still.noise(vectors, Randoms(0)) - vectors).std(1) / vectors.std(1)
    torch.testing.assert_close(moved, torch.full((2,), 0.1), atol=0.01, rtol=0)
    assert still.none(vectors, Randoms(0)) is vectors


def test_names_are_one_a_view_and_empty_is_the_default_of_the_shape() -> None:
    def names(asked: str, shape: tuple[int, ...]) -> list[str]:
        return [policy.name for policy in views.chosen(asked, shape)]

    assert names("", (8, 8)) == names("", (28, 28)) == ["affine"]
    assert names("", (32, 32)) == names("", (32, 32, 3)) == names("", (8, 8, 3)) == ["crop-flip"]
    assert names("", (768,)) == ["none"] and names("noise", (768,)) == ["noise"]
    assert names("randaug, simaug,simaug", (32, 32, 3)) == ["randaug", "simaug", "simaug"]
    with pytest.raises(ConfigError, match=r"view policy must be one of .*crop-flip.*got 'cropflip'; try crop-flip"):
        names("cropflip", (32, 32, 3))
    with pytest.raises(ConfigError, match="policies of vectors must be of noise, none, but simaug is for images"):
        names("simaug", (768,))


def test_each_policy_says_what_it_does_and_where_it_is_from() -> None:
    for name, policy in POLICIES.items():
        assert name == policy.name and policy.title and policy.about.endswith(".") and len(policy.about) < 140
        assert policy.source or name == "none"
    assert len(POLICIES) >= 16


def test_another_package_may_offer_a_policy(install) -> None:
    source = (
        "from ltviz.data.views import Policy\n"
        "half = Policy('half', 'Half', 'Halves every value.', 'a test', lambda x, randoms: x / 2)\n"
        "wrong = 3\n"
    )
    install("halves", source, {"ltviz.views": {"half": "halves:half", "wrong": "halves:wrong"}})
    with pytest.warns(UserWarning, match="view policy plug-in wrong .* is left out: 3 is not a"):
        (policy,) = views.chosen("half", (8, 8))
    assert torch.equal(policy.apply(torch.ones(1, 1, 2, 2), Randoms(0)), torch.full((1, 1, 2, 2), 0.5))
