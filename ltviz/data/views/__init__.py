"""How views of images are made: policies by name, on the device, by random parameters from the CPU. One file a kind.

A policy is a `Policy` that a file of this folder names, or that another package offers as an entry point `ltviz.views`;
nothing else has to be told of it.

    from ltviz.data import views

    (policy,) = views.chosen("crop-flip", (32, 32, 3))
    view = policy.apply(images, views.Randoms(seed=0))
"""

from ltviz.data.views.policy import Policy as Policy
from ltviz.data.views.policy import Randoms as Randoms
from ltviz.data.views.registry import chosen as chosen
from ltviz.data.views.registry import default as default
from ltviz.data.views.registry import policies as policies

__all__ = ["Policy", "Randoms", "chosen", "default", "policies"]
