"""What the lab says before Train: the classes, a few images, what would be trained, and what is missing for it."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import pytest
from ltviz_app import words
from ltviz_app.service import previews as previews_module
from ltviz_app.service import studio as studio_module
from PIL import Image
from streamlit.testing.v1 import AppTest

from ltviz import launch
from ltviz.errors import DataError
from ltviz.launch.app import load_app
from ltviz.training.settings import RunSettings

MAIN = Path(load_app().__file__).parent / "main.py"


@pytest.fixture(autouse=True)
def fresh(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_module, "_open", None)
    monkeypatch.setattr(studio_module, "demo_home", lambda: tmp_path / "demos")


def lab(data: str | None = None) -> AppTest:
    app = AppTest.from_file(str(MAIN), default_timeout=60).run()
    if data is not None:
        app.selectbox(key="race-data").select(data).run()
    assert not app.exception
    return app


def told(app: AppTest) -> str:
    return "\n".join(re.sub(r"\\(.)", r"\1", caption.value) for caption in app.sidebar.caption)


def samples(app: AppTest) -> list[str]:
    """The text in place of each strip of images."""
    bodies = [element.proto.body for element in app.get("html")]
    strip = re.compile(r'<img src="data:image/png;base64,[^"]+" alt="([^"]*)"')
    return [text for body in bodies for text in strip.findall(body)]


def chart(app: AppTest) -> dict:
    (found,) = [json.loads(one.proto.spec) for one in app.get("plotly_chart") if "race-counts" in one.proto.id]
    return found


def test_digits_are_shown_with_their_counts_images_and_what_train_would_do():
    app = lab()
    figure = chart(app)
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert [trace["name"] for trace in figure["data"]][-1] == "test"
    assert samples(app) == [
        "6 of the 120 training images of class 0",
        "6 of the 77 training images of class 7",
        "Class 2, all 3",
        "Class 4, all 2",
    ]
    said = told(app)
    assert "5 methods train mlp to 3 dimensions: AdamW, rate 0.002 along a cosine, views by affine." in said
    assert "300 steps of 64: 19,200 samples, in as many views as a method needs (58 times the training set)." in said
    assert "All inputs take about 0.1 MB" in said and words.lab.PLAN_TIME in said
    assert (
        "Parameters of mlp: 25,344, with a linear classifier of 10 classes 26,634; of the projection to 3 dimensions: "
        "16,899." in said
    )


def test_what_is_set_is_what_is_said_and_done(home: Path):
    app = lab()
    app.toggle(key="race-equal").set_value(True)
    app.session_state["race-kept"] = {"run": {"epochs": 2.0, "optimizer": "sgd", "seed": 1}, "methods": {}}
    app.run()
    assert "SGD with momentum 0.9" in told(app)
    assert "10 steps of 64: 1,920 images (1.93 times the training set)." in told(app)
    assert samples(app) != samples(lab()), "the seed draws the order of the classes"
    next(button for button in app.button if button.label == words.lab.TRAIN).click().run()
    ((job, _, _),) = launch.jobs(home)
    assert RunSettings.model_validate(job.run).epochs == 2


def test_missing_files_are_said_in_a_sentence_beside_a_field_for_their_folder(tmp_path: Path):
    app = lab("cifar10-lt")
    assert app.text_input(key="race-data_dir").label == "Folder of the files"
    assert told(app).count("cifar10-lt needs the official archive cifar-10-python.tar.gz") == 1
    assert words.lab.PLAN_TIME not in told(app) and samples(app) == []
    app.text_input(key="race-data_dir").input(str(tmp_path / "nowhere")).run()
    assert f"it is not at {tmp_path / 'nowhere'}" in told(app)


def test_vectors_have_settings_of_their_own_and_no_images(home: Path):
    app = lab("hypersphere")
    assert samples(app) == []
    app.number_input(key="race-data-hypersphere-classes").set_value(7).run()
    assert sum(len(trace["customdata"]) for trace in chart(app)["data"] if trace["type"] == "bar") == 7
    assert "views by none" in told(app)
    next(button for button in app.button if button.label == words.lab.TRAIN).click().run()
    ((job, _, _),) = launch.jobs(home)
    assert job.run["data_options"] == {"classes": 7}


def test_a_folder_of_class_folders_is_shown_in_colour_and_names_stay_text(tmp_path: Path):
    for c, name in enumerate(("<b>cat</b>".replace("/", "|"), "dog")):
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(12 - 4 * c):
            Image.new("RGB", (12, 12), (250, 20 * c, i)).save(tmp_path / "set" / name / f"{i}.png")
    app = lab("folder-lt")
    app.text_input(key="race-data_dir").input(str(tmp_path / "set")).run()
    assert not app.exception
    shown = samples(app)
    assert len(shown) == 2 and "&lt;b&gt;cat&lt;|b&gt;" in shown[0] and "dog" in shown[1]
    assert "views by crop-flip" in told(app)


def test_classes_that_keep_their_sizes_have_an_imbalance_that_is_counted(tmp_path: Path):
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["f0,f1,label", *(f"0.{i},1.5,{'abbb'[i % 4]}" for i in range(48))]))
    app = lab("table-lt")
    app.text_input(key="race-data_dir").input(str(table)).run()
    said = "The classes keep their sizes, whose imbalance factor is 3.4 as counted; the one above says nothing."
    assert said in told(app), "a table stays as it is"
    app.session_state["race-kept"] = {"run": {"profile": "exp"}, "methods": {}}
    app.run()
    assert "as counted" not in told(app)


def test_a_network_of_pixels_is_counted_as_one_and_an_unknown_one_is_not(home: Path):
    app = lab("digits-seg")
    app.session_state["race-kept"] = {"run": {"encoder": "convnet"}, "methods": {}}
    app.run()
    assert "Parameters of convnet: 4,848, with a linear classifier of 11 classes 5,211" in told(app)
    app.session_state["race-kept"] = {"run": {"encoder": "timm:vit_tiny_patch16_224"}, "methods": {}}
    app.run()
    assert "Parameters" not in told(app) and words.lab.PLAN_TIME in told(app)


def test_images_that_take_long_are_promised_and_do_not_hold_the_page(monkeypatch: pytest.MonkeyPatch):
    come = threading.Event()
    monkeypatch.setattr(previews_module, "preview", lambda name, **cut: come.wait(20) and ())
    try:
        app = lab()
        assert words.lab.SAMPLES_SOON in told(app) and words.lab.PLAN_TIME in told(app)
    finally:
        come.set()


def test_images_that_cannot_be_read_are_said(monkeypatch: pytest.MonkeyPatch):
    def refuse(name: str, **cut: object) -> None:
        raise DataError("digits *are* damaged")

    monkeypatch.setattr(previews_module, "preview", refuse)
    assert words.lab.NO_SAMPLES.format(reason="digits *are* damaged") in told(lab())


def test_images_are_read_once_and_again_where_the_counts_change(monkeypatch: pytest.MonkeyPatch):
    asked: list[float] = []
    real = previews_module.preview
    monkeypatch.setattr(
        previews_module, "preview", lambda name, **cut: asked.append(cut["imbalance_factor"]) or real(name, **cut)
    )
    app = lab()
    app.run()
    assert asked == [50.0]
    app.number_input(key="race-imbalance").set_value(10.0).run()
    assert asked == [50.0, 10.0]
