"""The pages as Streamlit runs them, without a browser: what they say when there is nothing, something, or trouble."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import ltviz_app
import numpy as np
import pytest
from ltviz_app import words
from ltviz_app.service import studio as studio_module
from ltviz_app.service.supervisor import Trouble
from ltviz_app.widgets import charts
from streamlit.testing.v1 import AppTest

import ltviz
from ltviz import launch
from ltviz.recording import mark_failed, run_path
from ltviz.recording.evaluation import Evaluation, write_evaluation
from ltviz.training.settings import EQUAL_VIEWS, RunSettings

MAIN = Path(ltviz_app.__file__).parent / "main.py"
TABLE = [
    *("Many, own", "Medium, own", "Few, own", "mAP, many", "mAP, medium", "mAP, few"),
    *("Centre sum, test", "Centre sum, all samples", "Smallest angle, test", "Smallest angle"),
    *("Deviation, train", "Deviation", "Off theory", "Off simplex"),
    *("Spread, head, test", "Spread, head", "Spread, tail, test", "Spread, tail"),
]
HOSTILE = ["<img src=x onerror=alert(1)>", "$$\\frac{1}{0}$$", "**bold** [link](javascript:alert(1))"]


@pytest.fixture(autouse=True)
def fresh(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has a studio of its own, over an empty home and two demos."""
    demos = tmp_path / "demos"
    monkeypatch.setattr(studio_module, "_open", None)
    monkeypatch.setattr(studio_module, "demo_home", lambda: demos)
    return demos


def page(name: str = "", **query: str) -> AppTest:
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    return app.switch_page(f"pages/{name}.py").run() if name else app


def unfold(app: AppTest, key: str) -> None:
    """Opens an expander or popover."""
    app.session_state[key] = True
    app.run()


def stage(app: AppTest) -> dict:
    """The data that the stage is given."""
    (found,) = app.get("bidi_component")
    return json.loads(found.proto.json)


def said(app: AppTest) -> str:
    """Everything on the page that a person could read, markup included."""
    parts = [*app.main, *app.sidebar]
    texts = [str(getattr(element, "value", "")) + str(getattr(element, "label", "")) for element in parts]
    texts += [element.proto.body for element in app.get("html")]
    return "\n".join(texts)


def test_the_first_visit_plays_the_demos_and_offers_one_filled_button(fresh: Path, runs):
    runs.finished(fresh, "demo-bcl", method="bcl", title="BCL")
    runs.finished(fresh, "demo-ce")
    app = page()
    assert not app.exception
    assert app.text[0].value == words.shared.DEMO == "Each dot is a digit. Watch where the rare ones go."
    given = stage(app)
    assert given["runs"] == ["demo-ce", "demo-bcl"], "in the order of the race"
    assert given["stream"] == "/ltviz/stream" and len(given["token"]) >= 24
    assert given["step"] is None and given["hz"] is None
    assert [measure["title"] for measure in given["measures"]] == TABLE
    names = [measure["name"] for measure in given["panel"] if not measure["standsFor"]]
    assert names == ["few", "mAP few", "sum, test", "angle, test", "uniformity, test"]
    assert {m["standsFor"]: m["name"] for m in given["panel"]}["centre_sum_test"] == "sum"
    filled = [button for button in app.button if button.proto.type == "primary"]
    assert [button.label for button in filled] == [words.lab.TRAIN]
    assert words.lab.NO_RUNS in said(app)


def test_an_empty_home_without_demos_still_has_a_page():
    app = page()
    assert not app.exception
    assert stage(app)["runs"] == []
    assert app.button[0].label == words.lab.TRAIN and not app.button[0].disabled


