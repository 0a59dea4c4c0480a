"""`ltviz doctor`: what works here, and what to do about the rest."""

from __future__ import annotations

import contextlib
import json
import platform
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, Field

import ltviz
from ltviz.cli.arguments import parse_one
from ltviz.data import registry
from ltviz.errors import LtvizError, RunLocked
from ltviz.launch.app import app_folder, demo_home
from ltviz.plugins import Registry
from ltviz.recording import checkpoints_home
from ltviz.recording.lock import RunLock

_NEEDED_MB = 200


class DoctorOptions(BaseModel):
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


class Finding(NamedTuple):
    """One check. Where `ok` is None the thing is not needed."""

    name: str
    ok: bool | None
    text: str


def run(argv: Sequence[str]) -> int:
    """Prints the findings; 1 where something needed does not work."""
    options = parse_one("ltviz doctor", argv, DoctorOptions, about="Check this installation.")
    found = [check() for check in CHECKS] + [_check_data(name) for name in registry.sources()]
    broken = any(finding.ok is False for finding in found)
    if options.json_:
        print(json.dumps({"ok": not broken, "findings": [finding._asdict() for finding in found]}))
    else:
        for finding in found:
            mark = {True: "ok", False: "BAD", None: "-"}[finding.ok]
            print(f"{mark:3} {finding.name:16} {finding.text}")
    return int(broken)


def _check_versions() -> Finding:
    return Finding("ltviz", True, f"{ltviz.__version__}, Python {platform.python_version()} on {platform.platform()}")


def _check_torch() -> Finding:
    try:
        import torch

        from ltviz.training import engine
        from ltviz.training.settings import RunSettings

        return Finding("torch", True, f"{torch.__version__}; {engine.start(RunSettings.model_validate({})).why}")
    except (ImportError, OSError) as error:
        return Finding("torch", False, f"cannot be imported ({error}); reinstall with `pip install ltviz`")


def _check_streamlit() -> Finding:
    try:
        return Finding("app", True, f"streamlit {version('streamlit')}, files in {app_folder()}")
    except (PackageNotFoundError, LtvizError) as error:
        return Finding("app", False, str(error))


def _check_demo() -> Finding:
    home = demo_home()
    return Finding("demo", None if home is None else True, f"recordings in {home}" if home else "no demo recordings")


def _check_home() -> Finding:
    home = checkpoints_home()
    standing = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    try:
        free = shutil.disk_usage(standing).free // 2**20
        with tempfile.TemporaryDirectory(dir=standing) as name:
            held = RunLock.acquire(Path(name) / "lock")
            try:
                RunLock.acquire(Path(name) / "lock").release()
                return Finding(
                    "home", False, f"{home}: its file system has no working locks; set LTVIZ_HOME to a local disk"
                )
            except RunLocked:
                pass
            finally:
                held.release()
    except (OSError, LtvizError) as error:
        return Finding("home", False, f"{home} cannot be written ({error}); set LTVIZ_HOME to a folder of yours")
    enough = free >= _NEEDED_MB
    return Finding(
        "home", enough, f"{home}, {free} MB free" + ("" if enough else f"; runs need {_NEEDED_MB} MB or more")
    )


def _check_data(name: str) -> Finding:
    source = registry.source(name)
    missing = source.missing(registry.locate(name))
    return Finding(name, None if missing else True, missing or source.about)


def _check_plugins() -> Finding:
    from ltviz.metrics.registry import MEASUREMENTS
    from ltviz.projection import REGISTRY

    registries: list[Registry] = [registry.SOURCES, MEASUREMENTS, REGISTRY]
    with contextlib.suppress(ImportError, OSError):  # torch, of which another check speaks
        from ltviz.data.views.registry import POLICIES
        from ltviz.encoders.registry import ENCODERS
        from ltviz.methods.registry import METHODS

        registries += [METHODS, ENCODERS, POLICIES]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they would say is the finding
        problems = [problem for one in registries for problem in one.problems]
        added = [f"{one.noun} {name}" for one in registries for name in one.added]
    if problems:
        return Finding("plug-ins", False, "; ".join(problems) + "; mend or uninstall its package")
    return Finding("plug-ins", True if added else None, ", ".join(added) or "no other package adds anything")


CHECKS: tuple[Callable[[], Finding], ...] = (
    _check_versions,
    _check_torch,
    _check_streamlit,
    _check_demo,
    _check_home,
    _check_plugins,
)
