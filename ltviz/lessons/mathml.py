"""Formulas as MathML, which browsers draw by themselves: the part of LaTeX that lessons and papers' losses need.

What is not known here is refused, so that whoever shows it can show its source instead: a formula is never half there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

Node = list[Any]
"""[tag, attributes, *children], where a child is a node or text."""

MOST_DEPTH = 30

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_SIGNS: Mapping[str, str] = {
    "cdot": "⋅", "times": "×", "in": "∈", "notin": "∉", "ne": "≠", "neq": "≠", "le": "≤", "leq": "≤", "ge": "≥",
    "geq": "≥", "approx": "≈", "propto": "∝", "sim": "∼", "to": "→", "rightarrow": "→", "mid": "∣", "pm": "±",
    "cup": "∪", "cap": "∩", "setminus": "∖", "subset": "⊂", "equiv": "≡", "ll": "≪", "gg": "≫", "perp": "⊥",
    "top": "⊤", "nabla": "∇", "partial": "∂", "forall": "∀", "infty": "∞", "odot": "⊙", "otimes": "⊗", "oplus": "⊕",
    "dots": "…", "ldots": "…", "cdots": "⋯", "colon": ":", "langle": "⟨", "rangle": "⟩", "lVert": "‖", "rVert": "‖",
    "Vert": "‖", "vert": "|", "lvert": "|", "rvert": "|", "|": "‖", "{": "{", "}": "}", "%": "%", "&": "&", "_": "_",
    "#": "#", "$": "$",
}  # fmt: skip
_LETTERS = {"infty", "top", "nabla", "partial"}
_BIG = {"sum": "∑", "prod": "∏", "int": "∫"}
_NAMES = ("log", "ln", "exp", "cos", "sin", "tan", "arccos", "arg", "dim", "max", "min", "sup", "inf", "lim", "det")
_UNDER = {"max", "min", "sup", "inf", "lim"}
_SPACES = {",": "0.17em", ":": "0.22em", ";": "0.28em", " ": "0.3em", "!": "0em", "quad": "1em", "qquad": "2em"}
_ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "vec": "→", "dot": "˙", "overline": "¯", "widehat": "^"}
_STYLES = {"mathbf": "BOLD", "boldsymbol": "BOLD", "mathcal": "SCRIPT", "mathbb": "DOUBLE-STRUCK"}
_SPELT = {"lambda": "LAMDA", "Lambda": "LAMDA", "varepsilon": "EPSILON", "varphi": "PHI"}


class UnknownFormula(ValueError):
    """What a formula holds that is not known here."""


def to_mathml(source: str, *, display: bool = False) -> Node:
    """A formula's tree.

    Args:
        source: LaTeX, without its dollars.
        display: it stands by itself, as `$$` says.

    Raises:
        UnknownFormula: it holds what is not known here, or does not close what it opens.

    Example:
        >>> to_mathml("z_i")
        ['math', {}, ['msub', {}, ['mi', {}, 'z'], ['mi', {}, 'i']]]
    """
    reader = _Reader(_TOKEN.findall(source))
    children = reader.row(None)
    return ["math", {"display": "block"} if display else {}, *children]


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = [token for token in tokens if not token.isspace()]
        self.spaced = tokens
        self.at = 0
        self.depth = 0

    def row(self, end: str | None) -> list[Node]:
        """What stands before `end`, which is taken; None: before the end of all."""
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise UnknownFormula("it is nested too deep")
        found: list[Node] = []
        while True:
            token = self.peek()
            if token == end:
                self.at += token is not None
                self.depth -= 1
                return found
            if token is None or token in ("}", r"\right", "&", r"\\"):
                raise UnknownFormula(f"{token or 'its end'} comes where {end or 'nothing'} was to come")
            found.append(self.scripted())

    def peek(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self) -> str:
        token = self.peek()
        if token is None:
            raise UnknownFormula("it ends too early")
        self.at += 1
        return token

    def group(self) -> Node:
        """What a command takes: braces, or one sign."""
        if self.peek() == "{":
            self.take()
            inner = self.row("}")
            return inner[0] if len(inner) == 1 else ["mrow", {}, *inner]
        return self.atom()

    def scripted(self) -> Node:
        base = self.atom()
        low = high = None
        while (token := self.peek()) in ("_", "^", "'"):
            self.take()
            if token == "_" and low is None:
                low = self.group()
            elif token != "_" and high is None:
                high = ["mo", {}, "′"] if token == "'" else self.group()
            else:
                raise UnknownFormula("it has two scripts in one place")
        if low is None and high is None:
            return base
        beside = not (base[0] == "mo" and base[-1] in "∑∏") and not (base[0] == "mi" and base[-1] in _UNDER)
        tags = ("msub", "msup", "msubsup") if beside else ("munder", "mover", "munderover")
        tag = tags[2] if low and high else tags[0] if low else tags[1]
        return [tag, {}, base, *(part for part in (low, high) if part)]

    def atom(self) -> Node:
        token = self.take()
        if token == "{":
            return ["mrow", {}, *self.row("}")]
        if token.startswith("\\"):
            return self.command(token[1:])
        if token[0].isdigit():
            return ["mn", {}, token]
        if token.isalpha():
            return ["mi", {}, token]
        if token in "_^}&#%$~":
            raise UnknownFormula(f"{token} stands where it means nothing")
        return ["mo", {"stretchy": "false"} if token in "()[]|" else {}, "−" if token == "-" else token]

    def command(self, name: str) -> Node:
        if name in ("frac", "dfrac", "tfrac"):
            return ["mfrac", {}, self.group(), self.group()]
        if name == "sqrt":
            return ["msqrt", {}, self.group()]
        if name in ("text", "mathrm", "operatorname", "textrm"):
            return ["mtext" if name.startswith("text") else "mi", {"mathvariant": "normal"}, self.text()]
        if name == "term":
            return ["mrow", {"data-term": self.text()}, self.group()]
        if name in _ACCENTS:
            return ["mover", {"accent": "true"}, self.group(), ["mo", {"stretchy": "false"}, _ACCENTS[name]]]
        if name in _STYLES:
            return _styled(self.group(), _STYLES[name])
        if name == "left":
            return self.fenced()
        if name in _SPACES:
            return ["mspace", {"width": _SPACES[name]}]
        if name in _NAMES:
            return ["mi", {}, name]
        if name in _BIG:
            return ["mo", {}, _BIG[name]]
        if name in _SIGNS:
            return [
                "mi" if name in _LETTERS else "mo",
                {"mathvariant": "normal"} if name in _LETTERS else {},
                _SIGNS[name],
            ]
        return ["mi", {}, _greek(name)]

    def fenced(self) -> Node:
        opening = self.fence()
        inner = self.row(r"\right")
        closing = self.fence()
        signs = [["mo", {"stretchy": "true", "fence": "true"}, sign] if sign else None for sign in (opening, closing)]
        return ["mrow", {}, *([signs[0]] if signs[0] else []), *inner, *([signs[1]] if signs[1] else [])]

    def fence(self) -> str:
        token = self.take()
        if token == ".":
            return ""
        sign = _SIGNS.get(token[1:], "") if token.startswith("\\") else token
        if sign not in ("(", ")", "[", "]", "|", "‖", "{", "}", "⟨", "⟩"):
            raise UnknownFormula(f"{token} is no bracket")
        return sign

    def text(self) -> str:
        """The words in braces, with their blanks."""
        before = sum(1 for token in self.tokens[: self.at])
        if self.take() != "{":
            raise UnknownFormula("words stand in braces")
        seen, place = 0, 0
        while seen <= before:  # the same brace among the tokens that still have their blanks
            seen += not self.spaced[place].isspace()
            place += 1
        words = []
        while place < len(self.spaced) and self.spaced[place] != "}":
            if self.spaced[place][0] in "\\{$":
                raise UnknownFormula("words hold no commands")
            words.append(self.spaced[place])
            place += 1
        self.at += sum(not word.isspace() for word in words)
        if self.take() != "}":
            raise UnknownFormula("words have no end")
        return "".join(words).replace(" ", "\u00a0")


def _greek(name: str) -> str:
    size = "CAPITAL" if name[0].isupper() else "SMALL"
    try:
        return unicodedata.lookup(f"GREEK {size} LETTER {_SPELT.get(name, name).upper()}")
    except KeyError:
        raise UnknownFormula(rf"\{name} is not known here") from None


def _styled(node: Node, style: str) -> Node:
    if node[0] not in ("mi", "mn") or len(node[-1]) != 1:
        return node
    letter = unicodedata.name(node[-1], "").replace("LATIN ", "").replace(" LETTER", "").replace("DIGIT", "DIGIT")
    for name in (f"MATHEMATICAL {style} {letter}", f"{style} {letter}"):
        try:
            return [node[0], {}, unicodedata.lookup(name)]
        except KeyError:
            continue
    return node