def test_train_queues_the_default_race_and_puts_it_on_the_stage(home: Path):
    app = page()
    next(button for button in app.button if "train" in button.label.lower()).click().run()
    assert not app.exception
    ((job, place, _),) = launch.jobs(home)
    assert place == "queued"
    assert [run.method for run in job.runs] == ["ce", "supcon", "bcl", "tsc", "logit_adjust"]
    race = {"data": "digits-lt", "imbalance_factor": 50, "dim": 3, "steps": 300, "seed": 0, "watch_share": 0.25}
    assert RunSettings.model_validate(job.run) == RunSettings(**race)
    ids = [run.run_id for run in job.runs]
    assert app.query_params["runs"] == ",".join(ids)
    assert all(run_id.endswith(run.method.replace("_", "-")) for run_id, run in zip(ids, job.runs, strict=True))
    assert stage(app)["runs"] == ids
    assert words.shared.DEMO not in said(app), "what the stage does at the moment it says itself"
    assert next(button for button in app.button if "stop" in button.label.lower()).label == words.lab.STOP_ALL


def test_stop_all_empties_the_queue(home: Path):
    app = page()
    app.button[0].click().run()
    app.button(key="stop-all").click().run()
    assert not app.exception
    assert launch.jobs(home) == []


def test_pressing_train_twice_makes_two_races(home: Path):
    app = page()
    app.button[0].click().run()
    app.button[0].click().run()
    ids = [run.run_id for job, _, _ in launch.jobs(home) for run in job.runs]
    assert len(ids) == len(set(ids)) == 10


def test_the_form_is_what_the_job_gets(home: Path):
    app = page(steps="40")
    assert app.number_input(key="race-steps").value == 40
    app.checkbox(key="race-method-tsc").uncheck()
    app.number_input(key="race-dim").set_value(16)
    unfold(app, "race-more")
    app.number_input(key="race-seed").set_value(7)
    app.button[0].click().run()
    ((job, _, _),) = launch.jobs(home)
    assert "tsc" not in [run.method for run in job.runs]
    assert (job.run["steps"], job.run["dim"], job.run["seed"]) == (40, 16, 7)


def test_settings_that_were_folded_away_still_count(home: Path):
    app = page()
    unfold(app, "race-more")
    app.number_input(key="race-seed").set_value(7).run()
    app.session_state["race-more"] = False
    app.run()
    assert "race-seed" not in [field.key for field in app.number_input]
    app.button[0].click().run()
    ((job, _, _),) = launch.jobs(home)
    assert job.run["seed"] == 7
    unfold(app, "race-more")
    assert app.number_input(key="race-seed").value == 7


def test_the_optimiser_is_folded_away_among_the_settings_and_counts_once_set(home: Path):
    app = page()
    unfold(app, "race-more")
    assert "race-optimizer" not in [box.key for box in app.selectbox], "few people change it"
    app.toggle(key="race-optimisation").set_value(True).run()
    app.selectbox(key="race-optimizer").select("sgd")
    app.number_input(key="race-momentum").set_value(0.8).run()
    app.text_input(key="race-switches").input("0.5: renew").run()
    app.toggle(key="race-optimisation").set_value(False).run()
    app.button[0].click().run()
    ((job, _, _),) = launch.jobs(home)
    assert (job.run["optimizer"], job.run["momentum"], job.run["switches"]) == ("sgd", 0.8, "0.5: renew")
    assert "epochs" not in job.run and "nesterov" not in job.run


def test_a_setting_out_of_bounds_is_one_sentence_and_queues_nothing(home: Path):
    app = page()
    unfold(app, "race-more")
    app.text_input(key="race-device").set_value("gpu <b>")
    app.button[0].click().run()
    assert not app.exception and launch.jobs(home) == []
    assert "device" in app.error[0].value and "<b>" not in app.error[0].value


def test_without_a_method_there_is_nothing_to_train():
    app = page()
    for name in words.lab.DEFAULT_RACE:
        app.checkbox(key=f"race-method-{name}").uncheck()
    app.run()
    assert app.button[0].disabled and words.lab.CHOOSE_METHOD in said(app)


