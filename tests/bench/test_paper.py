"""What a method costs at a scale that nobody here has: the file is what the command writes now."""

from __future__ import annotations

from pathlib import Path

import pytest

from ltviz.bench import cost, paper

COST = Path(__file__).parents[2] / ".github" / "COST.md"


def test_the_file_is_what_the_command_writes() -> None:
    """Its first table takes a minute to measure; here it is told by that of one method."""
    found = COST.read_text(encoding="utf-8")
    rows = [line for line in found.splitlines() if line.startswith("| ")]
    table = "\n".join(rows[: len(cost.served()) + 1])
    head, rule, *body = paper.memory_table({"ce": cost.served()["ce"]}).splitlines()
    known = {row.split()[1]: row.split() for row in table.splitlines()}
    assert known.keys() == {"method", *cost.served()} and head.split() == known["method"]
    assert [row.split() for row in body] == [known["ce"]] and set(rule) == {"|", "-", ":"}
    begun = found.index(rows[0])
    memory = found[begun : found.index("\n## Frames on their way")]
    assert paper.document(memory) == found


def test_terms_are_found_again_and_none_that_is_not_there() -> None:
    true = paper.Formula({"1": 4e4, "B": 512.0, "BK": 4.0, "C²": 8.0})
    found = paper.fit({point: true.at(*point) for point in paper.FITTED})
    assert found.factors == pytest.approx(true.factors, rel=1e-6)


def test_a_class_count_beyond_the_made_up_data_can_be_measured() -> None:
    options = cost.CostOptions.model_validate({"queue": 16, "classes": 8142, "dim": 8, "device": "cpu"})
    assert (cost.taken(cost.served()["ce"], 16, options) or 0) * cost.MIB > 16 * 8142 * 4
