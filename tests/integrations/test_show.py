"""`ltviz.show` where no widget can live, what it takes for a run, and what a widget of it does (where anywidget is)."""

from __future__ import annotations

import html
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ltviz
from ltviz.errors import ConfigError
from ltviz.integrations import notebook
from ltviz.integrations.runs import run_folders

LABELS = np.arange(30) % 3


def write(path: Path, *steps: int) -> Path:
    with ltviz.record(path, labels=LABELS, class_names=["</script><b>", "two", "three"]) as run:
        for step in steps:
            run.frame(step, embeddings=np.random.default_rng(step).normal(size=(30, 3)))
    return path


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without anywidget."""
    monkeypatch.setattr(notebook, "find_spec", lambda name: None)


def test_without_anywidget_it_is_a_replay_that_says_how_to_get_the_widget(bare: None, tmp_path: Path) -> None:
    shown = ltviz.show(write(tmp_path / "my-run", 0, 5))
    assert "my-run" in repr(shown) and 'pip install "ltviz[notebook]"' in repr(shown)
    page = shown._repr_html_()
    assert page.startswith("<p>This is a replay") and "pip install &quot;ltviz[notebook]&quot;" in page
    (inside,) = re.findall(r'<iframe [^>]*srcdoc="([^"]*)"></iframe>$', page)
    assert 'sandbox="allow-scripts allow-downloads"' in page and html.unescape(inside).startswith("<!DOCTYPE html>")
    assert '"guest":true' in html.unescape(inside), "the address is the notebook's"
    with pytest.raises(ConfigError, match=r"pip install"):
        ltviz.show(tmp_path / "my-run", widget=True)


def test_a_replay_of_nothing_is_a_sentence(tmp_path: Path) -> None:
    shown = ltviz.show(tmp_path / "not-yet", widget=False)
    assert re.fullmatch(r"<p>A replay needs .* frames.*</p>", shown._repr_html_())
    assert "pip" not in repr(shown), "who asks for a replay needs no advice"
    with pytest.raises(ConfigError, match="takes no step"):
        ltviz.show(tmp_path / "not-yet", widget=False, step=3)


def test_a_run_is_a_path_an_id_or_a_recording(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own, other = write(home / "my-run", 0), write(tmp_path / "elsewhere" / "My Run", 0)
    assert run_folders("my-run") == {"my-run": own}
    assert run_folders(ltviz.Recording(own)) == {"my-run": own}
    assert run_folders([own, other, str(other)]) == {"my-run": own, "my-run-2": other, "my-run-3": other}
    assert run_folders("to-come") == {"to-come": tmp_path / "to-come"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "at least one run"),
        (3, "must be a path"),
        ([3], "got int"),
        ("no/such/folder/run", "can be neither"),
        (__file__, "can be neither"),
    ],
)
def test_what_can_be_no_run_is_refused(given: Any, said: str, home: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        ltviz.show(given)


def test_a_folder_of_runs_is_not_one(home: Path) -> None:
    write(home / "my-run", 0)
    with pytest.raises(ConfigError, match=r"holds several; try .*my-run"):
        ltviz.show(home)


def test_showing_imports_neither_torch_nor_streamlit(tmp_path: Path) -> None:
    code = (
        "import sys, ltviz; assert 'numpy' not in sys.modules; "
        f"ltviz.show({str(write(tmp_path / 'my-run', 0))!r}, widget=False)._repr_html_(); "
        "sys.exit(', '.join({'torch', 'streamlit', 'sklearn', 'umap'} & sys.modules.keys()) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)


needs_anywidget = pytest.mark.skipif(find_spec("anywidget") is None, reason="anywidget is not installed")


@pytest.fixture
def widget(tmp_path: Path) -> Iterator[Any]:
    found = ltviz.show(write(tmp_path / "my-run", 0, 5, 10), selection=np.array([3, 1]), camera={"yaw": np.float32(1)})
    yield found
    found.close()


def parcel(widget: Any, n: int) -> dict[str, Any]:
    limit = time.monotonic() + 60
    while widget._parcel["n"] < n:
        assert time.monotonic() < limit
        time.sleep(0.02)
    return widget._parcel


@needs_anywidget
def test_a_widget_is_fed_and_feeds_again_who_has_lost_something(widget: Any) -> None:
    assert widget._data["runs"] == ["my-run"] and widget._data["guest"]
    assert parcel(widget, 1)["runs"][0]["steps"] == [0, 5, 10], "it begins by itself where the kernel hears nobody"
    widget._handle_custom_msg({"have": 0}, [])
    again = parcel(widget, 2)
    assert again["anew"] and again["runs"][0]["steps"] == [0, 5, 10]


@needs_anywidget
def test_a_widgets_traits_take_numpy_and_refuse_nonsense(widget: Any) -> None:
    assert (widget.selection, widget.camera, widget.step) == ([1, 3], {"yaw": 1.0}, None)
    refused = pytest.importorskip("traitlets").TraitError
    for name, nonsense in {"step": "one", "selection": ["a"], "camera": {"yaw": "left"}, "layers": {"caps": 3}}.items():
        with pytest.raises(refused, match=name):
            setattr(widget, name, nonsense)
    assert "<iframe" in widget._repr_html_()
    with pytest.raises(TypeError, match="colour"):
        ltviz.show("anything", colour="red")
