"""`ltviz bench NAME`: runs `ltviz/bench/<name>.py`."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import ltviz
from ltviz.errors import ConfigError


def names() -> list[str]:
    """The benchmarks: modules of `ltviz.bench` with a function `run`."""
    folder = Path(ltviz.__file__).parent / "bench"
    return sorted(
        module.name
        for module in pkgutil.iter_modules([str(folder)])
        if "\ndef run(" in (folder / f"{module.name}.py").read_text(encoding="utf-8")
    )


def run(argv: Sequence[str]) -> int:
    """Hands the other arguments to the benchmark; without a name it lists them.

    Raises:
        ConfigError: no such benchmark, or one that needs packages that are not there.
    """
    if not argv or argv[0] in ("-h", "--help"):
        print(f"usage: ltviz bench NAME ...\n\nNAME is one of {', '.join(names())}")
        return 0
    known = names()
    name = next((argument for argument in argv if argument in known), argv[0])
    if name not in known:
        raise ConfigError(f"the benchmark must be one of {', '.join(known)}, got {name!r}")
    flags = list(argv)
    flags.remove(name)
    try:
        module = import_module(f"ltviz.bench.{name}")
    except ModuleNotFoundError as error:
        if error.name and find_spec(error.name.partition(".")[0]) is None:
            raise ConfigError(
                f"this benchmark needs the package {error.name}; try `pip install 'ltviz[dev]'`"
            ) from error
        raise
    return module.run(flags) or 0
