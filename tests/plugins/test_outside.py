"""What another package adds, each in one place: a measure, a projection, a data set, an encoder; what comes of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ltviz import figures, metrics
from ltviz.cli.doctor import _check_plugins
from ltviz.data.registry import sources
from ltviz.errors import ConfigError, DataError
from ltviz.export.results import group_results, head, read_results
from ltviz.export.summary import markdown
from ltviz.metrics import MEASURES, measure, shown_in
from ltviz.projection import REGISTRY, RunProjections, make_projection
from ltviz.recording import Recording, RunInfo, RunWriter

MEASURE = """
import numpy as np
from ltviz.metrics import Measure, declare

@declare(
    Measure(
        key="widest_gap",
        title="Widest gap",
        short="The largest angle between two class centres.",
        unit="degrees",
        better="higher",
        shown=("panel", "table", "curves", "report", "summary"),
    ),
    apart="always",
)
def widest_gap(space):
    centres = space.centres[space.present]
    return float(np.degrees(np.arccos(np.clip(centres @ centres.T, -1, 1))).max())
"""
PROJECTION = """
import numpy as np
from ltviz.projection.linear import LinearProjection

class Shadow(LinearProjection):
    name = "last-three"
    title = "Last three"
    short = "The last three coordinates."

    def axes(self, embeddings, centres, before):
        return np.eye(embeddings.shape[1])[:, -3:]

class Plane(LinearProjection):
    name = "pair"
    title = "Two classes"
    short = "Seen across two classes."
    chosen_classes = 2

    def __init__(self, classes=None):
        super().__init__()
        self.classes = classes

    def axes(self, embeddings, centres, before):
        return np.eye(embeddings.shape[1], 3)
"""
STRIPES = """
import numpy as np
from ltviz.data.inputs import HeldInputs
from ltviz.data.longtail import Pool
from ltviz.data.source import Source

class Stripes(Source):
    name = "stripes-lt"
    title = "Stripes"
    about = "Three kinds of stripes."
    class_names = ("a", "b", "c")
    image_shape = (4, 4)
    max_per_class = 16
    test_per_class = 4

    def read(self, where):
        labels = np.repeat(np.arange(3), 20)
        images = np.random.default_rng(0).random((60, 4, 4)).astype(np.float32) / 2 + labels[:, None, None] / 4
        ids = np.arange(60)
        train = ids % 5 > 0
        return Pool(
            train_inputs=HeldInputs(images[train]), train_labels=labels[train], train_ids=ids[train],
            test_inputs=HeldInputs(images[~train]), test_labels=labels[~train], test_ids=ids[~train],
            class_names=self.class_names,
        )
"""
ENCODER = """
from torch import nn

def tiny(image_shape):
    return nn.Sequential(nn.Flatten(), nn.Linear(image_shape[0] * image_shape[1], 8), nn.ReLU())
