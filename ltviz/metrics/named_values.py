"""What a measure with several numbers returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, eq=False)
class NamedValues(Mapping[str, Any]):
    """Base of dataclasses that read as attributes and as a mapping: `r.nc1` and `r["nc1"]`, `dict(r)`.

    A field that is None was not measurable and is no key of the mapping.
    """

    def _measured(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}

    def __getitem__(self, name: str) -> Any:
        return self._measured()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._measured())

    def __len__(self) -> int:
        return len(self._measured())
