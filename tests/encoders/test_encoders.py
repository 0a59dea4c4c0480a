"""Encoders by name: shapes, gradients, and the published size of ResNet-32."""

from __future__ import annotations

import pytest
import torch

from ltviz import encoders
from ltviz.errors import ConfigError


@pytest.mark.parametrize("name, feature_dim", [("mlp", 128), ("convnet", 128), ("resnet32", 64)])
@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (7, 11)])
def test_an_encoder_gives_features_and_every_parameter_learns(
    name: str, feature_dim: int, shape: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    encoder, dim = encoders.build(name, shape)
    assert dim == feature_dim and encoder.training
    x = torch.randn(6, 1, *shape)
    features = encoder(x)
    assert features.shape == (6, feature_dim) and features.min() >= 0
    (features * torch.randn_like(features)).sum().backward()
    for key, parameter in encoder.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, key


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


def test_resnet32_has_the_published_number_of_weights() -> None:
    """He et al. 2016, table 6: 0.46 M, with three input channels and a classifier of 10."""
    encoder, _ = encoders.build("resnet32", (32, 32))
    weights = sum(p.numel() for p in encoder.parameters()) + 2 * 16 * 9 + 65 * 10
    assert round(weights / 1e6, 2) == 0.46
    assert sum(isinstance(m, torch.nn.Conv2d) for m in encoder.modules()) == 31


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
    with pytest.raises(ConfigError, match=r"one of mlp, convnet, resnet32, got 'vit'; try mlp"):
        encoders.build("vit", (8, 8))
