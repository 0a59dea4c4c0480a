"""Every run below a home is found, whatever its folder is called, and goes by an id that fits an address."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from ltviz.errors import ConfigError, RecordingError
from ltviz.recording import RUN_ID, Home, Recording, list_runs, record, run_id_of, run_path
from ltviz.recording import home as module
from ltviz.recording.notes import delete_run, tag_run

NAMES = ["my-run", "ce", "my_run", "Run1", "lr=0.1,bs=64", "version_0", "für immer", "実行", "a b", "nested/deep/ce"]


def make(folder: Path) -> Path:
    with record(folder, labels=np.arange(4) % 2) as run:
        run.frame(0, embeddings=np.eye(4)[:, :3] + 0.1)
    return folder


def test_every_run_is_found_by_an_id_that_leads_back_to_its_folder(tmp_path):
    for name in NAMES:
        make(tmp_path / name)
    home = Home(tmp_path)
    found = home.look()
    assert sorted(found.runs.values()) == sorted(NAMES) and found.skipped == ()
    assert all(RUN_ID.fullmatch(run) for run in found.runs) and len(found.runs) == len(NAMES)
    for run, folder in found.runs.items():
        assert run == run_id_of(folder) == Home(tmp_path).find(folder).run_id
        assert run_path(tmp_path, run) == home.folder(run) == tmp_path / folder
    assert found.runs["my-run"] == "my-run", "a name that is an id stays what it is"
    assert {run.run_id for run in list_runs(tmp_path)} == set(found.runs)
    assert [Recording(tmp_path / "Run1").run_id, home.place(Recording(tmp_path / "nested/deep/ce"))] == [
        "Run1",
        "nested/deep/ce",
    ]


@pytest.mark.parametrize("one, other", [("a_b", "a-b"), ("a_b", "a b"), ("Run", "run"), ("x/ce", "x-ce"), ("é", "è")])
def test_two_folders_never_share_an_id(one, other):
    assert run_id_of(one) != run_id_of(other)


def test_ids_stay_the_same_from_one_version_to_the_next():
    assert run_id_of("ce") == "ce-xe64c826b" and run_id_of("seeds/lr=0.1,bs=64") == "seeds-lr-0-1-bs-64-x4365aedb"
    assert RUN_ID.fullmatch(run_id_of("x" * 255)) and RUN_ID.fullmatch(run_id_of(os.fsdecode(b"\xff\xfe")))


def test_a_folder_named_like_another_ones_id_wins_and_the_other_is_named(tmp_path):
    make(tmp_path / "ce")
    make(tmp_path / run_id_of("ce"))
    found = Home(tmp_path).look()
    assert list(found.runs.values()) == [run_id_of("ce")]
    assert [(one.folder, "name of another run" in one.reason) for one in found.skipped] == [("ce", True)]


def test_hidden_folders_and_a_runs_own_are_not_looked_into(tmp_path):
    make(tmp_path / "a-run")
    for place in (".ltviz/b-run", "a-run/frames/c-run", "a-run/weights/d-run", ".deleted-e-run"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "run.json").write_text("{}")
    (tmp_path / "film" / "frames").mkdir(parents=True)
    (tmp_path / "film" / "frames" / "000000001.png").touch()
    make(tmp_path / "a-run" / "again")
    assert sorted(Home(tmp_path).look().runs.values()) == ["a-run", "a-run/again"]


def test_links_are_named_and_followed_only_when_asked(tmp_path):
    home = tmp_path / "home"
    inside, outside = make(home / "inside-run"), make(tmp_path / "elsewhere" / "outside-run")
    (home / "latest").symlink_to(inside)
    (home / "shared").symlink_to(outside.parent)
    (home / "round").symlink_to(home)
    (home / "nowhere").symlink_to(tmp_path / "gone")
    plain = Home(home)
    assert list(plain.look().runs) == ["inside-run"]
    assert [one.folder for one in plain.skipped] == ["latest", "round", "shared"]
    assert all("--follow-links" in one.reason for one in plain.skipped)
    with pytest.raises(ConfigError, match="link out of the home"):
        plain.folder("shared")

    followed = Home(home, follow_links=True)
    runs = followed.look().runs
    assert sorted(runs.values()) == ["inside-run", "shared/outside-run"]
    assert {one.folder: one.reason for one in followed.skipped} == {
        "latest": "a link to inside-run, which is here already",
        "round": "a link to the home, which is here already",
    }
    assert followed.folder(run_id_of("shared/outside-run")) == home / "shared" / "outside-run"
    assert plain.folder(run_id_of("shared/outside-run")).exists() is False


@pytest.mark.parametrize("run_id", ["..", "../elsewhere", "a/b", "/etc", "Run1", "ce", "", "a-run\0"])
def test_nothing_but_an_id_becomes_a_path(tmp_path, run_id):
    make(tmp_path / "home" / "ce")
    with pytest.raises(ConfigError, match="A run id must be"):
        Home(tmp_path / "home").folder(run_id)


def test_a_folder_that_becomes_a_link_after_the_look_is_not_opened(tmp_path):
    home = Home(tmp_path / "home")
    make(tmp_path / "home" / "my_run")
    run = next(iter(home.look().runs))
    (tmp_path / "home" / "my_run").rename(tmp_path / "outside")
    (tmp_path / "home" / "my_run").symlink_to(tmp_path / "outside")
    with pytest.raises(ConfigError, match="link out of the home"):
        home.folder(run)


def test_what_is_too_deep_unreadable_or_the_home_itself_is_named(tmp_path, monkeypatch):
    deep = "/".join("abcdefgh")
    make(tmp_path / deep / "i")
    assert Home(tmp_path).look().skipped == ((deep, "folders more than 8 deep are not looked into"),)
    run = make(tmp_path / "a-run")
    assert "folder of a run itself" in Home(run).look().skipped[0].reason

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(module, "_read", refuse)
    assert Home(tmp_path).look().skipped == ((".", "it cannot be looked into (Permission denied)"),)
    monkeypatch.setattr(module, "MOST_FOLDERS", 0)
    assert "search ended" in Home(tmp_path).look().skipped[0].reason


def test_a_second_look_sees_what_came_went_and_became_a_run(tmp_path):
    home = Home(tmp_path)
    assert home.recordings() == []
    first = make(tmp_path / "seeds" / "run_0")
    (tmp_path / "later").mkdir()
    old = time.time() - 3600
    for folder in (tmp_path, tmp_path / "seeds", tmp_path / "later"):
        os.utime(folder, (old, old))
    assert [run.path for run in home.recordings()] == [first]
    make(tmp_path / "later")
    make(tmp_path / "seeds" / "run_1")
    assert sorted(home.look().runs.values()) == ["later", "seeds/run_0", "seeds/run_1"]
    delete_run(first)
    assert sorted(home.look().runs.values()) == ["later", "seeds/run_1"]


def test_known_runs_are_listed_without_opening_anything(tmp_path, monkeypatch):
    for number in range(300):  # the number of files opened is what grows, so a few hundred tell as much
        folder = tmp_path / f"group_{number % 3}" / f"run_{number}"
        (folder / "frames").mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"created": number}))
    old = time.time() - 3600
    for folder in tmp_path.rglob("*"):
        os.utime(folder, (old, old))
    os.utime(tmp_path, (old, old))
    home, opened = Home(tmp_path), []
    assert len(home.recordings()) == 300
    read, info = module._read, Recording.info
    monkeypatch.setattr(module, "_read", lambda path: opened.append(path) or read(path))
    monkeypatch.setattr(Recording, "info", property(lambda run: opened.append(run.path) or info.fget(run)))
    assert len(home.recordings()) == 300 and opened == []


def test_a_run_of_any_name_takes_tags_and_is_deleted_but_not_what_else_is_there(tmp_path):
    run = make(tmp_path / "Run 1")
    assert tag_run(run, ["keep"]).tags == ("keep",)
    (run / ".git").mkdir()
    with pytest.raises(RecordingError, match=r"holds more than the run, '\.git' first"):
        delete_run(run)
    assert Recording(run).steps() == [0]
    (run / ".git").rmdir()
    (run / "projections").mkdir()
    delete_run(run)
    assert list(tmp_path.iterdir()) == []
