"""What older recordings lack, and what nobody declared: the one place that knows how a mark was recorded before.

Up to version 0.2 a frame held `links.<name>.<column>` and `clouds.<name>.<column>`, half-angles of caps were the
readings "<landmark>_cap", and run.json declared no marks: the stage knew their words. Here these words are kept.
run.json did not say whose sphere is a read-out either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from ltviz.marks import COMMON, Caps, Mark, Points, Primitive, Shown, is_key, primitive_of, primitive_with
from ltviz.recording.info import RunInfo

_READOUTS = frozenset({"ce", "reweight", "logit_adjust", "bce", "focal", "ltml"})
"""The methods of ltviz's trainer whose sphere was a read-out when run.json did not say so."""
_CAP = "_cap"
_KNOWN = COMMON | {
    mark.key: mark
    for mark in (
        Mark(
            key="captions",
            title="Image and caption",
            short="Each arc joins an image (dot) and its caption (square), which belong together; short arcs mean that "
            "they found each other.",
            primitive="segments",
            sign="arc",
            end="square",
        ),
        Mark(
            key="branches",
            title="Two branches",
            short="Each arc joins one sample in the two branches of the method, which are to agree; short arcs mean "
            "that they do.",
            primitive="segments",
            sign="arc",
        ),
        Mark(
            key="boundary",
            title="Boundary, shifted",
            short="Each arrow leads from where a boundary between two classes would lie without the class counts to "
            "where they put it while the method learns.",
            primitive="segments",
            sign="shift",
            directed=True,
        ),
    )
}


def sphere_is_readout(info: RunInfo) -> bool:
    """Whether the sphere was trained beside the encoder, which it did not steer."""
    if info.sphere_is_readout is not None:
        return info.sphere_is_readout
    return info.method in _READOUTS and "run" in info.config  # somebody's own loop may have another CE


def translate(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tensors of a frame under the names of today; those of a frame of today are as they were."""
    if not any(name.startswith(("links.", "clouds.")) or _capped_landmark(name, arrays) for name in arrays):
        return dict(arrays)
    renamed = {_rename(name): array for name, array in arrays.items()}
    for name, angles in arrays.items():
        landmark = _capped_landmark(name, arrays)
        if landmark is None or angles.dtype.kind != "f" or angles.shape != arrays[f"landmarks.{landmark}"].shape[:1]:
            continue
        known = (angles > 0) & (angles < 180)  # elsewhere no cap was drawn
        caps = Caps(arrays[f"landmarks.{landmark}"], np.where(known, angles, 0), np.arange(len(angles), dtype=np.int32))
        renamed |= {f"marks.{landmark}{_CAP}.{column}": values for column, values in caps._asdict().items()}
    return renamed


def declare(names: Collection[str]) -> list[Mark]:
    """Declarations of all that a frame with tensors of these names, old or of today, shows; in order of their keys."""
    columns: dict[str, set[str]] = {}
    for name in names:
        kind, _, rest = _rename(name).partition(".")
        key, _, column = rest.partition(".")
        if kind == "landmarks":
            columns.setdefault(rest, set(Points._fields))
        elif kind == "marks":
            columns.setdefault(key, set()).add(column)
        elif (landmark := _capped_landmark(name, names)) is not None:
            columns[landmark + _CAP] = set(Caps._fields)
    return [
        describe(key, primitive)
        for key, held in sorted(columns.items())
        if is_key(key) and (primitive := primitive_with(held)) is not None
    ]


def undeclared(marks: Iterable[Mark], shown: Mapping[str, Shown], landmarks: Collection[str]) -> list[Mark]:
    """Declarations of the marks and landmarks of a frame that `marks` leave out."""
    known = {mark.key for mark in marks}
    found = [describe(key, primitive_of(value)) for key, value in shown.items() if key not in known]
    return found + [describe(key, "points") for key in landmarks if key not in known and key not in shown]


def describe(key: str, primitive: Primitive) -> Mark:
    """What can be said of a mark that nobody declared."""
    known = _KNOWN.get(key)
    if known is not None and known.primitive == primitive:
        return known
    word = key.replace("_", " ").strip() or key
    title = word[:1].upper() + word[1:]
    if primitive == "points":
        short = f"A place that the method keeps on the sphere for each class (“{word}”)."
        return Mark(key=key, title=title, short=short, primitive=primitive, sign="plus")
    if primitive == "segments":
        short = f"Each arc joins two places that the method holds together (“{word}”)."
        return Mark(key=key, title=title, short=short, primitive=primitive, sign="arc")
    if primitive == "caps":
        title = "Density" if key.endswith(_CAP) else title
        short = "A dashed cap shows how wide the method itself believes a class to be."
        return Mark(key=key, title=title, short=short, primitive=primitive, sign="cap", on=False)
    short = f"An arrow leads from the centre of each class (“{word}”)."
    return Mark(key=key, title=title, short=short, primitive=primitive, sign="arrow")


def _rename(name: str) -> str:
    kind, _, rest = name.partition(".")
    if kind == "clouds" and rest.endswith(".points"):
        rest = rest.removesuffix("points") + "places"
    return f"marks.{rest}" if kind in ("links", "clouds") else name


def _capped_landmark(name: str, names: Collection[str]) -> str | None:
    """The landmark around which a reading of this name drew caps; None where it is none, or the caps are marks."""
    if not name.endswith(_CAP):
        return None
    kind, _, key = name.partition(".")
    landmark = key.removesuffix(_CAP)
    capped = kind == "readings" and landmark != key and f"landmarks.{landmark}" in names
    return landmark if capped and f"marks.{key}.angle" not in names else None
