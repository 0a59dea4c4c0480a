"""One model is flags, help and validation; a mistake is one sentence."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, Field

from ltviz.cli.arguments import parse, parse_one, positional
from ltviz.errors import ConfigError


class Options(BaseModel):
    path: str = positional(description="what to read")
    steps: int = Field(300, ge=1, description="training steps")
    learning_rate: float = Field(0.1, gt=0, description="how fast")
    limit: int | None = Field(None, ge=1, description="at most so many (default: all)")
    precision: Literal["32", "bf16"] = Field("32", description="number format")
    json_: bool = Field(False, alias="json", description="one JSON object")
    evaluate: bool = Field(True, description="judge it at the end")


class Own(BaseModel):
    temperature: float = Field(0.1, gt=0, description="of the loss")


def read(*argv: str) -> Options:
    return parse_one("ltviz test", argv, Options, about="A test.")


def test_flags_become_values_and_the_rest_keeps_its_defaults() -> None:
    assert read("x") == Options(path="x")
    given = read("x", "--steps", "5", "--learning-rate", "1e-3", "--limit=7", "--precision", "bf16", "--json")
    assert (given.steps, given.learning_rate, given.limit, given.precision, given.json_) == (5, 1e-3, 7, "bf16", True)
    assert read("--learning_rate", "2", "x").learning_rate == 2


class Several(BaseModel):
    name: list[str] = Field([], description="names")


def test_a_flag_of_a_list_may_be_given_more_than_once() -> None:
    argv = ("--name", "a", "--name=b")
    assert parse_one("ltviz test", argv, Several, about="A test.").name == ["a", "b"]
    assert parse_one("ltviz test", (), Several, about="A test.").name == []


def test_what_is_on_by_default_is_switched_off() -> None:
    assert read("x").evaluate and not read("x", "--no-evaluate").evaluate
    with pytest.raises(ConfigError, match="has no flag --evaluate; try --no-evaluate"):
        read("x", "--evaluate")


@pytest.mark.parametrize(
    "argv, says",
    [
        (["x", "--steps", "many"], "--steps must be a valid integer"),
        (["x", "--steps", "0"], "--steps must be greater than or equal to 1, got 0; try 300"),
        (["x", "--learning-rate", "nan"], "--learning-rate must be greater than 0, got nan; try 0.1"),
        (["x", "--limit", "0"], "--limit must be greater than or equal to 1, got 0"),
        (["x", "--precision", "8"], "--precision"),
        (["x", "--s", "3"], "`ltviz test` has no flag --s; try --steps"),
        (["x", "--stepz", "3"], "`ltviz test` has no flag --stepz; try --steps"),
        (["x", "--steps"], "--steps needs a value"),
        (["x", "y"], "takes no further argument, got 'y'"),
        (["x", "--steps", "--json"], "--steps needs a value"),
        (["x", "--json=yes"], "--json takes no value"),
        ([], "`ltviz test` needs PATH (what to read)"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_flag_rule_and_remedy(argv: list[str], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(*argv)
    assert says in str(caught.value) and "\n" not in str(caught.value) and "╭" not in str(caught.value)


def test_parts_have_their_own_prefix() -> None:
    parts = {"command": Options, "bcl": Own, "supcon": Own}
    got = parse("ltviz test", ["x", "--bcl.temperature", "0.3"], parts, about="")
    assert got["bcl"] == Own(temperature=0.3) and got["supcon"] == Own()
    assert parse("t", ["x", "--temperature", "0.3"], parts, about="", unprefixed=["bcl"])["bcl"] == Own(temperature=0.3)
    with pytest.raises(ConfigError, match=r"^--bcl\.temperature must be greater than 0, got -1; try 0\.1$"):
        parse("ltviz test", ["x", "--bcl.temperature", "-1"], parts, about="")


def test_the_help_tells_every_flag_with_its_description_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        read("--help")
    text = " ".join(capsys.readouterr().out.split())
    assert stop.value.code in (0, None)
    for piece in ("--steps INT", "training steps", "(default: 300)", "--learning-rate FLOAT", "--precision {32,bf16}"):
        assert piece in text
    assert "--limit INT at most so many (default: all)" in text and "None" not in text


class Wider(BaseModel):
    momentum: float = Field(0.9, ge=0, lt=1, description="of the optimiser")
    steps: int = Field(3, ge=1, description="training steps")


class Queued(BaseModel):
    momentum: float = Field(0.99, ge=0, le=1, description="of the key encoder")


def test_a_flag_that_two_parts_would_have_is_that_of_the_later_one(capsys: pytest.CaptureFixture[str]) -> None:
    def both(*argv: str) -> tuple[float, float]:
        parts = {"run": Wider, "kcl": Queued}
        read = parse("ltviz test", argv, parts, about="A test.", unprefixed=["kcl"])
        return read["run"].momentum, read["kcl"].momentum  # type: ignore[attr-defined]

    assert both("--momentum", "0.5") == (0.9, 0.5)
    assert both("--run.momentum", "0.5", "--momentum=1") == (0.5, 1.0)
    with pytest.raises(ConfigError, match=r"--run\.momentum must be less than 1, got 1"):
        both("--run.momentum", "1")
    with pytest.raises(SystemExit):
        both("--help")
    told = capsys.readouterr().out
    assert "--run.momentum FLOAT" in told and "--momentum FLOAT" in told and "--steps INT" in told
