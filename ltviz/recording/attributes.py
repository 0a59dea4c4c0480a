"""What else is known of the samples of a run, by name: attributes.safetensors, written once, beside the probe.

A file of its own, so that labels are read without a million names of files. No measure sees attributes; they are to
colour by, to search and to read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltviz.errors import RecordingError
from ltviz.recording import tensors
from ltviz.recording.arrays import as_array
from ltviz.text import plain

ATTRIBUTES = "attributes.safetensors"
MOST = 256
LONGEST_NAME = 200
LONGEST_TEXT = 20_000
_EXACT = 2.0**53


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One value a sample. Numbers: `values` (N,) float64, NaN where nothing is known, `texts` None. Text: `values` (N,)
    int32 are indices into `texts`, -1 where nothing stands."""

    name: str
    values: np.ndarray
    texts: tuple[str, ...] | None = None

    def text_of(self, row: int) -> str:
        """What stands there, as a person reads it; "" where nothing does."""
        if self.texts is None:
            value = float(self.values[row])
            return "" if np.isnan(value) else f"{value:.15g}"
        return self.texts[self.values[row]] if self.values[row] >= 0 else ""


def make_attributes(given: Mapping[str, Any], count: int) -> tuple[Attribute, ...]:
    """Attributes from a sequence a name, each of `count` numbers, truths or texts, None and NaN where nothing is known.

    Whole numbers beyond 2^53 are text, because a float would change them.

    Raises:
        RecordingError: a name or a column that does not fit.

    >>> year, kind = make_attributes({"year": [2001, None], "kind": ["a", "b"]}, 2)
    >>> year.values, kind.values, kind.texts
    (array([2001.,   nan]), array([0, 1], dtype=int32), ('a', 'b'))
    """
    if len(given) > MOST:
        raise RecordingError(f"attributes must be at most {MOST}; got {len(given)}, keep those that matter.")
    return tuple(_make(name, column, count) for name, column in given.items())


def _make(name: Any, column: Any, count: int) -> Attribute:
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        raise RecordingError(
            f"The name of an attribute must be text of 1 to {LONGEST_NAME} characters; got {name!r:.80}."
        )
    if isinstance(column, Attribute):
        return _check(Attribute(name, column.values, column.texts), count)
    plain = isinstance(column, list | tuple) and any(value is None or isinstance(value, str) for value in column)
    array = np.array(list(column), object) if plain else as_array(column)
    if array.shape != (count,):
        raise RecordingError(
            f"The attribute '{name[:40]}' must hold one value for each of {count:,} samples; got shape {array.shape}."
        )
    if array.dtype.kind == "O":
        array = _plain(array)
    if array.dtype.kind in "iuf" and not (array.dtype.kind in "iu" and np.abs(array).max(initial=0) > _EXACT):
        return _check(Attribute(name, array.astype(np.float64)), count)
    if array.dtype.kind not in "biuUOM":
        raise RecordingError(f"The attribute '{name[:40]}' must be numbers or text; got {array.dtype}.")
    texts = ["" if value is None or value != value else str(value) for value in array.tolist()]
    code_of = {text: code for code, text in enumerate(dict.fromkeys(filter(None, texts)))}
    codes = np.array([code_of.get(text, -1) for text in texts], np.int32)
    return _check(Attribute(name, codes, tuple(code_of)), count)


def _plain(array: np.ndarray) -> np.ndarray:
    """Numbers among None as floats; anything else stays as it is."""
    values = [np.nan if value is None else value for value in array.tolist()]
    numbers = all(isinstance(value, int | float | np.number) and not isinstance(value, bool) for value in values)
    return np.array(values, np.float64) if numbers else array


def _check(attribute: Attribute, count: int) -> Attribute:
    name, values, texts = attribute.name, np.asarray(attribute.values), attribute.texts
    kind = "f" if texts is None else "i"
    if values.shape != (count,) or values.dtype.kind != kind:
        raise RecordingError(
            f"The attribute '{name[:40]}' must hold one value for each of {count:,} samples; "
            f"got {values.dtype} of shape {values.shape}."
        )
    if texts is None:
        return Attribute(name, values.astype(np.float64))
    if values.min(initial=-1) < -1 or values.max(initial=-1) >= len(texts):
        raise RecordingError(f"The attribute '{name[:40]}' points at texts that it does not hold.")
    if max(map(len, texts), default=0) > LONGEST_TEXT:
        raise RecordingError(f"The texts of '{name[:40]}' may have {LONGEST_TEXT:,} characters; shorten the longest.")
    return Attribute(name, values.astype(np.int32), texts)


def encode_attributes(attributes: Iterable[Attribute]) -> bytes:
    """The bytes of attributes.safetensors: tensors "0", "1", ... and, as JSON in UTF-8, "0.texts"."""
    arrays, names = {}, []
    for index, attribute in enumerate(attributes):
        names.append(attribute.name)
        arrays[str(index)] = attribute.values
        if attribute.texts is not None:
            text = json.dumps(attribute.texts).encode()
            arrays[f"{index}.texts"] = np.frombuffer(text, np.uint8)
    return tensors.encode(arrays, {"kind": "attributes", "names": json.dumps(names)})


def decode_attributes(data: bytes, *, count: int) -> tuple[Attribute, ...]:
    """The attributes of `count` samples in the bytes of attributes.safetensors; RecordingError says what does not
    hold."""
    arrays, metadata = tensors.decode(data)
    try:
        names = json.loads(metadata.get("names", ""))
        if metadata.get("kind") != "attributes" or not _are_texts(names) or len(names) > MOST:
            raise ValueError
        held = {}
        for index, name in enumerate(names):
            texts = arrays.get(f"{index}.texts")
            listed = None if texts is None else json.loads(texts.tobytes())
            if listed is not None and not _are_texts(listed):
                raise ValueError
            texts = None if listed is None else tuple(plain(text, lines=True) for text in listed)
            held[plain(name)] = Attribute(plain(name), arrays[str(index)], texts)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RecordingError("It holds no attributes.") from error
    return make_attributes(held, count)


def _are_texts(made: Any) -> bool:
    return isinstance(made, list) and all(isinstance(text, str) for text in made)
