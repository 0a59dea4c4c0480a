"""Every row of what is promised is there, and names tests that exist."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

TESTS = Path(__file__).parents[1]

spec = importlib.util.spec_from_file_location("check_promises", TESTS / "release" / "check_promises.py")
assert spec is not None and spec.loader is not None
promises = importlib.util.module_from_spec(spec)
spec.loader.exec_module(promises)


def test_every_fault_and_every_attack_has_a_row_and_its_tests() -> None:
    rows = {*(f"F{number}" for number in range(1, 19)), *(f"H{number}" for number in range(1, 14))}
    assert rows <= promises.PROMISES.keys()
    for row, (promise, tests) in promises.PROMISES.items():
        file, _, name = tests.partition("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in names if name else any(one.startswith("test_") for one in names), (row, promise, tests)


def test_the_table_has_every_row() -> None:
    assert promises.known().keys() == promises.PROMISES.keys()
