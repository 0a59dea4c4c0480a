"""Finds the app and the demo recordings: in the installed package, or beside it in a checkout."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import ltviz
from ltviz.errors import LtvizError

NAME = "ltviz_app"
_PACKAGE = Path(ltviz.__file__).parent


def app_folder() -> Path:
    """The folder of the Streamlit app.

    Raises:
        LtvizError: it is in neither place.
    """
    places = (_PACKAGE / "_app", _PACKAGE.parent / "app")
    for place in places:
        if (place / "__init__.py").is_file():
            return place
    raise LtvizError(
        f"`ltviz app` needs the app's files, but they are neither in {places[0]} nor in {places[1]}; reinstall"
    )


def load_app() -> ModuleType:
    """The app as package `ltviz_app`: one name in any installation, and nothing called `app` on the import path."""
    if NAME in sys.modules:
        return sys.modules[NAME]
    folder = app_folder()
    spec = importlib.util.spec_from_file_location(
        NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[NAME]
        raise
    return module


def demo_home() -> Path | None:
    """The folder whose `demo-*` runs the app plays while there is nothing else; None where there are none."""
    for place in (_PACKAGE / "_demo", _PACKAGE.parent / "checkpoints"):
        if any(place.glob("demo-*/run.json")):
            return place
    return None
