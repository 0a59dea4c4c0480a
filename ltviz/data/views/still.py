"""Policies that move nothing: the sample as it is, and the sample with noise."""

from __future__ import annotations

from torch import Tensor

from ltviz.data.transfer import send
from ltviz.data.views.policy import Policy, Randoms

NOISE = 0.1


def none(samples: Tensor, randoms: Randoms) -> Tensor:
    """The samples as they are, (B, ...); all views of a sample are equal then."""
    return samples


def noise(samples: Tensor, randoms: Randoms) -> Tensor:
    """Samples (B, ...) with normal noise of a tenth of each one's own standard deviation, so whatever their unit."""
    spread = samples.flatten(1).std(1, correction=0).view(-1, *[1] * (samples.ndim - 1))
    return samples + NOISE * spread * send(randoms.normal(*samples.shape), samples.device)


NONE = Policy("none", "None", "The sample as it is.", "", none, vectors=True, in_place=True, by_rows=True)
NOISY = Policy(
    "noise",
    "Noise",
    "Adds normal noise of a tenth of the sample's own standard deviation.",
    "ours, for stored features, which nothing can be cropped from",
    noise,
    vectors=True,
    in_place=True,
    by_rows=True,
)
