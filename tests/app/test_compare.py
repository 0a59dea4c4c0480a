"""The compare page without a browser: choosing, curating, numbers, sentences, charts, alarms, sweeps, files."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import ltviz_app
import numpy as np
import psutil
import pytest
from ltviz_app import words
from ltviz_app.service import studio as studio_module
from ltviz_app.widgets import downloads, measured
from ltviz_app.widgets.style import FONT
from streamlit.testing.v1 import AppTest

from ltviz import launch
from ltviz.export.results import group_results, read_results
from ltviz.launch.progress import Report
from ltviz.metrics import MEASURES
from ltviz.recording import Recording, RunInfo, RunWriter, run_path
from ltviz.recording.evaluation import Evaluation, write_evaluation
from ltviz.recording.notes import note_run, read_notes, tag_run

MAIN = Path(ltviz_app.__file__).parent / "main.py"
COUNTS = [120, 60, 12, 9, 4]
LABELS = np.repeat(np.arange(5), [12, 10, 8, 6, 6])
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def fresh(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_module, "_open", None)
    monkeypatch.setattr(studio_module, "demo_home", lambda: tmp_path / "demos")
    monkeypatch.setattr(measured, "_kept", measured.Kept())


def make(
    home: Path,
    run: str,
    *,
    seed: int = 0,
    method: str = "ce",
    few: float = 0.5,
    narrow: float = 1.0,
    factor: float = 50.0,
    title: str | None = None,
    steps: tuple[int, ...] = (0, 5, 10),
    validation: dict[int, float] | None = None,
    readout: bool = False,
    metrics: dict[str, float] | None = None,
) -> Path:
    """A finished run of five classes; `narrow` scales how far the points leave one direction."""
    info = RunInfo(
        run_id=run,
        method=method,
        title=method.upper() if title is None else title,
        created=time.time(),
        dim=3,
        num_classes=5,
        class_names=["zero", HOSTILE, "two", "three", "four"],
        counts=COUNTS,
        total_steps=10,
        seed=seed,
        data="digits-lt",
        imbalance_factor=factor,
        sphere_is_readout=readout,
        config={"run": {"steps": 10, "batch_size": 8, "imbalance_factor": factor}, "method": {}},
    )
    rng = np.random.default_rng(seed)
    start, tilt = (0.5, 0.0) if method == "ce" else (0.3, 0.01 * (seed == 1))
    with RunWriter.create(run_path(home, run), info, labels=LABELS, split=np.arange(len(LABELS)) % 2) as writer:
        for step in steps:
            z = narrow * (rng.normal(size=(len(LABELS), 3)) + np.eye(5, 3)[LABELS]) + [0, 0, 0 if narrow == 1 else 5]
            writer.log(step + 1, {"total": 3.0 - step / 10})
            writer.frame(
                step,
                embeddings=(z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32),
                samples={"prediction": rng.integers(0, 5, len(LABELS)).astype(np.int32)},
                metrics={"accuracy_few": few + step / 100 + seed / 100, "centre_sum": start - step / 100 + tilt}
                | ({"validation_all": validation[step]} if validation else {})
                | (metrics or {}),
            )
    return run_path(home, run)


@pytest.fixture
def six(home: Path) -> list[str]:
    """Two methods, three seeds; BCL's rare classes are better by 20 points in each."""
    for seed in range(3):
        make(home, f"ce-s{seed}", seed=seed)
        make(home, f"bcl-s{seed}", seed=seed, method="bcl", few=0.7)
    return [f"{method}-s{seed}" for method in ("ce", "bcl") for seed in range(3)]


