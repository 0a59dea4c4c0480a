"""Encoders that start from a file: whose names are found, what is said, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ltviz import encoders
from ltviz.errors import ConfigError, DataError


def fresh(name: str = "resnet32", shape: tuple[int, ...] = (8, 8, 3), seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    encoder, _ = encoders.build(name, shape)
    return encoder


def saved(path: Path, tensors: dict[str, Tensor]) -> str:
    save_file({key: tensor.contiguous().clone() for key, tensor in tensors.items()}, path)
    return str(path)


def same(one: nn.Module, two: nn.Module) -> bool:
    pairs = zip(one.state_dict().items(), two.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


@pytest.mark.parametrize("prefix", ["", "encoder.", "module.backbone."])
@pytest.mark.parametrize("name", ["mlp", "convnet", "resnet32"])
def test_an_encoders_own_names_are_found_under_any_prefix(name: str, prefix: str, tmp_path: Path) -> None:
    theirs, ours = fresh(name, seed=1), fresh(name, seed=2)
    tensors = {prefix + key: tensor for key, tensor in theirs.state_dict().items()}
    file = saved(tmp_path / "w.safetensors", {**tensors, "classifier.weight": torch.zeros(10, 64)})
    loaded = encoders.load_weights(ours, file)
    assert same(theirs, ours) and not loaded.missing and loaded.left_out == ("classifier.weight",)
    assert loaded.sentence == (
        f"the encoder starts from {file}: {len(tensors)} of its {len(tensors)} tensors were read, 1 of the file are "
        "left out (classifier.weight)"
    )
    assert same(encoders.build(name, (8, 8, 3), weights=file)[0].train(), theirs)


def test_the_cifar_resnets_of_others_are_read(tmp_path: Path) -> None:
    """conv1, bn1, layer1.0.conv1, ... and a linear classifier, as in the code of LDAM, BCL's and ProCo's."""
    theirs, ours = fresh("resnet56", seed=1), fresh("resnet56", seed=2)
    names = {"0": "conv1", "1": "bn1"}
    for place in range(27):
        for half, number in (("first", 1), ("second", 2)):
            layer = f"layer{place // 9 + 1}.{place % 9}"
            names[f"{3 + place}.{half}"] = f"{layer}.conv{number}"
            names[f"{3 + place}.{half}_norm"] = f"{layer}.bn{number}"
    tensors = {}
    for key, tensor in theirs.state_dict().items():
        layer, last = key.rsplit(".", 1)
        tensors[f"module.{names[layer]}.{last}"] = tensor
    loaded = encoders.load_weights(
        ours, saved(tmp_path / "w.safetensors", {**tensors, "module.linear.bias": torch.ones(10)})
    )
    assert same(theirs, ours) and loaded.left_out == ("module.linear.bias",) and not loaded.missing
    with pytest.raises(DataError, match="must hold at least half of the encoder's"):
        encoders.load_weights(fresh("mlp"), str(tmp_path / "w.safetensors"))


def tree(shapes: dict[str, tuple[int, ...]]) -> nn.Module:
    """A module whose parameters have these dotted names; `network` holds it as a network of timm is held."""
    root = nn.Module()
    for name, shape in shapes.items():
        *path, last = name.split(".")
        module = root
        for part in path:
            if part not in dict(module.named_children()):
                module.add_module(part, nn.Module())
            module = module.get_submodule(part)
        module.register_parameter(last, nn.Parameter(torch.zeros(shape)))
    held = nn.Module()
    held.network = root
    return held


TRANSFORMER = {
    "cls_token": (1, 1, 4),
    "pos_embed": (1, 5, 4),
    "patch_embed.proj.weight": (4, 3, 2, 2),
    "norm_pre.weight": (4,),
    "norm_pre.bias": (4,),
    "blocks.0.norm1.weight": (4,),
    "blocks.0.norm1.bias": (4,),
    "blocks.0.attn.qkv.weight": (12, 4),
    "blocks.0.attn.qkv.bias": (12,),
    "blocks.0.attn.proj.weight": (4, 4),
    "blocks.0.attn.proj.bias": (4,),
    "blocks.0.norm2.weight": (4,),
    "blocks.0.norm2.bias": (4,),
    "blocks.0.mlp.fc1.weight": (16, 4),
    "blocks.0.mlp.fc1.bias": (16,),
    "blocks.0.mlp.fc2.weight": (4, 16),
    "blocks.0.mlp.fc2.bias": (4,),
    "norm.weight": (4,),
    "norm.bias": (4,),
}


@pytest.mark.parametrize("prefix", ["", "module."])
def test_clips_image_tower_is_found_as_openai_names_it(prefix: str, tmp_path: Path) -> None:
    block = "visual.transformer.resblocks.0"
    shapes = {
        "visual.class_embedding": (4,),
        "visual.positional_embedding": (5, 4),
        "visual.proj": (4, 2),
        "visual.conv1.weight": (4, 3, 2, 2),
        "visual.ln_pre.weight": (4,),
        "visual.ln_pre.bias": (4,),
        "visual.ln_post.weight": (4,),
        "visual.ln_post.bias": (4,),
        f"{block}.attn.in_proj_weight": (12, 4),
        f"{block}.attn.in_proj_bias": (12,),
        f"{block}.attn.out_proj.weight": (4, 4),
        f"{block}.attn.out_proj.bias": (4,),
        f"{block}.ln_1.weight": (4,),
        f"{block}.ln_1.bias": (4,),
        f"{block}.ln_2.weight": (4,),
        f"{block}.ln_2.bias": (4,),
        f"{block}.mlp.c_fc.weight": (16, 4),
        f"{block}.mlp.c_fc.bias": (16,),
        f"{block}.mlp.c_proj.weight": (4, 16),
        f"{block}.mlp.c_proj.bias": (4,),
        "positional_embedding": (7, 4),
        "ln_final.weight": (4,),
        "transformer.resblocks.0.attn.in_proj_weight": (12, 4),
        "token_embedding.weight": (9, 4),
        "logit_scale": (),
    }
    tensors = {prefix + name: torch.randn(shape).half() for name, shape in shapes.items()}
    encoder = tree(TRANSFORMER)
    loaded = encoders.load_weights(encoder, saved(tmp_path / "clip.safetensors", tensors))
    network = encoder.network.state_dict()
    assert not loaded.missing and len(loaded.loaded) == len(TRANSFORMER)
    assert set(loaded.left_out) == {prefix + name for name in shapes if "visual." not in name or name == "visual.proj"}
    assert torch.equal(network["blocks.0.attn.qkv.weight"], tensors[f"{prefix}{block}.attn.in_proj_weight"].float())
    assert torch.equal(network["pos_embed"][0], tensors[f"{prefix}visual.positional_embedding"].float())
    assert torch.equal(network["norm.bias"], tensors[f"{prefix}visual.ln_post.bias"].float())


def test_clips_image_tower_is_found_as_hugging_face_names_it(tmp_path: Path) -> None:
    layer = "vision_model.encoder.layers.0"
    shapes = {
        "vision_model.embeddings.class_embedding": (4,),
        "vision_model.embeddings.position_embedding.weight": (5, 4),
        "vision_model.embeddings.patch_embedding.weight": (4, 3, 2, 2),
        "vision_model.pre_layrnorm.weight": (4,),
        "vision_model.pre_layrnorm.bias": (4,),
        "vision_model.post_layernorm.weight": (4,),
        "vision_model.post_layernorm.bias": (4,),
        f"{layer}.self_attn.out_proj.weight": (4, 4),
        f"{layer}.self_attn.out_proj.bias": (4,),
        f"{layer}.layer_norm1.weight": (4,),
        f"{layer}.layer_norm1.bias": (4,),
        f"{layer}.layer_norm2.weight": (4,),
        f"{layer}.layer_norm2.bias": (4,),
        f"{layer}.mlp.fc1.weight": (16, 4),
        f"{layer}.mlp.fc1.bias": (16,),
        f"{layer}.mlp.fc2.weight": (4, 16),
        f"{layer}.mlp.fc2.bias": (4,),
        **{f"{layer}.self_attn.{part}_proj.weight": (4, 4) for part in "kvq"},
        **{f"{layer}.self_attn.{part}_proj.bias": (4,) for part in "kvq"},
        "text_model.encoder.layers.0.self_attn.q_proj.weight": (4, 4),
        "visual_projection.weight": (2, 4),
    }
    tensors = {name: torch.randn(shape) for name, shape in shapes.items()}
    tensors["vision_model.embeddings.position_ids"] = torch.arange(5)[None]
    encoder = tree(TRANSFORMER)
    loaded = encoders.load_weights(encoder, saved(tmp_path / "clip.safetensors", tensors))
    assert not loaded.missing and set(loaded.left_out) == {
        "text_model.encoder.layers.0.self_attn.q_proj.weight",
        "visual_projection.weight",
        "vision_model.embeddings.position_ids",
    }
    parts = [tensors[f"{layer}.self_attn.{part}_proj.weight"] for part in "qkv"]
    assert torch.equal(encoder.network.state_dict()["blocks.0.attn.qkv.weight"], torch.cat(parts))


def test_clips_resnet_is_found(tmp_path: Path) -> None:
    ours = {
        "stem.conv1.conv.weight": "conv1.weight",
        "stem.conv3.bn.weight": "bn3.weight",
        "stages.1.2.conv2_kxk.conv.weight": "layer2.2.conv2.weight",
        "stages.1.2.conv3_1x1.bn.bias": "layer2.2.bn3.bias",
        "stages.0.0.shortcut.conv.conv.weight": "layer1.0.downsample.0.weight",
        "stages.0.0.shortcut.conv.bn.weight": "layer1.0.downsample.1.weight",
        "head.pos_embed": "attnpool.positional_embedding",
        "head.q.weight": "attnpool.q_proj.weight",
        "head.proj.weight": "attnpool.c_proj.weight",
    }
    encoder = tree({name: (i + 2,) for i, name in enumerate(ours)})
    tensors = {f"visual.{theirs}": torch.randn(i + 2) for i, theirs in enumerate(ours.values())}
    loaded = encoders.load_weights(encoder, saved(tmp_path / "rn.safetensors", tensors))
    assert loaded.loaded == tuple(encoder.network.state_dict()) and not loaded.left_out
    for name, theirs in ours.items():
        assert torch.equal(encoder.network.state_dict()[name], tensors[f"visual.{theirs}"])


def test_what_a_file_lacks_stays_as_it_was_drawn_and_is_said(tmp_path: Path) -> None:
    theirs, ours = fresh(seed=1), fresh(seed=2)
    kept = ours.state_dict()["17.first.weight"].clone()
    tensors = {key: tensor for key, tensor in theirs.state_dict().items() if not key.startswith("17.first.")}
    loaded = encoders.load_weights(ours, saved(tmp_path / "w.safetensors", tensors))
    assert loaded.missing == ("17.first.weight",) and "1 are not in the file and stay random (17.first.weight)" in (
        loaded.sentence
    )
    assert torch.equal(ours.state_dict()["17.first.weight"], kept)


def test_a_file_with_two_encoders_is_asked_which(tmp_path: Path) -> None:
    one, two = fresh(seed=1), fresh(seed=2)

    def held(first: str, second: str) -> str:
        tensors = {first + key: tensor for key, tensor in one.state_dict().items()}
        return saved(tmp_path / "w.safetensors", tensors | {second + key: t for key, t in two.state_dict().items()})

    encoders.load_weights(ours := fresh(seed=3), held("encoder_q.", "encoder_k."))
    assert same(ours, one), "MoCo's query encoder"
    with pytest.raises(DataError, match=r"must hold the encoder once, but hold it under (left|right)\., "):
        encoders.load_weights(fresh(), held("left.", "right."))


def spoiled(kind: str, path: Path) -> None:
    tensors = {key: tensor.clone() for key, tensor in fresh(seed=1).state_dict().items()}
    if kind == "not finite":
        tensors["3.first.weight"][0, 0, 0, 0] = torch.nan
    elif kind == "integers":
        tensors["3.first.weight"] = tensors["3.first.weight"].to(torch.int32)
    elif kind == "grey":
        tensors["0.weight"] = tensors["0.weight"][:, :1].clone()
    elif kind == "another network":
        tensors = dict(fresh("mlp", seed=1).state_dict())
    elif kind == "nothing in it":
        tensors = {}
    elif kind == "numbers alone":
        tensors = {key: torch.tensor(1.0) for key in tensors}
    save_file(tensors, path)
    data = path.read_bytes()
    if kind == "cut off":
        path.write_bytes(data[: len(data) // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "a long header":
        path.write_bytes((2**62).to_bytes(8, "little") + data[8:])
    elif kind == "torch.save":
        torch.save(tensors, path)
    elif kind == "no JSON":
        path.write_bytes(data[:8] + b"\xff" * (len(data) - 8))


@pytest.mark.parametrize(
    "kind, message",
    [
        ("not finite", r"must be finite floating-point numbers, but 3\.first\.weight are not"),
        ("integers", r"must be finite floating-point numbers, but 3\.first\.weight are not \(torch\.int32\)"),
        (
            "grey",
            r"whose 0\.weight has shape \(16, 3, 3, 3\), but 0\.weight has \(16, 1, 3, 3\); choose the encoder",
        ),
        ("numbers alone", r"must fit the encoder, whose 0\.weight has shape \(16, 3, 3, 3\), but 0\.weight has \(\)"),
        ("another network", "must hold at least half of the encoder's 155 tensors, but hold"),
        ("nothing in it", "must hold at least half of the encoder's 155 tensors, but hold 0: the file has nothing,"),
        ("cut off", "this is no sound one"),
        ("empty", "this is no sound one"),
        ("a long header", "this is no sound one"),
        ("no JSON", "this is no sound one"),
        ("torch.save", "this is no sound one .* files of torch.save are not read, since they can run code"),
        ("missing", "there is none; check the path"),
        ("a folder", "there is none; check the path"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_half_loaded(kind: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    if kind == "a folder":
        path.mkdir()
    elif kind != "missing":
        spoiled(kind, path)
    encoder = fresh(seed=5)
    with pytest.raises(DataError, match=message) as refused:
        encoders.load_weights(encoder, str(path))
    assert str(refused.value).endswith(f": {path}") and "\n" not in str(refused.value)
    assert same(encoder, fresh(seed=5))


def test_names_that_strangers_made_up_are_shown_short_and_harmless(tmp_path: Path) -> None:
    tensors = {f"\x1b[31m\n{'x' * 500}{i}": torch.zeros(1) for i in range(50)}
    with pytest.raises(DataError, match="at least half") as refused:
        encoders.load_weights(fresh(), saved(tmp_path / "w.safetensors", tensors))
    assert not re.search(r"[\x00-\x1f]", str(refused.value)) and len(str(refused.value)) < 1200
    assert "and 45 more" in str(refused.value)


def test_an_encoder_without_weights_takes_none(tmp_path: Path) -> None:
    file = saved(tmp_path / "w.safetensors", {"a": torch.zeros(1)})
    with pytest.raises(ConfigError, match="this one has none; leave out weights"):
        encoders.load_weights(fresh("identity"), file)
