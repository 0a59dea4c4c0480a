"""Every public function of recording has an example, and it runs."""

from __future__ import annotations

import doctest
import inspect
from pathlib import Path

import pytest

from ltviz import recording

FUNCTIONS = {name: value for name in recording.__all__ if inspect.isfunction(value := getattr(recording, name))}
CLASSES = {name: getattr(recording, name) for name in ("Home", "Recording", "RunWriter")}


@pytest.mark.parametrize("name", [*FUNCTIONS, *CLASSES])
def test_its_example_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    public = getattr(recording, name)
    scope = vars(inspect.getmodule(public)) | {"__name__": "example"}
    tests = doctest.DocTestFinder(recurse=False).find(public, name, globs=scope)
    assert tests and tests[0].examples, f"{name} has no example"
    for test in tests:
        assert doctest.DocTestRunner().run(test).failed == 0
