"""What a run is worth at its end: on the whole test set, by the judges of every run, of the sphere and of features."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ltviz import metrics
from ltviz.errors import RecordingError
from ltviz.export.results import Result, read_results
from ltviz.metrics.precision import mean_average_precision
from ltviz.recording import Recording, send_request
from ltviz.recording.evaluation import Evaluation, read_evaluation, write_evaluation
from ltviz.training import evaluation, phase
from ltviz.training.judges import judge
from ltviz.training.race import Race
from ltviz.training.start import resume
from ltviz.training.stop import Stop

Start = Callable[..., Race]


def evaluation_of(path: Path) -> Evaluation:
    found = read_evaluation(path)
    assert found is not None
    return found


def test_a_finished_run_is_judged_on_the_whole_test_set(start: Start, tmp_path: Path) -> None:
    start("ce", "bcl", steps=12).run()
    for name in ("ce", "bcl"):
        path = tmp_path / "runs" / name
        found = evaluation_of(path)
        assert found.step == 12 and found.test_images == [50] * 10
        judged = judge(Recording(path), ["ncm", "linear"])
        assert found.accuracy == judged["judges"], (
            "what `ltviz judge` says of the saved weights, not of 50 probe images"
        )
        assert set(found.measures()) <= set(metrics.FINAL)


def test_geometry_is_of_all_samples_of_the_sphere_and_of_unit_features(start: Start, tmp_path: Path) -> None:
    race = start("ce", "bcl", steps=12)
    methods, shared = {held.name: held.method for held in race.lanes}, race.lanes[0]._shared
    race.run()
    data = shared.data
    for name, method in methods.items():
        found = evaluation_of(tmp_path / "runs" / name)
        for part, inputs, y in (
            ("train", data.train_inputs, data.train_labels),
            ("test", data.test_inputs, data.test_labels),
        ):
            with torch.no_grad():
                features = method.eval().encoder(torch.cat([*shared.on_device(inputs).blocks()]))
            for held, rows in (
                (found.geometry, method.project(features)),
                (found.features, F.normalize(features, dim=1)),
            ):
                expected = metrics.measure(rows.detach().numpy(), y, counts=data.counts)
                for key in ("centre_sum", "min_centre_angle", "spread_head", "spread_tail"):
                    assert held[part][key] == pytest.approx(expected[key], rel=1e-4), (name, part, key)
    told = {name: evaluation_of(tmp_path / "runs" / name).measures() for name in methods}
    assert "final_centre_sum_test" in told["bcl"] and "final_centre_sum_test" not in told["ce"], "CE's is a read-out"
    assert all("final_centre_sum_test_features" in of for of in told.values())


def test_several_labels_have_their_average_precision(start: Start, tmp_path: Path) -> None:
    race = start("bce", data="digits-ml", steps=3, max_per_class=60)
    method, shared = race.lanes[0].method, race.lanes[0]._shared
    data = shared.data
    race.run()
    found = evaluation_of(tmp_path / "runs" / "bce")
    with torch.no_grad():
        scores = method.eval().predict(torch.cat([*shared.on_device(data.test_inputs).blocks()])).numpy()
    expected = mean_average_precision(scores, data.test_multi, data.counts)
    assert found.accuracy == {} and found.map == pytest.approx({key: expected[key] for key in found.map}, rel=1e-4)
    assert {*found.map} >= {"all", "many", "few"}


def test_an_evaluation_changes_nothing_of_the_run_and_can_be_left_out(start: Start, tmp_path: Path) -> None:
    start("toy").run()
    start("toy", folder="without", evaluate=False).run()
    assert read_evaluation(tmp_path / "without" / "toy") is None
    with_, without = (Recording(tmp_path / folder / "toy") for folder in ("runs", "without"))
    assert np.array_equal(with_.last().embeddings, without.last().embeddings)


def test_a_run_that_is_stopped_has_none_until_it_is_complete(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "runs" / "toy"
    start("toy", progress=lambda step: send_request(path, "stop") if step == 5 else None).run()
    assert read_evaluation(path) is None
    resume([path]).run()
    assert evaluation_of(path).step == 40


def test_a_run_is_complete_without_an_evaluation_that_fails(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*given: object) -> None:
        raise ZeroDivisionError("no features")

    monkeypatch.setattr(evaluation, "evaluate", broken)
    assert start("toy", steps=3).run()[0].state == "finished"
    assert read_evaluation(tmp_path / "runs" / "toy") is None
    assert "toy: no evaluation at step 3: ZeroDivisionError: no features" in caplog.text


def test_tables_take_an_evaluation_of_the_last_step_alone(start: Start, tmp_path: Path) -> None:
    start("ce", steps=4).run()
    path = tmp_path / "runs" / "ce"

    def read() -> Result:
        return read_results([Recording(path)])[0][0]

    result, found = read(), evaluation_of(path)
    assert result.metrics["final_accuracy_few_ncm"] == found.accuracy["ncm"]["few"]
    assert [len(ids) for ids in result.images("final_accuracy_few_ncm") or []] == [50] * len(
        metrics.shot_groups(np.array(result.info.counts)).tail
    )
    assert [len(ids) for ids in result.images("final_accuracy_all_own") or []] == [500]
    write_evaluation(path, found.model_copy(update={"step": 3}))
    assert read().evaluation is None and "final_accuracy_few_ncm" not in read().metrics
    write_evaluation(path, found.model_copy(update={"test_images": [50] * 9}))
    assert read().evaluation is None and "final_accuracy_few_ncm" not in read().metrics


@pytest.mark.parametrize("spoil", ["{", '{"step": 1, "test_images": [], "accuracy": {"own": {"all": 7}}}', "newer"])
def test_a_damaged_file_is_said_and_costs_no_table(start: Start, tmp_path: Path, spoil: str) -> None:
    start("ce", steps=2).run()
    path = tmp_path / "runs" / "ce"
    whole = json.loads((path / "evaluation.json").read_text())
    (path / "evaluation.json").write_text(json.dumps({**whole, "format": 99}) if spoil == "newer" else spoil)
    with pytest.raises(RecordingError, match=r"evaluation\.json"):
        read_evaluation(path)
    (result,), left_out = read_results([Recording(path)])
    assert left_out == [] and result.evaluation is None and "accuracy_few" in result.metrics


def test_what_judges_are_at_is_told_and_a_stop_ends_them(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phase, "_STATUS", 0.0)
    path, told, standing = tmp_path / "runs" / "ce", [], []

    def say(doing: str) -> None:
        told.append(doing)
        standing.append(Recording(path).status())
        if len(told) == 3:
            send_request(path, "stop")

    outcomes = start("ce", "toy", steps=4, say=say).run()
    assert told[:3] == [
        "judging CE: 0 of 500 test images",
        "judging CE: 256 of 500 test images",
        "judging CE: 0 of 118 training images",
    ]
    assert (standing[2].state, standing[2].reason) == ("running", told[1]), "who looks at the run reads it too"
    assert (outcomes[0].state, outcomes[0].reason, outcomes[0].step) == ("finished", "stopped", 4)
    assert read_evaluation(path) is None and Recording(path).last().step == 4
    assert (outcomes[1].state, outcomes[1].reason) == ("finished", None), "a stop of one run is none of the others'"
    assert any(doing.startswith("judging Toy: the linear probe of 118") for doing in told)
    assert evaluation_of(tmp_path / "runs" / "toy").step == 4
    assert Recording(tmp_path / "runs" / "toy").status().reason is None


def test_a_stop_of_the_whole_race_ends_every_evaluation(start: Start, tmp_path: Path) -> None:
    stop = Stop()
    outcomes = start("ce", "toy", steps=4, stop=stop, say=lambda doing: stop.ask()).run()
    assert [(outcome.state, outcome.reason) for outcome in outcomes] == [("finished", "stopped")] * 2
    assert all(read_evaluation(tmp_path / "runs" / name) is None for name in ("ce", "toy"))


def test_every_frame_is_judged_by_what_its_features_say(start: Start, tmp_path: Path) -> None:
    race = start("ce", "bcl", steps=12)
    methods, shared = {held.name: held.method for held in race.lanes}, race.lanes[0]._shared
    race.run()
    probe = shared.probe
    for name, method in methods.items():
        found = Recording(tmp_path / "runs" / name).frame_metrics()
        assert len(found) > 2
        for frame in found.values():
            assert {f"accuracy_{by}_{shot}_features" for by in ("ncm", "probe") for shot in ("all", "few")} <= {*frame}
        with torch.no_grad():
            features = method.eval().encoder(torch.cat([*shared.probe_inputs.blocks()])).double()
        unit, y = F.normalize(features, dim=1), torch.from_numpy(probe.labels).long()
        train, test = torch.from_numpy(probe.split == 0), torch.from_numpy(probe.split == 1)
        means = torch.zeros(10, unit.shape[1]).double().index_add(0, y[train], unit[train])
        right = (unit[test] @ F.normalize(means, dim=1).T).argmax(1) == y[test]
        assert found[12]["accuracy_ncm_all_features"] == pytest.approx(float(right.double().mean()), abs=1e-6)
