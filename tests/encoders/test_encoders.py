"""Encoders by name: shapes, gradients, feature maps, and the published sizes."""

from __future__ import annotations

import hashlib
import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ltviz import encoders
from ltviz.errors import ConfigError


@pytest.mark.parametrize("name, feature_dim", [("mlp", 128), ("convnet", 128), ("resnet32", 64)])
@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (7, 11), (16, 12, 3)])
def test_an_encoder_gives_features_and_every_parameter_learns(
    name: str, feature_dim: int, shape: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    encoder, dim = encoders.build(name, shape)
    assert dim == feature_dim and encoder.training
    x = torch.randn(6, 3 if len(shape) == 3 else 1, *shape[:2])
    features = encoder(x)
    assert features.shape == (6, feature_dim) and features.min() >= 0
    (features * torch.randn_like(features)).sum().backward()
    for key, parameter in encoder.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, key


@pytest.mark.parametrize(
    "name, digest",
    [
        ("mlp", "e10ed26d995faf77"),
        ("convnet", "62b41e7480daebce"),
        ("resnet32", "bc33933621277a8c"),
    ],
)
def test_initial_weights_of_grey_images_are_those_of_earlier_versions(name: str, digest: str) -> None:
    """Their names too: saved weights go on being read. Drawn by torch 2.13 on a CPU."""
    torch.manual_seed(0)
    encoder, dim = encoders.build(name, (8, 8))
    head = {f"h{key}": value for key, value in encoders.build_head(dim, 3).state_dict().items()}
    sha = hashlib.sha256()
    for key, tensor in sorted({**encoder.state_dict(), **head}.items()):
        sha.update(key.encode() + tensor.numpy().tobytes())
    assert sha.hexdigest()[:16] == digest


def test_vectors_are_for_mlp_and_identity() -> None:
    encoder, dim = encoders.build("mlp", (768,))
    assert dim == 128 and encoder(torch.randn(4, 768)).shape == (4, 128)
    same, dim = encoders.build("identity", (768,))
    x = torch.randn(4, 768)
    assert dim == 768 and torch.equal(same(x), x) and not list(same.parameters())
    flat, dim = encoders.build("identity", (4, 5, 3))
    assert dim == 60 and torch.equal(flat(images := torch.randn(2, 3, 4, 5)), images.flatten(1))
    with pytest.raises(ConfigError, match=r"identity takes samples of at most 8192 numbers.* got 224 x 224 x 3; try"):
        encoders.build("identity", (224, 224, 3))
    for name in ("convnet", "resnet32", "resnet56", "resnet50", "timm:vit_tiny_patch16_224"):
        with pytest.raises(ConfigError, match="takes images, but the samples have 768 numbers each; try mlp or"):
            encoders.build(name, (768,))


@pytest.mark.parametrize("name, channels", [("convnet", 32), ("resnet32", 64), ("resnet56", 64)])
def test_a_feature_map_is_what_the_features_are_made_of(name: str, channels: int) -> None:
    encoder, _ = encoders.build(name, (32, 24, 3))
    encoder.eval()
    keys = list(encoder.state_dict())
    x = torch.randn(2, 3, 32, 24)
    trunk = encoders.trunk(encoder, name)
    got = trunk(x)
    assert got.shape == (2, channels, 8, 6) and list(encoder.state_dict()) == keys
    rest = nn.Sequential(*list(encoder)[len(trunk) :])
    assert torch.equal(rest(got), encoder(x)), "the same weights"
    with pytest.raises(ConfigError, match="but mlp has none; try convnet or resnet32"):
        encoders.trunk(encoders.build("mlp", (8, 8))[0], "mlp")


@pytest.mark.parametrize("name", ["mlp", "convnet", "resnet32"])
def test_what_batch_norm_takes_out_is_not_trained(name: str) -> None:
    """A bias before batch norm has the gradient 0 up to rounding, of which AdamW would make full steps."""
    torch.manual_seed(0)
    encoder, _ = encoders.build(name, (8, 8))
    loss = encoder.double()(torch.randn(16, 1, 8, 8, dtype=torch.float64)).square().sum(1).exp().mean().log()
    loss.backward()
    gradients = {key: p.grad.abs().max() for key, p in encoder.named_parameters() if p.grad is not None}
    assert all(p.requires_grad or key.endswith("bias") for key, p in encoder.named_parameters())
    assert min(gradients.values()) > 1e-9, gradients


def test_building_leaves_the_running_statistics_alone() -> None:
    encoder, _ = encoders.build("resnet32", (8, 8))
    assert all(int(value) == 0 for key, value in encoder.state_dict().items() if key.endswith("num_batches_tracked"))


@pytest.mark.parametrize("name, weights", [("resnet32", 463_504), ("resnet56", 852_368)])
def test_cifar_resnets_have_the_published_number_of_weights(name: str, weights: int) -> None:
    """He et al. 2016, table 6: 0.46 M and 0.85 M with three input channels and a classifier of 10."""
    encoder, dim = encoders.build(name, (32, 32, 3))
    assert sum(p.numel() for p in encoder.parameters()) == weights
    classifier = nn.Linear(dim, 10)
    published = {"resnet32": 464_154, "resnet56": 853_018}
    assert weights + sum(p.numel() for p in classifier.parameters()) == published[name]
    assert sum(isinstance(m, nn.Conv2d) for m in encoder.modules()) == int(name[6:]) - 1


def test_a_pixel_moves_no_other_sample() -> None:
    encoder, _ = encoders.build("convnet", (8, 8))
    encoder.eval()
    x = torch.randn(3, 1, 8, 8)
    before = encoder(x)
    x[0] += 1
    after = encoder(x)
    assert torch.equal(before[1:], after[1:]) and not torch.equal(before[0], after[0])


def test_the_head_has_one_hidden_layer_and_any_dimension() -> None:
    head = encoders.build_head(128, 3)
    assert head(torch.randn(5, 128)).shape == (5, 3)
    assert [type(layer).__name__ for layer in head] == ["Linear", "ReLU", "Linear"]


def test_an_unknown_encoder_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"one of mlp, convnet, identity, resnet32, .*, got 'vit'; try mlp"):
        encoders.build("vit", (8, 8))