def compare(*runs: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    if runs:
        app.query_params["runs"] = ",".join(runs)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    app = app.switch_page("pages/compare.py").run()
    assert not app.exception
    return app


def stage(app: AppTest) -> dict:
    (found,) = app.get("bidi_component")
    return json.loads(found.proto.json)


def choose(app: AppTest, key: str, label: str) -> AppTest:
    app.session_state[key] = label
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> list[str]:
    return [text.value for text in app.text]


def captions(app: AppTest) -> str:
    """As they read, without what keeps names from being markup."""
    return "\n".join(caption.value for caption in app.caption).replace("\\", "")


def grids(app: AppTest) -> list[tuple[str, list[str]]]:
    """Key of each grid of charts and the kinds of what stands in it, top to bottom."""
    found, left = [], [app.main]
    while left:
        block = left.pop(0)
        children = list(getattr(block, "children", {}).values())
        if "plotly_chart" in (kinds := [child.type for child in children]):
            found.append((block.proto.id.rpartition("-grid")[2], kinds))
        left = children + left
    return found


def charts(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.main.get("plotly_chart")]


def test_filters_and_search_choose_runs(home: Path, six: list[str]):
    make(home, "ce-if10", factor=10.0)
    note_run(run_path(home, "bcl-s1"), "the odd one")
    app = compare("ce-s0")
    app.multiselect(key="compare-method").select("BCL").run()
    app.button(key="compare-all").click().run()
    assert stage(app)["runs"] == ["bcl-s0", "bcl-s1", "bcl-s2"], "seeds side by side"
    assert app.query_params["runs"] == "bcl-s0,bcl-s1,bcl-s2"
    app.multiselect(key="compare-method").unselect("BCL").run()
    app.multiselect(key="compare-factor").select(10.0).run()
    app.button(key="compare-all").click().run()
    assert stage(app)["runs"] == ["ce-if10"]
    app.multiselect(key="compare-factor").unselect(10.0).run()
    app.text_input(key="compare-search").set_value("ODD one").run()
    app.button(key="compare-all").click().run()
    assert stage(app)["runs"] == ["bcl-s1"]
    assert "1 of 7 runs fit." in [caption.value for caption in app.caption]


def test_methods_stand_together_where_all_are_shown(six: list[str]):
    app = compare("ce-s0")
    app.button(key="compare-all").click().run()
    assert stage(app)["runs"] == six


def test_new_runs_come_by_themselves_where_that_is_asked(home: Path, six: list[str]):
    app = compare("ce-s0")
    app.toggle(key="compare-follow").set_value(True).run()
    assert stage(app)["runs"] == six
    make(home, "ce-s3", seed=3)
    app.run()
    assert "ce-s3" in stage(app)["runs"] and "ce-s3" in app.query_params["runs"]


def test_tags_and_notes_are_kept_and_are_text(home: Path, six: list[str]):
    app = compare(*six)
    app.text_input(key="curate-tag").set_value("paper, fig-2").run()
    app.button(key="curate-add").click().run()
    assert all(read_notes(run_path(home, run)).tags == ("fig-2", "paper") for run in six)
    app.selectbox(key="curate-run").select("ce-s0").run()
    app.text_area(key="curate-note-ce-s0").set_value(HOSTILE).run()
    app.button(key="curate-save").click().run()
    assert read_notes(run_path(home, "ce-s0")).note == HOSTILE
    assert any(HOSTILE in text for text in texts(app)), "as text"
    assert not any(HOSTILE in element.proto.body for element in app.get("html"))
    assert not any(HOSTILE in caption.value for caption in (*app.caption, *app.markdown))


def test_a_bad_tag_is_one_sentence_and_changes_nothing(home: Path, six: list[str]):
    app = compare("ce-s0")
    app.text_input(key="curate-tag").set_value("<b>").run()
    app.button(key="curate-add").click().run()
    assert "A tag must be" in app.error[0].value and "<b>" not in app.error[0].value
    assert read_notes(run_path(home, "ce-s0")).tags == ()


def test_deletion_asks_first_and_can_be_taken_back(home: Path, six: list[str]):
    app = compare("ce-s0", "bcl-s0")
    app.selectbox(key="curate-run").select("ce-s0").run()
    app.button(key="curate-delete").click().run()
    assert app.warning[0].value == words.compare.delete_question(1) and run_path(home, "ce-s0").exists()
    app.button(key="curate-keep").click().run()
    assert not app.warning and run_path(home, "ce-s0").exists()
    app.button(key="curate-delete").click().run()
    app.button(key="curate-delete-now").click().run()
    assert not app.exception and not run_path(home, "ce-s0").exists()
    assert stage(app)["runs"] == ["bcl-s0"] and app.query_params["runs"] == "bcl-s0"


def test_asking_for_one_run_deletes_no_other(home: Path, six: list[str]):
    app = compare("ce-s0", "bcl-s0")
    app.selectbox(key="curate-run").select("ce-s0").run()
    app.button(key="curate-delete").click().run()
    app.selectbox(key="curate-run").select("bcl-s0").run()
    assert not app.warning, "the question was about the other run"
    assert run_path(home, "bcl-s0").exists()


def test_a_run_that_trains_cannot_be_deleted(home: Path, runs):
    with runs.begin(home, "run-one") as writer:
        runs.frame(writer, 0)
        writer.set_state("running")
        app = compare("run-one")
        assert words.compare.DELETE_LIVE in [caption.value for caption in app.caption]
        assert "curate-delete" not in [button.key for button in app.button]


def test_the_table_gives_means_over_seeds_and_the_runs_where_asked(six: list[str]):
    app = compare(*six)
    table = app.dataframe[0].value
    assert table[words.compare.METHOD].tolist() == ["CE", "BCL"] and table[words.compare.SEEDS].tolist() == [3, 3]
    assert table["accuracy_few"].tolist() == pytest.approx([0.61, 0.81])
    choose(app, "compare-rows", words.compare.ROW_KINDS[1])
    table = app.dataframe[0].value
    assert table[words.compare.METHOD].tolist()[:2] == ["CE · seed 0", "CE · seed 1"] and len(table) == 6
    assert table["accuracy_few"].tolist() == pytest.approx([0.6, 0.61, 0.62, 0.8, 0.81, 0.82])


def test_the_table_marks_the_best_and_says_the_difference(six: list[str], home: Path):
    from ltviz_app.widgets.comparison import summarise

    groups = group_results(read_results([Recording(run_path(home, run)) for run in six])[0])
    _, styled, widths = summarise(groups, ["accuracy_few"], per_run=False)
    html = styled.to_html()
    assert "81.0 ± 1.0" in html and "61.0 ± 1.0  (−20.0)" in html
    assert html.count("font-weight: 700") == 1
    assert widths == {"accuracy_few": len("61.0 ± 1.0  (−20.0)")}


@pytest.fixture
def judged(home: Path, six: list[str]) -> list[str]:
    """Six runs, each judged at its end: by nearest mean all are alike, by their own classifiers BCL is better."""
    for run in six:
        own = 0.8 if run.startswith("bcl") else 0.6
        shares = {"own": own, "ncm": 0.7, "linear": 0.75}
        geometry = {part: {"centre_sum": 0.3, "min_centre_angle": 40.0} for part in ("train", "test")}
        evaluation = Evaluation(
            step=10, test_images=[500] * 5, geometry=geometry, features=geometry,
            accuracy={judge: dict.fromkeys(("all", "few"), share) for judge, share in shares.items()},
        )  # fmt: skip
        write_evaluation(run_path(home, run), evaluation)
    return six


def accuracies(app: AppTest) -> list[str]:
    return [key for key in app.dataframe[0].value.columns if "accuracy" in key]


def test_runs_that_were_judged_at_their_end_are_compared_by_one_judge(home: Path, judged: list[str]):
    app = compare(*judged)
    assert accuracies(app) == ["final_accuracy_few_ncm", "final_accuracy_few_own"]
    assert {"final_centre_sum_test", "final_min_centre_angle_test"} <= {*app.dataframe[0].value.columns}
    assert "centre_sum" not in app.dataframe[0].value.columns, "which mixes training and test samples"
    assert "by the nearest class mean of the frozen features" in captions(app)
    assert "few by nearest mean 1500 (± " in captions(app)
    (run_path(home, judged[0]) / "evaluation.json").unlink()
    app = compare(*judged)
    assert accuracies(app) == ["accuracy_few"], "one that was not judged leaves all to the frames"
    assert "1 of 6 was not." in captions(app)
    assert "compare-judge" not in [box.key for box in app.selectbox]


def test_a_step_on_the_way_is_compared_by_one_judge_too(home: Path):
    for seed in range(3):
        for method, ncm in (("ce", 0.8), ("bcl", 0.7)):
            found = {f"accuracy_ncm_{shot}_features": ncm for shot in ("all", "few")}
            make(
                home, f"{method}-s{seed}", seed=seed, method=method, readout=method == "ce",
                metrics=found | dict.fromkeys(("accuracy_all", "accuracy_few"), 0.6 if method == "ce" else 0.9),
            )  # fmt: skip
    runs = [f"{method}-s{seed}" for method in ("ce", "bcl") for seed in range(3)]
    app = choose(compare(*runs), "compare-step-mode", words.compare.STEP_CHOSEN)
    assert accuracies(app) == ["accuracy_ncm_few_features", "accuracy_few"]
    assert "of the test points that the frames show, by the nearest class mean of the features" in captions(app)
    assert app.selectbox(key="compare-judge").options == [words.compare.JUDGES["ncm"], words.compare.JUDGES["own"]]
    app.selectbox(key="compare-judge").select("own").run()
    assert accuracies(app) == ["accuracy_few", "accuracy_ncm_few_features"] and not app.exception


def test_the_judge_is_chosen_and_all_that_is_said_follows_it(judged: list[str]):
    app = compare(*judged)
    assert "BCL's final accuracy by nearest mean (rare classes) cannot be told from CE's" in "\n".join(texts(app))
    app.selectbox(key="compare-judge").select("own").run()
    assert accuracies(app) == ["final_accuracy_few_own", "final_accuracy_few_ncm"] and not app.exception
    assert "BCL's final accuracy by own classifier (rare classes) is higher than CE's by 20.0 points" in "\n".join(
        texts(app)
    )
    measures = app.dataframe[2].value["measure"].tolist()
    assert "Final accuracy by own classifier, rare classes (%) ↑" in measures, "one minus another too"
    assert app.query_params["judge"] == "own"
    app.selectbox(key="compare-judge").select("ncm").run()
    assert "judge" not in app.query_params, "what is usual needs no words"


def test_the_judge_stands_in_the_address(judged: list[str]):
    app = compare(*judged, judge="linear")
    assert accuracies(app) == ["final_accuracy_few_linear", "final_accuracy_few_own"]
    assert accuracies(compare(*judged, judge=HOSTILE))[0] == "final_accuracy_few_ncm"


def test_all_measures_begin_with_those_of_the_judge(judged: list[str]):
    app = choose(compare(*judged, judge="linear"), "compare-scope", words.compare.SCOPES[1])
    columns = app.dataframe[0].value.columns.tolist()
    assert columns[3:5] == ["final_accuracy_few_linear", "final_accuracy_few_own"]
    assert {"final_accuracy_few_ncm", "spread_tail", "spread_tail_test"} <= {*columns}
    assert len(columns) == len(set(columns))


def test_a_read_out_is_kept_out_of_what_is_said_of_the_sphere(home: Path):
    for seed in range(3):
        make(home, f"ce-s{seed}", seed=seed, readout=True)
        make(home, f"bcl-s{seed}", seed=seed, method="bcl")
        make(home, f"tsc-s{seed}", seed=seed, method="tsc")
    app = compare(*(f"{method}-s{seed}" for method in ("ce", "bcl", "tsc") for seed in range(3)))
    assert app.dataframe[0].value["centre_sum"].isna().tolist() == [True, False, False]
    rows = app.dataframe[1].value
    assert rows[rows["measure"] == "Centre sum, all samples ↓"]["method"].tolist() == ["TSC − BCL"]
    assert "The sphere of CE is a read-out" in captions(app)


def test_unequal_images_are_said(home: Path):
    make(home, "ce-s0", metrics={"images_seen": 640.0})
    make(home, "bcl-s0", method="bcl", metrics={"images_seen": 1920.0})
    assert any(
        text.startswith("Unequal images: at each step CE saw 64 and BCL 192")
        for text in texts(compare("ce-s0", "bcl-s0"))
    )


def test_all_measures_are_measured_once_and_kept(six: list[str], monkeypatch: pytest.MonkeyPatch):
    asked = []
    real = measured.measure_frame
    monkeypatch.setattr(measured, "measure_frame", lambda run, frame: asked.append(frame.step) or real(run, frame))
    app = compare(*six)
    assert asked == [], "never before somebody asks"
    choose(app, "compare-scope", words.compare.SCOPES[1])
    assert len(asked) == 6
    table = app.dataframe[0].value
    assert {"territory_tail", "tsc_alignment", "accuracy_probe_few", "packing_gap"} <= set(table.columns) <= {
        words.compare.METHOD, words.compare.SEEDS, words.compare.STEP, *MEASURES,
    }  # fmt: skip
    assert table["accuracy_few"].tolist() == pytest.approx([0.61, 0.81]), "the trainer's own numbers stand"
    app.run()
    assert len(asked) == 6


def test_a_chosen_step_moves_table_and_stage(six: list[str]):
    app = compare(*six)
    assert stage(app)["step"] is None
    choose(app, "compare-step-mode", words.compare.STEP_CHOSEN)
    app.select_slider(key="compare-step").set_value(5).run()
    assert stage(app)["step"] == 5
    assert app.dataframe[0].value["accuracy_few"].tolist() == pytest.approx([0.56, 0.76])
    assert words.compare.SUMMARY_AT.format(step=5) in "".join(element.proto.body for element in app.get("html"))


def test_the_step_of_the_stage_is_taken_from_the_address(six: list[str]):
    app = compare(*six)
    app.query_params["step"] = "7"  # as the stage writes it
    app.button(key="compare-step-stage").click().run()
    assert not app.exception
    assert app.dataframe[0].value[words.compare.STEP].tolist() == [5, 5], "the newest at or before it"


def test_the_best_step_is_chosen_by_validation_and_never_by_test(home: Path):
    make(home, "ce-s0", validation={0: 0.2, 5: 0.6, 10: 0.6})
    make(home, "bcl-s0", method="bcl", validation={0: 0.3, 5: 0.1, 10: 0.2})
    app = choose(compare("ce-s0", "bcl-s0"), "compare-step-mode", words.compare.STEP_BEST)
    table = app.dataframe[0].value
    assert table[words.compare.STEP].tolist() == [5, 0], "the first of equals, though test accuracy grows to the end"
    assert table["accuracy_few"].tolist() == pytest.approx([0.55, 0.5])
    assert stage(app)["step"] is None


def test_without_validation_no_best_step_is_offered(six: list[str]):
    app = compare(*six)
    choose(app, "compare-step-mode", words.compare.STEP_BEST)
    assert app.dataframe[0].value[words.compare.STEP].tolist() == [10, 10]


def test_sentences_and_differences_are_paired_over_seeds(six: list[str]):
    app = compare(*six)
    said = "\n".join(texts(app))
    lower = "BCL's centre sum (all samples) is lower than CE's by 0.20 [0.18, 0.21], p < 0.001 over only 3 seeds."
    assert lower in said
    assert "BCL's accuracy (rare classes) cannot be told from CE's over only 3 seeds." in said, "20 points of 10 images"
    table = app.dataframe[1].value.set_index("measure")
    few = table.loc["Accuracy, rare classes (%) ↑"]
    assert few["difference"] == pytest.approx(20) and few["low"] < 0 < few["high"] and few.isna()["better"]
    assert table.loc["Centre sum, all samples ↓"]["better"] == "BCL"
    row = app.dataframe[2].value.set_index("measure").loc["Centre sum, all samples ↓"]
    assert (row["first"], row["second"], row["difference"]) == pytest.approx((0.2 + 0.01 / 3, 0.4, -0.2 + 0.01 / 3))
    assert (row["seeds"], row["better"]) == ("3 of 3", "BCL")
    app.selectbox(key="compare-first").select((0, "CE")).run()
    row = app.dataframe[2].value.set_index("measure").loc["Centre sum, all samples ↓"]
    assert row["difference"] == pytest.approx(0.2 - 0.01 / 3) and row["better"] == "BCL"
    assert "corrected (Holm) for the 2 comparisons shown together" in captions(app)
    assert "few 10 (± " in captions(app), "test images stand where accuracies do"


def test_too_few_seeds_are_said_once_and_leave_no_empty_columns(home: Path):
    make(home, "ce-s0")
    for method in ("bcl", "tsc", "gml", "supcon"):
        make(home, f"{method}-s0", method=method, few=0.7)
    app = compare("ce-s0", "bcl-s0", "tsc-s0", "gml-s0", "supcon-s0")
    assert sum("Too few seeds" in text for text in texts(app)) == 1
    assert len(app.dataframe[1].value) == 8, "the numbers are in the table"
    for table in app.dataframe[1:]:
        assert not {"low", "high", "p", "seeds", "better"} & {*table.value.columns} and table.value.notna().all(
            axis=None
        )
        assert table.proto.placeholder == "", "a cell that is missing says nothing"
    assert sum(words.compare.NO_INTERVAL in caption.value for caption in app.caption) == 1


def test_a_missing_chart_leaves_no_hole(home: Path, six: list[str]):
    app = compare(*six)
    assert len(charts(app)) == 3, "of the measures only two are known here, and the loss"
    ((key, kinds),) = grids(app)
    assert kinds == ["plotly_chart"] * 3, "side by side, though four measures between them are missing"
    choose(app, "compare-charts", "confusion")
    ((other, kinds),) = grids(app)
    assert kinds == ["plotly_chart"] * 2
    assert (key, other) == ("3-compare-accuracy_few", "2-compare-confusion-0"), "two stand as a pair"


def test_charts_wear_the_font_of_the_page(six: list[str]):
    app = compare(*six)
    for chart in charts(app):
        layout = chart["layout"]
        assert layout["font"]["family"] == layout["hoverlabel"]["font"]["family"] == FONT
        assert "better" not in layout["title"]["text"]
    assert "Centre sum, all samples ↓" in [chart["layout"]["title"]["text"] for chart in charts(app)]


def test_runs_of_other_data_are_not_held_against_one_another(home: Path):
    make(home, "ce-s0")
    make(home, "bcl-s0", method="bcl", factor=10.0)
    app = compare("ce-s0", "bcl-s0")
    assert app.dataframe[0].value["imbalance_factor"].tolist() == [10.0, 50.0]
    assert len(app.dataframe) == 1 and not any("BCL's" in text for text in texts(app))


@pytest.mark.parametrize(
    ("kind", "drawn"),
    [("curves", 3), ("portrait", 3), ("cosines", 2), ("classes", 2), ("confusion", 2), ("angles", 2)],
)
def test_every_kind_of_chart_is_drawn(six: list[str], kind: str, drawn: int):
    app = choose(compare(*six), "compare-charts", kind)
    found = charts(app)
    assert len(found) == drawn and all(chart["data"] for chart in found)
    assert HOSTILE not in json.dumps(found), "names of classes are text"


def test_curves_have_a_band_over_seeds_and_mark_the_chosen_step(six: list[str]):
    app = compare(*six)
    first = charts(app)[0]
    assert {trace.get("fill") for trace in first["data"]} == {None, "toself"} and "shapes" not in first["layout"]
    choose(app, "compare-step-mode", words.compare.STEP_CHOSEN)
    app.select_slider(key="compare-step").set_value(5).run()
    assert charts(app)[0]["layout"]["shapes"][0]["x0"] == 5


def test_alarms_are_said(home: Path):
    make(home, "narrow-run", narrow=0.2)
    app = compare("narrow-run")
    said = "\n".join(texts(app))
    assert "All training points lie in one hemisphere" in said and "CE · seed 0, step 5" in said


def test_without_alarms_one_quiet_line_says_so(home: Path):
    make(home, "ce-s0")
    assert words.compare.no_alarms(1) in [caption.value for caption in compare("ce-s0").caption]


@pytest.fixture
def tell(home: Path) -> Callable[..., Report]:
    def told(**more: float) -> Report:
        report = Report(home, "tails")
        given = {"runs": 6, "finished": 2, "failed": 0, "steps": 200, "total_steps": 600, "left": 40.0}
        report.tell(**(given | more))  # type: ignore[arg-type]
        return report

    return told


def test_a_running_sweep_is_shown_and_its_runs_come(home: Path, six: list[str], tell: Callable[..., Report]):
    report = tell()
    app = compare("ce-s0")
    assert "tails: 2 of 6 runs finished, 40 s left" in texts(app)
    for run in ("bcl-s0", "bcl-s1"):
        tag_run(run_path(home, run), ["tails"])
    app.button(key=f"sweep-{os.getpid()}-tails").click().run()
    assert stage(app)["runs"] == ["bcl-s0", "bcl-s1"]
    tag_run(run_path(home, "bcl-s2"), ["tails"])
    report.tell(runs=6, finished=3, failed=0, steps=300, total_steps=600, left=30.0)
    app.run()
    assert stage(app)["runs"] == ["bcl-s0", "bcl-s1", "bcl-s2"]
    report.remove()
    app.run()
    assert not any("tails:" in text for text in texts(app))


def test_a_killed_sweep_is_not_shown(home: Path, tell: Callable[..., Report]):
    tell()
    (file,) = (home / ".ltviz" / "sweeps").glob("*.json")
    told = json.loads(file.read_text())
    file.write_text(json.dumps({**told, "create_time": psutil.Process().create_time() - 100}))
    assert launch.sweeps(home) == [] and not file.exists()


def test_three_files_can_be_taken_away(six: list[str], home: Path):
    app = compare(*six)
    assert [button.proto.label for button in app.get("download_button")] == list(words.compare.DOWNLOADS.values())
    results = read_results([Recording(run_path(home, run)) for run in six])[0]
    page = downloads.maker("report", results, "dark")().decode()
    lower = "BCL&#x27;s centre sum (all samples) is lower than CE&#x27;s by 0.20 [0.18, 0.21]"
    assert lower in page and HOSTILE not in page
    rows = downloads.maker("csv", results, "light")().decode().splitlines()
    assert rows[0].startswith("run_id,method,title") and len(rows) == 1 + 6 * 6
    import pyarrow.parquet as pq

    assert pq.read_table(io.BytesIO(downloads.maker("parquet", results, "light")())).num_rows == 36


def test_runs_are_compared_as_spaces_where_that_is_asked(six: list[str]):
    app = compare(*six[:3])
    assert not any("cka" in frame.value for frame in app.dataframe), "nothing is measured before it is asked for"
    app = choose(app, "compare-spaces", True)  # pyright: ignore[reportArgumentType]
    table = next(frame.value for frame in app.dataframe if "cka" in frame.value)
    assert len(table) == 3 and {"knn", "procrustes", "knn_head", "knn_tail"} <= {*table.columns}
    moved = next(frame.value for frame in app.dataframe if "shared" in frame.value)
    assert len(moved) == 12 and (moved["shared"].diff().dropna() >= 0).all()
    assert "by chance two unrelated" in captions(app) and "neighbourhoods differ most" in captions(app)
    titles = [chart["layout"]["title"]["text"] for chart in charts(app)]
    assert any(title.startswith("CKA, runs against runs") for title in titles)
    assert any(title.startswith("CKA, step against step") for title in titles)
    assert "lit" not in stage(app)
    most = app.session_state["compare-moved-offered"].classes
    app = choose(app, "compare-moved-classes", [next(iter(most))])  # pyright: ignore[reportArgumentType]
    assert stage(app)["lit"] == sorted(next(iter(most.values())))
    app = choose(app, "compare-spaces", False)  # pyright: ignore[reportArgumentType]
    assert "lit" not in stage(app), "what cannot be seen any more lights nothing"


def test_two_steps_of_one_run_are_compared_as_spaces(home: Path, six: list[str]):
    app = choose(compare(six[0]), "compare-spaces", True)  # pyright: ignore[reportArgumentType]
    steps = Recording(run_path(home, six[0])).steps()
    slider = app.select_slider(key=f"compare-spaces-steps-{six[0]}")
    assert tuple(slider.value) == (steps[0], steps[-1])
    ((pair, alike, _),) = told_pairs(app)
    assert pair.endswith(f"step {steps[0]} to {steps[-1]}") and alike < 1
    by_class = next(frame.value for frame in app.dataframe if "cka" in frame.value and "class" in frame.value)
    shares = by_class["knn"].tolist()
    assert len(shares) > 2 and shares == sorted(shares)
    slider.set_value((steps[-1], steps[-1])).run()
    ((_, alike, common),) = told_pairs(app)
    assert (alike, common) == (pytest.approx(1), 100)


def told_pairs(app: AppTest) -> list[tuple[str, float, float]]:
    """Name, CKA and per cent of neighbours in common of each pair in the newest table."""
    table = [frame.value for frame in app.dataframe if "cka" in frame.value and "pair" in frame.value][-1]
    return list(zip(table["pair"].tolist(), table["cka"].tolist(), table["knn"].tolist(), strict=True))


def test_runs_of_other_probes_are_not_compared_as_spaces(home: Path, six: list[str]):
    labels = np.arange(30) % 5
    info = Recording(run_path(home, six[0])).info.model_copy(update={"run_id": "other-probe"})
    with RunWriter.create(run_path(home, "other-probe"), info, labels=labels) as writer:
        writer.frame(0, embeddings=np.eye(3, dtype=np.float32)[labels % 3])
    app = choose(compare(six[0], "other-probe"), "compare-spaces", True)  # pyright: ignore[reportArgumentType]
    assert any("Not compared" in text and "probe" in text for text in texts(app))
