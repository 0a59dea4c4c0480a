"""How many images a method sees is counted in its batches, and a race may give all methods the same number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ltviz.data.batch import Batch
from ltviz.errors import ConfigError
from ltviz.methods import registry
from ltviz.recording import Recording, send_request
from ltviz.training.race import Race
from ltviz.training.settings import RunSettings
from ltviz.training.shared_start import prepare
from ltviz.training.start import Entrant, begin, resume

Start = Callable[..., Race]
VIEWS = {"ce": 1, "reweight": 1, "logit_adjust": 1, "clip": 1, "toy": 2, "supcon": 2, "moco": 2, "bcl": 3, "gml": 3}


def seen(path: Path) -> list[tuple[int, float]]:
    return [(frame.step, frame.metrics["images_seen"]) for frame in Recording(path).since(None)]


def test_a_batch_counts_what_was_asked_for_and_samples_that_come_again_have_other_views() -> None:
    made: list[int] = []

    def make_view(i: int) -> Tensor:
        made.append(i)
        return torch.arange(4.0)[:, None] + 10 * i

    common = Batch(1, torch.arange(4), torch.arange(4), make_view)
    one, two, three = common.share(12, 1), common.share(6, 2), common.share(4, 3)
    assert one.view(0)[:, 0].tolist() == [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]
    assert two.view(0)[:, 0].tolist() == [0, 1, 2, 3, 20, 21] and two.view(1)[:, 0].tolist() == [10, 11, 12, 13, 30, 31]
    assert two.y.tolist() == two.index.tolist() == [0, 1, 2, 3, 0, 1]
    assert sorted(three.views(0, 1, 2).flatten().tolist()) == sorted(one.view(0).flatten().tolist()), "the same images"
    one.view(0)
    assert one.images == two.images == three.images == 12 and sorted(made) == [0, 1, 2, 3], "a view is made once"


def test_frames_say_how_many_images_the_steps_have_seen(start: Start, tmp_path: Path) -> None:
    start("ce", "toy", "bcl", steps=6).run()
    for name in ("ce", "toy", "bcl"):
        assert seen(tmp_path / "runs" / name) == [(step, 16.0 * VIEWS[name] * step) for step in range(7)]


def test_images_of_a_second_batch_count_too(start: Start, tmp_path: Path) -> None:
    start("bce", "ltml", data="digits-ml", steps=3, max_per_class=60).run()
    assert seen(tmp_path / "runs" / "bce")[-1] == (3, 48) and seen(tmp_path / "runs" / "ltml")[-1] == (3, 96)


@pytest.mark.parametrize("names", [tuple(VIEWS), ("bce", "ltml")], ids=["one label", "several"])
def test_all_methods_may_see_equally_many_images(start: Start, tmp_path: Path, names: tuple[str, ...]) -> None:
    data = {"data": "digits-ml", "max_per_class": 60} if "ltml" in names else {}
    race = start(*names, steps=2, views=3, **data)
    race.run()
    for name in names:
        run = Recording(tmp_path / "runs" / name)
        assert seen(run.path)[-1] == (2, 96), name
        if not data:
            assert run.config["share"] == [48 // VIEWS[name], VIEWS[name]]
            assert run.last().epoch == pytest.approx(2 * 16 / sum(run.info.counts)), "an epoch is of samples"
    assert len({Recording(tmp_path / "runs" / name).info.fingerprints.batches for name in names}) == 1


@pytest.mark.parametrize("name", ["toy", "bcl", "kcl", "gml", "proco"])
def test_counting_leaves_a_method_as_it_was(name: str) -> None:
    shared = prepare(RunSettings(steps=2, max_per_class=30, imbalance_factor=10, views=4))
    kind = registry.method(name)
    counted, other = (shared.build(kind, kind.Settings()) for _ in range(2))
    assert shared.share_of(counted)[0] >= 64
    assert all(
        torch.equal(a, b) for a, b in zip(counted.state_dict().values(), other.state_dict().values(), strict=True)
    )
    batch = shared.batches.at(1)
    terms = []
    for method in (counted, other):
        torch.manual_seed(0)
        terms.append({key: value.item() for key, value in method.losses(batch).items()})
    assert terms[0] == terms[1]


def test_a_run_goes_on_with_its_count(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "runs" / "toy"
    start("toy", views=3, progress=lambda step: send_request(path, "stop") if step == 9 else None).run()
    assert seen(path)[-1][0] == 9
    resume([path]).run()
    start("toy", folder="whole", views=3).run()
    assert seen(path)[-1] == seen(tmp_path / "whole" / "toy")[-1] == (40, 40 * 48)
    ours, whole = (Recording(home / "toy").last().embeddings for home in (tmp_path / "runs", tmp_path / "whole"))
    assert (ours == whole).all()


def test_too_few_views_and_losses_that_fail_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    for name, settings, said in (
        ("bcl", {}, r"views must be at least 3, which bcl takes of each sample, .* got 2; try 3"),
        ("faulty", {"at": 1, "fault": "bug"}, r"faulty must be able to take a step .* IndexError: list index"),
    ):
        with pytest.raises(ConfigError, match=said):
            begin([Entrant(tmp_path / name, name, settings)], RunSettings(views=2))
    assert not any(tmp_path.iterdir())
