from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from ltviz import figures, metrics
from ltviz.errors import ConfigError, DataError
from ltviz.figures.layout import FONT, flat, measure_title, plain, set_font
from ltviz.figures.palette import METHOD_COLOURS, THEMES, class_ramp, group_colours
from ltviz.geometry import simplex
from ltviz.projection import NeighbourPlacement

NASTY = '<img src=x onerror="alert(1)"> & $a_b$ %{x} ' + "long " * 30
NAMES = ["zero", "one", NASTY, "one"]


@pytest.fixture
def points() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), [40, 20, 10, 5])
    z = simplex(4, 3)[y] + 0.3 * rng.standard_normal((75, 3))
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32), y


@pytest.fixture
def frame(points) -> SimpleNamespace:
    z, y = points
    return SimpleNamespace(
        step=42, embeddings=z, labels=y, landmarks={"targets": simplex(4, 3)}, target_index=np.array([2, 0, 1, 3])
    )


INFO = SimpleNamespace(title="<b>SupCon</b>", num_classes=4, class_names=NAMES)


def all_figures(frame, theme: str) -> dict:
    z, y = frame.embeddings, frame.labels
    counts = np.bincount(y)
    series = {"ce": ([0, 10, 20], [0.1, 0.2, np.nan]), NASTY: ([0], [0.5])}
    per_class = {NASTY: metrics.spread(z, y, 4).mean_angle}
    return {
        "sphere": figures.sphere(frame, INFO, theme),
        "curves": figures.curves(series, "accuracy_few", {"ce": "#123456"}, theme),
        "counts": figures.class_counts(counts, NAMES, metrics.shot_groups(counts), theme),
        "against": figures.against_counts(per_class, counts, NAMES, "spread_head", theme=theme),
        "cosines": figures.centre_cosines(metrics.Classes.of(z, y).centres, counts, NAMES, theme),
        "confusion": figures.confusion(y, np.zeros_like(y), NAMES, theme),
        "angles": figures.sample_angles(z, y, NAMES, theme),
        "portrait": figures.phase_portrait({NASTY: ([0, 1], [1, 0.5], [-1, -2])}, theme=theme),
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_figure_wears_the_theme_and_no_markup_of_a_name(frame, theme: str) -> None:
    for name, figure in all_figures(frame, theme).items():
        text = figure.to_json()
        assert "<img" not in text and "\\u003cimg" not in text, name
        assert "$a_b$" not in text or name == "sphere", name  # MathJax is not loaded inside 3-D scenes
        for template in hover_templates(json.loads(text)):
            assert "long" not in template, name  # a name inside a template would be read as one
        assert figure.layout.paper_bgcolor == THEMES[theme]["paper"], name
        assert figure.layout.font.color == THEMES[theme]["ink"], name
        assert len(figure.data) > 0, name


def test_every_text_of_a_figure_is_in_one_font(frame) -> None:
    for name, figure in all_figures(frame, "light").items():
        assert families(figure.to_dict()) == {FONT}, name
        assert families(set_font(figure, "Serif").to_dict()) == {"Serif"}, name


def families(part) -> set[str]:
    if isinstance(part, dict):
        return {v for k, v in part.items() if k == "family"} | {f for v in part.values() for f in families(v)}
    return {f for one in part for f in families(one)} if isinstance(part, list | tuple) else set()


def hover_templates(figure: dict) -> list[str]:
    return [trace["hovertemplate"] for trace in figure["data"] if "hovertemplate" in trace]


def test_an_unknown_theme_is_refused(frame) -> None:
    with pytest.raises(ConfigError, match="theme"):
        all_figures(frame, "sepia")


def test_names_become_text() -> None:
    assert plain("<b>x</b>\n & $y$") == "&lt;b&gt;x&lt;/b&gt; &amp; &#36;y&#36;"
    assert len(plain("a" * 500)) == 48 and plain("a" * 500).endswith("…")
    assert flat("<b>") == "‹b›"


def test_curves_have_the_methods_colour_dashes_and_the_measures_words() -> None:
    figure = figures.curves({"bcl": ([0, 1], [0.1, 0.2]), "ce": ([0, 1], [0.3, 0.2])}, "centre_sum")
    bcl, ce = figure.data
    assert bcl.line.color == METHOD_COLOURS["bcl"] and ce.line.color == METHOD_COLOURS["ce"]
    assert bcl.line.dash != ce.line.dash
    assert figure.layout.title.text == "Centre sum, all samples ↓"
    np.testing.assert_array_equal(bcl.y, [0.1, 0.2])
    assert figures.curves({}, "accuracy_few").layout.yaxis.tickformat == ".0%"
    assert figures.curves({}, "min_centre_angle").layout.yaxis.ticksuffix == "°"
    assert [measure_title(key) for key in ("loss", "accuracy_few", "spread_tail")] == [
        "Loss", "Accuracy, rare classes ↑", "Spread, tail classes, all samples",
    ]  # fmt: skip


def test_what_a_measure_cannot_exceed_is_drawn_once_as_a_dashed_line() -> None:
    series = {"bcl": ([0, 5], [0.1, 1.9]), "ce": ([0, 5], [0.3, 1.2])}
    ceiling, other = ([0, 5], [2.0, 2.0]), ([0, 5], [2.5, 2.5])
    figure = figures.curves(series, "information_labels", ceilings=[ceiling, ceiling, other, ([], [])])
    drawn = figure.data[2:]
    assert [(list(line.y), line.line.dash) for line in drawn] == [([2.0, 2.0], "dash"), ([2.5, 2.5], "dash")]
    assert [note.text for note in figure.layout.annotations] == ["at most 2", "at most 2.5"]
    assert figure.layout.yaxis.rangemode == "tozero"
    assert not figures.curves(series, "centre_sum").layout.annotations


def test_seed_bands_are_mean_and_range_at_common_steps() -> None:
    steps, mean, low, high = figures.seed_band([([0, 1, 2], [1.0, 2.0, 3.0]), ([1, 2, 3], [4.0, 3.0, 9.0])])
    np.testing.assert_array_equal(steps, [1, 2])
    np.testing.assert_array_equal([mean, low, high], [[3.0, 3.0], [2.0, 3.0], [4.0, 3.0]])
    figure = figures.curves({"ce": (steps, mean)}, "loss", bands={"ce": (low, high)})
    fill, line = figure.data
    np.testing.assert_array_equal(fill.x, [1, 2, 2, 1])
    np.testing.assert_array_equal(fill.y, [4, 3, 3, 2])
    assert line.name == "ce" and not fill.showlegend


def test_class_counts_stand_head_to_tail_in_group_colours() -> None:
    counts = np.array([5, 500, 50])
    figure = figures.class_counts(counts, ["rare", "frequent", "middle"], metrics.shot_groups(counts), "light")
    bars = {bar.name: (bar.x[0], bar.y[0], bar.customdata[0], bar.marker.color) for bar in figure.data}
    many, medium, few = group_colours()
    assert bars == {"many": (0, 500, "frequent", many), "medium": (1, 50, "middle", medium), "few": (2, 5, "rare", few)}


def test_class_counts_on_a_logarithmic_axis_show_single_samples_and_the_test_set() -> None:
    counts = np.array([1, 5000, 50])
    groups = metrics.shot_groups(counts)
    figure = figures.class_counts(counts, ["a", "b", "c"], groups, "dark", held_out=[7, 7, 7], logarithmic=True)
    low, high = figure.layout.yaxis.range
    assert figure.layout.yaxis.type == "log" and low < 0 and high > np.log10(5000)
    assert list(figure.layout.yaxis.tickvals) == [1, 10, 100, 1000]
    test = figure.data[-1]
    assert test.name == "test" and list(test.y) == [7, 7, 7] and list(test.x) == [2, 0, 1]


def test_sphere_draws_each_class_its_centre_and_its_target(frame) -> None:
    figure = figures.sphere(frame, INFO)
    by_name = {trace.name: trace for trace in figure.data if trace.name}
    assert by_name["zero"].marker.color == class_ramp(4)[0] and len(by_name["zero"].x) == 40
    centres = metrics.Classes.of(frame.embeddings, frame.labels).centres
    np.testing.assert_allclose(by_name["class centres"].x, centres[:, 0])
    # target_index: class 0 owns target 2
    assert by_name["targets"].hovertext[2] == "target of zero"
    assert "step 42" in figure.layout.title.text


def test_sphere_beyond_three_dimensions_needs_a_projection_and_says_so() -> None:
    rng = np.random.default_rng(0)
    z, y = rng.standard_normal((60, 8)).astype(np.float32), np.arange(60) % 30
    frame = SimpleNamespace(step=1, embeddings=z, labels=y, landmarks={}, target_index=None)
    info = SimpleNamespace(title="many", num_classes=30, class_names=[str(c) for c in range(30)])
    with pytest.raises(ConfigError, match="projection matrix"):
        figures.sphere(frame, info)
    figure = figures.sphere(frame, info, matrix=np.eye(8, 3))
    assert "projection" in figure.layout.title.text
    crowd = next(trace for trace in figure.data if trace.name == "samples")
    np.testing.assert_allclose(crowd.x, z[:, 0])
    shown = np.random.default_rng(1).uniform(-0.5, 0.5, (60, 3)).astype(np.float32)
    figure = figures.sphere(frame, info, placement=NeighbourPlacement(z, shown))
    assert "projection" in figure.layout.title.text
    crowd = next(trace for trace in figure.data if trace.name == "samples")
    np.testing.assert_allclose(crowd.x, shown[:, 0], atol=1e-5)


def test_cosines_are_ordered_by_count_beside_the_ideal() -> None:
    centres = np.array([[0.0, 1, 0], [1, 0, 0], [0, 1, 0.1]])
    figure = figures.centre_cosines(centres, [5, 100, 20], ["rare", "frequent", "middle"])
    here, ideal = figure.data
    assert here.z[0, 1] == 0.0 and here.z[1, 2] == pytest.approx(0.995, abs=1e-3)
    assert here.customdata[0][1] == "frequent and middle"
    np.testing.assert_allclose(ideal.z[np.triu_indices(3, 1)], -0.5)
    with pytest.raises(DataError):
        figures.centre_cosines(centres, [1, 2], ["a", "b"])


def test_confusion_rows_are_shares_of_their_class() -> None:
    figure = figures.confusion(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), ["a", "b", "c"])
    table = figure.data[0].z
    np.testing.assert_allclose(table[:2], [[0.6667, 0.3333, 0], [0, 1, 0]])
    assert np.isnan(table[2]).all()
    with pytest.raises(DataError, match="0 ... 1".replace(".", r"\.")):
        figures.confusion(np.array([0]), np.array([2]), ["a", "b"])
    with pytest.raises(DataError, match="predictions"):
        figures.confusion(np.array([0]), np.array([0, 1]), ["a", "b"])