"""
POINTS = {"ltviz.metrics": {"widest": "outside:widest_gap"}}


def cloud(dim: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    z = np.eye(4, dim)[np.arange(40) % 4] + 0.3 * rng.standard_normal((40, dim))
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32), np.arange(40) % 4


def record(folder: Path, dim: int = 5) -> Recording:
    z, y = cloud(dim)
    info = RunInfo(
        run_id=folder.name, title="Mine", method="ce", dim=dim, num_classes=4, class_names=list("abcd"),
        counts=[40, 20, 10, 5], total_steps=1, seed=0, created=1.0,
    )  # fmt: skip
    with RunWriter.create(folder, info, labels=y, split=(np.arange(40) // 4 % 2).astype(np.uint8)) as writer:
        writer.frame(0, embeddings=z, metrics=measure(z, y))
    return Recording(folder)


def test_a_measure_is_measured_and_shown_wherever_it_says(install, tmp_path: Path) -> None:
    before = measure(*cloud())
    install("outside", MEASURE, POINTS)
    z, y = cloud()
    found = measure(z, y, split=np.arange(40) // 4 % 2)
    assert 90 < found["widest_gap"] < 120 and {"widest_gap_train", "widest_gap_test"} <= found.keys()
    assert {key: value for key, value in measure(z, y).items() if key != "widest_gap"} == before
    assert "training samples" in MEASURES["widest_gap_train"].short
    for place in ("panel", "table", "curves", "report", "summary"):
        assert shown_in(place)[-1].key == "widest_gap", place
    assert shown_in("findings")[-1].key != "widest_gap"
    groups = group_results(read_results([record(tmp_path / "one-run")])[0])
    assert head("widest_gap_test") == "widest gap, test samples ° ↑"
    assert "widest gap, all samples ° ↑" in markdown(groups), "where the run's frames do not tell them apart"
    figure = figures.curves({"Mine": ([0, 1], [1.0, 2.0])}, "widest_gap", {"Mine": "#000000"}, "light")
    assert "Widest gap" in str(figure.layout.title.text)


def test_nothing_of_a_package_is_left_when_it_is_gone() -> None:
    assert "widest_gap" not in MEASURES and "last-three" not in REGISTRY and "stripes-lt" not in sources()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise ImportError('no such thing')", "no such thing"),
        ("widest_gap = 7", "declare"),
        (MEASURE.replace('"widest_gap"', '"centre_sum"'), "the name 'centre_sum' is taken"),
        (MEASURE.replace('"widest_gap"', '"nc1_test"'), "the name 'nc1_test' is taken"),
        (MEASURE.replace('"widest_gap"', '"widest gap"'), "letters, digits and _"),
        (MEASURE.replace('"panel"', '"lid"'), "'lid'"),
        (MEASURE.replace('"higher"', '"up"'), "'up'"),
    ],
)
def test_a_broken_measure_is_said_and_left_out(install, source: str, why: str) -> None:
    install("outside", source, POINTS)
    with pytest.warns(UserWarning, match=f"measure plug-in widest .* is left out: .*{why}"):
        found = measure(*cloud())
    assert found.keys() == {key for key in found if key in MEASURES} and "centre_sum" in found
    assert any(why in problem for problem in metrics.registry.MEASUREMENTS.problems)


@pytest.mark.parametrize("body", ["raise RuntimeError('out of luck')", "return {'other': 1.0}", "return 'much'"])
def test_a_measure_that_fails_costs_its_own_number_alone(install, body: str) -> None:
    source = MEASURE[: MEASURE.index("    centres =")] + f"    {body}\n"
    install("outside", source, POINTS)
    with pytest.warns(UserWarning, match="measure widest_gap of outside is left out"):
        found = measure(*cloud())
    assert "widest_gap" not in found and "centre_sum" in found


def test_a_projection_is_chosen_by_name_and_by_classes(install, tmp_path: Path) -> None:
    points = {"ltviz.projections": {"shadow": "outside:Shadow", "plane": "outside:Plane"}}
    install("outside", PROJECTION, points)
    z, y = cloud()
    centres = metrics.space_of(z, y).centres
    name, projection = make_projection("last-three")
    assert name == "last-three" and [*REGISTRY][-2:] == ["last-three", "pair"] and next(iter(REGISTRY)) == "centres"
    np.testing.assert_allclose(projection.update(z, centres).shown, z[:, -3:], atol=1e-6)
    assert make_projection("pair:3-1")[0] == "pair:1-3" and make_projection("pair:3-1")[1].classes == (1, 3)
    for wrong in ("last-three:1-2", "pair:1", "pair:1-2-3"):
        with pytest.raises(ConfigError, match="no projection called"):
            make_projection(wrong)
    run = record(tmp_path / "one-run")
    fit = RunProjections("last-three", run, np.arange(4)).at(run.frame(0))
    assert fit.honesty["kept_variance"] < 1 and (run.path / "projections" / "last-three").is_dir()


@pytest.mark.parametrize(
    ("change", "why"),
    [(('"last-three"', '"../three"'), "lower-case letters"), (("def axes", "def axis"), "does not define axes")],
)
def test_a_broken_projection_is_said_and_left_out(install, change: tuple[str, str], why: str) -> None:
    install("outside", PROJECTION.replace(*change), {"ltviz.projections": {"shadow": "outside:Shadow"}})
    with pytest.warns(UserWarning, match=f"projection plug-in shadow .* is left out: .*{why}"):
        assert "centres" in REGISTRY
    assert list(REGISTRY) == [name for name in REGISTRY if name not in ("last-three", "../three")]


def test_a_projection_that_fails_is_a_sentence(install, tmp_path: Path) -> None:
    source = PROJECTION.replace("[:, -3:]", "[:, :9000] / undefined")
    install("outside", source, {"ltviz.projections": {"shadow": "outside:Shadow"}})
    run = record(tmp_path / "one-run")
    with pytest.raises(DataError, match=r"The view last-three of this frame failed \(NameError"):
        RunProjections("last-three", run, np.arange(4)).at(run.frame(0))


def test_the_doctor_names_what_packages_add_and_what_is_broken(install) -> None:
    assert _check_plugins().ok is None
    install("outside", MEASURE + PROJECTION, {**POINTS, "ltviz.projections": {"shadow": "outside:Shadow"}})
    assert _check_plugins().ok and _check_plugins().text == "measure widest_gap, projection last-three"
    install("lost", "", {"ltviz.encoders": {"none": "lost:none"}})
    found = _check_plugins()
    assert found.ok is False and "encoder plug-in none (lost:none) is left out" in found.text


def test_a_run_on_data_and_an_encoder_of_a_package_measures_what_it_adds(install, tmp_path: Path) -> None:
    """One training in a process of its own: the data set, the encoder and the measure each stand in one place."""
    points = {"ltviz.data": {"stripes": "outside:Stripes"}, "ltviz.encoders": {"tiny": "outside:tiny"}}
    install("outside", MEASURE + STRIPES + ENCODER, {**POINTS, **points})
    assert sources()["stripes-lt"].title == "Stripes"
    run = tmp_path / "striped"
    flags = ["--data", "stripes-lt", "--imbalance-factor", "4", "--encoder", "tiny", "--steps", "3", "--seed", "0"]
    ltviz = [sys.executable, "-m", "ltviz"]
    subprocess.run([*ltviz, "train", "ce", *flags, "--run-dir", str(run)], check=True, capture_output=True)
    recording = Recording(run)
    frame = recording.last()
    assert set(recording.info.class_names) == {"a", "b", "c"}
    assert frame is not None and 0 < frame.metrics["widest_gap"] <= 180
    told = subprocess.run([*ltviz, "metrics", str(run), "--json"], check=True, capture_output=True, text=True)
    assert json.loads(told.stdout)["widest_gap"] == pytest.approx(frame.metrics["widest_gap"])
    words = subprocess.run([*ltviz, "metrics", str(run)], check=True, capture_output=True, text=True).stdout
    assert "The largest angle between two class centres." in words
