"""`ltviz doctor`: what works here, and what to do about the rest."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import socket
import sys
import tempfile
import warnings
import webbrowser
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from pydantic import Field

import ltviz
from ltviz.cli.arguments import new_place, parse_one, positional
from ltviz.cli.choice import HomeOptions, named
from ltviz.data import registry
from ltviz.errors import LtvizError, RunLocked
from ltviz.launch.app import app_folder, demo_home
from ltviz.launch.webgl import ask_browser
from ltviz.plugins import Registry
from ltviz.recording.files import write_whole
from ltviz.recording.lock import RunLock
from ltviz.recording.repair import repair
from ltviz.text import plain

_NEEDED_MB = 200
ABOUT = "Check this installation, or a run: what is damaged in it is put aside, and nothing is lost."
PACKAGES = ("numpy", "torch", "streamlit", "pydantic", "safetensors", "starlette", "uvicorn", "umap-learn", "plotly")
NETWORK = ("nfs", "cifs", "smb", "fuse.sshfs", "9p", "afs", "lustre", "beegfs", "ceph", "gluster")


class DoctorOptions(HomeOptions):
    run: str | None = positional(None, description="id or folder of a run, which is checked whole and repaired")
    browser: bool = Field(False, description="Also ask the browser of this machine whether it draws the spheres.")
    bundle: str | None = Field(
        None, description="Write the findings into one file for a bug report, without names, paths or data."
    )
    overwrite: bool = Field(False, description="Replace the file of a bundle where it is there already.")
    json_: bool = Field(False, alias="json", description="Print one JSON object.")


class Finding(NamedTuple):
    """One check. Where `ok` is None the thing is not needed."""

    name: str
    ok: bool | None
    text: str


def run(argv: Sequence[str]) -> int:
    """Prints the findings; 1 where something needed does not work.

    Raises:
        ConfigError: a bundle that is there already.
        RecordingError: it cannot be written.
    """
    options = parse_one("ltviz doctor", argv, DoctorOptions, about=ABOUT)
    if options.run is not None:
        return _repair(options)
    bundle = options.bundle
    place = None
    if bundle is not None:
        file = "ltviz-doctor.json"
        place = new_place("ltviz doctor", "--bundle", bundle, overwrite=options.overwrite, file=file)
    home = options.own_home("ltviz doctor").root
    found = [check() for check in CHECKS] + [_check_home(home), _check_disk(home)]
    found += [_check_data(name) for name in registry.sources()]
    found += [_check_browser()] if options.browser else []
    broken = any(finding.ok is False for finding in found)
    if place is not None:
        write_whole(place.absolute(), json.dumps(_bundle(found), indent=1).encode())
        print(f"{len(found)} findings are in {place}; read it before you send it", file=sys.stderr)
    if options.json_:
        print(json.dumps({"ok": not broken, "findings": [finding._asdict() for finding in found]}))
    else:
        for finding in found:
            mark = {True: "ok", False: "BAD", None: "-"}[finding.ok]
            print(f"{mark:3} {finding.name:16} {finding.text}")
    return int(broken)


def _repair(options: DoctorOptions) -> int:
    """Repairs a run; 1 where something is left that only a person can mend."""
    run = named(options.own_home("ltviz doctor"), options.run or "")
    damages = repair(run.path)
    left = [damage for damage in damages if damage.file in ("run.json", "probe.safetensors")]
    if options.json_:
        print(json.dumps({"run": run.run_id, "ok": not left, "damages": [damage._asdict() for damage in damages]}))
        return int(bool(left))
    for file, reason, done in damages:
        print(f"{plain(file)}: {plain(reason)} {done}")
    if not damages:
        print(f"{run.run_id} is sound: {len(run.steps())} frames")
    return int(bool(left))


def _bundle(found: Sequence[Finding]) -> dict[str, Any]:
    """The findings and what they depend on, with every path and name of a person or machine taken out."""
    versions = {}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {
        "ltviz": ltviz.__version__,
        "python": platform.python_version(),
        "system": [platform.system(), platform.release(), platform.machine()],
        "cores": os.cpu_count(),
        "packages": versions,
        "findings": [{"name": one.name, "ok": one.ok, "text": _anonymous(one.text)} for one in found],
    }


def _anonymous(text: str) -> str:
    for word in (platform.node(), Path.home().name):
        if len(word) > 2:
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", "NAME", text)
    return re.sub(r"(?:[A-Za-z]:)?(?:[/\\][^\s/\\,;:'\")]+)+[/\\]?", "PATH", text)


def _check_browser() -> Finding:
    said = ask_browser(webbrowser.open)
    if said is None:
        return Finding("browser", False, "no browser has answered; open the app's address in one by hand")
    if not said["webgl2"]:
        return Finding("browser", False, "it has no WebGL2, so spheres are flat maps; switch on hardware acceleration")
    return Finding("browser", True, f"WebGL2 by {plain(said['renderer'])}")


def _check_driver() -> Finding:
    try:
        import torch
    except (ImportError, OSError):
        return Finding("driver", None, "torch cannot be imported")
    built = torch.version.cuda
    if torch.cuda.is_available():
        return Finding("driver", True, f"CUDA {built}, {torch.cuda.device_count()} device(s)")
    if shutil.which("nvidia-smi") is None:
        return Finding("driver", None, "no NVIDIA driver, so the CPU trains")
    why = "a torch without CUDA" if built is None else f"a torch for CUDA {built}, which the driver does not serve"
    return Finding("driver", False, f"there is an NVIDIA driver, but {why}; install a torch that fits the driver")


def _check_port() -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8501))
        except OSError as error:
            return Finding("port", None, f"8501 cannot be used ({error.strerror}); `ltviz app --port 0` takes another")
    return Finding("port", True, "8501 is free")


def _check_disk(root: Path) -> Finding:
    home = root.absolute()
    mounts = [part for part in psutil.disk_partitions(all=True) if home.is_relative_to(part.mountpoint)]
    if not mounts:
        return Finding("file system", None, "its kind is not known")
    kind = max(mounts, key=lambda part: len(part.mountpoint)).fstype
    if kind.startswith(NETWORK):
        text = f"{kind}, a network's: locks and renames may lag; train on a local disk and copy the runs"
        return Finding("file system", None, text)
    return Finding("file system", True, kind)


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


def _check_home(home: Path) -> Finding:
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
    _check_driver,
    _check_streamlit,
    _check_port,
    _check_demo,
    _check_plugins,
)
