"""`ltviz reproduce`: what is named is there, and a verdict follows from its numbers."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ltviz.cli import main
from ltviz.museum import EXHIBITS, Exhibit, read_found

QUICK = [name for name in EXHIBITS if name != "tsc-targets"]  # ten thousand steps of its official recipe


def test_the_list_names_them_one_a_line(capsys) -> None:
    assert main(["reproduce", "--list"]) == 0
    assert capsys.readouterr().out.splitlines() == list(EXHIBITS)


def test_the_list_needs_no_torch_and_what_was_found_is_kept_of_all() -> None:
    code = "import sys; from ltviz.cli import main; main(['reproduce', '--list']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=300, check=False).returncode == 0
    kept = read_found()["found"]
    assert list(kept) == list(EXHIBITS)
    for name, one in kept.items():
        off = abs(one["value"] - EXHIBITS[name].expected)
        assert ("not" in one["verdict"]) is (off > EXHIBITS[name].tolerance)


@pytest.mark.parametrize("name", QUICK)
def test_every_result_is_as_it_was_found(name: str, capsys) -> None:
    assert main(["reproduce", name, "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert all(isinstance(found[key], float | int) for key in ("value", "expected", "tolerance"))
    inside = abs(found["value"] - found["expected"]) <= found["tolerance"]
    assert ("not" in found["verdict"]) is not inside
    assert inside is (name not in ("bcl-as-published", "ntce-speed")), found


@pytest.mark.parametrize(
    "value, verdict", [(1.0, "reproduced"), (1.2, "not reproduced"), (float("nan"), "not reproduced")]
)
def test_a_verdict_is_that_of_the_tolerance(value: float, verdict: str) -> None:
    one = Exhibit(
        name="one", claim="One is one.", source="here", expected=1, tolerance=0.1, unit="", compute=lambda: value
    )
    assert one.judge()["verdict"] == verdict


def test_what_is_not_reproduced_is_said_with_by_how_much(capsys) -> None:
    assert main(["reproduce", "bcl-as-published"]) == 0
    said = capsys.readouterr().out
    assert "not reproduced, off by 0.2" in said and "gives head classes more say" in said


@pytest.mark.parametrize("argv", [[], ["supcon"], ["--list", "--bad"]])
def test_an_unknown_name_is_one_line(argv: list[str], capsys) -> None:
    assert main(["reproduce", *argv]) == 2
    assert capsys.readouterr().err.count("\n") == 1
