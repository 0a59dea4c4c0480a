"""`ltviz mcp`: runs as tools of an assistant, by the Model Context Protocol over stdin and stdout.

Tools read only, unless training is allowed. A home's own runs are all that is answered about; ids are taken, never
paths.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import ltviz
from ltviz.errors import ConfigError, LtvizError, TrainingError
from ltviz.export.formats import Wanted, find_format
from ltviz.integrations import answers
from ltviz.recording import Home
from ltviz.recording.names import new_run_id
from ltviz.recording.requests import send_request

INSTRUCTIONS = (
    "ltviz records how long-tailed embeddings move on the hypersphere while they are trained. A run has an id, steps "
    "and measures; angles are in degrees, accuracies from 0 to 1. List the runs first, then measure, compare or look "
    "at a picture. Say what a comparison's notes say: few seeds tell little."
)
START_SECONDS = 60.0


def make_server(home: Home, *, allow_training: bool = False) -> Any:
    """The server, of the official SDK; `run()` serves until its input ends.

    Raises:
        ConfigError: the package mcp is missing, or older than version 2.
    """
    try:
        sdk: Any = import_module("mcp.server.mcpserver")
        types: Any = import_module("mcp.types")
        errors: Any = import_module("mcp.server.mcpserver.exceptions")
    except ImportError as error:
        raise ConfigError(
            "`ltviz mcp` needs the package mcp, version 2 or newer, which is not installed; try `pip install 'mcp>=2'`"
        ) from error
    server = sdk.MCPServer("ltviz", instructions=INSTRUCTIONS, version=ltviz.__version__, log_level="WARNING")
    reading = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)
    tools = _readers(home, sdk) if not allow_training else [*_readers(home, sdk), *_trainers(home)]
    for tool in tools:
        changes = tool.__name__ in ("train_method", "stop_training")
        server.tool(annotations=None if changes else reading)(_told(tool, errors.ToolError))
    return server


def _told(tool: Callable[..., Any], error: type[Exception]) -> Callable[..., Any]:
    """The tool with ltviz's own sentences as the errors that a client is shown."""

    @functools.wraps(tool)
    def call(*args: Any, **given: Any) -> Any:
        try:
            return tool(*args, **given)
        except LtvizError as refused:
            raise error(" ".join(str(refused).split())) from refused

    return call


def _readers(home: Home, sdk: Any) -> list[Callable[..., Any]]:
    """The tools that read. Their docstrings and annotations are what a client is told."""

    def list_runs(state: str | None = None, method: str | None = None, most: int = 50) -> dict[str, Any]:
        """The recorded runs, newest first: id, method, data, state (running, finished, failed, ...), steps, sizes."""
        return answers.list_runs(home, state=state, method=method, most=most)

    def measure_run(run: str, step: int | None = None, keys: list[str] | None = None) -> dict[str, Any]:
        """What a run measures at a step (the last one by default), each with its meaning; `keys` chooses some."""
        return answers.measure(home, run, step=step, keys=keys or ())

    def measure_over_steps(run: str, key: str, most: int = 60) -> dict[str, Any]:
        """One measure over the steps of a run, such as centre_sum."""
        return answers.course(home, run, key, most=max(2, min(most, 1000)))

    def alarms_since(run: str, since: int = 0) -> dict[str, Any]:
        """What went wrong in a run at or after the step `since`: collapse, loss stuck, not finite, with what to try."""
        return answers.alarms(home, run, since=since)

    def compare_runs(runs: list[str], keys: list[str] | None = None) -> dict[str, Any]:
        """Two or more runs side by side at their last steps, with what can be said of their differences over seeds."""
        return answers.compare(home, runs, keys=keys or ())

    def what_if(run: str, step: int | None = None) -> dict[str, Any]:
        """How other methods' losses would move each class of a run at a step, and how far that can be trusted."""
        return answers.what_if(home, run, step=step)

    def picture_of_stage(
        runs: list[str], step: int | None = None, theme: str = "light", projection: str | None = None
    ) -> Any:
        """A PNG of the spheres of runs, side by side, at a step (the last one by default)."""
        return sdk.Image(data=_picture(home, runs, step, theme, projection), format="png")

    def viewer_selection(run: str | None = None) -> dict[str, Any]:
        """The samples that the person has selected in the app with the lasso or box: ids, classes, predictions."""
        return answers.selection(home, run=run)

    return [
        list_runs,
        measure_run,
        measure_over_steps,
        alarms_since,
        compare_runs,
        what_if,
        picture_of_stage,
        viewer_selection,
    ]


def _trainers(home: Home) -> list[Callable[..., Any]]:
    """The tools that change something."""

    def train_method(
        method: str, data: str = "digits-lt", steps: int = 300, seed: int = 0, settings: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Starts training a method (ce, supcon, bcl, tsc, ...) and gives the new run's id at once; list or measure the
        run to see how it is doing. `settings` are other flags of `ltviz train`, such as {"imbalance-factor": 50}."""
        return _train(home, method, {"data": data, "steps": steps, "seed": seed, **(settings or {})})

    def stop_training(run: str) -> dict[str, Any]:
        """Asks a run in training to save its weights and stop."""
        send_request(answers.find(home, run).path, "stop")
        return {"run_id": run, "asked": "stop"}

    return [train_method, stop_training]


def _picture(home: Home, runs: list[str], step: int | None, theme: str, projection: str | None) -> bytes:
    if theme not in ("light", "dark"):
        raise ConfigError(f"theme must be light or dark, got {theme!r:.40}")
    if not 1 <= len(runs) <= 12:
        raise ConfigError(f"a picture shows 1 to 12 runs, got {len(runs)}")
    chosen = [answers.find(home, run) for run in dict.fromkeys(runs)]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "stage.png"
        find_format("png").write(Wanted(runs=chosen, out=out, step=step, theme=theme, projection=projection))
        return out.read_bytes()


def _train(home: Home, method: str, flags: dict[str, Any]) -> dict[str, Any]:
    """Starts `ltviz train` in a process of its own, which goes on when this one ends.

    Raises:
        TrainingError: it was refused, with the sentence why.
    """
    if method.startswith("-"):
        raise ConfigError(f"method must be the name of one, got {method!r:.60}")
    run = new_run_id(method)
    command = [sys.executable, "-m", "ltviz", "train", method, "--run-dir", str(home.root / run)]
    for name, value in flags.items():
        key = name.strip("-").replace("_", "-")
        if key in ("run-dir", "resume", "race", "json"):
            raise ConfigError(f"{name} cannot be given here; train one method at a time")
        command.append(f"--{key}={value}" if not isinstance(value, bool) else f"--{key if value else f'no-{key}'}")
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
        )
        end = time.monotonic() + START_SECONDS
        while run not in home.look().runs and child.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        if child.poll() not in (None, 0):
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise TrainingError(lines[-1].removeprefix("ltviz: ") if lines else f"{method} could not be trained")
    return {"run_id": run, "method": method, "pid": child.pid}
