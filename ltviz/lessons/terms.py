r"""Terms of a formula that are arrows on the stage: `\term{pull}{z_i \cdot z_p}` in a lesson's text.

A term has the colour of its arrows. Who sets formulas writes it as `coloured` does; the page finds a term by its
colour, and lights its arrows while the pointer or the focus is on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

TERMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "pull": ("#009e73", ("positives",)),
    "push": ("#0072b2", ("head", "medium", "tail")),
    "head": ("#0072b3", ("head",)),
    "medium": ("#e69f00", ("medium",)),
    "tail": ("#d55e00", ("tail",)),
    "targets": ("#cc79a7", ("targets",)),
    "prior": ("#56b4e9", ("prior",)),
}
"""Name -> colour, #rrggbb, and the parts of a force that it stands for, as frames and the stage call them. No two have
one colour."""

_TERM = re.compile(r"\\term(?![A-Za-z])")
_NAME = re.compile(r"\s*\{([^{}]{0,40})\}\s*\{")


def check_terms(text: str) -> str:
    r"""Why the terms of a text are none, as the end of a sentence; "" where all are.

    Example:
        >>> check_terms(r"$\term{pull}{e^{x}}$"), check_terms(r"$\term{wind}{x}$")
        ('', "knows the terms pull, push, head, medium, tail, targets, prior, got 'wind'")
    """
    try:
        coloured(text)
    except ValueError as error:
        return str(error)
    return ""


def terms_in(text: str) -> tuple[str, ...]:
    r"""Names of the terms, each once, in order.

    Example:
        >>> terms_in(r"$\frac{\term{pull}{a}}{\term{push}{b} + \term{pull}{c}}$")
        ('pull', 'push')
    """
    return tuple(dict.fromkeys(name for name, _ in _pieces(text) if name))


def coloured(text: str, write: Callable[[str, str], str] | None = None) -> str:
    r"""The text with each term in its colour, as KaTeX and every TeX with colours read it.

    Args:
        write: gives what stands for a term, of its name and its body; the usual is \textcolor.

    Raises:
        ValueError: a term that is none; the end of a sentence.

    Example:
        >>> coloured(r"$\term{pull}{e^{x}}$")
        '$\\textcolor{#009e73}{{e^{x}}}$'
    """
    # The second pair of braces makes one element of what KaTeX would colour sign by sign.
    write = write or (lambda name, body: f"\\textcolor{{{TERMS[name][0]}}}{{{{{body}}}}}")
    return "".join(write(name, coloured(body, write)) if name else body for name, body in _pieces(text))


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """A text as its terms, (name, body), and what stands between them, ("", text)."""
    end = 0
    while found := _TERM.search(text, end):
        yield "", text[end : found.start()]
        opening = _NAME.match(text, found.end())
        if opening is None:
            raise ValueError(rf"must write a term as \term{{pull}}{{...}}, got {text[found.start() :][:24]!r}")
        if (name := opening.group(1).strip()) not in TERMS:
            raise ValueError(f"knows the terms {', '.join(TERMS)}, got {name!r}")
        end = _closing(text, opening.end())
        yield name, text[opening.end() : end - 1]
    yield "", text[end:]


def _closing(text: str, start: int) -> int:
    """Index behind the brace that closes the one before `start`."""
    depth, at = 1, start
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] in "{}":
            depth += 1 if text[at] == "{" else -1
            if depth == 0:
                return at + 1
        at += 1
    raise ValueError(f"must close the brace of each term, got {text[start:][:24]!r}")
