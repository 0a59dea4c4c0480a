"""ltviz: watch a long-tailed feature space learn.

A run is a folder of frames. A trainer writes frames into it; the browser, a notebook, a test read them.

    import ltviz

    with ltviz.record("checkpoints/my-run", labels=y) as run:
        ...
        run.frame(step, embeddings=z)

Importing this package costs next to nothing: torch, plotly and streamlit are imported by the parts that need them.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ltviz.recording import Recording as Recording
    from ltviz.recording import record as record

    def gather(*arrays: Any) -> tuple[Any, ...]:
        """See `ltviz.integrations.distributed`."""
        ...

    def show(runs: Any, *, projection: str | None = None, widget: bool | None = None, **seen: Any) -> Any:
        """See `ltviz.integrations.notebook`."""
        ...


__all__ = ["Recording", "__version__", "gather", "record", "show"]

# By name: what imports this package must not thereby import torch or the app, and import-linter sees to it.
_INTEGRATIONS = {"gather": "ltviz.integrations.distributed", "show": "ltviz.integrations.notebook"}

try:
    __version__ = version("ltviz")
except PackageNotFoundError:  # run from a bare checkout
    __version__ = "0+unknown"


def __getattr__(name: str) -> Any:
    """What the package offers is looked up on first use, so that `import ltviz` stays free of numpy and torch."""
    if name in _INTEGRATIONS:
        return getattr(import_module(_INTEGRATIONS[name]), name)
    if name == "streamlit":
        return import_module("ltviz.streamlit")
    if name in ("record", "Recording"):
        from ltviz import recording

        return getattr(recording, name)
    raise AttributeError(f"module 'ltviz' has no attribute {name!r}")
