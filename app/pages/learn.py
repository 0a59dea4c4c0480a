"""Learn: lessons in which a person says what they expect, and the recording answers."""

from __future__ import annotations

from ltviz_app.service.studio import open_studio
from ltviz_app.widgets.learn import draw_learn
from ltviz_app.widgets.style import draw_style

draw_style()
draw_learn(open_studio())
