"""`ltviz.show(runs)`: the stage in a notebook, live while a run is written."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from ltviz.errors import ConfigError
from ltviz.integrations.replayed import Replayed
from ltviz.integrations.runs import Runs, run_folders

PIP_LINE = 'pip install "ltviz[notebook]"'
NO_WIDGET = f"This is a replay of what was recorded. For the live stage, which Python can steer: {PIP_LINE}"


def show(
    runs: Runs,
    *,
    projection: str | None = None,
    widget: bool | None = None,
    **seen: Any,
) -> Any:
    """The stage of one or several runs, for the last line of a cell in Jupyter, marimo or VS Code.

    It follows a run while it is written, whoever writes it: another process, or the next cell of this notebook. Frames
    go to the browser once and stay there, so that time can be walked while the kernel is busy.

    Args:
        runs: a run folder, which need not be there yet, the id of a run in `ltviz.recording.checkpoints_home()`, an
            `ltviz.Recording`, or several of these: one panel a run.
        projection: how more than three dimensions are shown: "centres", "pca", "umap", ...; None takes the usual one.
        widget: False gives a replay in plain HTML, which stays in the saved notebook; None gives one too where
            anywidget is not installed, True raises there.
        **seen: where the stage begins: `step`, `selection`, `camera` and `layers`, as below.

    Returns:
        A widget whose traits say what is seen, and change it when they are set:

        step: the step held; while time moves, the one on screen, told once a second. None lets time move: a live run
            is followed, a finished one plays.
        selection: list of sample ids, empty where nothing is selected.
        camera: dict with yaw and pitch in radians, and distance from eye to centre in sphere radii.
        layers: dict, name of a layer -> whether it is on. Those that are not named stay as they are.

        `widget.observe(f, "selection")` calls f at every change. Changes in the browser arrive between two cells.

    Raises:
        ConfigError: a path where no run can be, an unknown projection, or no anywidget where `widget=True`.

    Example:
        stage = ltviz.show(["checkpoints/supcon", "checkpoints/bcl"])
        stage                      # the last line of a cell
        stage.step = 200           # in another cell
        images[stage.selection]
    """
    folders = run_folders(runs)
    can = find_spec("anywidget") is not None
    if widget and not can:
        raise ConfigError(f"a widget needs anywidget, which is not installed; try {PIP_LINE}")
    if widget is False or not can:
        if seen and widget is False:
            raise ConfigError(f"a replay takes no {', '.join(seen)}; leave out widget=False")
        return Replayed(folders, projection, "" if widget is False else NO_WIDGET)
    from ltviz.integrations.widget import StageWidget

    return StageWidget(folders, projection, **seen)
