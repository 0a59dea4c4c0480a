"""Methods, data sets and settings as JSON: what a form needs, for readers that never import torch."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from ltviz import encoders
from ltviz.data import registry as data_registry
from ltviz.data import views
from ltviz.methods import registry as method_registry
from ltviz.methods.parts.forces import offers_what_if
from ltviz.training.settings import RunSettings


def catalogue() -> dict[str, Any]:
    """{"methods": [{name, card, settings, several_labels, what_if}], "data": [{name, title, about, ...}],
    "encoders": [...], "policies": [{name, title, about}], "run": schema}.

    `settings` and `run` are JSON schemas; a field that may change while a run trains has `"live": true`.
    """
    return {
        "methods": [
            {
                "name": name,
                "card": {**dataclasses.asdict(kind.card), "marked": kind.card.marked()},
                "settings": kind.Settings.model_json_schema(),
                "several_labels": kind.several_labels,
                "what_if": offers_what_if(kind),
            }
            for name, kind in method_registry.methods().items()
        ],
        "data": [
            {
                "name": name,
                "title": source.title,
                "about": source.about,
                "several_labels": source.several_labels,
                "options": source.Options.model_json_schema(),
                "missing": source.missing(data_registry.locate(name)),
            }
            for name, source in data_registry.sources().items()
        ],
        "encoders": list(encoders.encoders()),
        "policies": [{"name": one.name, "title": one.title, "about": one.about} for one in views.policies().values()],
        "run": RunSettings.model_json_schema(),
    }


def write_catalogue(path: Path) -> None:
    """Writes the catalogue to `path` in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    draft.write_text(json.dumps(catalogue(), indent=1), encoding="utf-8")
    draft.replace(path)
