"""Claims: sentences stand where they are said to, rest on what was measured, and fall with it."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ltviz.bench import claims
from ltviz.bench.evidence import CLAIMS, Claims, Evidence, choose, fingerprint, read_claims
from ltviz.cli import main
from ltviz.errors import ConfigError
from ltviz.methods.registry import methods
from ltviz.metrics.comparison import Comparison
from ltviz.recording import Recording

ROOT = CLAIMS.parents[2]
FILE = read_claims()
MEASURED = json.loads(claims.MEASURED.read_text(encoding="utf-8"))
HEAD = """
[setting.small]
run = { data = "digits-lt", imbalance_factor = 50, dim = 3, steps = 20, watch_share = 0.01 }
seeds = [0, 1, 2]

"""
TRUE = """
[[claim]]
id = "worse-than-perfect"
said = { "here.md" = "SupCon is not perfect." }
[[claim.evidence]]
setting = "small"
measure = "territory_tail"
first = "supcon"
second = 1
direction = "lower"
size = 0.01
"""
FALSE = TRUE.replace("worse-than-perfect", "better-than-perfect").replace('"lower"', '"higher"')
ITSELF = """
[[claim]]
id = "ce-is-ce"
said = { "here.md" = "CE equals CE." }
[[claim.evidence]]
setting = "small"
measure = "accuracy_few"
judge = "ncm"
first = "ce"
second = { method = "ce", settings = { classifier = "linear" } }
direction = "same"
size = 0.5
"""


def words_of(file: str) -> str:
    """What a file says, white space evened out; of Python every string, as it reads when it is put together."""
    text = (ROOT / file).read_text(encoding="utf-8")
    if file.endswith(".py"):
        nodes = ast.walk(ast.parse(text))
        text = "\n".join(n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("file", "sentence"), [pair for claim in FILE.claim for pair in claim.said.items()], ids=lambda text: text[:40]
)
def test_every_claim_stands_where_it_is_said_to(file: str, sentence: str) -> None:
    assert " ".join(sentence.split()) in words_of(file)


MODULES = sorted({kind.__module__ for kind in methods().values() if kind.__module__.startswith("ltviz.")})
"""Those of methods; a paper's file may hold two."""


@pytest.mark.parametrize("module", MODULES)
def test_every_sentence_of_a_card_is_a_claim_or_definitional(module: str) -> None:
    file = str(Path(module.replace(".", "/")).with_suffix(".py"))
    known = {claim.said[file] for claim in FILE.claim if file in claim.said} | {*FILE.definitional.get(file, ())}
    cards = [kind.card for kind in methods().values() if kind.__module__ == module]
    texts = [text.strip() for card in cards for text in (card.idea, card.look_for)]
    assert {sentence for text in texts for sentence in re.split(r"(?<=[.!?])\s+", text)} == known


def test_nothing_is_both_measured_and_taken_for_granted() -> None:
    claimed = {pair for claim in FILE.claim for pair in claim.said.items()}
    assert not claimed & {(file, sentence) for file, sentences in FILE.definitional.items() for sentence in sentences}


@pytest.mark.parametrize("claim", FILE.claim, ids=lambda claim: claim.id)
def test_every_claim_was_measured_as_it_stands_and_held(claim) -> None:
    measured = MEASURED["claims"][claim.id]
    assert measured["fingerprint"] == fingerprint(claim, FILE), "the evidence has changed: run `ltviz bench claims`"
    assert measured["holds"]
    for evidence, found in zip(claim.evidence, measured["evidence"], strict=True):
        assert found["n"] == len(FILE.setting[evidence.setting].seeds)


def test_what_was_measured_is_of_all_claims_at_once_and_says_when() -> None:
    assert [*MEASURED["claims"]] == [claim.id for claim in FILE.claim]
    differences = [e for claim in FILE.claim for e in claim.evidence if e.direction != "same"]
    families = {found["family"] for claim in MEASURED["claims"].values() for found in claim["evidence"]}
    assert families == {1, len(differences)}  # 1: what is to be the same, whose interval is not corrected
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", MEASURED["date"]) and MEASURED["torch"] and MEASURED["ltviz"]


# ---------------------------------------------------------------------- the rules


