"""`ltviz code`: a Python program of about forty lines that trains a method, or a run, outside of ltviz."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import BaseModel, Field

from ltviz.cli.arguments import parse, with_defaults
from ltviz.cli.choice import HomeOptions, named
from ltviz.cli.train import DATA, data_options, settle_steps, take_method
from ltviz.errors import ConfigError

ABOUT = (
    "Print a Python program of about forty lines, in plain torch, that trains METHOD with these settings, or RUN as it "
    "was trained: from the same data, batches and initial weights."
)
SEVERAL_LABELS = "digits-ml"
"""The data of methods that learn from several labels, where the line names none."""


class CodeOptions(HomeOptions):
    json_: bool = Field(False, alias="json", description="Print one JSON object: method, run, and the code.")


def run(argv: Sequence[str]) -> int:
    """Prints the program.

    Raises:
        ConfigError: neither a method nor a run, settings that cannot be met, or a method that does not say its code.
        RecordingError: a run that ltviz did not train, or whose settings cannot be read.
    """
    from ltviz.methods import registry

    name, flags = take_method(argv)
    known = registry.methods()
    helped = {"-h", "--help"} & set(argv)
    if name is None and not helped:
        raise ConfigError(
            f"`ltviz code` needs a METHOD or a RUN; the methods are {', '.join(known)}; try `ltviz code supcon`"
        )
    options, told = (_of_method if helped or name in known else _of_run)(name or "", argv, flags)
    print(json.dumps(told) if options.json_ else told["code"].rstrip())
    return 0


def _of_method(name: str, argv: Sequence[str], flags: Sequence[str]) -> tuple[CodeOptions, dict[str, str]]:
    from ltviz.methods import registry
    from ltviz.training.program import of_settings
    from ltviz.training.settings import RunSettings

    kind = registry.method(name) if name else None
    usual = {"data": SEVERAL_LABELS} if kind is not None and kind.several_labels else {}
    models: dict[str, type[BaseModel]] = {
        "command": CodeOptions,
        "run": with_defaults(RunSettings, usual, "run"),
        DATA: data_options(argv),
        **({} if kind is None else {name: kind.Settings}),
    }
    unprefixed = ["run", *([name] if name else [])]
    parsed = parse(f"ltviz code {name}".strip(), flags, models, about=ABOUT, unprefixed=unprefixed)
    options, settings = parsed["command"], parsed[name]
    assert isinstance(options, CodeOptions) and kind is not None and isinstance(settings, kind.Settings)
    given = {"data_options": parsed[DATA].model_dump(mode="json")}
    run = settle_steps(parsed["run"]).model_copy(update=given)
    return options, {"method": name, "code": of_settings(kind, settings, run)}


def _of_run(name: str, argv: Sequence[str], flags: Sequence[str]) -> tuple[CodeOptions, dict[str, str]]:
    from ltviz.training.program import of_run

    options = parse("ltviz code RUN", flags, {"command": CodeOptions}, about=ABOUT)["command"]
    assert isinstance(options, CodeOptions)
    recording = named(options.open_home(), name)
    return options, {"method": recording.info.method or "", "run": recording.run_id, "code": of_run(recording)}