def test_the_form_offers_the_methods_that_fit_the_data(home: Path):
    (home / ".ltviz").mkdir()
    methods = [
        {"name": name, "card": {"title": name, "idea": "An idea."}, "settings": {}, "several_labels": several}
        for name, several in (("gml", False), ("bce", True), ("ltml", True))
    ]
    (home / ".ltviz" / "catalogue.json").write_text(json.dumps({"methods": methods, "data": []}))
    app = page()

    def offered() -> set[str]:
        keys = [box.key for box in app.checkbox if box.key and box.key.startswith("race-method-")]
        return {key.removeprefix("race-method-") for key in keys}

    assert offered() == {*words.lab.DEFAULT_RACE, "gml"}
    app.selectbox(key="race-data").select("digits-ml").run()
    assert offered() == {"bce", "ltml"}
    app.button[0].click().run()
    ((job, _, _),) = launch.jobs(home)
    assert [run.method for run in job.runs] == ["bce", "ltml"] and job.run["data"] == "digits-ml"


def test_the_catalogue_brings_methods_and_their_settings(home: Path):
    (home / ".ltviz").mkdir()
    settings = {"properties": {"temperature": {"type": "number", "default": 0.1, "minimum": 0.01, "live": True}}}
    card = {"title": "GML <b>", "idea": "An idea."}
    catalogue = {"methods": [{"name": "gml", "card": card, "settings": settings}], "data": []}
    (home / ".ltviz" / "catalogue.json").write_text(json.dumps(catalogue))
    app = page()
    app.checkbox(key="race-method-gml").check().run()
    unfold(app, "race-more")
    app.number_input(key="race-gml-temperature").set_value(0.5)
    app.button[0].click().run()
    ((job, _, _),) = launch.jobs(home)
    assert [run.settings for run in job.runs if run.method == "gml"] == [{"temperature": 0.5}]


def test_an_address_shows_its_runs_at_its_step_and_speed(home: Path, runs):
    runs.finished(home, "run-one")
    runs.finished(home, "run-two", method="bcl", title="BCL")
    app = page(runs="run-two,run-one", step="5", hz="4")
    given = stage(app)
    assert (given["runs"], given["step"], given["hz"]) == (["run-two", "run-one"], 5, 4.0)
    assert words.shared.DEMO not in said(app) and "words" not in given
    # What the stage writes into the address while it plays must not come back as new data.
    app.query_params["step"] = "10"
    app.run()
    assert stage(app) == given


def test_the_newest_race_is_shown_where_the_address_says_nothing(home: Path, runs):
    runs.finished(home, "old-run")
    runs.finished(home, "new-ce", race="race-2")
    runs.finished(home, "new-bcl", method="bcl", race="race-2")
    assert stage(page())["runs"] == ["new-ce", "new-bcl"]


@pytest.mark.parametrize("asked", ["../../etc", "run-one,UPPER", "run-one," + "x" * 90, "<script>"])
def test_a_bad_link_is_said_and_shows_nothing(home: Path, runs, asked: str):
    runs.finished(home, "run-one")
    app = page(runs=asked)
    assert not app.exception
    assert app.error[0].value.startswith("The link names a run that cannot be opened.")
    assert "<script>" not in app.error[0].value
    assert stage(app)["runs"] == [] and words.shared.DEMO not in [text.value for text in app.text]


def test_a_link_to_a_run_that_is_not_there_yet_waits_for_it():
    app = page(runs="not-yet")
    assert app.text[0].value == words.shared.UNKNOWN_RUNS.format(names="not-yet")
    assert stage(app)["runs"] == ["not-yet"]


def test_each_run_stands_in_a_container_of_its_own_with_its_state(home: Path, runs):
    runs.finished(home, "run-one")
    app = page()
    lines = [element.proto.body for element in app.sidebar.get("html") if "ltviz-run" in element.proto.body]
    assert len(lines) == 1 and "CE" in lines[0] and "finished, 10 of 20" in lines[0]


