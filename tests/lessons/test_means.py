"""What a step can do besides showing and asking: terms that have arrows, curves, waiting, cameras, languages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from ltviz.errors import DataError, LtvizError
from ltviz.lessons import (
    KNOTS,
    TERMS,
    Ask,
    Book,
    answer,
    coloured,
    judge,
    parse_lesson,
    play,
    shape_of,
    terms_in,
    travelled,
)
from ltviz.recording import Home, record

ROOT = Path(__file__).parents[2]
HEAD = "---\ntitle: A lesson\nrun: demo-ce\n---\n"
LABELS = np.repeat([0, 1, 2], [20, 10, 6])
STEPS = (0, 5, 10)


def parse(text: str):
    return parse_lesson(text.encode(), "a-lesson")


def block(name: str, body: str, text: str = "Text.") -> str:
    return f"{HEAD}## One\n{text}\n```{name}\n{body}\n```\n"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """A run whose centre sum falls from 1 to 0.2 and whose class 0 moves by 90 degrees, while the others stay."""
    home = tmp_path_factory.mktemp("home")
    with record(home / "run-a", labels=LABELS, class_names=["one", "two", "three"]) as run:
        for step in STEPS:
            axes = np.eye(3)
            angle = np.pi / 2 * step / 10
            axes[0] = (np.cos(angle), 0, -np.sin(angle))
            run.frame(step, embeddings=axes[LABELS], metrics={"centre_sum": 1 - 0.08 * step})
    return Book(Home.at(home).find)


def curve(**given: object) -> Ask:
    asked = {"of": "centre_sum(run-a)", "low": 0.0, "high": 1.0, "tolerance": 0.05}
    return Ask.model_validate({"kind": "curve", "question": "?", **asked, **given})


# Terms.


def test_terms_have_the_colours_of_their_arrows():
    source = (ROOT / "app/stage/scene/forces.js").read_text(encoding="utf-8")
    known = dict(re.findall(r'^  (\w+): "(#[0-9a-f]{6})",$', source, re.MULTILINE))
    parts = json.loads("{" + ",".join(f'"{name}": "{colour}"' for name, colour in known.items()) + "}")
    assert {part for _, of in TERMS.values() for part in of} == set(parts)
    for name, (colour, (first, *_)) in TERMS.items():
        near = [abs(int(colour[at : at + 2], 16) - int(parts[first][at : at + 2], 16)) for at in (1, 3, 5)]
        assert max(near) <= 1, name
    colours = [colour for colour, _ in TERMS.values()]
    assert len(set(colours)) == len(colours), "the page finds a term by its colour"


def test_terms_may_lie_in_one_another_and_hold_every_brace():
    text = r"$\frac{\term{pull}{e^{\{x\}}}}{\term{push}{a + \term{tail}{b}}} \terminal$"
    assert terms_in(text) == ("pull", "push")
    assert coloured(text) == (
        r"$\frac{\textcolor{#009e73}{{e^{\{x\}}}}}{\textcolor{#0072b2}{{a + \textcolor{#d55e00}{{b}}}}} \terminal$"
    )
    assert coloured(text, lambda name, body: f"<{name}:{body}>").startswith(r"$\frac{<pull:e^{\{x\}}>}{<push:a + <tail")


@pytest.mark.parametrize(
    "term, words",
    [
        (r"\term{wind}{x}", "knows the terms pull"),
        (r"\term{pull}", "must write a term as"),
        (r"\term pull", "must write a term as"),
        (r"\term{pull}{x", "must close the brace"),
        (r"\term{pull}{" * 150, "must close the brace"),
        (r"\term{pull}{\term{wind}{x}}", "knows the terms pull"),
    ],
)
def test_a_term_that_is_none_is_refused_with_its_line(term: str, words: str):
    with pytest.raises(DataError, match=rf"^line 5: the text {words}"):
        parse(f"{HEAD}## One\n${term}$\n")


# Curves.


def test_a_curve_is_the_recordings_and_scored_by_its_mean_distance(book: Book):
    found = answer(curve(), book)
    assert found.steps == STEPS and found.numbers == pytest.approx((1, 0.6, 0.2)) and found.recorded
    assert isinstance(found.right, tuple) and len(found.right) == KNOTS and found.right[6] == pytest.approx(0.6)
    right = judge(found, found.right)
    assert right.right and right.score == 1 and right.off == pytest.approx(0)
    near, far = judge(found, [v + 0.04 for v in found.right]), judge(found, [1.0] * KNOTS)
    assert near.right and near.off == pytest.approx(0.04)
    assert not far.right and far.off == pytest.approx(0.4) and far.score == pytest.approx(0.2)


@pytest.mark.parametrize("said", [[0.5], "falls", 0.5, [float("nan")] * KNOTS, [True] * KNOTS, ["x"] * KNOTS])
def test_what_is_no_curve_is_refused(book: Book, said: object):
    with pytest.raises(DataError, match="the answer must be a"):
        judge(answer(curve(), book), said)  # pyright: ignore[reportArgumentType]


def test_a_class_has_a_curve_and_what_was_not_noted_has_none(book: Book):
    found = answer(curve(of="territory_of(run-a, last, 1)"), book)
    assert found.steps == STEPS and found.unit == "share"
    for of, words in (
        ("nc4(run-a)", "does not note nc4"),
        ("spread_of(run-a)", "is neither"),
        ("ideal_angle(4, 3)", "is neither"),
        ("centre_sum(run-z)", "no run"),
    ):
        with pytest.raises(LtvizError, match=words):
            answer(curve(of=of), book)
    with pytest.raises(DataError, match=r"the curve goes from 0\.2 to 1, and the question allows"):
        answer(curve(high=0.9), book)
    with pytest.raises(ValueError, match="a question for a curve has a tolerance"):
        curve(tolerance=None)


def test_a_lesson_with_a_curve_that_cannot_be_asked_is_told_with_its_line(book: Book):
    text = 'kind = "curve"\nquestion = "?"\nof = "centre_sum(run-a)"\nlow = 0.5\nhigh = 1.0\ntolerance = 0.1'
    lesson = parse(block("ask", text).replace("demo-ce", "run-a"))
    with pytest.raises(DataError, match=r"^line 7: the curve goes from"):
        play(lesson, book)


@pytest.mark.parametrize(
    "values, shape",
    [
        ((0.5, 0.55, 0.5), "stays"),
        ((0, 0.3, 0.35, 1), "rises"),
        ((1, 0.5, 0.52, 0.2), "falls"),
        ((0, 1, 0.5), "rises_falls"),
        ((1, 0, 0.5), "falls_rises"),
        ((0, 1, 0, 1), "wanders"),
        ((0.0, 0.04, 0.08, 0.12, 0.16), "rises"),
    ],
)
def test_a_curve_has_a_shape(values: tuple[float, ...], shape: str):
    assert shape_of(values, (0, 1)) == shape


# What moved where.


def test_what_moved_where_is_told_by_class(book: Book):
    travel = travelled(book, "run-a", "first", "last")
    assert travel is not None
    assert travel.farthest == ("one", pytest.approx(90)) and travel.least[1] == pytest.approx(0, abs=1e-3)
    assert travel.nearest[2] == pytest.approx(90)


# Waiting.


@pytest.mark.parametrize(
    "body, stage",
    [
        ('say = "Turn on Forces."\nlayer = "forces"', ""),
        ('say = "Off."\nlayer = "-points"', ""),
        ('say = "Turn it."\ndo = "turn"', ""),
        ('say = "Cooler."\nsetting = "temperature"\nbelow = 0.05', '```stage\ngeometry = "losses=ce"\n```\n'),
        ('say = "Between."\nsetting = "classes"\nabove = 3.0\nbelow = 9.0', '```stage\ngeometry = "losses=ce"\n```\n'),
    ],
)
def test_a_step_waits_for_one_deed(body: str, stage: str):
    (step,) = parse(block("wait", body) + stage).steps
    assert step.wait is not None and step.wait.say and step.ask is None


@pytest.mark.parametrize(
    "body, line, words",
    [
        ('say = "Do."', 7, "names one of layer, setting and do"),
        ('say = "Do."\ndo = "turn"\nlayer = "caps"', 7, "names one of layer, setting and do"),
        ('say = "Do."\nsetting = "temperature"', 7, "comes with below or above"),
        ('say = "Do."\ndo = "turn"\nbelow = 1.0', 7, "comes with below or above"),
        ('say = "Do."\nsetting = "wind"\nbelow = 1.0', 9, "must be one of"),
        ('say = "Do."\nsetting = "temperature"\nbelow = 0.1\nabove = 0.2', 7, "above must be less than below"),
        ('say = "Do."\nsetting = "temperature"\nbelow = 0.1', 7, "has no geometry"),
        ('say = "<b>Do</b>"\ndo = "turn"', 8, "without HTML"),
        ('do = "turn"', 7, "say"),
        ('say = "Do."\ndo = "jump"', 9, "do"),
    ],
)
def test_a_wait_that_cannot_be_is_refused_with_its_line(body: str, line: int, words: str):
    with pytest.raises(DataError, match=rf"^line {line}: .*{words}"):
        parse(block("wait", body))


def test_a_step_asks_or_waits():
    ask = '```ask\nkind = "class"\nquestion = "?"\nof = "samples_of(demo-ce)"\n```\n'
    with pytest.raises(DataError, match="a step asks or waits"):
        parse(block("wait", 'say = "Do."\ndo = "turn"') + ask)


# Cameras and forces.


def test_a_step_may_travel_over_cameras_and_show_parts_of_forces():
    body = 'path = [[0.6, 0.35, 4.0], [2.0, 0.1, 3.0]]\nseconds = 8.0\nlayers = ["forces"]\nforces = ["pull", "tail"]'
    (step,) = parse(block("stage", body)).steps
    assert step.scene.path == [[0.6, 0.35, 4.0], [2.0, 0.1, 3.0]] and step.scene.seconds == 8.0
    assert step.scene.look == "camera=0.600,0.350,4.000&layers=forces&parts=positives,tail"


@pytest.mark.parametrize(
    "body, words",
    [
        ("path = [[0.6, 0.35, 4.0]]", "path"),
        ("path = [[0.6, 0.35], [2.0, 0.1]]", "path"),
        ("path = [[0.6, 0.35, inf], [2.0, 0.1, 4.0]]", "path"),
        ('path = [[0.6, 0.35, 4.0], [2.0, 0.1, 3.0]]\nview = "top"', "exclude one another"),
        ("seconds = 0.5", "seconds"),
        ('forces = ["wind"]', "must be one of pull"),
    ],
)
def test_a_way_or_a_part_that_cannot_be_is_refused(body: str, words: str):
    with pytest.raises(DataError, match=rf"^line \d+: .*{words}"):
        parse(block("stage", body))


# Languages.


@pytest.mark.parametrize("key", ["lang", "language"])
@pytest.mark.parametrize("tag, rtl", [("de", False), ("zh-Hant", False), ("ja", False), ("ar", True), ("he-IL", True)])
def test_a_lesson_says_its_language(key: str, tag: str, rtl: bool):
    lesson = parse(HEAD.replace("run:", f"{key}: {tag}\nrun:") + "## 一\n文字。\n")
    assert (lesson.language, lesson.right_to_left) == (tag, rtl)


def test_a_language_that_is_none_or_stands_twice_is_refused():
    with pytest.raises(DataError, match="line 3: lang must be a tag"):
        parse(HEAD.replace("run:", "lang: not a tag\nrun:") + "## One\nText.\n")
    with pytest.raises(DataError, match="line 4: language and lang are one thing"):
        parse(HEAD.replace("run:", "lang: de\nlanguage: de\nrun:") + "## One\nText.\n")
