"""TensorBoard's `add_embedding` that writes runs: put `Writer` where a `SummaryWriter` was. Needs no TensorBoard."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ltviz.recording import Recorder, record
from ltviz.recording.drops import warn
from ltviz.recording.names import slug

_LABELS = ("label", "labels", "class", "target", "y")


class Writer(ExitStack):
    """Writes what `add_embedding` is given: the first tag as the run in the folder `path`, each other one beside it.
    Closing it, or the end of its `with` block, ends them all.

    Args:
        path: folder of the run.
        **given: to `ltviz.record`: class_names, split, on_error, resume, overwrite, ...

    Example:
        >>> import tempfile, numpy as np
        >>> with Writer(tempfile.mkdtemp() + "/run") as writer:
        ...     writer.add_embedding(np.eye(3), metadata=["cat", "cat", "dog"], global_step=0)
        >>> from ltviz.recording import Recording
        >>> Recording(writer.path).info.class_names
        ['cat', 'dog']
    """

    def __init__(self, path: str | os.PathLike[str], **given: Any) -> None:
        super().__init__()
        self.path = Path(path).absolute()
        self._given = given
        self._runs: dict[str, Recorder] = {}

    def add_embedding(
        self,
        mat: Any,
        metadata: Sequence[Any] | None = None,
        label_img: Any = None,
        global_step: int | None = None,
        tag: str = "default",
        metadata_header: Sequence[str] | None = None,
    ) -> None:
        """One frame: `mat` (N, D) of the same samples at every step of a tag.

        Labels are `metadata`, of several columns the one that `metadata_header` calls label, class, target or y, else
        the first; none where left out. Labels and pictures (`label_img`, (N, C, H, W)) are those of a tag's first call.
        Without a `global_step` it is one more than before.
        """
        if tag not in self._runs:
            path = self.path.with_name(f"{self.path.name}-{slug(tag)}") if self._runs else self.path
            labels = [-1] * len(mat) if metadata is None else _labels(metadata, metadata_header)
            title = None if tag == "default" else tag
            given = {"images": label_img, "title": title, **self._given}
            self._runs[tag] = self.enter_context(record(path, labels=labels, **given))
        run = self._runs[tag]
        run.frame(run.last_step + 1 if global_step is None else global_step, embeddings=mat)

    def flush(self) -> None:
        """Return once every frame is on the disk."""
        for run in self._runs.values():
            run.flush()


def _labels(metadata: Sequence[Any], header: Sequence[str] | None) -> list[Any]:
    if header is not None:
        at = next((i for i, name in enumerate(header) if str(name).lower() in _LABELS), 0)
        if left := [str(name) for i, name in enumerate(header) if i != at]:
            warn(f"A run holds one label a sample: '{header[at]}' of metadata is taken, {', '.join(left)} left out.")
        metadata = [row[at] for row in metadata]
    return [value.item() if hasattr(value, "item") else value for value in metadata]