def found(difference: float, half: float, corrected: float) -> Comparison:
    return Comparison(
        measure="centre_sum", first="a", second="b", difference=difference, low=difference - half, p=corrected,
        high=difference + half, corrected=corrected, family=1, wins=5, n=5, methods=2, image_error=0.0, level=0.95,
    )  # fmt: skip


def evidence(direction: str) -> Evidence:
    return Evidence.model_validate(
        {"setting": "x", "first": "ce", "second": "bcl", "measure": "centre_sum", "direction": direction, "size": 0.1}
    )


def test_a_difference_must_be_found_and_large_enough_and_have_the_right_sign() -> None:
    assert evidence("higher").holds(found(0.2, 0.05, 0.001))
    assert not evidence("higher").holds(found(0.2, 0.05, 0.06))
    assert not evidence("higher").holds(found(0.09, 0.05, 0.001))
    assert not evidence("higher").holds(found(-0.2, 0.05, 0.001))
    assert evidence("lower").holds(found(-0.2, 0.05, 0.001))


def test_to_find_no_difference_is_not_to_be_the_same() -> None:
    assert evidence("same").holds(found(0.02, 0.05, 0.5))
    assert evidence("same").holds(found(0.05, 0.02, 0.001))  # found, and too small to matter
    assert not evidence("same").holds(found(0.02, 0.3, 0.5))
    assert not evidence("same").holds(replace(found(0.0, 0.0, 1.0), low=None, high=None, corrected=None))


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("territory_tail", "territory_tale", "no measure"),
        ('setting = "small"', 'setting = "large"', "large"),
        ("size = 0.01", "size = 0", "greater than 0"),
        ('direction = "lower"', 'direction = "lower"\njudge = "ncm"', "accuracies alone"),
        ('id = "worse', 'ids = "worse', "required"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, old: str, new: str, rule: str) -> None:
    (tmp_path / "claims.toml").write_text(HEAD + TRUE.replace(old, new))
    with pytest.raises(ConfigError, match=rule):
        read_claims(tmp_path / "claims.toml")


def test_a_file_that_is_no_toml_and_two_claims_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "claims.toml").write_text("[[")
    with pytest.raises(ConfigError, match="TOML"):
        read_claims(tmp_path / "claims.toml")
    (tmp_path / "claims.toml").write_text(HEAD + TRUE + TRUE)
    with pytest.raises(ConfigError, match="one id"):
        read_claims(tmp_path / "claims.toml")


@pytest.mark.parametrize("only", ["no-such", "gml-teacher,no-such", " , "])
def test_unknown_ids_are_refused(only: str) -> None:
    with pytest.raises(ConfigError, match="--only must name claims among rare-squeezed"):
        choose(FILE, only)


# ---------------------------------------------------------------------- the command


def test_one_command_trains_what_is_missing_and_says_which_claims_have_fallen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "claims.toml").write_text(HEAD + TRUE + FALSE + ITSELF)
    small: Claims = read_claims(tmp_path / "claims.toml")
    monkeypatch.setattr(claims, "read_claims", lambda: small)
    line = ["bench", "claims", "--home", str(tmp_path / "home"), "--out", str(tmp_path / "measured.json")]
    assert main([*line, "--only", "worse-than-perfect,ce-is-ce"]) == 0
    runs = [Recording(path) for path in (tmp_path / "home").iterdir() if (path / "run.json").exists()]
    assert len(runs) == 6  # SupCon, and CE: both arms of "ce-is-ce" are the same runs
    out = capsys.readouterr().out
    assert "| worse-than-perfect | yes | territory_tail, supcon - 1: lower, 1.0 points or more; small |" in out
    assert "All 2 claims hold." in out
    written = json.loads((tmp_path / "measured.json").read_text())
    assert {*written["claims"]} == {"worse-than-perfect", "ce-is-ce"}
    assert written["claims"]["ce-is-ce"]["evidence"][0]["difference"] == 0
    stamps = {run.run_id: run.status().beat for run in runs}
    assert main([*line, "--json"]) == claims.FALLEN
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {name: claim["holds"] for name, claim in told["claims"].items()} == {
        "worse-than-perfect": True,
        "better-than-perfect": False,
        "ce-is-ce": True,
    }
    assert {run.run_id: run.status().beat for run in runs} == stamps
    assert main(line) == claims.FALLEN
    assert "1 of 3 claims have fallen: better-than-perfect." in capsys.readouterr().out
