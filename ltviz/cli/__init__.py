"""The command line: `ltviz app | train | sweep | runs | metrics | judge | export | doctor | bench`.

Each command is one module, imported when it is called, so that `ltviz --help` and `ltviz runs` need no torch.
Bad input is one line on stderr and an exit code; see `ltviz.errors`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

import ltviz
from ltviz.errors import ConfigError, LtvizError

COMMANDS = {
    "app": "open the browser app; demo recordings play until there are runs of your own",
    "train": "train a method, or several in lock-step with --race",
    "sweep": "train every combination that a TOML file names; what is finished is skipped",
    "runs": "list the runs and how they are doing",
    "metrics": "what the last frame of a run measures",
    "judge": "judge a trained encoder by other classifiers: ncm, linear, crt, tau_norm",
    "export": "write runs into one file: a report or a 3-D replay that opens anywhere, CSV or Parquet",
    "doctor": "check this installation: torch, devices, folders, data",
    "bench": "measure speed: `ltviz bench` lists what can be measured",
}
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(arguments)
    except LtvizError as error:
        print(f"ltviz: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: list[str]) -> int:
    name = arguments[0] if arguments else "--help"
    if name in ("-h", "--help", "help"):
        print(_help())
        return 0
    if name == "--version":
        print(ltviz.__version__)
        return 0
    if name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, 1)
        hint = f"ltviz {near[0]}" if near else "ltviz --help"
        raise ConfigError(f"the command must be one of {', '.join(COMMANDS)}, got {name!r}; try `{hint}`")
    return import_module(f"ltviz.cli.{name}").run(arguments[1:])


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {about}" for name, about in COMMANDS.items()]
    return "\n".join(
        [
            "usage: ltviz COMMAND ...",
            "",
            "Watch a long-tailed feature space learn on the hypersphere.",
            "",
            *lines,
            "",
            "`ltviz COMMAND --help` tells the flags. Runs live in LTVIZ_HOME (default: ./checkpoints where it exists).",
        ]
    )