def test_an_encoder_that_does_not_take_a_shape_is_named_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of other packages, which were written for (H, W)."""
    from ltviz.encoders import registry

    def old(image_shape: tuple[int, int]) -> nn.Module:
        height, width = image_shape
        return nn.Sequential(nn.Flatten(), nn.Linear(height * width, 5))

    monkeypatch.setattr(registry, "find", lambda name: old)
    assert registry.build("old", (3, 4))[1] == 5
    for shape, said in (((3, 4, 3), "3x4x3"), ((7,), "7")):
        with pytest.raises(ConfigError, match=rf"encoder old must take samples of shape {said}, but fails with Value"):
            registry.build("old", shape)
    monkeypatch.setattr(registry, "find", lambda name: lambda shape: nn.Conv2d(1, 2, 1))
    with pytest.raises(ConfigError, match=r"must give features \(B, feature_dim\), but gives \(1, 2, 3, 4\)"):
        registry.build("map", (3, 4))


@pytest.mark.parametrize("name", ["resnet18", "resnext50", "timm:vit_tiny_patch16_224"])
def test_without_timm_the_extra_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ConfigError, match=r"needs the package timm, which .*; try `pip install 'ltviz\[images\]'`$"):
        encoders.build(name, (64, 64, 3))


class Tokens(nn.Module):
    """What a transformer of timm is to us: one class token, and patches of 4 x 4."""

    def __init__(self, in_chans: int, num_classes: int, img_size: tuple[int, int]):
        super().__init__()
        assert num_classes == 0
        self.num_features, self.num_prefix_tokens = 6, 1
        self.patch_embed = nn.Conv2d(in_chans, 6, 4, 4)
        self.patch_embed.grid_size = (img_size[0] // 4, img_size[1] // 4)

    def forward_features(self, x: torch.Tensor) -> torch.Tensor:
        patches = self.patch_embed(x).flatten(2).transpose(1, 2)
        return torch.cat([patches.mean(1, keepdim=True), patches], 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.forward_features(x)[:, 0]


def test_timms_networks_are_built_without_a_download(monkeypatch: pytest.MonkeyPatch) -> None:
    """A double of timm; the real one is built by tests/release/check_images_extra.py."""

    def create_model(name: str, pretrained: bool, **settings: object) -> nn.Module:
        assert name == "tokens" and not pretrained
        return Tokens(**settings)

    timm = SimpleNamespace(
        is_model=lambda name: name == "tokens",
        list_models=lambda: ["tokens"],
        get_pretrained_cfg=lambda name: SimpleNamespace(fixed_input_size=True),
        create_model=create_model,
    )
    monkeypatch.setitem(sys.modules, "timm", timm)
    encoder, dim = encoders.build("timm:tokens", (8, 12, 3))
    x = torch.randn(2, 3, 8, 12)
    assert dim == 6 and encoder(x).shape == (2, 6)
    assert torch.equal(encoders.trunk(encoder, "tokens")(x), encoder.network.patch_embed(x)), "patches in their places"
    with pytest.raises(ConfigError, match="must be a network of timm, got 'hf_hub:somebody/token'; try timm:"):
        encoders.build("timm:hf_hub:somebody/token", (8, 12, 3))
