"""What is seen before Train: the classes of the data, a few of its images, what would be trained and what it takes."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping
from concurrent.futures import Future
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image
from pydantic import ValidationError

from ltviz import figures
from ltviz.data.longtail import NATURAL, measured_factor
from ltviz.data.preview import Sample
from ltviz.data.registry import Description
from ltviz.errors import LtvizError, sentence
from ltviz.metrics import shot_groups
from ltviz.training.settings import RunSettings

from .. import words
from ..service.previews import Samples
from ..service.studio import Studio
from . import forms
from .plots import draw_figure
from .viewer import may_draw_charts, theme

COUNTS_HEIGHT = 110
PATIENCE = 0.2
"""Seconds that a page waits for sample images before it is drawn without them."""
GAP = 1
"""Pixels between images, transparent."""


def draw_classes(studio: Studio, about: Description, cut: Mapping[str, Any]) -> None:
    """Bars of the class counts, head to tail, what is to be said of the set, and images of its head and tail."""
    place = st.container(height=COUNTS_HEIGHT, border=False, key="counts")
    if about.counts and may_draw_charts(studio):
        counts = np.asarray(about.counts)
        chart = figures.class_counts(
            counts,
            about.class_names,
            shot_groups(counts),
            theme() or "light",
            held_out=about.test_counts,
            logarithmic=True,
        )
        draw_figure(place, chart, "race-counts", COUNTS_HEIGHT)
    kept = [words.lab.natural(measured_factor(about.counts))] if about.counts and about.profile == NATURAL else []
    for told in (*kept, *about.notes, *([about.missing] if about.missing else [])):
        st.caption(forms.escape(told))
    if about.missing is None and len(about.image_shape) > 1:
        _draw_samples(studio.previews.ask(about, cut))


def draw_plan(about: Description | None, run: Mapping[str, Any], methods: int) -> bool:
    """What Train would do with these settings, in a few sentences; whether they are valid, which is said where not.

    Args:
        about: of the data; None where it cannot be described.
        run: fields of `RunSettings`.
        methods: how many are chosen.
    """
    try:
        settings = RunSettings.model_validate(dict(run))
    except ValidationError as error:
        st.caption(forms.escape(words.shared.sentence(sentence(error, RunSettings)) or ""))
        return False
    if methods and about is not None and about.missing is None:
        size = None if about.bytes is None else sum(about.counts)
        steps = settings.steps if settings.epochs is None or size is None else settings.steps_over(size)
        told = [
            words.lab.plan(settings, methods, settings.policies or about.policies, steps, size),
            *_network(about, settings),
        ]
        if about.bytes is not None:
            told.append(words.lab.plan_memory(about.bytes))
        st.caption(forms.escape(" ".join([*told, words.lab.PLAN_TIME])))
    return True


def _network(about: Description, run: RunSettings) -> list[str]:
    """How large the network is, where that is known."""
    shape, classes = about.image_shape, len(about.class_names)
    told = words.lab.plan_network(run.encoder, shape, classes, run, of_pixels=about.of_pixels) if shape else None
    return [told] if told else []


def _draw_samples(asked: Future[Samples]) -> None:
    try:
        samples = asked.result(PATIENCE)
    except TimeoutError:
        st.fragment(_come_back, run_every=1.0)(asked)
        return
    except LtvizError as error:
        st.caption(words.lab.NO_SAMPLES.format(reason=forms.escape(str(error))))
        return
    rows = "".join(_row(sample) for sample in samples)
    st.html(f'<div class="ltviz-samples">{rows}</div>')


def _come_back(asked: Future[Samples]) -> None:
    if asked.done():
        st.rerun(scope="app")
    st.caption(words.lab.SAMPLES_SOON)


def _row(sample: Sample) -> str:
    name, told = (
        html.escape(sample.name),
        html.escape(words.lab.samples_of(sample.name, len(sample.images), sample.size)),
    )
    n, wide = sample.images.shape[0], sample.images.shape[2]
    # each image is drawn equally large, whatever its pixels are
    width = 1.75 * n * (wide + GAP) / wide
    picture = _strip(sample.images.tobytes(), sample.images.shape)
    return f'<span>{name}</span><img src="{picture}" alt="{told}" title="{told}" style="width:{width:.2f}rem">'


@lru_cache(64)
def _strip(pixels: bytes, shape: tuple[int, ...]) -> str:
    """Images side by side, as an address that holds a PNG."""
    images = np.frombuffer(pixels, np.uint8).reshape(shape)
    if images.ndim == 3:
        images = images[..., None].repeat(3, axis=3)
    opaque = np.concatenate([images, np.full((*images.shape[:3], 1), 255, np.uint8)], axis=3)
    spaced = np.pad(opaque, ((0, 0), (0, 0), (0, GAP), (0, 0)))
    file = io.BytesIO()
    Image.fromarray(np.concatenate(list(spaced), axis=1)).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
