"""The page of one's own embeddings, without a browser: what was understood, corrected, refused and opened."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import ltviz_app
import numpy as np
import pytest
import streamlit as st
from ltviz_app import words
from ltviz_app.service import studio as studio_module
from ltviz_app.widgets import understood, uploads
from streamlit.testing.v1 import AppTest

import ltviz
from ltviz.recording import list_runs

MAIN = Path(ltviz_app.__file__).parent / "main.py"
Z = np.random.default_rng(0).normal(size=(12, 3)).round(3)
HOSTILE = "<img src=x onerror=alert(1)>"
CSV = f"f0,f1,f2,species,{HOSTILE}\n" + "".join(
    f"{','.join(map(str, row))},{['cat', 'dog', ''][i % 3]},note {i}\n" for i, row in enumerate(Z)
)


@pytest.fixture
def drop(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Opens the page with files dropped on it; the one uploader is Streamlit's own but for the browser."""
    monkeypatch.setattr(studio_module, "_open", None)
    monkeypatch.setattr(studio_module, "demo_home", lambda: tmp_path / "demos")
    dropped: list[SimpleNamespace] = []
    asked: list[str] = []

    def uploader(label: str, **more) -> list[SimpleNamespace]:
        asked.append(more["key"])
        return dropped if len(set(asked)) == 1 else []  # another key: emptied

    monkeypatch.setattr(st, "file_uploader", uploader)

    def open_page(*files: tuple[str, str]) -> AppTest:
        for index, (name, text) in enumerate(files):
            data = text.encode()
            dropped.append(SimpleNamespace(name=name, file_id=f"{index}", getbuffer=lambda data=data: data))
        app = AppTest.from_file(str(MAIN), default_timeout=60).run().switch_page("pages/embeddings.py").run()
        assert not app.exception
        return app

    return open_page


def html_of(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def test_nothing_dropped_says_what_can_be(drop):
    app = drop()
    assert words.embeddings.EMPTY in [text.value for text in app.text] and not app.get("bidi_component")


def test_the_preview_says_what_was_understood_and_nothing_is_made(drop, home):
    page = html_of(drop(("pets.csv", CSV)))
    for name, value in (
        (words.embeddings.ROWS, 12),
        (words.embeddings.DIM, 3),
        (words.embeddings.CLASSES, 2),
        (words.embeddings.UNLABELLED, 4),
    ):
        assert f"<dt>{name}</dt><dd>{value}</dd>" in page
    assert "<dd>f0, f1, f2</dd>" in page and "<dd>species</dd>" in page
    assert "&lt;img src=x" in page and HOSTILE not in page, "names of columns are text"
    assert list_runs(home) == []


def test_the_button_opens_it_and_the_stage_shows_it(drop, home):
    app = drop(("pets.csv", CSV))
    (button,) = [button for button in app.button if button.label.startswith("Open")]
    app = button.click().run()
    assert not app.exception
    (run,) = list_runs(home)
    assert app.query_params["runs"] in (run.run_id, [run.run_id]) and run.info.class_names == ["cat", "dog"]
    assert len(app.get("bidi_component")) == 1
    assert "Centre sum" in html_of(app)


def test_what_was_understood_can_be_corrected_before_anything_is_made(drop, home):
    app = drop(("pets.csv", CSV))
    app.selectbox(key="emb-label").set_value(0).run()
    assert words.embeddings.NONE in html_of(app)
    app.multiselect(key="emb-vectors").set_value(["f0", "f2"]).run()
    page = html_of(app)
    assert "<dd>f0, f2</dd>" in page and f"<dt>{words.embeddings.UNLABELLED}</dt><dd>12</dd>" in page
    app.text_input(key="emb-name").set_value("two of them").run()
    next(button for button in app.button if button.label.startswith("Open two")).click().run()
    (run,) = list_runs(home)
    assert run.info.dim == 2 and run.info.num_classes == 0 and run.run_id == "two-of-them"


def test_a_refusal_is_said_with_its_line_and_what_to_name_can_be_named(drop, home):
    app = drop(("bad.csv", "f0,f1,f2,label\n3,4,.5,b\nx,4,.25,b\n3,4,.75,b\n"))
    assert "line 3" in app.error[0].value and not [b for b in app.button if b.label.startswith("Open")]
    app.text_input(key="emb-vectors-text").set_value("f1, f2").run()
    assert not app.error and "<dd>f1, f2</dd>" in html_of(app)
    assert list_runs(home) == []


def test_labels_beside_and_several_steps(drop, home):
    table = "\n".join("\t".join(map(str, row)) for row in Z)
    app = drop(("tensors.tsv", table), ("metadata.tsv", "\n".join(["a", "b"] * 6)))
    assert f"<dt>{words.embeddings.CLASSES}</dt><dd>2</dd>" in html_of(app)


def test_names_of_files_lead_nowhere(tmp_path):
    for name in ("../../etc/passwd", "/abs.csv", "a\0b.csv", "...", "", "x" * 5000 + ".csv"):
        safe = uploads._safe_name(name)
        assert "/" not in safe and "\0" not in safe and 0 < len(safe) <= 120 and safe.strip(".")
    assert uploads._safe_name("C:\\pets.csv").endswith("pets.csv")


def test_lengths_say_whether_rows_are_normalised():
    unit = Z / np.linalg.norm(Z, axis=1, keepdims=True)
    assert understood._lengths(unit.astype(np.float32)) == words.embeddings.UNIT
    assert "not normalised" in understood._lengths(Z.astype(np.float32))


def test_the_measuring_of_many_points_can_be_stopped_and_states_its_error(home, monkeypatch):
    monkeypatch.setattr("ltviz_app.widgets.opened.MOST_MEASURED", 30)
    monkeypatch.setattr("ltviz.recording.estimate.estimate.__defaults__", (30, lambda share: None))
    labels = np.arange(90) % 3
    with ltviz.record(home / "many", labels=labels) as run:
        run.frame(0, embeddings=np.eye(3)[labels] + np.random.default_rng(0).normal(size=(90, 3)) / 9)
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    app.query_params["runs"] = "many"
    app.session_state["emb-stopped"] = True
    monkeypatch.setattr(studio_module, "_open", None)
    app = app.run().switch_page("pages/embeddings.py").run()
    app.query_params["runs"] = "many"
    app = app.run()
    page = html_of(app)
    assert not app.exception and "Uniformity of centres" not in page
    assert words.embeddings.STOPPED in [caption.value for caption in app.caption]
    (button,) = [button for button in app.button if button.label == words.embeddings.MEASURE]
    app = button.click().run()
    page = html_of(app)
    assert not app.exception and "±" in page.split("Uniformity of centres")[1].split("</dd>")[0]
    assert "±" not in page.split("<dt")[1], "measured of all when it was written"
    assert not [button for button in app.button if button.label == words.embeddings.STOP], "done"
