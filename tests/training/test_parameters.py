"""What is said of a network's size without torch is what torch counts."""

from __future__ import annotations

import subprocess
import sys

import pytest
from torch import nn

from ltviz import encoders
from ltviz.encoders import vision
from ltviz.training.parameters import classifier_size, encoder_size, head_size

OF_TIMM = {name for name in encoders.encoders() if hasattr(vision, name)}
SHAPES = [(8, 8), (28, 28), (9, 14), (32, 32, 3), (10,), (101,)]


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", sorted(set(encoders.encoders()) - OF_TIMM))
def test_every_encoder_has_as_many_parameters_as_is_said(name: str, shape: tuple[int, ...]) -> None:
    said = encoder_size(name, shape)
    if len(shape) == 1 and name not in ("mlp", "identity"):
        assert said is None, "it takes images alone"
        return
    encoder, features = encoders.build(name, shape)
    assert said is not None and (said.parameters, said.feature_dim) == (count(encoder), features)


@pytest.mark.parametrize("shape", [(8, 8), (32, 32, 3)], ids=str)
@pytest.mark.parametrize("name", ["convnet", "resnet32", "resnet56"])
def test_of_pixels_the_trunk_is_counted(name: str, shape: tuple[int, ...]) -> None:
    of_pixels, features = encoders.of_pixels(encoders.build(name, shape)[0], name, shape)
    said = encoder_size(name, shape, of_pixels=True)
    assert said is not None and (said.parameters, said.feature_dim) == (count(of_pixels), features)
    assert encoder_size("mlp", shape, of_pixels=True) is None, "it has no map"


@pytest.mark.parametrize(("kind", "width"), [("linear", None), ("mlp", None), ("mlp", 30), ("mlp-norm", 512)])
def test_heads_and_classifiers_have_as_many_parameters_as_is_said(kind: str, width: int | None) -> None:
    assert head_size(64, 16, kind, width) == count(encoders.build_head(64, 16, kind, width))
    assert classifier_size(64, 10) == count(nn.Linear(64, 10))


@pytest.mark.parametrize(
    ("name", "features", "parameters"),
    [
        ("resnet32", 64, 463_504),
        ("resnet18", 512, 11_689_512 - 513_000),
        ("timm:resnet34", 512, 21_797_672 - 513_000),
        ("resnet50", 2048, 25_557_032 - 2_049_000),
        ("resnext50", 2048, 25_028_904 - 2_049_000),
        ("timm:resnet101", 2048, 44_549_160 - 2_049_000),
        ("timm:resnet152", 2048, 60_192_808 - 2_049_000),
    ],
)
def test_networks_of_imagenet_have_the_published_numbers_less_their_classifier(
    name: str, features: int, parameters: int
) -> None:
    said = encoder_size(name, (224, 224, 3))
    assert said is not None and (said.feature_dim, said.parameters) == (features, parameters)
    assert {"resnet18", "resnet50", "resnext50"} == OF_TIMM, "all of them are here"


def test_what_is_not_known_is_not_made_up() -> None:
    assert encoder_size("timm:vit_tiny_patch16_224", (224, 224, 3)) is None
    assert encoder_size("somebodys-plug-in", (8, 8)) is None


def test_no_torch_is_needed() -> None:
    program = "import sys, ltviz.training.parameters; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
