"""Every sentence that a person reads stands in words; the other modules of the app hold none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "app"
MODULES = sorted(path for path in APP.rglob("*.py") if path.parent.name != "words")
SENTENCE = re.compile(r"[A-Z{](?=.*[A-Za-z]{2,}[,:;]? [a-z]{2,})[^<>]*")
"""Begins with a capital or with what is filled in, has two words side by side, and is no markup."""
SAYS = {
    *("button", "caption", "checkbox", "download_button", "error", "expander", "info", "markdown", "multiselect"),
    *("number_input", "popover", "progress", "segmented_control", "select_slider", "selectbox", "subheader", "text"),
    *("text_area", "text_input", "title", "toggle", "warning", "draw_heading"),
}
"""Functions whose first argument a person reads, and arguments by name that one does."""
NAMED = ("help", "placeholder", "label")
ICON = re.compile(r":material/\w+:")


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each string, `{}` for what is filled in; docstrings, logs and errors of programmers left out."""
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            child.parent = node  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and not isinstance(node.parent, ast.JoinedStr)
        ):
            text = node.value
        else:
            continue
        if not isinstance(node.parent, ast.Expr) and not is_for_programmers(node.parent):
            yield node.lineno, text


def is_for_programmers(call: ast.AST) -> bool:
    """Whether a call writes the log or makes an error that nobody sees but who changes the code."""
    if not isinstance(call, ast.Call):
        return False
    name = ast.unparse(call.func)
    return name.startswith(("log.", "logging.")) or name in ("ValueError", "TypeError")


def said(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of what Streamlit is given to say as it stands."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or is_for_programmers(node):
            continue
        if ast.unparse(node.func).rpartition(".")[2] in SAYS:
            given = [*node.args[:1], *(word.value for word in node.keywords if word.arg in NAMED)]
            for value in given:
                if isinstance(value, ast.Constant) and re.search(r"[A-Za-z]{2}", str(value.value)):
                    yield value.lineno, str(value.value)


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(APP)) for path in MODULES])
def test_no_sentence_stands_elsewhere(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [f"line {line}: {text}" for line, text in texts(tree) if SENTENCE.fullmatch(text.strip())]
    found += [f"line {line}: {text}" for line, text in said(tree) if not ICON.fullmatch(text)]
    assert found == []


def test_what_it_looks_for_is_found():
    code = [
        '"""Not this one here."""',
        'log.info("Run %s: nor this")',
        'st.caption("seed")',
        'x = f"Runs {n} of them."',
    ]
    tree = ast.parse("\n".join(code))
    assert [text for _, text in texts(tree) if SENTENCE.fullmatch(text)] == ["Runs {} of them."]
    assert [text for _, text in said(tree)] == ["seed"]
