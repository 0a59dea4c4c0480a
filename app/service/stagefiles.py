"""The stage's own files: where they lie, which modules there are, how one names another, and many as one script."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from functools import cache
from pathlib import Path

STAGE = Path(__file__).parents[1] / "stage"
_IMPORT = re.compile(r'(\bfrom\s*|\bimport\s*)"(\.{1,2}/[\w./-]+\.js)"')


def resolve_imports(name: str, root: str) -> tuple[str, list[str]]:
    """The source of module `name`, each import written as `root` + the path of the module it means; and those paths.

    source, needed = resolve_imports("incoming/replay.js", "ltviz/")
    """
    needed: list[str] = []

    def absolute(found: re.Match[str]) -> str:
        needed.append(posixpath.normpath(posixpath.join(posixpath.dirname(name), found[2])))
        return f'{found[1]}"{root}{needed[-1]}"'

    source = _IMPORT.sub(absolute, (STAGE / name).read_text(encoding="utf-8"))
    return source, needed


def needed(entry: str, root: str) -> dict[str, str]:
    """Name -> source of an entry and of all that it imports, each after those that it imports itself; imports are
    written as `resolve_imports` does."""
    found: dict[str, str] = {}

    def visit(name: str) -> None:
        source, imported = resolve_imports(name, root)
        for other in imported:
            if other not in found:
                visit(other)
        found[name] = source

    visit(entry)
    return found


# A page of somebody else's has no import map for our modules. Each becomes a blob, and in those that need it its name
# becomes the blob's address; that is done once a page, however many stages it has.
_LOADER = """
const page = (window.ltviz ??= {}), modules = (page.modules ??= {});
modules[%(key)s] ??= (() => {
  const addresses = {};
  for (const [name, source] of %(sources)s) {
    const addressed = (all, other) => (other in addresses ? JSON.stringify(addresses[other]) : all);
    const resolved = source.replace(/"ltviz\\/([^"]+)"/g, addressed);
    addresses[name] = URL.createObjectURL(new Blob([resolved], { type: "text/javascript" }));
  }
  return import(addresses[%(entry)s]);
})();
"""


@cache
def bundle(entry: str) -> tuple[str, str]:
    """An entry and all that it imports as one script for somebody else's page, and the name under which
    `window.ltviz.modules` then holds the promise of the entry's module."""
    sources = list(needed(entry, "ltviz/").items())
    key = f"{entry}@{hashlib.sha256(repr(sources).encode()).hexdigest()[:16]}"
    told = {"key": json.dumps(key), "sources": json.dumps(sources), "entry": json.dumps(entry)}
    return _LOADER % told, key


@cache
def stage_style(name: str = "stage.css") -> str:
    """The stage's style sheet, or that of one of its rooms."""
    return (STAGE / name).read_text(encoding="utf-8")


_EXPORT = re.compile(r"^export (const|function\*?|class|let) (\w+)", re.MULTILINE)
_NAMED_IMPORT = re.compile(r'^import \{([^}]*)\} from "ltviz/([^"]+)";$', re.MULTILINE)


@cache
def worker_source(entry: str) -> str:
    """An entry and all that it imports as one classic script: a worker that is made of a blob has no import map.

    Each module becomes a function that gives what the module exports. That takes modules as the stage's are written:
    imports and exports by name, each export where it is declared.
    """
    parts = ['"use strict";', "const modules = {};"]
    for name, source in needed(entry, "ltviz/").items():
        exports = [found[2] for found in _EXPORT.finditer(source)]
        body = _NAMED_IMPORT.sub(lambda found: f"const {{{found[1]}}} = modules[{json.dumps(found[2])}];", source)
        body = _EXPORT.sub(r"\1 \2", body)
        if re.search(r"^(import|export)\b", body, re.MULTILINE):
            raise ValueError(f"{name} imports or exports in a way that a worker's script cannot be made of")
        parts.append(f"modules[{json.dumps(name)}] = (() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})();")
    return "\n".join(parts)
