"""Geometry: forces without a network, computed in the browser."""

from __future__ import annotations

from ltviz_app.service.studio import open_studio
from ltviz_app.widgets.classroom import draw_class
from ltviz_app.widgets.geometry import draw_lab
from ltviz_app.widgets.style import draw_style

draw_style()
draw_class(open_studio(), "geometry")
draw_lab()
