"""Encoders that start from given weights: a safetensors file, whoever made it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ltviz.encoders.names import SCHEMES, Names
from ltviz.errors import ConfigError, DataError
from ltviz.recording.names import typed_path

_PREFERRED = ("", "encoder.", "encoder_q.", "backbone.", "model.", "module.")
"""Where a file holds the encoder several times, as of MoCo's two."""
_LISTED = 5
_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Loaded:
    """What became of a file of weights.

    Args:
        file: the path as it was given.
        loaded: names of the encoder's tensors that were read.
        missing: those that the file does not have, and that stay as they were drawn.
        left_out: names of the file's tensors that the encoder has no place for, such as a classifier.
    """

    file: str
    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """For the person who gave the file."""
        total = len(self.loaded) + len(self.missing)
        said = f"the encoder starts from {self.file}: {len(self.loaded)} of its {total} tensors were read"
        if self.missing:
            said += f", {len(self.missing)} are not in the file and stay random ({_some(self.missing)})"
        if self.left_out:
            said += f", {len(self.left_out)} of the file are left out ({_some(self.left_out)})"
        return said


def load(encoder: nn.Module, file: str) -> Loaded:
    """Puts the weights of a safetensors file into an encoder; where it fails, the encoder is as it was.

    Names are those of ltviz (an encoder by itself, or within a method), timm and torchvision, under any prefix; of
    CLIP's image tower as OpenAI, open_clip and Hugging Face write it; and of the CIFAR ResNets of LDAM's descendants.

    Args:
        encoder: as `build` gives it.
        file: a path; nothing in it is run.

    Returns:
        What was read, what is missing, and what was left out.

    Raises:
        ConfigError: the encoder has no weights.
        DataError: no such file or no sound one; most of the encoder is not in it; or a tensor is of another shape, not
            of floating-point numbers, or not finite.
    """
    path = typed_path(file)
    if not path.is_file():
        raise DataError(f"weights must be a safetensors file, but there is none; check the path: {path}")
    target = getattr(encoder, "network", encoder).state_dict()
    if not target:
        raise ConfigError(f"weights are for an encoder that has some, but this one has none; leave out weights {file}")
    try:
        with safe_open(path, framework="pt", device="cpu") as opened:
            keys = list(opened.keys())
            names = _matched(keys, target, path)
            used = [key for key in target if key in names]
            read = {key: _read(opened, names[key], key, target[key], path) for key in used}
    except DataError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise DataError(
            f"weights must be a safetensors file, but this is no sound one ({str(error)[:100]}); files of torch.save "
            f"are not read, since they can run code: {path}"
        ) from error
    with torch.no_grad():
        for key, tensor in read.items():
            target[key].copy_(tensor)
    taken = {theirs for key in used for theirs in names[key]}
    return Loaded(
        file=file,
        loaded=tuple(used),
        missing=tuple(key for key in target if key not in names and not key.endswith("num_batches_tracked")),
        left_out=tuple(key for key in keys if key not in taken),
    )


def _matched(keys: Sequence[str], target: dict[str, Tensor], path: Path) -> Names:
    """The encoder's names -> the file's, by the scheme and the prefix under which most are found.

    Raises:
        DataError: fewer than half are found, or as many under two prefixes of which none is preferred.
    """
    best: tuple[int, str, Names] = (0, "", {})
    tied: list[str] = []
    for scheme in SCHEMES:
        names = scheme(keys)
        for prefix, number in _prefixes(names, target).items():
            found = {key: names[prefix + key] for key in target if prefix + key in names}
            if number > best[0] or (number == best[0] and _rank(prefix) < _rank(best[1])):
                best, tied = (number, prefix, found), []
            elif number == best[0] and found != best[2] and _rank(prefix) == _rank(best[1]):
                tied.append(prefix)
    needed = [key for key in target if not key.endswith("num_batches_tracked")]
    if 2 * sum(key in best[2] for key in needed) < len(needed):
        raise DataError(
            f"weights must hold at least half of the encoder's {len(needed)} tensors, but hold "
            f"{sum(key in best[2] for key in needed)}: the file has {_some(keys)}, the encoder {_some(needed)}; choose "
            f"the encoder that the file is of: {path}"
        )
    if tied:
        raise DataError(
            f"weights must hold the encoder once, but hold it under {_some([best[1], *tied])}; keep one of them: {path}"
        )
    return best[2]


def _prefixes(names: Names, target: dict[str, Tensor]) -> Counter[str]:
    """What may stand before the encoder's names in the file -> how many of them are found behind it."""
    by_last: dict[str, list[str]] = {}
    for key in target:
        by_last.setdefault(key.rsplit(".", 1)[-1], []).append(key)
    found: Counter[str] = Counter()
    for name in names:
        for key in by_last.get(name.rsplit(".", 1)[-1], ()):
            prefix = name.removesuffix(key)
            if prefix != name and (not prefix or prefix.endswith(".")):
                found[prefix] += 1
    return found


def _rank(prefix: str) -> int:
    return _PREFERRED.index(prefix) if prefix in _PREFERRED else len(_PREFERRED)


def _read(opened: Any, theirs: tuple[str, ...], key: str, like: Tensor, path: Path) -> Tensor:
    """One tensor of the encoder from one of the file, or from several that follow one another.

    Raises:
        DataError: it does not fit.
    """
    name = theirs[0][:60]
    first, *others = (tuple(opened.get_slice(one).get_shape()) for one in theirs)
    shape = (sum(sum(one[:1]) for one in (first, *others)), *first[1:]) if others else first
    if any(one[1:] != first[1:] for one in others) or (1,) * (like.ndim - len(shape)) + shape != tuple(like.shape):
        raise DataError(
            f"weights must fit the encoder, whose {key} has shape {tuple(like.shape)}, but {name} has {shape}; choose "
            f"the encoder, the channels and the image size that the file is of: {path}"
        )
    parts = [opened.get_tensor(one) for one in theirs]
    tensor = (torch.cat(parts) if others else parts[0]).view(like.shape)
    if like.is_floating_point() and (tensor.dtype not in _FLOATS or not torch.isfinite(tensor).all()):
        raise DataError(f"weights must be finite floating-point numbers, but {name} are not ({tensor.dtype}): {path}")
    return tensor.to(like.dtype)


def _some(names: Sequence[str]) -> str:
    """The first few of many names, which strangers made up."""
    if not names:
        return "nothing"
    shown = ", ".join(repr(name[:60])[1:-1] or "no prefix" for name in names[:_LISTED])
    return shown + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