def test_a_live_run_can_be_paused_stopped_and_changed(home: Path, runs):
    with runs.begin(home, "run-one") as writer:
        runs.frame(writer, 0)
        writer.set_state("running", seconds_left=14.2)
        app = page()
        assert any("0 of 20, 14 s left" in e.proto.body for e in app.sidebar.get("html"))
        app.button(key="pause-run-one").click().run()
        app.button(key="stop-run-one").click().run()
        unfold(app, "change")
        app.selectbox(key="change-name").select("learning_rate").run()
        app.number_input(key="change-learning_rate").set_value(0.01)
        app.button(key="change-apply").click().run()
        assert not app.exception
        asked = {request.kind: request.values for request in writer.requests()}
        assert asked == {"pause": {}, "stop": {}, "set": {"learning_rate": 0.01}}


def test_a_paused_run_can_go_on(home: Path, runs):
    with runs.begin(home, "run-one") as writer:
        runs.frame(writer, 0)
        writer.set_state("paused")
        page().button(key="pause-run-one").click().run()
        assert [request.kind for request in writer.requests()] == ["resume"]


def test_a_failed_run_says_what_and_shows_the_log(home: Path, runs):
    mark_failed(run_path(home, "run-one"), "ce stopped at step 3 <b>badly</b>", log_tail="RuntimeError: out of memory")
    app = page(runs="run-one")
    assert not app.exception
    assert "ce stopped at step 3 <b>badly</b>" in [text.value for text in app.text], "as text, not as markup"
    assert any("out of memory" in code.value for code in app.code)


def test_a_worker_that_does_not_start_is_said_with_its_last_lines(home: Path):
    studio = studio_module.open_studio()
    studio.supervisor.trouble = Trouble(
        words.lab.WORKER_BROKEN,
        "ImportError: no module named [torch](x).",
        "Traceback\nImportError: no module named torch",
    )
    app = page()
    assert words.lab.WORKER_BROKEN in app.error[0].value
    assert "\\[torch\\]\\(x\\)" in app.error[0].value, "markup is taken literally"
    assert "ImportError" in app.code[0].value


def test_names_from_outside_are_text_everywhere(home: Path, runs):
    runs.finished(home, "run-one", names=tuple(HOSTILE), title=HOSTILE[0])
    runs.finished(home, "run-two", names=tuple(HOSTILE), title=HOSTILE[2], method="<b>x</b>")
    for name in ("", "compare"):
        app = page(name, runs="run-one,run-two")
        assert not app.exception
        for element in app.get("html"):
            assert "<img src=x" not in element.proto.body and "javascript:alert(1))**" not in element.proto.body
        for markdown in (*app.markdown, *app.caption, *app.error):
            assert HOSTILE[0] not in markdown.value and HOSTILE[2] not in markdown.value


def test_the_curves_have_one_line_a_run_and_the_verdict_is_honest(home: Path, runs):
    runs.finished(home, "run-one")
    runs.finished(home, "run-two", method="bcl", title="BCL")
    app = page(runs="run-one,run-two")
    (said,) = [text.value for text in app.text if "rare classes" in text.value]
    assert said.startswith(
        "With this one seed, judged by each method's own classifier, the rare classes reach CE 50 % "
    )
    assert said.endswith(f"BCL cannot be told from CE on these images. {words.lab.ONE_SEED}")
    charts = [json.loads(chart.proto.spec) for chart in app.main.get("plotly_chart")]
    assert len(charts) >= 2
    assert {trace.get("name") for trace in charts[0]["data"]} >= {"CE", "BCL"}


def test_a_measure_of_another_package_is_in_the_table_under_the_spheres_and_in_the_charts(home: Path, install, runs):
    source = """
from ltviz.metrics import Measure, declare

words = dict(title="Tail <b>width</b>", short="How wide the tail is.", unit="degrees", better="lower")

@declare(Measure(key="tail_width", shown=("panel", "table", "curves"), **words))
def width(space):
    return 12.0
"""
    install("outside", source, {"ltviz.metrics": {"width": "outside:width"}})
    runs.finished(home, "run-one", metrics={"tail_width": 12.0})
    app = page(runs="run-one")
    given = stage(app)
    assert given["measures"][-1] == given["measures"][-1] | {"key": "tail_width", "title": "Tail <b>width</b>"}
    assert given["panel"][-1]["key"] == "tail_width" and given["panel"][-1]["unit"] == "degrees"
    titles = [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in app.main.get("plotly_chart")]
    assert "Tail &lt;b&gt;width&lt;/b&gt; ↓" in titles


