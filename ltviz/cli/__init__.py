"""The command line: `ltviz open | app | train | data | sweep | recipes | runs | metrics | judge | ...`.

Each command is one module, imported when it is called, so that `ltviz --help` and `ltviz runs` need no torch.
Bad input is one line on stderr and an exit code; see `ltviz.errors`.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

import ltviz
from ltviz.errors import ConfigError, LtvizError
from ltviz.text import plain

COMMANDS = {
    "open": "open files of embeddings: each becomes a run, and is shown",
    "app": "open the browser app; demo recordings play until there are runs of your own",
    "train": "train a method, or several in lock-step with --race",
    "data": "say what a data set holds, and what a run would train on",
    "sweep": "train every combination that a TOML file names; what is finished is skipped",
    "code": "print a program of about forty lines that trains a method, or a run, outside of ltviz",
    "recipes": "list the papers' training settings, the numbers they aim at and what they cost",
    "runs": "list the runs and how they are doing",
    "metrics": "what the last frame of a run, or a file of embeddings, measures",
    "similarity": "how alike runs are as spaces: CKA, mutual neighbours, Procrustes, by class and group",
    "reproduce": "reproduce a published or derived result: a number, a tolerance, a verdict",
    "judge": "judge a trained encoder by other classifiers: ncm, linear, crt, tau_norm",
    "phase": "where rare classes end on one point, over imbalance and temperature, penalty or dimension",
    "targets": "make targets on the sphere, as a file that `tsc` and `etf` take: --targets FILE",
    "export": "write runs for others: a report, a 3-D replay, tables, pictures, TensorBoard, Rerun, ...",
    "pack": "put a run into one file, bit for bit, to keep or to move",
    "unpack": "make a run of such a file again",
    "mirror": "bring runs to an address: s3://, gs://, file://, ...; again, only what is new",
    "publish": "write a gallery of replays that any file host serves",
    "lesson": "check a lesson: every answer is computed from its recordings, every claim holds",
    "mcp": "serve the runs to an assistant, by the Model Context Protocol",
    "doctor": "check this installation: torch, devices, folders, data",
    "bench": "measure speed: `ltviz bench` lists what can be measured",
}
INTERRUPTED = 130
UNREAD = 141
"""Whoever read the output has gone, as `head` does; what a shell reports of other programs then."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _told(arguments)
    except BrokenPipeError:
        if not _is_unread():
            raise
        return UNREAD


def _told(arguments: list[str]) -> int:
    """Runs one command, everything it has to say written out; what a person or their machine did wrong is one line."""
    try:
        code = _run(arguments)
        _flush()
        return code
    except LtvizError as error:
        return _say(str(error), error.exit_code)
    except SystemExit:  # the help was printed
        _flush()
        raise
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except BrokenPipeError:
        raise
    except OSError as error:  # a full disk behind a `>`, a path that is too long or may not be entered
        if error.strerror is None:
            raise
        where = f": {error.filename}" if error.filename else ""
        return _say(f"the system refused it ({error.strerror}); check the paths and the room on the disk{where}", 2)


def _say(sentence: str, code: int) -> int:
    print(f"ltviz: {plain(' '.join(sentence.split()))}", file=sys.stderr)
    return code


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed with >&-
            stream.flush()


def _is_unread() -> bool:
    """Whether the pipe that broke is our output; what is left of it then goes nowhere, and nobody complains at exit."""
    broken = [stream for stream in (sys.stdout, sys.stderr) if stream is not None and _has_no_reader(stream.fileno())]
    for stream in broken:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return bool(broken)


def _has_no_reader(descriptor: int) -> bool:
    if not hasattr(select, "poll"):  # Windows: no other pipe of ours is written to
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


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
