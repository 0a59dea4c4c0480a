"""One word means one thing: the names of classes and modules keep to the glossary of .github/ARCHITECTURE.md."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTES = ROOT / ".github" / "ARCHITECTURE.md"
MOST_WORDS = 40
ROW = re.compile(r"\| ([a-z -]+) \| ([^|]+) \| ([^|]*) \|")
JS_CLASS = re.compile(r"^(?:export )?(?:default )?class (\w+)", re.MULTILINE)


def read_glossary(text: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Word -> what it means, and the names that may hold it: of classes, and of modules as "folder/name"."""
    table = text.split("## Glossary")[1].split("\n## ")[0]
    rows = ROW.findall(table.partition("|---")[2])
    return {word: (means, frozenset(re.findall(r"`([^`]+)`", names))) for word, means, names in rows}


GLOSSARY = read_glossary(NOTES.read_text(encoding="utf-8"))


def parts(name: str) -> list[str]:
    """The words of a name in CamelCase or snake_case: "RunInfo" -> run, info; "probe_set" -> probe, set."""
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def holds(name: str, word: str) -> bool:
    """Whether a name is a word of the glossary or has it as a part, in the singular or with an s."""
    there, wanted = parts(name.rpartition("/")[2]), word.split()
    starts = range(len(there) - len(wanted) + 1)
    return any(all(_same(a, b) for a, b in zip(there[at:], wanted, strict=False)) for at in starts)


def _same(a: str, b: str) -> bool:
    return a.removesuffix("s") == b.removesuffix("s")


@functools.cache
def names() -> tuple[tuple[str, str], ...]:
    """Name and file of every class, and of every module as "folder/name", in Python and on the stage."""
    return tuple(_read_names())


def _read_names() -> Iterator[tuple[str, str]]:
    for folder in ("ltviz", "app"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            package = path.name == "__init__.py"
            module = path.parent if package else path.with_suffix("")
            yield f"{module.parent.name if module != ROOT / folder else ''}/{module.name}", _place(path)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    yield node.name, _place(path)
    for path in sorted((ROOT / "app" / "stage").rglob("*.js")):
        yield f"{path.parent.name}/{path.stem}", _place(path)
        for name in JS_CLASS.findall(path.read_text(encoding="utf-8")):
            yield name, _place(path)


def _place(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("word", GLOSSARY)
def test_no_name_uses_a_word_for_anything_else(word: str):
    means, allowed = GLOSSARY[word]
    other = [f"{name} ({place})" for name, place in names() if holds(name, word) and name not in allowed]
    assert not other, (
        f"'{word}' is {means}; add what means that to {_place(NOTES)}, and give others another name: {other}"
    )


def test_no_name_with_a_word_stands_for_two_things():
    """In one language; a class of the stage may be called as its counterpart in Python."""
    places: dict[tuple[str, str], list[str]] = {}
    for name, place in names():
        if "/" not in name and any(holds(name, word) for word in GLOSSARY):
            places.setdefault((name, Path(place).suffix), []).append(place)
    assert {name: found for (name, _), found in places.items() if len(found) > 1} == {}


def test_the_glossary_is_read_and_short():
    assert 30 <= len(GLOSSARY) <= MOST_WORDS
    rows = NOTES.read_text(encoding="utf-8").split("## Glossary")[1].split("\n## ")[0].count("\n| ")
    assert rows == len(GLOSSARY) + 1, "every row but the head is read"
    assert all(means.strip() for means, _ in GLOSSARY.values())
    misplaced = [(word, name) for word, (_, allowed) in GLOSSARY.items() for name in allowed if not holds(name, word)]
    assert misplaced == []


def test_a_word_is_found_in_names():
    assert holds("RunInfo", "run") and holds("incoming/runs", "run") and holds("_Frame", "frame")
    assert holds("training/probe_set", "probe set") and not holds("Probe", "probe set")
    assert not holds("Pruned", "run") and not holds("runtime/words", "run") and not holds("Preview", "view")
    assert parts("FGTSettings2") == ["fgt", "settings", "2"]


def test_the_rooms_of_the_notes_are_there():
    rooms = NOTES.read_text(encoding="utf-8").split("## Rooms")[1].split("\n## ")[0]
    named = re.findall(r"`((?:ltviz|app)/\w+)`", rooms)
    there = {path.with_suffix("") for path in [*(ROOT / "ltviz").iterdir(), *(ROOT / "app").iterdir()]}
    rooms_there = {f"{path.parent.name}/{path.name}" for path in there if not path.name.startswith(("_", "."))}
    assert rooms_there - set(named) <= {"app/main", "app/server"}
    assert set(named) - rooms_there <= {"ltviz/marks"}