def test_the_verdict_asks_one_judge_as_soon_as_all_runs_have_ended_and_own_classifiers_beside(home: Path, runs):
    for run, method, own in (("run-one", "ce", 0.6), ("run-two", "bcl", 0.9)):
        path = runs.finished(home, run, method=method, title=method.upper())
        shares = {"ncm": {"all": 0.8, "few": 0.75}, "own": {"all": 0.7, "few": own}}
        write_evaluation(path, Evaluation(step=10, test_images=[500] * 3, accuracy=shares))
    found = [text.value for text in page(runs="run-one,run-two").text if "rare classes" in text.value]
    assert len(found) == 2 and all("With this one seed" in said for said in found)
    assert "nearest class mean" in found[0] and "BCL cannot be told from CE" in found[0]
    assert "own classifier" in found[1] and "BCL is above CE by more than that error" in found[1]
    assert found[1].endswith(words.lab.ONE_SEED) and words.lab.ONE_SEED not in found[0], "said once"


def test_methods_that_saw_unequal_images_are_named_with_what_to_do(home: Path, runs):
    for run, method, rate in (("run-one", "ce", 64.0), ("run-two", "bcl", 192.0)):
        runs.finished(home, run, method=method, title=method.upper(), metrics={"images_seen": 10 * rate})
    (found,) = [text.value for text in page(runs="run-one,run-two").text if "Unequal images" in text.value]
    assert "at each step CE saw 64 and BCL 192" in found and found.endswith(words.lab.EQUAL_IMAGES_NEXT)
    runs.finished(home, "run-three", method="tsc", title="TSC", metrics={"images_seen": 640.0})
    assert not any("Unequal" in text.value for text in page(runs="run-one,run-three").text)


def test_a_race_of_equal_images_is_asked_for_with_a_switch(home: Path, monkeypatch: pytest.MonkeyPatch):
    app = page()
    app.toggle(key="race-equal").set_value(True).run()
    next(button for button in app.button if button.label == words.lab.TRAIN).click().run()
    assert not app.exception
    ((job, _, _),) = launch.jobs(home)
    assert job.run["views"] == EQUAL_VIEWS


def test_runs_of_different_spaces_get_no_verdict(home: Path, runs):
    runs.finished(home, "run-one")
    runs.finished(home, "run-two", method="bcl", title="BCL", dim=5)
    app = page(runs="run-one,run-two")
    assert not any("rare classes reach" in text.value for text in app.text)


def test_with_the_stage_running_the_charts_let_it_begin_first(home: Path, runs):
    runs.finished(home, "run-one")
    studio_module.open_studio().serving = True
    app = page()
    assert words.shared.CHARTS_SOON in said(app) and not app.get("plotly_chart")
    app.run()
    assert words.shared.CHARTS_SOON not in said(app) and app.main.get("plotly_chart")


def test_pages_show_the_home_that_the_server_was_given(home: Path, tmp_path: Path, runs):
    given = tmp_path / "given"
    runs.finished(given, "run-there")
    runs.finished(home, "run-here")
    served = studio_module.open_studio(given)
    served.serving = True
    assert studio_module.open_studio() is served
    assert stage(page())["runs"] == ["run-there"] and stage(page())["token"] == served.token


def test_where_no_simplex_fits_the_page_says_so(home: Path, runs):
    runs.finished(home, "run-one", counts=(9, 8, 7, 6, 5), names=tuple("abcde"), dim=3)
    app = page()
    assert any(caption.value.startswith("No regular simplex fits: 5 classes need 4") for caption in app.caption)


