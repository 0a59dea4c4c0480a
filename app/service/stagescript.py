"""Many of the stage's modules as one script, made of their files as they are: for the page, for a worker, for a page of
somebody else's.

Each module becomes a function that gives what the module exports; it runs once, when it is first asked for. That is the
same as modules as long as they import one another in no circle and export nothing that changes later, and these are
refused. Lines stay lines, so that a source map only has to count them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from .stagefiles import needed

PAGE_ENTRIES = (
    "stage.js",
    "geometry.js",
    "lesson/lesson.js",
    "schedules/schedules.js",
    "together/classroom.js",
    "together/presenter.js",
)
"""What Streamlit's components on the app's pages start with."""

_ROOT = "ltviz/"
_IMPORT = re.compile(r'^import\s+(?:(\*\s+as\s+\w+|\w+|\{[^}]*\})\s+from\s+)?"ltviz/([^"]+)";', re.MULTILINE)
_EXPORT = re.compile(
    r"^export (?P<default>default )?(?P<kind>(?:async )?function\*?|class|const)\s+(?P<name>\w+)", re.MULTILINE
)
_UNNAMED = "defaultExport"
_VALUE = re.compile(r"^export default (?=[{[])", re.MULTILINE)
_NOTHING = re.compile(r"^export \{\};$", re.MULTILINE)
_SEVERAL = re.compile(r"^export const .*,$", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b", re.MULTILINE)
_ADDRESS = "import.meta.url"

# A module makes other addresses of its own: those of style sheets, of the server. A blob has none that would do.
_USE = "const $made = {}, $use = (name) => ($made[name] ??= $makers[name]());"
_HEAD = f"""\
{_USE}
const $own = import.meta.url, $address = (name) => ($own.startsWith("http") ? new URL(name, $own).href : $own);
const $makers = {{"""


def _as_function(name: str, source: str) -> tuple[str, bool]:
    """A module of which imports are addresses below `ltviz/`, as an entry of `$makers`: its own lines, one before them
    and one after; and whether it asks for its own address.

    Raises:
        ValueError: it imports or exports otherwise than modules of the stage do.
    """
    exports = [("default" if found["default"] else found["name"], found["name"]) for found in _EXPORT.finditer(source)]
    body = _IMPORT.sub(_as_const, _NOTHING.sub("", source))
    if _VALUE.search(body):
        body, exports = _VALUE.sub(f"const {_UNNAMED} = ", body), [*exports, ("default", _UNNAMED)]
    body = _EXPORT.sub(lambda found: f"{found['kind']} {found['name']}", body)
    if _LEFT.search(body) or _SEVERAL.search(source):
        raise ValueError(f"{name} imports or exports in a way that one script cannot be made of")
    given = ", ".join(own if own == known else f"{known}: {own}" for known, own in exports)
    asks = _ADDRESS in body
    body = body.replace(_ADDRESS, f"$address({json.dumps(name)})").removesuffix("\n")
    return f"{json.dumps(name)}: () => {{\n{body}\nreturn {{ {given} }}; }},", asks


def _as_const(found: re.Match[str]) -> str:
    what, asked = found[1], f"$use({json.dumps(found[2])});"
    if what is None:
        return asked
    if what.startswith("*"):
        return f"const {what.split()[-1]} = {asked}"
    names = re.sub(r"(\w+)\s+as\s+", r"\1: ", what) if what.startswith("{") else f"{{ default: {what} }}"
    return f"const {names} = {asked}"


def _all_needed(entries: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in entries:
        found |= needed(entry, _ROOT)
    return found


@cache
def one_script(entries: tuple[str, ...] = PAGE_ENTRIES) -> tuple[str, str]:
    """A module that exports `use(name)`, which gives what the entry of that name exports; and its source map.

    script, source_map = one_script(("stage.js",))
    """
    modules = _all_needed(entries)
    lines, mapped, last = _HEAD.count("\n") + 1, [], 0
    mapped += [""] * lines
    parts = [_HEAD]
    for place, (name, source) in enumerate(modules.items()):
        text, _ = _as_function(name, source)
        parts.append(text)
        own = text.count("\n") - 1  # all but the first and the last
        # A segment says by how much column, source, line and column differ from the one before.
        first = f"A{_vlq(1 if place else 0)}{_vlq(-last)}A"
        mapped += ["", first, *["AACA"] * (own - 1), ""]
        last = own - 1
    parts.append(f"}};\nexport {{ $use as use }};\n//# sourceMappingURL={script_name(entries)}.map\n")
    names = list(modules)
    source_map = {"version": 3, "sources": names, "names": [], "mappings": ";".join(mapped)}
    return "\n".join(parts), json.dumps(source_map)


def _vlq(number: int) -> str:
    """A number as source maps write it: six bits a letter, the lowest of all its sign."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    rest, text = (abs(number) << 1) | (number < 0), ""
    while True:
        rest, digit = rest >> 5, rest & 31
        text += letters[digit | (32 if rest else 0)]
        if not rest:
            return text


@cache
def script_name(entries: tuple[str, ...] = PAGE_ENTRIES) -> str:
    """Under which `one_script` is served, beside the modules: what it is made of decides it, so it never changes."""
    made_of = repr(sorted(_all_needed(entries).items())).encode() + Path(__file__).read_bytes()
    return f"all-{hashlib.sha256(made_of).hexdigest()[:16]}.js"


@cache
def packed(name: str) -> bytes | None:
    """What is served under a name, the script or its map, as gzip; None where it is neither."""
    if name not in (script_name(), f"{script_name()}.map"):
        return None
    return gzip.compress(one_script()[name.endswith(".map")].encode(), 6, mtime=0)


@cache
def worker_source(entry: str) -> str:
    """An entry and all that it imports as one classic script: a worker that is made of a blob has no import map.

    Raises:
        ValueError: a module asks for its own address, which it does not have there, or as `one_script`.
    """
    parts = ['"use strict";', _USE, "const $makers = {"]
    for name, source in needed(entry, _ROOT).items():
        text, asks = _as_function(name, source)
        if asks:
            raise ValueError(f"{name} asks for its own address, and a worker's script has none")
        parts.append(text)
    return "\n".join([*parts, "};", f"$use({json.dumps(entry)});"])


# A page of somebody else's has none of our modules: one blob holds them, made once a page, however many stages it has.
_GUEST = """
const page = (window.ltviz ??= {}), modules = (page.modules ??= {});
modules[%(key)s] ??= import(
  URL.createObjectURL(new Blob([%(script)s], { type: "text/javascript" }))
).then((all) => all.use(%(entry)s));
"""


@cache
def bundle(entry: str) -> tuple[str, str]:
    """An entry and all that it imports as one script for somebody else's page, and the name under which
    `window.ltviz.modules` then holds the promise of what the entry exports."""
    script = one_script((entry,))[0].rpartition("//# sourceMappingURL")[0]
    key = f"{entry}@{hashlib.sha256(script.encode()).hexdigest()[:16]}"
    told = {"key": json.dumps(key), "script": json.dumps(script), "entry": json.dumps(entry)}
    return _GUEST % told, key