def test_sample_angles_are_those_of_the_spread(points) -> None:
    z, y = points
    figure = figures.sample_angles(z, y, NAMES)
    assert len(figure.data) == 4  # also where two classes share a name
    means = [trace.x.mean() for trace in figure.data]
    np.testing.assert_allclose(means, metrics.spread(z, y, 4).mean_angle, rtol=1e-6)


def test_the_last_point_of_a_path_is_marked() -> None:
    figure = figures.phase_portrait({"ce": ([0, 5, 9], [3, 2, 1], [-1, -2, -3]), "empty": ([], [], [])})
    (path,) = figure.data
    assert list(path.marker.size) == [4, 4, 11] and list(path.customdata) == [0, 5, 9]


def test_uneven_series_are_refused() -> None:
    with pytest.raises(ConfigError, match="one value a step"):
        figures.curves({"ce": ([0, 1], [0.1])}, "loss")
    with pytest.raises(ConfigError, match="both values"):
        figures.phase_portrait({"ce": ([0, 1], [0.1], [0.2, 0.3])})
    with pytest.raises(ConfigError, match="at least one run"):
        figures.seed_band([])
    with pytest.raises(AttributeError):
        figures.pie_chart  # noqa: B018


@pytest.mark.parametrize("num_classes", [4, 30])
def test_samples_without_a_label_are_grey_and_said(frame, num_classes: int) -> None:
    frame.labels[::5] = -1
    frame.target_index = None
    info = SimpleNamespace(title="a", num_classes=num_classes, class_names=[f"c{c}" for c in range(num_classes)])
    for theme, colours in THEMES.items():
        drawn = {trace.name: trace for trace in figures.sphere(frame, info, theme).data}
        grey = drawn["unlabelled (15)"]
        assert grey.marker.color == colours["unlabelled"] and set(grey.text) == {"unlabelled (15)"}
        np.testing.assert_array_equal(np.stack([grey.x, grey.y, grey.z], 1), frame.embeddings[::5])
        assert colours["unlabelled"] not in class_ramp(num_classes)
        shown = sum(len(trace.x) for trace in drawn.values() if trace.mode == "markers" and trace.name != "targets")
        assert shown == 75 + (num_classes if num_classes > 20 else 0), "each sample once, and centres"


def test_a_sphere_without_any_label_is_all_grey(frame) -> None:
    frame.labels[:] = -1
    frame.target_index = None
    drawn = figures.sphere(frame, SimpleNamespace(title="a", num_classes=0, class_names=[]))
    assert [trace.name for trace in drawn.data if trace.mode == "markers"] == ["unlabelled (75)", "targets"]
