"""Makes an environment with timm and a torch and torchvision whose builds match, and builds its networks there.

    python tests/release/check_images_extra.py [--folder DIR] [--torch 2.14.1 --torchvision 0.29.1]

torchvision runs only with the torch that it was built for, so this needs an environment of its own, of some 6 GB; one
that `--folder` names is kept and used again. In it, ltviz is the checkout. Checked: plain names and `timm:NAME`, for
colour and grey, with their published sizes, feature maps and gradients; weights under torchvision's names, and
CLIP's image towers under the names of OpenAI and Hugging Face, which must give the very same features.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
SIZES = {"resnet18": (512, 11_176_512), "resnet50": (2048, 23_508_032), "resnext50": (2048, 22_979_904)}
MAPS = {
    "timm:convnext_atto": (64, (320, 2, 2)),
    "timm:vit_tiny_patch16_224": (64, (192, 4, 4)),
    "timm:swin_tiny_patch4_window7_224": (224, (768, 7, 7)),
    "timm:resnet50_clip": (224, (2048, 7, 7)),
}
OPENAI = (
    (r"^cls_token$", "class_embedding"),
    (r"^pos_embed$", "positional_embedding"),
    (r"^patch_embed\.proj", "conv1"),
    (r"^norm_pre", "ln_pre"),
    (r"^norm\.", "ln_post."),
    (r"^blocks", "transformer.resblocks"),
    (r"\.norm(\d)", r".ln_\1"),
    (r"attn\.qkv\.", "attn.in_proj_"),
    (r"attn\.proj", "attn.out_proj"),
    (r"mlp\.fc1", "mlp.c_fc"),
    (r"mlp\.fc2", "mlp.c_proj"),
)
OPENAI_RESNET = (
    (r"^stem\.conv(\d)\.(conv|bn)", r"\2\1"),
    (r"^stages\.(\d)\.(\d+)\.shortcut\.conv\.conv", lambda m: f"layer{int(m[1]) + 1}.{m[2]}.downsample.0"),
    (r"^stages\.(\d)\.(\d+)\.shortcut\.conv\.bn", lambda m: f"layer{int(m[1]) + 1}.{m[2]}.downsample.1"),
    (r"^stages\.(\d)\.(\d+)\.conv(\d)_...\.(conv|bn)", lambda m: f"layer{int(m[1]) + 1}.{m[2]}.{m[4]}{m[3]}"),
    (r"^head\.pos_embed", "attnpool.positional_embedding"),
    (r"^head\.([qkv])\.", r"attnpool.\1_proj."),
)
HUGGING_FACE = (
    (r"^cls_token$", "embeddings.class_embedding"),
    (r"^pos_embed$", "embeddings.position_embedding.weight"),
    (r"^patch_embed\.proj", "embeddings.patch_embedding"),
    (r"^norm_pre", "pre_layrnorm"),
    (r"^norm\.", "post_layernorm."),
    (r"^blocks", "encoder.layers"),
    (r"\.norm(\d)", r".layer_norm\1"),
    (r"attn\.proj", "self_attn.out_proj"),
    (r"attn\.qkv", "self_attn.{}_proj"),
)


def check_networks() -> None:
    """Sizes, maps and gradients."""
    import torch

    from ltviz import encoders
    from ltviz.training.parameters import encoder_size

    for name, (dim, size) in SIZES.items():
        encoder, feature_dim = encoders.build(name, (64, 64, 3))
        assert feature_dim == dim and sum(p.numel() for p in encoder.parameters()) == size, name
        said = encoder_size(name, (64, 64, 3))
        assert said is not None and (said.feature_dim, said.parameters) == (dim, size), name
        features = encoder(torch.randn(4, 3, 64, 64))
        features.square().sum().backward()
        assert features.shape == (4, dim) and all(p.grad is not None for p in encoder.parameters()), name
        assert encoders.trunk(encoder, name)(torch.zeros(1, 3, 64, 64)).shape == (1, dim, 2, 2), name
        assert encoders.build(name, (28, 28))[0](torch.zeros(2, 1, 28, 28)).shape == (2, dim), name
        print(name, f"{size:,} weights, {dim} features", flush=True)
    for name, (side, shape) in MAPS.items():
        encoder, feature_dim = encoders.build(name, (side, side, 3))
        assert encoders.trunk(encoder, name)(torch.zeros(2, 3, side, side)).shape == (2, *shape), name
        assert feature_dim == shape[0], name
        print(name, "gives a map of", *shape, flush=True)


def check_weights(folder: Path) -> None:
    """Files under the names of others give the features of the network that they were taken from."""
    import torch
    import torchvision
    from safetensors.torch import save_file

    from ltviz import encoders

    def tensors(name: str, side: int) -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
        encoder = encoders.build(name, (side, side, 3))[0].eval()
        for value in encoder.state_dict().values():
            if value.is_floating_point():
                value.add_(torch.rand_like(value) * 1e-3)  # ones and zeros too become their own
        return encoder, encoder.network.state_dict()

    def agree(title: str, name: str, side: int, held: dict[str, torch.Tensor], expected: torch.Tensor) -> None:
        save_file({key: value.clone().contiguous() for key, value in held.items()}, folder / "w.safetensors")
        encoder = encoders.build(name, (side, side, 3))[0].eval()
        loaded = encoders.load_weights(encoder, str(folder / "w.safetensors"))
        assert not loaded.missing, loaded.sentence
        torch.testing.assert_close(encoder(x), expected)
        print(title, f"{len(loaded.loaded)} tensors, left out:", *loaded.left_out, flush=True)

    with torch.no_grad():
        x = torch.randn(2, 3, 64, 64)
        for name in ("resnet18", "resnet50"):
            theirs = getattr(torchvision.models, name)(weights=None).eval()
            pooled = torch.nn.Sequential(*list(theirs.children())[:-1])(x).flatten(1)
            agree(f"torchvision's {name}", name, 64, theirs.state_dict(), pooled)
        x = torch.randn(2, 3, 224, 224)
        text = {"positional_embedding": torch.zeros(77, 512), "transformer.resblocks.0.ln_1.weight": torch.ones(512)}
        for name, rules in (("timm:resnet50_clip", OPENAI_RESNET), ("timm:vit_base_patch16_clip_224", OPENAI)):
            encoder, state = tensors(name, 224)
            held = {f"visual.{renamed(key, rules)}": value for key, value in state.items()}
            agree(f"OpenAI's {name}", name, 224, without_batch(held) | text, encoder(x))
        held = {}
        for key, value in state.items():
            theirs = f"vision_model.{renamed(key, HUGGING_FACE)}"
            parts = dict(zip("qkv", value.chunk(3), strict=True)) if "{}" in theirs else {"": value}
            held |= {theirs.format(part): third for part, third in parts.items()}
        agree("Hugging Face's CLIP", name, 224, without_batch(held), encoder(x))


def without_batch(held: dict) -> dict:
    """Where timm has an axis of one image, CLIP has none: its places are (N, F), its class token (F,)."""
    shaped = {key: value[0] if "position" in key and value.ndim == 3 else value for key, value in held.items()}
    return {key: value.flatten() if "class_embedding" in key else value for key, value in shaped.items()}


def renamed(key: str, rules: tuple) -> str:
    """A name after all rules."""
    for pattern, by in rules:
        key = re.sub(pattern, by, key)
    return key


def environment(folder: Path, torch: str, torchvision: str) -> Path:
    """The Python of an environment with timm in this folder, made where there is none."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    wanted = [
        f"torch=={torch}",
        f"torchvision=={torchvision}",
        "timm>=1.0",
        "safetensors",
        "numpy",
        "pydantic",
        "pillow",
    ]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--torch", default="2.14.1")
    parser.add_argument("--torchvision", default="0.29.1")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        python = environment(options.folder or Path(name) / "venv", options.torch, options.torchvision)
        subprocess.run(
            [python, __file__],
            check=True,
            env=os.environ | {"PYTHONPATH": str(ROOT), "LTVIZ_CHECK": "inside", "HF_HUB_OFFLINE": "1"},
        )
    print("timm, torchvision and ltviz work together")


def inside() -> None:
    check_networks()
    with tempfile.TemporaryDirectory() as name:
        check_weights(Path(name))


if __name__ == "__main__":
    sys.exit(inside() if os.environ.get("LTVIZ_CHECK") == "inside" else main())
