"""The words of a lesson's picture, for those who do not see it, and for those who want numbers."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from .. import words
from .reduced import is_hidden


def draw_told(lines: Sequence[str]) -> None:
    """Folded away beneath the picture."""
    if is_hidden("words"):
        return
    said = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    st.html(f'<details class="ltviz-words"><summary>{html.escape(words.learn.PICTURE)}</summary>{said}</details>')
