"""What pip-audit answers is told apart: holes, none, and no database that knew anything. The answers are made up."""

from __future__ import annotations

import importlib.util
import json
import sys
from contextlib import nullcontext
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def supply(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(HERE))  # scripts of this folder import one another by name
    spec = importlib.util.spec_from_file_location("check_supply", HERE / "check_supply.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer(*packages: dict) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


HOLE = {"id": "PYSEC-2031-7", "fix_versions": ["2.0.1"], "aliases": ["CVE-2031-1"], "description": "A made-up hole."}
SOUND = {"name": "a", "version": "1.0", "vulns": []}
BAD = {"name": "b", "version": "2.0", "vulns": [HOLE, {**HOLE, "id": "PYSEC-2031-8", "fix_versions": []}]}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (3.0)"}


def test_each_hole_is_named_with_what_mends_it(supply: ModuleType) -> None:
    holes = ["b 2.0: PYSEC-2031-7, mended in 2.0.1", "b 2.0: PYSEC-2031-8, not mended"]
    assert supply.judge_audit(answer(SOUND, BAD, UNKNOWN)) == (holes, 2, 1)
    assert supply.judge_audit(answer(SOUND)) == ([], 1, 0)


@pytest.mark.parametrize(
    ("stdout", "stderr", "sound", "said"),
    [
        (answer(SOUND, UNKNOWN), "", True, "1 locked packages looked up, 1 not found; known holes: none"),
        (answer(SOUND, BAD), "", False, "known holes: b 2.0: PYSEC-2031-7"),
        (answer(UNKNOWN, UNKNOWN), "No known vulnerabilities found", True, "no advisory database could be reached"),
        ("", "ERROR:pip_audit._cli:connection refused", True, "no advisory database could be reached: ERROR"),
    ],
)
def test_no_database_is_no_finding_and_is_said(
    supply: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stdout, stderr, sound, said
) -> None:
    monkeypatch.setattr(supply, "own_environment", lambda packages: nullcontext((Path(sys.executable), {})))
    asked: list[list[str]] = []

    def run(command, **options) -> CompletedProcess:
        asked.append(command)
        return CompletedProcess(command, 1 if "vulns" in stdout else 0, stdout, stderr)

    monkeypatch.setattr(supply.subprocess, "run", run)
    assert supply.check_audit() is sound
    assert said in capsys.readouterr().out
    assert "--require-hashes" in asked[0] and ".ci/requirements.txt" in asked[0]
