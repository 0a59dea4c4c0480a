"""The stage's own files: where they lie, which modules there are, and how one names another."""

from __future__ import annotations

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
    written as `resolve_imports` does.

    Raises:
        ValueError: modules import one another in a circle.
    """
    found: dict[str, str] = {}

    def visit(name: str, way: tuple[str, ...]) -> None:
        if name in way:
            raise ValueError(f"modules import one another in a circle: {' -> '.join((*way[way.index(name) :], name))}")
        source, imported = resolve_imports(name, root)
        for other in imported:
            if other not in found:
                visit(other, (*way, name))
        found[name] = source

    visit(entry, ())
    return found


@cache
def stage_style(name: str = "stage.css") -> str:
    """The stage's style sheet, or that of one of its rooms."""
    return (STAGE / name).read_text(encoding="utf-8")
