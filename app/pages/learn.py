"""Learn: lessons in which a person says what they expect, and the recording answers."""

from __future__ import annotations

import streamlit as st
from ltviz_app.service.studio import open_studio
from ltviz_app.widgets.classroom import draw_class, draw_lead
from ltviz_app.widgets.learn import draw_learn
from ltviz_app.widgets.style import draw_style

studio = open_studio()
draw_style()
above = st.container()
taught = draw_learn(studio)
with above:
    draw_class(studio, "learn", taught.place, ask=taught.ask, answer=taught.answer)
draw_lead(studio)
