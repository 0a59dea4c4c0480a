"""Files of targets on the sphere: what `ltviz targets` and the geometry page save, and `tsc` and `etf` take."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ltviz.errors import DataError

LARGEST = 256 * 2**20
"""Bytes of a file that is read."""
_UNIT = 1e-3


def encode_targets(targets: np.ndarray, about: Mapping[str, Any]) -> bytes:
    """The bytes of an .npz file: "targets" (C, D) float64, and "about", JSON that says how they were made."""
    file = io.BytesIO()
    np.savez(file, targets=np.asarray(targets, np.float64), about=np.array(json.dumps(dict(about))))
    return file.getvalue()


def read_targets(path: Path, *, num_classes: int | None = None, dim: int | None = None) -> np.ndarray:
    """Targets (C, D) float64, unit rows.

    Args:
        path: an .npz file with an array "targets" (or one array alone), an .npy file, or a .json file that is a list of
            rows or has one as "targets".
        num_classes, dim: what they must fit, where given.

    Raises:
        DataError: no such file, no targets in it, rows that are not finite or not unit, or that do not fit.
    """
    rows = _numbers(path)
    if rows.ndim != 2 or not rows.size:
        raise DataError(f"targets must be rows of numbers, one for each class, got shape {rows.shape}: {path}")
    if not np.isfinite(rows).all():
        raise DataError(f"targets must be finite, but hold NaN or infinity: {path}")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if np.abs(lengths - 1).max() > _UNIT:
        at = int(np.abs(lengths[:, 0] - 1).argmax())
        raise DataError(f"targets must have length 1, but row {at} has {lengths[at, 0]:.4g}; normalise them: {path}")
    for what, given, needed in (("classes", len(rows), num_classes), ("dimensions", rows.shape[1], dim)):
        if needed is not None and given != needed:
            raise DataError(f"targets must be of the {needed} {what} of the run, but are of {given}: {path}")
    return rows / lengths


def _numbers(path: Path) -> np.ndarray:
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"a file of targets may take {LARGEST >> 20} MiB, but this one takes more: {path}")
        if path.suffix.lower() == ".json":
            held = json.loads(path.read_text(encoding="utf-8"))
            return np.asarray(held["targets"] if isinstance(held, dict) else held, dtype=np.float64)
        held = np.load(path, allow_pickle=False)
        if isinstance(held, np.ndarray):
            return np.asarray(held, dtype=np.float64)
        with held:
            name = "targets" if "targets" in held.files or len(held.files) != 1 else held.files[0]
            return np.asarray(held[name], dtype=np.float64)
    except FileNotFoundError:
        raise DataError(f"there is no file of targets; make one with `ltviz targets`: {path}") from None
    except KeyError:
        raise DataError(
            f"a file of targets must hold an array named targets, but this one holds none: {path}"
        ) from None
    except (OSError, ValueError, TypeError, EOFError, RecursionError, zipfile.BadZipFile) as error:
        raise DataError(
            f"targets must be an .npz, .npy or .json file of numbers ({str(error)[:100]}): {path}"
        ) from error
