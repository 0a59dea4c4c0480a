"""Evidence: what measures can be believed, and which published results come out here."""

from __future__ import annotations

import streamlit as st
from ltviz_app import words
from ltviz_app.service.studio import open_studio
from ltviz_app.widgets.court import draw_court
from ltviz_app.widgets.museum import draw_museum
from ltviz_app.widgets.style import draw_style

PART = "part"  # in the address: which of `words.evidence.PARTS`

studio = open_studio()
draw_style()
parts = list(words.evidence.PARTS)
asked = st.query_params.get(PART)
part = st.segmented_control(
    words.evidence.PART,
    parts,
    default=asked if asked in parts else parts[0],
    required=True,
    format_func=words.evidence.PARTS.__getitem__,
    key="evidence-part",
    label_visibility="collapsed",
)
if part == parts[1]:
    st.query_params[PART] = parts[1]
    draw_museum(studio)
else:
    st.query_params.pop(PART, None)
    draw_court()
