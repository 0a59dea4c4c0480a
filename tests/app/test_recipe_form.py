"""A paper's recipe in the lab's form: its values stand in the fields, what is changed is said, the run knows both."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from ltviz_app import words
from ltviz_app.service import studio as studio_module
from streamlit.testing.v1 import AppTest

from ltviz import launch, recipes
from ltviz.data import registry
from ltviz.launch.app import load_app
from ltviz.recipes import Recipe
from ltviz.training.settings import LAB_WATCH_SHARE, RunSettings

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

from cifar_writer import files_of_ten, write_folder

MAIN = Path(str(load_app().__file__)).parent / "main.py"
BCL = "recipe-bcl-cifar10-lt-if100"


@pytest.fixture(autouse=True)
def fresh(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_module, "_open", None)
    monkeypatch.setattr(studio_module, "demo_home", lambda: tmp_path / "demos")
    settings = {
        "properties": {
            "temperature": {"type": "number", "default": 0.07, "minimum": 0.001, "maximum": 10},
            "contrast_weight": {"type": "number", "default": 1.0, "minimum": 0, "maximum": 100},
        }
    }
    entry = {"name": "bcl", "card": {"title": "BCL", "idea": "An idea."}, "settings": settings}
    (home / ".ltviz").mkdir()
    (home / ".ltviz" / "catalogue.json").write_text(json.dumps({"methods": [entry], "data": []}))


def choose(name: str, app: AppTest | None = None) -> AppTest:
    app = AppTest.from_file(str(MAIN), default_timeout=60).run() if app is None else app
    method, _, benchmark = name.partition("/")
    app.selectbox(key="race-recipe").select(method).run()
    if method:
        app.selectbox(key=f"race-recipe-{method}").select(benchmark).run()
    assert not app.exception
    return app


def told(app: AppTest) -> str:
    return "\n".join(re.sub(r"\\(.)", r"\1", caption.value) for caption in app.sidebar.caption)


def unfold(app: AppTest) -> None:
    app.session_state["race-more"] = True
    app.run()


def train(app: AppTest, home: Path) -> launch.Job:
    next(button for button in app.button if button.label == words.lab.TRAIN).click().run()
    assert not app.exception
    ((job, _, _),) = launch.jobs(home)
    return job


def test_every_recipe_can_be_chosen_by_its_method_and_benchmark():
    app = choose("bcl/cifar100-lt-if50")
    methods = app.selectbox(key="race-recipe").options
    assert (
        methods[0] == words.lab.RECIPE_NONE and len(methods) == 1 + len(recipes.names()) and "Cross-entropy" in methods
    )
    benchmarks = [words.lab.recipe_title(recipe.title) for recipe in recipes.recipes()]
    assert app.selectbox(key="race-recipe-bcl").options == [where for method, where in benchmarks if method == "BCL"]
    assert "CIFAR-100-LT, IF 50" in app.selectbox(key="race-recipe-bcl").options
    assert len(set(benchmarks)) == len(benchmarks) and max(len(where) for _, where in benchmarks) <= 25, "none is cut"


def test_the_fields_take_the_values_of_the_recipe_and_the_run_follows_it(home: Path, tmp_path: Path):
    write_folder(tmp_path / "cifar-10-batches-py", files_of_ten())
    app = choose("bcl/cifar10-lt-if100")
    assert app.selectbox(key=f"{BCL}-data").value == "cifar10-lt"
    assert app.number_input(key=f"{BCL}-imbalance").value == 100
    assert app.number_input(key=f"{BCL}-dim").value == 128
    assert app.number_input(key=f"{BCL}-epochs").value == 200
    assert not [box for box in app.checkbox if box.key and box.key.startswith("race-method-")], "it is the recipe's"
    assert "cifar10-lt needs the official archive" in told(app)
    app.text_input(key="race-data_dir").input(str(tmp_path)).run()
    said = told(app)
    assert "1 method trains resnet32 to 128 dimensions: SGD with momentum 0.9, rate 0.3 falling at milestones" in said
    assert "views by autoaugment-cutout, simaug" in said and words.lab.RECIPE_KEPT in said
    unfold(app)
    assert app.text_input(key=f"{BCL}-milestones").value == "160,180"
    assert app.number_input(key=f"{BCL}-bcl-contrast_weight").value == 0.6
    job = train(app, home)
    (run,) = job.runs
    recipe = recipes.find("bcl", "cifar10-lt-if100")
    assert (run.method, run.settings, run.recipe) == ("bcl", recipe.settings, recipe.about({}))
    expected = {**recipe.run_values, "data_dir": str(tmp_path), "watch_share": LAB_WATCH_SHARE}
    assert RunSettings.model_validate(job.run) == RunSettings.model_validate(expected)


def test_what_is_changed_against_the_recipe_is_said_and_recorded(home: Path):
    app = choose("bcl/cifar10-lt-if100")
    unfold(app)
    app.number_input(key=f"{BCL}-dim").set_value(3)
    app.number_input(key=f"{BCL}-epochs").set_value(2.0)
    app.text_input(key=f"{BCL}-milestones").input("1")
    app.number_input(key=f"{BCL}-bcl-temperature").set_value(0.2).run()
    said = told(app)
    changes = (
        "dim 3 instead of 128; milestones 1 instead of 160,180; epochs 2 instead of 200; temperature 0.2 instead of 0.1"
    )
    assert all(change in said for change in changes.split("; ")) and words.lab.RECIPE_KEPT not in said
    job = train(app, home)
    assert job.runs[0].recipe is not None
    overridden = {"dim": 128, "epochs": 200, "milestones": "160,180", "settings.temperature": 0.1}
    assert job.runs[0].recipe["overridden"] == overridden
    assert job.runs[0].settings["contrast_weight"] == 0.6, "what is not touched is the recipe's"


def test_steps_follow_from_the_epochs_of_a_recipe(home: Path, tmp_path: Path):
    write_folder(tmp_path / "cifar-10-batches-py", files_of_ten())
    app = choose("bcl/cifar10-lt-if100")
    assert f"{BCL}-steps" not in [field.key for field in app.number_input]
    app.text_input(key="race-data_dir").input(str(tmp_path))
    app.number_input(key=f"{BCL}-epochs").set_value(40.0).run()
    assert "4 steps of 256: 1,024 samples" in told(app), "40 epochs of 26 images"
    assert train(app, home).run["epochs"] == 40


@pytest.mark.parametrize("name", ["bcl/imagenet-lt", "gml/cifar100-lt-if100", "bcl/inat18"])
def test_the_published_number_its_source_and_the_cost_are_said_before_train(name: str):
    app = choose(name)
    recipe: Recipe = recipes.find(*name.split("/"))
    said, reckoned = told(app), recipes.cost(recipe)
    assert recipe.published.source in said and reckoned is not None and reckoned.hours is not None
    if recipe.published.value is None:
        assert "Published number unknown: no number" in said
    else:
        assert f"It aims at {recipe.published.value:.2f} % {recipe.published.measure}" in said
    assert (
        f"{reckoned.steps:,} steps and {reckoned.images:,} images: {words.shared.time_left(3600 * reckoned.hours)} "
        in said
    )
    assert " on a device that sustains 10 TFLOP/s, which is assumed, not measured." in said
    assert recipe.follows[1:40] in said and all(note[1:40] in said for note in recipe.notes)


def test_on_other_data_the_recipe_does_not_say_how_files_are_read(home: Path):
    app = choose("ce/imagenet-lt")
    unfold(app)
    key = "recipe-ce-imagenet-lt"
    assert app.selectbox(key=f"{key}-profile").value == "natural" and app.number_input(key=f"{key}-image_size").value
    app.selectbox(key=f"{key}-data").select("hypersphere").run()
    assert not app.exception
    assert app.selectbox(key=f"{key}-hypersphere-profile").value == ""
    assert app.number_input(key=f"{key}-hypersphere-image_size").value is None
    assert "data hypersphere instead of imagenet-lt" in told(app)
    assert "profile" not in train(app, home).run


def test_a_recipe_for_several_labels_offers_such_data_only_and_one_after_another_keeps_its_own(home: Path):
    app = choose("ltml/voc-mlt")
    sources = registry.sources().values()
    fitting = {source.title for source in sources if source.several_labels}
    assert set(app.selectbox(key="recipe-ltml-voc-mlt-data").options) == fitting
    choose("bcl/cifar10-lt-if100", app)
    app.number_input(key=f"{BCL}-dim").set_value(7).run()
    choose("bcl/cifar100-lt-if50", app)
    assert app.number_input(key="recipe-bcl-cifar100-lt-if50-dim").value == 128
    assert app.number_input(key="recipe-bcl-cifar100-lt-if50-imbalance").value == 50
    choose("", app)
    assert app.number_input(key="race-dim").value == 3 and app.number_input(key="race-steps").value == 300
    job = train(app, home)
    assert len(job.runs) == 5 and [run.recipe for run in job.runs] == [None] * 5


def test_a_value_out_of_bounds_is_one_sentence_and_queues_nothing(home: Path):
    app = choose("bcl/cifar10-lt-if100")
    unfold(app)
    app.text_input(key=f"{BCL}-device").input("gpu <b>")
    next(button for button in app.button if button.label == words.lab.TRAIN).click().run()
    assert not app.exception and launch.jobs(home) == []
    assert "device" in app.error[0].value and "<b>" not in app.error[0].value
