"""Writes what the stage knows of messages: `python -m app.service.types_js`, in the root of the repository.

One generated module holds a type for each class of `messages`, with its docstrings, and the scales of payloads. A test
holds the committed file against this.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from ltviz.marks import Mark, Reading, Sign

from . import messages

TARGET = Path(__file__).parents[1] / "stage" / "common" / "messages.js"
TYPES: Sequence[type] = (
    messages.ProjectionHeader,
    messages.FrameHeader,
    Reading,
    Mark,
    messages.WhatIfTrust,
    messages.AttributeHeader,
    messages.RunHeader,
    messages.StateHeader,
    messages.MovesHeader,
    messages.ClockHeader,
    messages.ErrorHeader,
    messages.ClassHeader,
    messages.LeadHeader,
    messages.TallyHeader,
    messages.BeatHeader,
)
_PARTS = {messages.FrameHeader: messages.Delivery}
"""Classes whose fields lie in another one's message."""
_WIDTH = 120
_HEAD = """\
/**
 * Messages of the stream, as `app/service/messages.py` spells them. Generated: change that file, and run
 * `python -m app.service.types_js`.
 *
 * @typedef {[number, number, number]} Vec3
 * @typedef {(Vec3 | null)[]} VectorsByClass
 * @typedef {Record<string, Record<string, VectorsByClass>>} Forces method, part ("total", "positives", …), class
 * @typedef {Record<string, [number, number, string]>} Arrays name: bytes from the start of the payload, items, type
"""
_ALIASES = (
    (messages.VectorsByClass, "VectorsByClass"),
    (messages.Forces, "Forces"),
    (messages.Arrays, "Arrays"),
    (messages.Vec3, "Vec3"),
    (Sign, "Sign"),
)


def generate() -> str:
    """The text of the module."""
    constants = "".join(f"export const {name} = {value};\n" for name, value in messages.CONSTANTS.items())
    signs = "\n".join(_wrap(f"@typedef {{{' | '.join(map(json.dumps, get_args(Sign)))}}} Sign the glyph of a mark"))
    return "\n".join((f"{_HEAD}{signs}\n */\n", *(_typedef(kind) for kind in TYPES), constants))


def _typedef(kind: type) -> str:
    lines = ["/**", *_wrap(_first(inspect.getdoc(kind) or "")), " *", f" * @typedef {{object}} {kind.__name__}"]
    for part in filter(None, (kind, _PARTS.get(kind))):
        for name, type_, optional, told in _properties(part):
            lines += _wrap(f"@property {{{type_}}} {f'[{name}]' if optional else name} {told}".rstrip())
    return "\n".join((*lines, " */\n"))


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=" * ", subsequent_indent=" *   ", break_long_words=False)


def _first(doc: str) -> str:
    """A docstring without what follows its first paragraph."""
    return " ".join(doc.split("\n\n")[0].split())


def _properties(kind: type) -> Iterator[tuple[str, str, bool, str]]:
    """Name, JavaScript type, whether it may be absent, and what is said of it, of each field of a message."""
    hints, told = get_type_hints(kind), _field_docs(kind)
    if "type" in hints and get_origin(hints["type"]) is ClassVar:
        yield "type", _javascript(get_args(hints["type"])[0]), False, ""
    for one in fields(kind):
        hint, optional = hints[one.name], messages.is_optional(one)
        if optional and NoneType in get_args(hint):
            hint = Union[tuple(arg for arg in get_args(hint) if arg is not NoneType)]  # noqa: UP007
        yield one.name, _javascript(hint), optional, told.get(one.name, "")


def _field_docs(kind: type) -> dict[str, str]:
    """Field -> the docstring under it."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for above, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name) and isinstance(below, ast.Expr):
            found[above.target.id] = " ".join(str(ast.literal_eval(below.value)).split())
    return found


def _javascript(hint: Any) -> str:
    """A Python type in the stage's words."""
    for alias, name in _ALIASES:
        if hint == alias:
            return name
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " | ".join(map(_javascript, args))
    if origin is Literal:
        return " | ".join(f'"{arg}"' for arg in args)
    if origin is not None and issubclass(origin, Mapping):
        return f"Record<string, {_javascript(args[1])}>"
    if origin is tuple:
        return f"[{', '.join(map(_javascript, args))}]"
    if origin is not None and issubclass(origin, Sequence):
        inner = _javascript(args[0])
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    simple = {str: "string", bool: "boolean", int: "number", float: "number", NoneType: "null", Any: "unknown"}
    return simple.get(hint) or hint.__name__


if __name__ == "__main__":
    TARGET.write_text(generate(), encoding="utf-8")
