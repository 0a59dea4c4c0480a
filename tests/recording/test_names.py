from __future__ import annotations

from pathlib import Path

import pytest

from ltviz.errors import ConfigError
from ltviz.recording import RUN_ID, check_run_id, checkpoints_home, new_run_id, run_path
from ltviz.recording.names import slug


@pytest.mark.parametrize("run_id", ["abc", "0-run", "supcon-20250101-120000-ab12", "a" * 64])
def test_good_ids_pass(run_id):
    assert check_run_id(run_id) == run_id


@pytest.mark.parametrize(
    "run_id",
    [
        "",
        "ab",
        "-run",
        "Run",
        "a" * 65,
        "a/b",
        "..",
        "../../etc/passwd",
        "run\n",
        "run\0",
        "rün",
        "a.b",
        "%2e%2e",
        None,
        7,
    ],
)
def test_bad_ids_are_refused(run_id):
    with pytest.raises(ConfigError, match="A run id must be"):
        check_run_id(run_id)


@pytest.mark.parametrize("prefix", ["supcon", "My Run!", "", "é", "x" * 200, "-a-"])
def test_new_ids_are_good_and_differ(prefix):
    first, second = new_run_id(prefix), new_run_id(prefix)
    assert RUN_ID.fullmatch(first) and first != second


@pytest.mark.parametrize(
    ("text", "expected"), [("My Run", "my-run"), ("r", "run-r"), ("", "run"), ("é", "run"), ("a-b", "a-b")]
)
def test_any_name_has_an_id(text, expected):
    assert slug(text) == expected
    assert RUN_ID.fullmatch(slug(text))


def test_paths_stay_under_the_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    assert run_path(home, "my-run") == home / "my-run"
    (tmp_path / "outside").mkdir()
    (home / "way-out").symlink_to(tmp_path / "outside")
    with pytest.raises(ConfigError, match="link out of the home"):
        run_path(home, "way-out")
    with pytest.raises(ConfigError):
        run_path(home, "../outside")


def test_the_home_is_the_one_that_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("LTVIZ_HOME", str(tmp_path / "named"))
    assert checkpoints_home() == tmp_path / "named"


def test_the_home_is_here_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.delenv("LTVIZ_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("sys.platform", "linux")
    assert checkpoints_home() == tmp_path / "data" / "ltviz"
    Path("checkpoints").mkdir()
    assert checkpoints_home() == tmp_path / "checkpoints"
    assert not (tmp_path / "data").exists(), "asking makes nothing"
