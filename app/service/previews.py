"""Sample images of data sets, read aside: a page waits for those of a small set and comes back for those of a large."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ltviz.data.preview import Sample, preview
from ltviz.data.registry import Description

KEPT = 16
"""Cuts whose images are kept, a few kilobytes each."""

Samples = tuple[Sample, ...]


class Previews:
    """Reads one set after another in a thread. What was read is kept as long as the set's lists say the same."""

    def __init__(self) -> None:
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="previews")
        self._read: OrderedDict[tuple[str, Description], Future[Samples]] = OrderedDict()

    def ask(self, about: Description, cut: Mapping[str, Any]) -> Future[Samples]:
        """The sample images of a cut, perhaps still to come; a LtvizError where they cannot be read.

        Args:
            about: of the cut, as it is now: where its counts change, images are read again.
            cut: what `ltviz.data.registry.load` takes.
        """
        key = json.dumps(dict(cut), sort_keys=True, default=str), about
        found = self._read.get(key)
        if found is None:
            found = self._read[key] = self._reader.submit(preview, about.name, **cut)
            for old in list(self._read)[:-KEPT]:
                self._read.pop(old).cancel()
        self._read.move_to_end(key)
        return found
