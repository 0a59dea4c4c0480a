"""What a recipe costs: steps, images and floating-point operations. An estimate that says what it rests on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ltviz.recipes.recipe import Extent, Recipe

MULTIPLY_ADDS = {
    ("resnet32", 32): 69.1e6,
    ("resnet50", 224): 4.09e9,
    ("resnext50", 224): 4.23e9,
    ("timm:resnet152", 224): 11.51e9,
}
"""Of one image on its way forward, by encoder and image size; those at 224 pixels as torchvision tells them."""
SUSTAINED = 10e12
"""Operations a second that hours are told for where no rate was measured."""


@dataclass(frozen=True)
class Cost:
    """Of the whole training.

    Attributes:
        images: that the steps learn from; those that only pass forward count in `flops`.
        flops: floating-point operations, two a multiply-add; None for networks whose size is not known here.
        hours: at the rate that `rests_on` names; None where there is neither rate nor `flops`.
        rests_on: a sentence.
    """

    steps: int
    images: int
    flops: float | None
    hours: float | None
    rests_on: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def cost(recipe: Recipe, images_per_second: float | None = None) -> Cost | None:
    """The cost of a recipe as it stands; None where it does not say how large the training set is.

    Args:
        images_per_second: that a machine was measured to train of this recipe.
    """
    if recipe.extent is None:
        return None
    run, extent = recipe.run_settings, recipe.extent
    steps = run.steps_over(extent.samples)
    images = steps * run.batch_size * extent.views
    flops = _flops(run.encoder, extent, steps * run.batch_size)
    passes = f"{extent.views} image{'s' if extent.views > 1 else ''} of a sample forward and back"
    passes += f" and {extent.still_views} forward" if extent.still_views else ""
    if images_per_second is not None:
        hours = images / images_per_second / 3600
        return Cost(steps, images, flops, hours, f"hours: {images_per_second:g} images a second, as given; {passes}")
    if flops is None:
        return Cost(steps, images, None, None, f"{passes}; operations of {run.encoder} are not known here")
    rests_on = (
        f"an estimate: {passes}, back counted as twice forward; hours at {SUSTAINED / 1e12:g} TFLOP/s sustained, which "
        "is an assumption and no measurement; reading files, augmentation and watching are not counted, "
        "and a small network takes longer than its operations"
    )
    return Cost(steps, images, flops, flops / SUSTAINED / 3600, rests_on)


def _flops(encoder: str, extent: Extent, samples: int) -> float | None:
    one = MULTIPLY_ADDS.get((encoder, extent.image_size))
    return None if one is None else 2.0 * one * samples * (3 * extent.views + extent.still_views)
