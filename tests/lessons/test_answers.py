"""Answers are what the recordings have, and are refused where they decide nothing."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from ltviz.errors import DataError, LtvizError
from ltviz.lessons import Ask, Book, Quantity, answer, judge, moved, parse_lesson, play, shown
from ltviz.lessons.lesson import POSE
from ltviz.metrics import spread, territory
from ltviz.recording import Home, record

STAGE = Path(__file__).parents[2] / "app" / "stage"
LABELS = np.repeat([0, 1, 2], [20, 10, 6])


def points(step: int) -> np.ndarray:
    z = np.eye(3)[LABELS] + (0.1 + 0.2 * LABELS[:, None] * step) * np.random.default_rng(step).normal(size=(36, 3))
    return z / np.linalg.norm(z, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    home = tmp_path_factory.mktemp("home")
    for name, sum_at_end in (("run-a", 0.2), ("run-b", 0.9)):
        years = {"year": range(36)} if name == "run-a" else {}
        with record(home / name, labels=LABELS, class_names=["one", "two", "three"], attributes=years) as run:
            for step in (0, 5, 10):
                metrics = {"centre_sum": sum_at_end * step / 10, "nc1": 0.5}
                run.frame(step, embeddings=points(step), metrics=metrics, landmarks={"hubs": np.eye(3)})
    return Book(Home.at(home).find)


def ask(**given: object) -> Ask:
    return Ask.model_validate({"question": "?", **given})


@pytest.mark.parametrize(
    "text, value",
    [
        ("centre_sum(run-b)", 0.9),
        ("centre_sum(run-b, last)", 0.9),
        ("centre_sum(run-b, first)", 0.0),
        ("centre_sum( run-b , 7 )", 0.45),
        ("centre_sum(run-b, 999)", 0.9),
        ("samples_of(run-a, last, 1)", 10),
        ("ideal_angle(4, 3)", math.degrees(math.acos(-1 / 3))),
        ("ideal_angle(2, 5)", 180.0),
        ("ideal_deviation(4, 3)", 0.0),
    ],
)
def test_a_quantity_is_looked_up(book: Book, text: str, value: float):
    assert book.value(Quantity.parse(text)) == pytest.approx(value, abs=1e-6)


def test_quantities_of_classes_are_those_of_the_library(book: Book):
    z = points(10).astype(np.float32)
    assert book.values(Quantity.parse("spread_of(run-a)")) == pytest.approx(spread(z, LABELS).mean_angle, abs=1e-3)
    centres = np.array([z[c == LABELS].mean(0) for c in range(3)])
    assert book.values(Quantity.parse("territory_of(run-a)")) == pytest.approx(territory(centres), abs=5e-3)


def test_what_no_frame_notes_is_measured(book: Book):
    assert 0 < book.value(Quantity.parse("territory_tail(run-a)")) < 1


@pytest.mark.parametrize(
    "text, words",
    [
        ("centre_sum(run-c)", "no run 'run-c'"),
        ("accuracy_few(run-a)", "cannot be measured"),
        ("accuracy_of(run-a, last, 0)", "predictions"),
        ("samples_of(run-a, last, 3)", "a class from 0 to 2"),
    ],
)
def test_what_a_recording_does_not_have_is_said(book: Book, text: str, words: str):
    with pytest.raises(LtvizError, match=words):
        book.value(Quantity.parse(text))


def test_the_right_option_is_the_one_with_the_most_or_the_least(book: Book):
    given = {"kind": "choose", "options": ["A", "B"], "values": ["centre_sum(run-a)", "centre_sum(run-b)"]}
    assert answer(ask(**given), book).right == "B"
    found = answer(ask(**given, right="smallest"), book)
    assert (found.right, found.numbers) == ("A", pytest.approx((0.2, 0.9)))
    assert judge(found, "A").right and judge(found, "A").score == 1
    assert not judge(found, "B").right and judge(found, "B").score == 0
    with pytest.raises(DataError, match="must be one of A, B"):
        judge(found, "<b>")


def test_a_question_that_the_recording_does_not_decide_is_refused(book: Book):
    given = {"kind": "choose", "options": ["A", "B"], "values": ["nc1(run-a)", "nc1(run-b)"]}
    with pytest.raises(DataError, match="decides nothing"):
        answer(ask(**given), book)
    with pytest.raises(DataError, match="one unit"):
        answer(ask(**given | {"values": ["nc1(run-a)", "ideal_angle(4, 3)"]}), book)


def test_a_class_is_chosen_by_its_name(book: Book):
    found = answer(ask(kind="class", of="spread_of(run-a)"), book)
    assert (found.options, found.unit) == (("one", "two", "three"), "degrees")
    assert found.right == found.options[int(np.argmax(spread(points(10), LABELS).mean_angle))]
    assert answer(ask(kind="class", of="spread_of(run-a)", right="smallest"), book).right == "one"
    assert sorted(judge(found, name).score for name in found.options)[::2] == [0, 1]
    with pytest.raises(DataError, match="single classes"):
        answer(ask(kind="class", of="centre_sum(run-a)"), book)


def test_a_value_is_right_within_its_tolerance(book: Book):
    found = answer(ask(kind="value", of="centre_sum(run-b)", tolerance=0.05, low=0, high=1), book)
    assert found.right == pytest.approx(0.9)
    verdicts = [judge(found, said) for said in (0.87, 0.8, 0.0)]
    assert [verdict.right for verdict in verdicts] == [True, False, False]
    assert [round(verdict.score, 2) for verdict in verdicts] == [1.0, 0.89, 0.0]
    assert verdicts[1].off == pytest.approx(0.1)
    with pytest.raises(DataError, match="the question allows"):
        answer(ask(kind="value", of="centre_sum(run-b)", tolerance=0.05, low=0, high=0.5), book)


def test_what_moved_is_told_from_the_frames(book: Book):
    moves = {move.key: move for move in moved(book, "run-b", 1, "last")}
    assert (moves["centre_sum"].first, moves["centre_sum"].last) == ((0, 0.0), (10, pytest.approx(0.9)))
    assert moves["spread_tail"].last[1] > moves["spread_tail"].first[1] and moves["spread_tail"].unit == "degrees"


def lesson(body: str):
    return parse_lesson(f"---\ntitle: T\nruns: run-a, run-b\n---\n## One\nText.\n{body}".encode(), "t")


def test_a_claim_is_held_against_the_recording(book: Book):
    (step,) = play(lesson("```claim\ncentre_sum(run-a) < centre_sum(run-b)\nnc1(run-a) >= 0.5\n```\n"), book)
    assert step.claims == (pytest.approx((0.2, 0.9)), (0.5, 0.5))
    with pytest.raises(DataError, match=r"line 8 of t\.md: the recording does not show .* 0\.2 and 0\.9$"):
        play(lesson("```claim\ncentre_sum(run-a) > centre_sum(run-b)\n```\n"), book, Path("t.md"))


def test_a_missing_run_and_an_answer_that_cannot_be_are_told_with_their_lines(book: Book):
    with pytest.raises(DataError, match="line 7: there is no run 'run-c'"):
        play(lesson('```stage\nruns = ["run-c"]\n```\n'), book)
    body = '```ask\nkind = "value"\nquestion = "?"\nof = "nc2(run-a)"\ntolerance = 1\nlow = 0\nhigh = 9\n```\n'
    with pytest.raises(DataError, match="line "):
        play(lesson(body), book)


@pytest.mark.parametrize(
    "scene, words",
    [
        ("step = 99", "step 99, and the last one recorded is 10"),
        ("play = [0, 99]", "step 99, and the last one recorded is 10"),
        ("classes = [0, 3]", "from 0 to 2 in these runs, got 3"),
        ('layers = ["caps", "-grids"]', "no layer 'grids', perhaps grid is meant; it has points, train"),
        ('layers = ["targets"]', "no layer 'targets'"),
        ('colour = "losses"', "no colour says 'losses', perhaps loss is meant; there are ramp, .*attribute:year"),
        ('colour = "attribute:age"', "no colour says 'attribute:age'"),
    ],
)
def test_a_stage_is_not_asked_for_what_no_run_has(book: Book, scene: str, words: str):
    with pytest.raises(DataError, match=f"^line 7: .*{words}"):
        play(lesson(f"```stage\n{scene}\n```\n"), book)
    there = 'layers = ["caps", "-grid", "hubs"]\ncolour = "attribute:year"'
    play(lesson(f"```stage\nplay = [0, 10]\nclasses = [2]\n{there}\n```\n"), book)


def test_a_learner_is_not_made_to_wait_for_a_layer_that_is_not_there(book: Book):
    lab = 'geometry = "losses=ce"'
    for scene, layer in (("", "hubs"), ("", "-caps"), (lab, "classifier")):
        play(lesson(f'```stage\n{scene}\n```\n```wait\nsay = "Do."\nlayer = "{layer}"\n```\n'), book)
    for scene in ("", lab):
        with pytest.raises(DataError, match=r"^line 10: the stage has no layer 'nothing'"):
            play(lesson(f'```stage\n{scene}\n```\n```wait\n\nsay = "Do."\nlayer = "nothing"\n```\n'), book)


def test_what_a_stage_has_is_what_the_stage_knows():
    def found(file: str, pattern: str) -> str:
        (text,) = re.findall(pattern, (STAGE / file).read_text(encoding="utf-8"), re.DOTALL)
        return text

    lists = found("layers/list.js", r"BUILT_IN = \[(.*?)\];")
    assert tuple(re.findall(r"\w+", lists)) == shown.LAYERS
    assert tuple(re.findall(r'"(\w+)"', found("scene/choices.js", r"COLOUR_MODES = \[(.*?)\]"))) == shown.COLOURS
    assert tuple(re.findall(r'"(\w+)"', found("layers/marks/declared.js", r"GROUPS = \{(.*?)\}"))) == shown.GROUPS
    lab = found("lab/words.js", r"\n  landmarks: \{(.*?)\n  \}")
    assert tuple(re.findall(r"^    (\w+):", lab, re.MULTILINE)) == shown.OF_LAB
    camera = (STAGE / "scene/camera.js").read_text(encoding="utf-8")
    assert all(f"{name} = {at:g}" in camera for name, at in zip(("NEAREST", "FARTHEST"), POSE["distance"], strict=True))
