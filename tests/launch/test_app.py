"""Finding the app and the demo recordings, in a checkout and in an installed package."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ltviz.errors import LtvizError
from ltviz.launch import app


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An `ltviz` folder somewhere else, and no app loaded."""
    folder = tmp_path / "site-packages" / "ltviz"
    folder.mkdir(parents=True)
    monkeypatch.setattr(app, "_PACKAGE", folder)
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == app.NAME}
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == app.NAME]:
        del sys.modules[name]
    sys.modules.update(before)


def make_app(folder: Path, word: str) -> None:
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "words.py").write_text(f"WORD = {word!r}\n")
    (folder / "server.py").write_text("from ltviz_app.words import WORD\n")


def test_the_app_is_loaded_under_its_own_name_wherever_it_lies(package: Path) -> None:
    make_app(package.parent / "app", "checkout")
    other = sys.modules.get("app")  # what other tests of this process have imported
    module = app.load_app()
    assert module.__name__ == "ltviz_app" and app.load_app() is module
    from ltviz_app import server  # type: ignore[import-not-found]

    assert server.WORD == "checkout" and sys.modules.get("app") is other


def test_the_installed_app_goes_before_a_folder_beside_the_package(package: Path) -> None:
    make_app(package.parent / "app", "checkout")
    make_app(package / "_app", "wheel")
    assert app.app_folder() == package / "_app"


def test_an_installation_without_the_app_says_where_it_looked(package: Path) -> None:
    with pytest.raises(LtvizError, match="reinstall") as caught:
        app.load_app()
    assert str(package / "_app") in str(caught.value)


def test_an_app_that_breaks_at_import_leaves_nothing_loaded(package: Path) -> None:
    make_app(package / "_app", "x")
    (package / "_app" / "__init__.py").write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        app.load_app()
    assert "ltviz_app" not in sys.modules


def test_demos_are_found_in_either_place_and_need_a_run(package: Path) -> None:
    assert app.demo_home() is None
    (package.parent / "checkpoints" / "demo-ce").mkdir(parents=True)
    assert app.demo_home() is None, "a folder without a run is no demo"
    (package.parent / "checkpoints" / "demo-ce" / "run.json").write_text("{}")
    assert app.demo_home() == package.parent / "checkpoints"
    (package / "_demo" / "demo-ce").mkdir(parents=True)
    (package / "_demo" / "demo-ce" / "run.json").write_text("{}")
    assert app.demo_home() == package / "_demo"
