"""What a lesson may say: Markdown and plain formulas; no HTML, no pictures from elsewhere, no links but to pages."""

from __future__ import annotations

import re

_TAG = re.compile(r"<[A-Za-z/!?]")
# A name in brackets has up to 999 characters, and may hold brackets behind backslashes: CommonMark, "link label".
_LINK = re.compile(r"\]\s*\(\s*<?([^)\s>]*)|^\s{0,3}\[(?:[^\]\\]|\\[\s\S]){1,999}\]:\s*<?(\S+)", re.MULTILINE)
# Of what formulas know: what names anew, and may do so without end; lengths, which lay a formula over the page; links.
_COMMAND = re.compile(
    r"\\(def|[egx]def|(re|provide)?newcommand|let|futurelet|global|rule|[mh]?kern|[mhv]skip|[hv]space|raisebox|"
    r"href|url|includegraphics|html[A-Z][a-z]+)(?![A-Za-z])"
)
_GOOD = re.compile(r"(https://|/(compare|geometry|embeddings|learn)?(\?|#|$))")
# Everything below a space but tab and line feed, and what turns the direction of text around unseen.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]")


def check_plain(text: str) -> str:
    """Why a lesson may not say this, as the end of a sentence; "" where it may.

    Example:
        >>> check_plain("2 < 3 and $x$"), check_plain("[x](https://arxiv.org/abs/2004.11362)")
        ('', '')
        >>> check_plain("<b>bold</b>")
        "must be Markdown without HTML, got '<b>bold</b>'; put a space behind a plain <"
    """
    if found := _TAG.search(text):
        return f"must be Markdown without HTML, got {text[found.start() :][:24]!r}; put a space behind a plain <"
    if found := _CONTROL.search(text):
        return f"must not hold the control character U+{ord(found.group()):04X}"
    if found := _COMMAND.search(text):
        return f"must not hold {found.group()}; a formula sets signs, and neither lengths, links nor names of its own"
    if "![" in text:
        return "must not hold pictures; the stage is the picture"
    for whole in _LINK.finditer(text):
        target = whole.group(1) or whole.group(2) or ""
        if not _GOOD.match(target):
            return f"must link to https:// or to a page of the app such as /geometry?classes=4, got {target[:40]!r}"
    return ""
