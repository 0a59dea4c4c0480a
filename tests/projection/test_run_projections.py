"""Views of a run: the same for everybody, in any order of asking, after a restart, whatever lies in the folder."""

from __future__ import annotations

import logging
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

import ltviz.projection.cache as cache_module
from ltviz.projection import REGISTRY, ProjectionCache, RunProjections
from ltviz.projection.run_projections import _spread
from ltviz.recording import Recording, list_runs, tensors

LINEAR = [name for name, kind in REGISTRY.items() if name != "none" and not kind.slow]


def views(run: Recording, name: str = "centres") -> RunProjections:
    """As another process would open them."""
    return RunProjections(name, Recording(run.path), run.info.order)


def file_of(run: Recording, step: int, name: str = "centres") -> Path:
    return run.path / "projections" / name / f"{step:09d}.safetensors"


def shown(run: Recording, step: int, name: str = "centres") -> np.ndarray:
    return views(run, name).at(run.frame(step)).shown


@pytest.mark.parametrize("name", [name for name in LINEAR if name != "spread"])
def test_a_view_does_not_depend_on_what_was_asked_first(make_run, name: str) -> None:
    forwards, backwards, mixed = make_run("forwards"), make_run("backwards"), make_run("mixed")
    steps = forwards.steps()
    pictures = [RunProjections(name, run, run.info.order) for run in (forwards, backwards, mixed)]
    in_order = {step: pictures[0].at(forwards.frame(step)) for step in steps}
    shuffled = random.Random(1).sample(steps, len(steps))
    for one, run, order in ((pictures[1], backwards, steps[::-1]), (pictures[2], mixed, shuffled)):
        for step in order:
            fit = one.at(run.frame(step))
            np.testing.assert_array_equal(fit.shown, in_order[step].shown)
            assert fit.honesty == in_order[step].honesty


@pytest.mark.parametrize("name", LINEAR)
def test_a_restart_and_a_copy_give_identical_views_and_fit_nothing(make_run, tmp_path: Path, name, monkeypatch) -> None:
    run = make_run()
    first = {step: views(run, name).at(run.frame(step)) for step in (9, 3, 4)}
    files = {step: file_of(run, step, name).read_bytes() for step in first}
    shutil.copytree(run.path, tmp_path / "copied")
    monkeypatch.setattr(REGISTRY[name], "fit", lambda *_: pytest.fail("it was fitted before"))
    for again in (run, Recording(tmp_path / "copied")):
        for step, fit in first.items():
            found = views(again, name).at(again.frame(step))
            np.testing.assert_array_equal(found.shown, fit.shown)
            assert found.honesty == fit.honesty
    assert {step: file_of(run, step, name).read_bytes() for step in first} == files


def test_frames_beyond_the_walk_are_passed_over_evenly() -> None:
    assert _spread([0, 1, 2], 5) == [0, 1, 2]
    assert _spread(list(range(101)), 5) == [0, 25, 50, 75, 100]
    assert _spread([7, 8, 9], 0) == [7]
    assert _spread([], 3) == []


def test_a_cached_view_belongs_to_its_frame_and_to_no_other(make_run) -> None:
    run = make_run()
    views(run).at(run.frame(5))
    strange = make_run("strange", seed=3)
    fresh = shown(strange, 5)
    (strange.path / "projections" / "centres").rename(strange.path / "projections" / "own")
    shutil.copytree(run.path / "projections" / "centres", strange.path / "projections" / "centres")
    np.testing.assert_array_equal(shown(strange, 5), fresh)


def test_files_of_other_rules_are_fitted_again(make_run, monkeypatch) -> None:
    run = make_run()
    before = shown(run, 5)
    made = file_of(run, 5).stat().st_mtime_ns
    monkeypatch.setattr(cache_module, "RULES", 99)
    np.testing.assert_array_equal(shown(run, 5), before)
    assert file_of(run, 5).stat().st_mtime_ns > made


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def claim(path: Path) -> None:
    """A stranger's file: sound checksums, nonsense inside."""
    arrays, meta = tensors.decode(path.read_bytes())
    meta = {key: value for key, value in meta.items() if "crc32" not in key and key != "format"}
    path.write_bytes(tensors.encode({"matrix": np.full_like(arrays["matrix"], 1e30)}, meta))


def misname(path: Path) -> None:
    arrays, meta = tensors.decode(path.read_bytes())
    meta = {key: value for key, value in meta.items() if "crc32" not in key and key != "format"}
    path.write_bytes(tensors.encode({"shown": arrays["matrix"]}, meta | {"honesty": '["much"]'}))


