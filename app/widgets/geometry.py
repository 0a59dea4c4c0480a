"""Mounts the geometry lab: one component, which needs nothing of the server once its modules are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamlit.components.v2 import component

from ..service.lab import lab_data
from .reduced import told
from .viewer import loader, theme

ENTRY = "geometry.js"


def draw_lab(lesson: Mapping[str, Any] | None = None) -> None:
    """The lab; what is set in it stands in the page's address, or in `lesson`: its `search` and its `scene`, see
    app/stage/lab/lab.js. A lesson's lab has no form."""
    given = {} if lesson is None else {"lesson": dict(lesson)}
    view = "geometry" if lesson is None else "learn"
    component("ltviz_geometry", js=loader(ENTRY))(key="geometry", data=lab_data(theme()) | given | told(view))
