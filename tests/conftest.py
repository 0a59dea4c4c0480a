"""What every test shares: one thread for the mathematics, a run home of its own, no browser skipped in CI."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ltviz.errors import ConfigError

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
# Trainers of tests make no room for whoever else fills the machine, such as the other half of the tests.
os.environ.setdefault("LTVIZ_NICENESS", "0")

GOLDEN = Path(__file__).parent / "golden"
SHOWCASE = Path(__file__).parent / "plugins" / "showcase"

WATCHES = ("app", "browser", "integrations")
"""Folders whose tests wait for pages, browsers and servers."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--half", choices=["watches", "computes"], help="only tests that wait for pages, or all others")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of a half, files that are all the other one's are not even imported: that alone takes a third of a minute."""
    half = config.getoption("--half")
    if half is None or collection_path.suffix != ".py":
        return None
    watches = collection_path.relative_to(Path(__file__).parent).parts[0] in WATCHES
    if half == "computes":
        return watches or None
    return None if watches or may_use_browser(collection_path) else True


def may_use_browser(path: Path) -> bool:
    """Whether a test file names the browser, or a conftest of its folders below this one does, whose fixtures may."""
    root = Path(__file__).parent
    shared = (folder / "conftest.py" for folder in path.parents if root in folder.parents)
    return any(b"browser" in file.read_bytes() for file in (path, *shared) if file.exists())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Two processes may share the tests: one has all that wait for a page, so that no two browsers are in its way."""
    half = config.getoption("--half")
    if half is None:
        return
    here = Path(__file__).parent
    parts: dict[bool, list[pytest.Item]] = {True: [], False: []}
    for item in items:
        watches = item.path.relative_to(here).parts[0] in WATCHES or "browser" in getattr(item, "fixturenames", ())
        parts[watches].append(item)
    items[:] = parts[half == "watches"]
    config.hook.pytest_deselected(items=parts[half != "watches"])


@pytest.fixture
def nightly() -> bool:
    """Whether the long versions of tests are run: LTVIZ_NIGHTLY=1."""
    return os.environ.get("LTVIZ_NIGHTLY") == "1"


@pytest.fixture
def golden() -> Path:
    """Folder of values computed by the papers' official code, one sub-folder each."""
    return GOLDEN


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of run folders, in force as LTVIZ_HOME."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    monkeypatch.setenv("LTVIZ_HOME", str(folder))
    return folder


@pytest.fixture
def showcase(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of a method of another package, installed while the test runs, in processes that it starts too."""
    from ltviz.methods import registry

    monkeypatch.syspath_prepend(str(SHOWCASE))
    paths = [str(SHOWCASE), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    registry.METHODS.forget()
    yield "showcase"
    registry.METHODS.forget()
    sys.modules.pop("ltviz_showcase", None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One headless chromium for all pages under test; without one a test is skipped with the reason.

    Where LTVIZ_REQUIRE_BROWSER=1 it fails instead.
    """
    from ltviz.bench import served

    session = served.browser()
    try:
        chromium = session.__enter__()
    except ConfigError as missing:
        if os.environ.get("LTVIZ_REQUIRE_BROWSER") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    yield _patient(chromium)
    session.__exit__(None, None, None)


PATIENCE_MS = 60_000
"""How long a page is waited for where a test does not say: twice playwright's own, for machines that do much else."""


def _patient(chromium: Any) -> Any:
    def make(open_one: Callable[..., Any], **more: Any) -> Any:
        opened = open_one(**more)
        opened.set_default_timeout(PATIENCE_MS)
        return opened

    chromium.new_page = partial(make, chromium.new_page)
    chromium.new_context = partial(make, chromium.new_context)
    return chromium


REGISTRIES = {
    "ltviz.methods.registry": "METHODS",
    "ltviz.data.registry": "SOURCES",
    "ltviz.data.views.registry": "POLICIES",
    "ltviz.encoders.registry": "ENCODERS",
    "ltviz.metrics.registry": "MEASUREMENTS",
    "ltviz.projection.registry": "REGISTRY",
}
"""Those that read entry points, by module: one that nobody imported needs no telling."""


def _read_plugins_anew() -> None:
    for module, name in REGISTRIES.items():
        if module in sys.modules:
            getattr(sys.modules[module], name).forget()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Installs a package while the test runs, in processes that it starts too:
    install("name", source, {"ltviz.metrics": {"mine": "name:mine"}}) gives the folder on the path."""
    names = []

    def make(name: str, source: str, points: dict[str, dict[str, str]]) -> Path:
        site = tmp_path / f"site-{name}"
        about = site / f"{name}-1.0.dist-info"
        about.mkdir(parents=True)
        (site / f"{name}.py").write_text(source, encoding="utf-8")
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = (f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in held.items()) for group, held in points.items())
        (about / "entry_points.txt").write_text("".join(lines))
        monkeypatch.syspath_prepend(str(site))
        paths = [str(site), os.environ.get("PYTHONPATH", "")]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        names.append(name)
        _read_plugins_anew()
        return site

    yield make
    for name in names:
        sys.modules.pop(name, None)
    monkeypatch.undo()
    _read_plugins_anew()