def link(path: Path) -> None:
    path.rename(path.with_suffix(".other"))
    path.symlink_to(path.with_suffix(".other"))


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [damage, cut, claim, misname, link, empty])
def test_damaged_and_hostile_files_are_fitted_again(make_run, harm) -> None:
    run = make_run()
    before = shown(run, 5)
    harm(file_of(run, 5))
    np.testing.assert_array_equal(shown(run, 5), before)
    assert not file_of(run, 5).is_symlink()
    tensors.decode(file_of(run, 5).read_bytes())  # sound again


def test_damage_is_said_once_and_steps_after_it_still_follow(make_run, caplog) -> None:
    run = make_run()
    expected = shown(run, 6)
    file_of(run, 6).unlink()
    shown(run, 5)
    damage(file_of(run, 5))
    with caplog.at_level(logging.WARNING, "ltviz"):
        np.testing.assert_array_equal(shown(run, 6), expected)
    assert sum("step 5" in record.getMessage() for record in caplog.records) == 1


def test_honesty_from_a_file_is_numbers_alone(make_run) -> None:
    run = make_run()
    shown(run, 5)
    arrays, meta = tensors.decode(file_of(run, 5).read_bytes())
    meta = {key: value for key, value in meta.items() if "crc32" not in key and key != "format"}
    meta["honesty"] = '{"jitter": 1e999, "kept_variance": true, "trustworthiness": 0.5, "<img>": 1}'
    file_of(run, 5).write_bytes(tensors.encode(arrays, meta))
    assert views(run).at(run.frame(5)).honesty == {"trustworthiness": 0.5}


def block(run: Recording) -> None:
    (run.path / "projections").write_text("no folder")


def point_elsewhere(run: Recording) -> None:
    (run.path.parent / "elsewhere").mkdir()
    (run.path / "projections").symlink_to(run.path.parent / "elsewhere")


@pytest.mark.parametrize("hinder", [block, point_elsewhere])
def test_where_nothing_can_be_written_memory_keeps_the_views(make_run, hinder, caplog, monkeypatch) -> None:
    usual, run = make_run("usual"), make_run()
    hinder(run)
    one = views(run)
    with caplog.at_level(logging.WARNING, "ltviz"):
        pictures = {step: one.at(run.frame(step)).shown for step in (3, 4, 5)}
    assert sum("memory" in record.getMessage() for record in caplog.records) == 1
    for step, picture in pictures.items():
        np.testing.assert_array_equal(picture, shown(usual, step))
    monkeypatch.setattr(REGISTRY["centres"], "fit", lambda *_: pytest.fail("memory has it"))
    np.testing.assert_array_equal(one.at(run.frame(4)).shown, pictures[4])
    assert list(run.path.parent.glob("elsewhere/*")) == []


def test_a_run_that_was_deleted_does_not_come_back_as_a_folder_of_views(make_run) -> None:
    run = make_run()
    one, frame = views(run), run.frame(0)
    shutil.rmtree(run.path)
    assert one.at(frame).shown.shape == (60, 3)
    assert not run.path.exists()


def test_the_folder_is_bounded_and_memory_too(make_run, monkeypatch) -> None:
    run = make_run()
    views(run).at(run.frame(0))
    size = file_of(run, 0).stat().st_size
    monkeypatch.setattr(cache_module, "MOST_BYTES", 3 * size + 100)
    monkeypatch.setattr(cache_module, "MEMORY_BYTES", 2000)
    cache = ProjectionCache(run.path)
    one = RunProjections("centres", run, run.info.order, cache)
    pictures = [one.at(run.frame(step)).shown for step in run.steps()]
    written = list((run.path / "projections").glob("*/*"))
    assert len(written) == 3 and sum(path.stat().st_size for path in written) <= 3 * size + 100
    assert cache._held == sum(kept.nbytes for kept in cache._memory.values()) <= 2000
    for step, picture in zip(run.steps(), pictures, strict=True):
        np.testing.assert_array_equal(one.at(run.frame(step)).shown, picture)


def test_a_run_with_views_is_still_the_run_it_was(make_run) -> None:
    run = make_run()
    shown(run, 11)
    again = Recording(run.path)
    assert again.steps() == list(range(12)) and again.bad_frames() == []
    assert [found.path.name for found in list_runs(run.path.parent)] == ["run-one"]


def test_a_damaged_frame_on_the_way_is_passed_over(make_run) -> None:
    run = make_run()
    damage(run.path / "frames" / "000000003.safetensors")
    assert shown(run, 6).shape == (60, 3)
