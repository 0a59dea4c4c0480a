"""Text from outside as people may be shown it, and TOML from outside as it may be read."""

from __future__ import annotations

import re
import tomllib
from typing import Any

_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What moves a terminal's cursor or colours, and what turns the order in which letters are drawn."""
_SPACE = re.compile("[\t\n\v\f\r\u2028\u2029]")
DEEPEST_KEY = 32
"""Parts of one dotted key. The time that tomllib takes grows with the square of them."""
_PART = r"[\w\"'-]+"
_DEEP = re.compile(rf"(?<![\w\"'-])(?:{_PART}[ \t]*\.[ \t]*){{{DEEPEST_KEY}}}")


def plain(text: str, *, lines: bool = False) -> str:
    """`text` without what a terminal or a page would obey instead of showing it: each such character becomes U+FFFD,
    line ends and tabs a space, where `lines` does not keep them.

    >>> plain("\\x1b[31mred"), plain("\\u202elive"), plain("two\\nlines"), plain("two\\nlines", lines=True)
    ('\\ufffd[31mred', '\\ufffdlive', 'two lines', 'two\\nlines')
    """
    text = text if text.isascii() and text.isprintable() else _CONTROL.sub("\ufffd", text)
    return text if lines else _SPACE.sub(" ", text)


def parse_toml(text: str) -> dict[str, Any]:
    """The values of a TOML text.

    Raises:
        ValueError: it is no TOML, or has keys so deep that reading them would take for ever.
    """
    if _DEEP.search(text):
        raise ValueError(f"a key may have {DEEPEST_KEY} parts, and this one has more")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("its values are nested too deeply") from error
