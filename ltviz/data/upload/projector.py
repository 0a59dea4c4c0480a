"""Folders of TensorBoard's embedding projector: `projector_config.pbtxt`, or `tensors.tsv` and `metadata.tsv` alone.

PyTorch's `add_embedding` writes a folder for each step, `00000/default/tensors.tsv`: those of one tag are one series.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ltviz.errors import DataError

CONFIG = "projector_config.pbtxt"
TENSORS = "tensors.tsv"
METADATA = "metadata.tsv"

_MAX_CONFIG = 4 << 20
_MOST = 10_000
_FIELD = re.compile(r'(?<!\w)(\w++)\s*+:\s*+"((?:[^"\\]|\\.)*+)"')
_STEP = re.compile(r"(?:.*/)?(\d{1,9})/([^/]+)/[^/]+")


class Tensors(NamedTuple):
    """One set of vectors, the step it is of (None where it is of none), and what is known of its points."""

    path: Path
    metadata: Path | None
    step: int | None


def is_projector(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (CONFIG, TENSORS)) or any(folder.glob(f"*/*/{TENSORS}"))


def series_in(folder: Path) -> dict[str, list[Tensors]]:
    """Name -> sets of vectors by growing step, in a folder of the projector.

    Raises:
        DataError: one sentence, where a file is missing, lies elsewhere, or nothing is there.
    """
    found: dict[str, list[Tensors]] = {}
    listed = list(_configured(folder)) if (folder / CONFIG).is_file() else list(_lying(folder))
    if not 1 <= len(listed) <= _MOST:
        raise DataError(
            f"A folder of the projector must hold 1 to {_MOST:,} sets of tensors; got {len(listed):,} ({folder})."
        )
    for name, tensors in listed:
        found.setdefault(name, []).append(tensors)
    for name, steps in found.items():
        if len(steps) > 1 and len({one.step for one in steps}) < len(steps):
            raise DataError(f"Two sets of tensors are called '{name[:60]}'; rename one ({folder}).")
        steps.sort(key=lambda one: -1 if one.step is None else one.step)
    return found


def _lying(folder: Path) -> Iterator[tuple[str, Tensors]]:
    """What lies in a folder that has no configuration."""
    for path in [folder / TENSORS, *sorted(folder.glob(f"*/*/{TENSORS}"))]:
        if path.is_file():
            metadata = path.with_name(METADATA)
            yield _named(folder, path, metadata if metadata.is_file() else None, folder.resolve().name)


def _configured(folder: Path) -> Iterator[tuple[str, Tensors]]:
    path = folder / CONFIG
    if path.stat().st_size > _MAX_CONFIG:
        raise DataError(f"{CONFIG} of up to {_MAX_CONFIG >> 20} MB is read; this one is larger ({path}).")
    text = path.read_text("utf-8", "replace")
    for block in re.split(r"\bembeddings\s*\{", text)[1:]:
        fields = {key: re.sub(r"\\(.)", r"\1", value) for key, value in _FIELD.findall(block)}
        name = fields.get("tensor_name", "embedding")
        if "tensor_path" not in fields:
            raise DataError(
                f"'{name[:60]}' in {CONFIG} has no tensor_path: its vectors are in a checkpoint, save them as "
                f"{TENSORS} ({path})."
            )
        tensors = _inside(folder, fields["tensor_path"])
        metadata = _inside(folder, fields["metadata_path"]) if fields.get("metadata_path") else None
        yield _named(folder, tensors, metadata, name)


def _named(folder: Path, path: Path, metadata: Path | None, name: str) -> tuple[str, Tensors]:
    """A set of vectors under the name of its series: PyTorch's tag where it lies in a folder of a step."""
    match = _STEP.fullmatch(path.relative_to(folder).as_posix())
    if match:
        return match[2], Tensors(path, metadata, int(match[1]))
    return name, Tensors(path, metadata, None)


def _inside(folder: Path, name: str) -> Path:
    """The file `name` of a folder; DataError where it leads out, or is not there."""
    path = folder / name
    try:
        inside, there = path.resolve().is_relative_to(folder.resolve()), path.is_file()
    except (OSError, ValueError):  # longer than a name may be, or with characters that none has
        inside, there = True, False
    if not inside:
        raise DataError(f"{CONFIG} names a file outside of its folder, which is not opened: '{name[:80]}' ({folder}).")
    if not there:
        raise DataError(f"{CONFIG} names a file that is not there: '{name[:80]}' ({folder}).")
    return path
