"""The stage's own files: where they lie, which modules there are, and how a module names another."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path

STAGE = Path(__file__).parents[1] / "stage"
_IMPORT = re.compile(r'(\bfrom\s*|\bimport\s*)"(\.{1,2}/[\w./-]+\.js)"')


@cache
def modules() -> tuple[str, ...]:
    """Every module's path below the stage's folder: "stage.js", "common/dom.js"."""
    return tuple(sorted(path.relative_to(STAGE).as_posix() for path in STAGE.rglob("*.js")))


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
