"""The names that others give to the weights of the same networks.

Each scheme takes the names of a file's tensors and gives ours -> theirs; where ours is several of theirs, they follow
one another along the first axis.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

Names = dict[str, tuple[str, ...]]

_BLOCK = (r"\.ln_([12])\.", r".norm\1."), (r"\.layer_norm([12])\.", r".norm\1.")
_CLIP = (
    (r"^class_embedding$", "cls_token"),
    (r"^positional_embedding$", "pos_embed"),
    (r"^conv1\.weight$", "patch_embed.proj.weight"),
    (r"^ln_pre\.", "norm_pre."),
    (r"^ln_post\.", "norm."),
    (r"^transformer\.resblocks\.", "blocks."),
    (r"\.attn\.in_proj_", ".attn.qkv."),
    (r"\.attn\.out_proj\.", ".attn.proj."),
    (r"\.mlp\.c_fc\.", ".mlp.fc1."),
    (r"\.mlp\.c_proj\.", ".mlp.fc2."),
    *_BLOCK,
)
_HUGGING_FACE = (
    (r"^embeddings\.class_embedding$", "cls_token"),
    (r"^embeddings\.position_embedding\.weight$", "pos_embed"),
    (r"^embeddings\.patch_embedding\.weight$", "patch_embed.proj.weight"),
    (r"^pre_layrnorm\.", "norm_pre."),
    (r"^post_layernorm\.", "norm."),
    (r"^encoder\.layers\.", "blocks."),
    (r"\.self_attn\.[qkv]_proj\.", ".attn.qkv."),
    (r"\.self_attn\.out_proj\.", ".attn.proj."),
    *_BLOCK,
)
_CLIP_RESNET = (
    (r"^(conv|bn)([123])\.", lambda found: f"stem.conv{found[2]}.{found[1]}."),
    (
        r"^layer(\d)\.(\d+)\.(conv|bn)([123])\.",
        lambda found: (
            f"stages.{int(found[1]) - 1}.{found[2]}.conv{found[4]}_{'kxk' if found[4] == '2' else '1x1'}.{found[3]}."
        ),
    ),
    (
        r"^layer(\d)\.(\d+)\.downsample\.(0|1)\.",
        lambda found: f"stages.{int(found[1]) - 1}.{found[2]}.shortcut.conv.{'conv' if found[3] == '0' else 'bn'}.",
    ),
    (r"^attnpool\.positional_embedding$", "head.pos_embed"),
    (r"^attnpool\.([qkv])_proj\.", r"head.\1."),
    (r"^attnpool\.c_proj\.", "head.proj."),
)
Rules = Sequence[tuple[str, str | Callable[[re.Match[str]], str]]]


def as_they_are(keys: Iterable[str]) -> Names:
    """The names of the package that made the network: of ltviz, timm and torchvision."""
    return {key: (key,) for key in keys}


def clip(keys: Iterable[str]) -> Names:
    """The image tower of CLIP, a transformer, as OpenAI and open_clip save it under `visual.`."""
    return _renamed(_below("visual.", keys), _CLIP)


def clip_resnet(keys: Iterable[str]) -> Names:
    """The image tower of CLIP, a ResNet, as OpenAI and open_clip save it under `visual.`."""
    return _renamed(_below("visual.", keys), _CLIP_RESNET)


def hugging_face_clip(keys: Iterable[str]) -> Names:
    """The image tower of CLIP as Hugging Face's transformers save it under `vision_model.`."""
    return _renamed(_below("vision_model.", keys), _HUGGING_FACE)


def cifar_resnet(keys: Iterable[str]) -> Names:
    """ResNet-32 and ResNet-56 as LDAM's code and what came of it name their layers."""
    pattern = re.compile(r"^((?:.*\.)?)layer([123])\.(\d+)\.(conv|bn)([12])\.(.+)$")
    keys = list(keys)
    found = [match for match in map(pattern.match, keys) if match]
    blocks = 1 + max((int(match[3]) for match in found), default=-1)
    named = {"conv": "", "bn": "_norm"}
    names: Names = {}
    for match in found:
        place = 3 + blocks * (int(match[2]) - 1) + int(match[3])
        half = "first" if match[5] == "1" else "second"
        names[f"{match[1]}{place}.{half}{named[match[4]]}.{match[6]}"] = (match[0],)
    for key in keys:
        stem = re.match(r"^((?:.*\.)?)(conv1|bn1)\.([^.]+)$", key)
        if stem and ".layer" not in f".{stem[1]}":
            names[f"{stem[1]}{0 if stem[2] == 'conv1' else 1}.{stem[3]}"] = (key,)
    return names


SCHEMES: tuple[Callable[[Iterable[str]], Names], ...] = (
    as_they_are,
    clip,
    clip_resnet,
    hugging_face_clip,
    cifar_resnet,
)


def _below(prefix: str, keys: Iterable[str]) -> dict[str, str]:
    """Name below the prefix -> whole name, of the keys that have it, at their beginning or after another one."""
    parts = ((key, key.find(prefix)) for key in keys)
    return {key[at + len(prefix) :]: key for key, at in parts if at == 0 or (at > 0 and key[at - 1] == ".")}


def _renamed(names: dict[str, str], rules: Rules) -> Names:
    renamed: dict[str, list[str]] = {}
    for name in sorted(names, key=_query_key_value):
        new = name
        for pattern, by in rules:
            new = re.sub(pattern, by, new)
        renamed.setdefault(new, []).append(names[name])
    return {new: tuple(old) for new, old in renamed.items()}


def _query_key_value(name: str) -> str:
    """By which the three parts of one projection are in the order of the whole."""
    return re.sub(r"\.([qkv])_proj\.", lambda found: f".{'qkv'.index(found[1])}.", name)