def test_a_run_deleted_between_two_runs_of_the_page_leaves_no_traceback(home: Path, runs):
    folder = runs.finished(home, "run-one")
    app = page(runs="run-one")
    shutil.rmtree(folder)
    app.run()
    assert not app.exception
    assert stage(app)["runs"] == ["run-one"]


def test_a_strangers_folder_does_not_break_the_page(home: Path, runs):
    runs.finished(home, "good-run")
    (runs.finished(home, "bad-run") / "run.json").write_text('{"counts": "?"}')
    app = page(runs="good-run,bad-run")
    assert not app.exception
    assert not page("compare", runs="good-run,bad-run").exception


def test_compare_shows_the_last_frames_with_the_best_marked(home: Path, runs):
    runs.finished(home, "run-one", steps=(0, 5))
    runs.finished(home, "run-two", method="bcl", title="BCL", steps=(0, 10))
    app = page("compare", runs="run-one,run-two")
    assert not app.exception
    table = app.dataframe[0].value
    assert table[words.compare.STEP].tolist() == [5, 10]
    assert table["accuracy_few"].tolist() == pytest.approx([0.45, 0.5])
    assert stage(app)["runs"] == ["run-one", "run-two"] and stage(app)["view"] == "compare"


def test_choosing_runs_on_compare_goes_into_the_address(home: Path, runs):
    runs.finished(home, "run-one")
    runs.finished(home, "run-two", method="bcl", title="BCL")
    app = page("compare", runs="run-one")
    app.multiselect(key="compare-runs").select("run-two").run()
    assert app.query_params["runs"] == "run-one,run-two"
    assert stage(app)["runs"] == ["run-one", "run-two"]


def test_error_texts_hold_no_path_of_this_machine(home: Path):
    (home / "linked-run").symlink_to("/etc")
    app = page(runs="linked-run")
    assert str(home) not in app.error[0].value and "/etc" not in app.error[0].value


def test_methods_of_a_what_if_are_chosen_and_stay_when_folded_away(home: Path):
    (home / ".ltviz").mkdir(parents=True, exist_ok=True)
    offered = [
        {"name": name, "card": {"title": name.upper()}, "settings": {}, "what_if": name != "gml"}
        for name in ("bcl", "gml", "tsc")
    ]
    (home / ".ltviz" / "catalogue.json").write_text(json.dumps({"methods": offered, "data": []}))
    app = page()
    unfold(app, "race-more")
    assert app.multiselect(key="race-what_if").options == ["BCL", "TSC"], "gml has no stand-ins"
    app.multiselect(key="race-what_if").select("tsc").select("bcl").run()
    app.session_state["race-more"] = False
    app.run()
    app.button[0].click().run()
    ((job, _, _),) = launch.jobs(home)
    assert job.run["what_if"] == "tsc,bcl"
    unfold(app, "race-more")
    assert app.multiselect(key="race-what_if").value == ["tsc", "bcl"]


@pytest.mark.parametrize(
    ("dim", "metrics", "said"),
    [(3, {}, [True, True]), (3, {"theory_error_mean": 5.0}, [True, False]), (9, {}, [False, False])],
)
def test_where_no_distance_to_theory_is_drawn_it_is_said_why(dim: int, metrics: dict[str, float], said: list[bool]):
    notes = charts.notes({"run": SimpleNamespace(num_classes=10, dim=dim)}, [metrics])  # pyright: ignore[reportArgumentType]
    assert [any("No regular simplex fits" in note for note in notes), words.shared.NO_THEORY in notes] == said


def test_a_run_without_test_accuracy_has_its_charts(home: Path):
    rng = np.random.default_rng(0)
    with ltviz.record(home / "own-run", labels=[0, 0, 1, 1]) as run:
        run.frame(0, embeddings=rng.normal(size=(4, 3)))
        run.frame(1, embeddings=rng.normal(size=(4, 3)))
    app = page(runs="own-run")
    assert not app.exception and app.main.get("plotly_chart")
