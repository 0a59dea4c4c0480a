"""A lesson's text as elements: what Markdown and formulas become, and that nothing else becomes anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ltviz.lessons import list_lessons, read_lesson
from ltviz.lessons.markup import to_tree
from ltviz.lessons.mathml import UnknownFormula, to_mathml

LESSONS = list_lessons(Path(__file__).parents[2] / "app" / "lessons")


def flat(node: list) -> str:
    """MathML as text, each element in brackets of its first letters."""
    return "".join(part if isinstance(part, str) else f"{part[0]}({flat(part)})" for part in node[2:])


@pytest.mark.parametrize(
    "source, told",
    [
        (r"z_i\cdot z_p/\tau", "msub(mi(z)mi(i))mo(⋅)msub(mi(z)mi(p))mo(/)mi(τ)"),
        (r"\frac{1}{C}\sum_c m_c", "mfrac(mn(1)mi(C))munder(mo(∑)mi(c))msub(mi(m)mi(c))"),
        (r"\left|x\right|^2", "msup(mrow(mo(|)mi(x)mo(|))mn(2))"),
        (r"\text{centre sum} = -1", "mtext(centre\u00a0sum)mo(=)mo(−)mn(1)"),
        (r"\hat{p}_{ij}^{T}", "msubsup(mover(mi(p)mo(^))mrow(mi(i)mi(j))mi(T))"),
        (r"\mathcal{L}, \lambda'", "mi(ℒ)mo(,)msup(mi(λ)mo(′))"),
        (r"\max_i \log x", "munder(mi(max)mi(i))mi(log)mi(x)"),
    ],
)
def test_formulas_become_mathml(source: str, told: str):
    assert flat(to_mathml(source)) == told


@pytest.mark.parametrize(
    "source",
    [r"\foo", "{x", "x}", "x__2", r"\frac{1}", r"\left(x", r"\href{x}{y}", "{" * 99, "_", r"\text x", r"a & b"],
)
def test_what_is_not_known_is_refused_and_its_source_is_shown(source: str):
    with pytest.raises(UnknownFormula):
        to_mathml(source)
    assert to_tree(f"${source}$") == [["p", {}, ["code", {}, source]]]


def test_text_becomes_elements_and_html_stays_text():
    assert to_tree("A **dot** of `x`\n\n- one\n- *two*") == [
        ["p", {}, "A ", ["strong", {}, "dot"], " of ", ["code", {}, "x"]],
        ["ul", {}, ["li", {}, "one"], ["li", {}, ["em", {}, "two"]]],
    ]
    assert to_tree("<script>x</script> & $5 or $6") == [["p", {}, "<script>x</script> & $5 or $6"]]
    leads_out = to_tree("[a](https://b.c) [in](/geometry) [js](javascript:alert) ![i](https://x.y)")
    assert json.dumps(leads_out).count("href") == 2, "a page of the app is not there, and a script is no link"
    assert ["span", {}, "in"] in list(leads_out[0]) and "img" not in json.dumps(leads_out)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_formula_of_our_lessons_is_known(path: Path):
    trees = [to_tree(step.text) for step in read_lesson(path).steps]
    assert '["code"' not in json.dumps(trees)
