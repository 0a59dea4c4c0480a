"""A lesson's text as a tree of elements, for a page that has nothing to read Markdown with."""

from __future__ import annotations

from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from ltviz.lessons.mathml import UnknownFormula, to_mathml

Node = str | list[Any]
"""Text, or [tag, attributes, *children]."""


def to_tree(text: str) -> list[Node]:
    """The elements of a text in Markdown, with formulas between dollars; HTML stays what it is, text.

    A link to anything but https:// is its words alone: a page of the app is not there where this is read.

    Example:
        >>> to_tree("A **dot** $z$")
        [['p', {}, 'A ', ['strong', {}, 'dot'], ' ', ['math', {}, ['mi', {}, 'z']]]]
    """
    root: list[Any] = ["", {}]
    open_ = [root]
    for token in _flat(_reader().parse(text)):
        if token.nesting == 1:
            open_.append([token.tag if token.tag != "a" or _leads_out(token) else "span", _attributes(token)])
        elif token.nesting == -1:
            done = open_.pop()
            if token.hidden:
                open_[-1].extend(done[2:])
            else:
                open_[-1].append(done)
        elif node := _leaf(token):
            open_[-1].append(node)
    return root[2:]


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    reader.inline.ruler.before("escape", "formula", _formula)
    return reader


def _formula(state: StateInline, silent: bool) -> bool:
    """`$x$` and `$$x$$`; a dollar before a blank or behind a digit's price begins none."""
    source, start = state.src, state.pos
    if source[start] != "$":
        return False
    fence = "$$" if source.startswith("$$", start) else "$"
    begin = start + len(fence)
    end = source.find(fence, begin)
    while end > 0 and source[end - 1] == "\\":
        end = source.find(fence, end + 1)
    inner = source[begin:end] if end > 0 else ""
    if not inner.strip() or (fence == "$" and (inner[0].isspace() or inner[-1].isspace())):
        return False
    if not silent:
        token = state.push("formula", "math", 0)
        token.content, token.markup = inner, fence
    state.pos = end + len(fence)
    return True


def _flat(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in (token.children or [] if token.type == "inline" else [token])]


def _leads_out(token: Token) -> bool:
    return str(token.attrGet("href") or "").startswith("https://")


def _attributes(token: Token) -> dict[str, str]:
    return {"href": str(token.attrGet("href"))} if token.tag == "a" and _leads_out(token) else {}


def _leaf(token: Token) -> Node:
    if token.type == "formula":
        try:
            return to_mathml(token.content, display=token.markup == "$$")
        except UnknownFormula:  # its source says what it is
            return ["code", {}, token.content.strip()]
    if token.type in ("fence", "code_block"):
        return ["pre", {}, ["code", {}, token.content]]
    if token.type == "code_inline":
        return ["code", {}, token.content]
    if token.type == "softbreak":
        return "\n"
    return [token.tag, {}] if token.tag in ("br", "hr") else token.content
