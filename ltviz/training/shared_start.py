"""The shared start of a race: data, probe set, batches and initial modules that all its methods have in common."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import ltviz
from ltviz import encoders
from ltviz.data import registry as data_registry
from ltviz.data.device_inputs import OnDevice, channels_first, on_device
from ltviz.data.inputs import Inputs
from ltviz.data.longtail import NATURAL, LongTailed, measured_factor
from ltviz.data.pixels import Pixels
from ltviz.data.tensors import Batches, describe_augmentation
from ltviz.errors import ConfigError, RecordingError, sentence
from ltviz.methods import registry as method_registry
from ltviz.methods.base import Method, Settings, Setup
from ltviz.methods.parts.rehearsal import rehearsal
from ltviz.recording import Fingerprints, Recording
from ltviz.recording.names import typed_path
from ltviz.training import controls, engine
from ltviz.training.observer import Observer
from ltviz.training.probe_set import POINTS, ProbeSet, affordable, choose
from ltviz.training.ranks import Ranks
from ltviz.training.sampled import exponent_at, exponent_throughout
from ltviz.training.settings import EQUAL_VIEWS, RunSettings
from ltviz.training.theory import marks_of

SHOWN_OF_CLASS, SHOWN = 6, 60
"""Samples of a class, and in all, for which a frame shows marks such as their two views."""
SMALL_BATCH, TIMES_IN_BATCH = 1024, 8
"""A batch larger than the one holds no sample of the training set more often than the other, on average."""


@dataclass(frozen=True)
class SharedStart:
    """What all methods of a race have in common."""

    run: RunSettings
    engine: engine.Engine
    data: LongTailed
    probe: ProbeSet
    batches: Batches
    encoder: nn.Module
    head: nn.Module
    feature_dim: int
    loaded: encoders.Loaded | None = None
    """What the encoder started from, where a file of weights was given."""

    @cached_property
    def fingerprints(self) -> Fingerprints:
        """SHA-256 of the initial encoder and head, and of the batch order: equal numbers mean equal starts."""
        digest = hashlib.sha256()
        for module in (self.encoder, self.head):
            for name, tensor in sorted(module.state_dict().items()):
                digest.update(name.encode() + np.ascontiguousarray(tensor.cpu().numpy()).tobytes())
        return Fingerprints(weights=digest.hexdigest(), batches=self.batches.fingerprint(self.run.steps))

    @cached_property
    def probe_inputs(self) -> OnDevice:
        """Of the probe, on the device."""
        return self.on_device(self.probe.inputs)

    def on_device(self, inputs: Inputs) -> OnDevice:
        """Inputs of the data set as the encoder sees them."""
        return on_device(inputs, self.engine.device, mean=self.data.mean, std=self.data.std)

    def observer(self) -> Observer:
        """What looks at a method for its frames: at the probe, and at fixed samples for which frames show marks."""
        shown = self.batches.fixed(SHOWN_OF_CLASS, SHOWN)
        return Observer(self.probe, shown, self.probe_inputs, exponent_throughout(self.run))

    def build(self, kind: type[Method], settings: Settings, teacher: Method | None = None) -> Method:
        """An untrained method on the device; its own parameters depend on the seed alone, not on the other methods.

        Args:
            teacher: built likewise, where the method has one; the method copies it.
        """
        setup = Setup(
            encoder=self.encoder,
            head=self.head,
            feature_dim=self.feature_dim,
            dim=self.run.dim,
            counts=torch.from_numpy(self.data.counts).float(),
            total_steps=self.run.steps,
            generator=torch.Generator().manual_seed(self.run.seed),
            teacher=teacher,
            num_samples=len(self.data.train_labels),
            num_images=self.data.num_images,
        )
        with _seeded(self.run.seed + 1):
            method = kind(settings, setup)
        self.engine.place(method)
        return method

    def share_of(self, method: Method) -> tuple[int, int]:
        """How a method is served: images of each of its batches, and how many views of an image it takes.

        The rows are the samples of the common batch; where all methods are to see equally many images, they come again
        for a method that takes fewer views (`Batch.share`). How many it takes is counted in a rehearsal of its first
        step, not declared.

        Raises:
            ConfigError: a method that takes more views than it is to see, or whose first step fails.
        """
        if not self.run.views:
            return self.run.batch_size, 1
        batch = self.batches.at(1)
        try:
            with rehearsal(method) as double, torch.no_grad():
                double.losses(batch)
        except Exception as error:
            raise ConfigError(
                f"{method.card.name} must be able to take a step for its views to be counted, but its losses fail with "
                f"{type(error).__name__}: {error}; mend it, or set views to 0"
            ) from error
        taken = max(1, batch.images // batch.size)
        if self.run.views < taken:
            raise ConfigError(
                f"views must be at least {taken}, which {method.card.name} takes of each sample, or 0 for as many as "
                f"each method takes, got {self.run.views}; try {max(EQUAL_VIEWS, taken)}"
            )
        return self.run.views * self.run.batch_size // taken, taken

    def describe(self, method: Method, share: tuple[int, int], **more: Any) -> dict[str, Any]:
        """The fields of `RunInfo` that follow from this start and the method; `config` holds all settings.

        Args:
            share: images of the method's batches and the views it takes of each, of `share_of`.
            more: JSON values that the config holds besides; None is left out.
        """
        run, data = self.run, self.data
        measured = data.profile == NATURAL
        return {
            "method": method.card.name,
            "title": method.card.title,
            "dim": run.dim,
            "num_classes": data.num_classes,
            "class_names": list(data.class_names),
            "counts": data.counts.tolist(),
            "total_steps": run.steps,
            "seed": run.seed,
            "data": run.data,
            "imbalance_factor": measured_factor(data.counts) if measured else run.imbalance_factor,
            "sphere_is_readout": method.sphere_is_readout,
            "config": {
                "run": run.model_dump(mode="json"),
                "method": method.settings.model_dump(mode="json"),
                "engine": self.engine.describe(),
                "augmentation": describe_augmentation(self.batches.policies),
                "policies": list(self.batches.policies),
                "data": {
                    "profile": data.profile,
                    "imbalance_factor": "measured" if measured else "set",
                    "notes": list(data.notes),
                },
                "share": list(share),
                **({} if self.loaded is None else {"weights": self.loaded.sentence}),
                **{name: value for name, value in more.items() if value is not None},
            },
            "versions": {
                "ltviz": ltviz.__version__,
                "python": platform.python_version(),
                "torch": torch.__version__,
                "numpy": np.__version__,
            },
            "fingerprints": self.fingerprints,
            "readings": list(method.readings),
            "marks": [*method.marks, *marks_of(method, exponent_throughout(run))],
        }

    def check_began(self, recording: Recording, *, has_weights: bool) -> None:
        """Passes where a run began from this start: the same seed, samples, batches and initial weights.

        Args:
            has_weights: whether the run goes on from saved weights, so that the initial ones do not matter any more.

        Raises:
            RecordingError: it would not go on exactly.
        """
        info = recording.info
        told, now = info.config.get("augmentation"), describe_augmentation(self.batches.policies)
        if told != now:
            before = "saw eight fixed copies of each image" if told is None else f"had {str(told)[:200]}"
            raise RecordingError(
                f"a run goes on with the augmentation it began with, but this one {before}, and now it is {now}; train "
                f"it anew: {recording.path}"
            )
        if info.fingerprints.batches != self.fingerprints.batches or not np.array_equal(
            recording.probe.sample_ids, self.probe.sample_ids
        ):
            raise RecordingError(
                f"a run goes on with the samples it began with, but this data folder gives others; "
                f"set LTVIZ_DATA to the old one: {recording.path}"
            )
        if not has_weights and info.fingerprints.weights != self.fingerprints.weights:
            if given := run_settings(recording).weights:
                raise RecordingError(
                    "without saved weights a run starts over from the file of weights that it was given, but "
                    f"{given} is not there or holds others; put it back, or train it anew: {recording.path}"
                )
            raise RecordingError(
                f"without saved weights a run starts over from its seed, but torch {torch.__version__} draws other "
                f"initial weights than torch {info.versions.get('torch')}; train it anew: {recording.path}"
            )


def prepare(run: RunSettings, ranks: Ranks | None = None, place: int = 0) -> SharedStart:
    """Data, probe set, batches and initial modules.

    Args:
        ranks, place: as `engine.start` takes them; the encoder's rows are divided among these ranks.

    Raises:
        ConfigError, DataError: settings that cannot be met, files that are missing.
    """
    chosen = engine.start(run, ranks, place)
    data = data_registry.load(run.data, **run.cut)
    if run.epochs is not None:
        run = controls.replace(run, "steps", run.steps_over(data.num_images))
    _check_batch(run.batch_size, data.num_images)
    with _seeded(run.seed):
        encoder, feature_dim = encoders.build(run.encoder, data.train_inputs.shape)
        whole = encoder
        if isinstance(data.train_inputs, Pixels):
            encoder, feature_dim = encoders.of_pixels(whole, run.encoder, data.train_inputs.shape)
        head = encoders.build_head(feature_dim, run.dim, run.head, run.head_width)
    if ranks is not None:
        ranks.divide(encoder)
    if run.precision == "64":
        encoder.register_forward_pre_hook(_in_double)
    loaded = encoders.load_weights(whole, run.weights) if run.weights else None
    if run.probe_points is None:
        run, chosen = _choose_points(run, chosen, whole, data.train_inputs.shape)
    batches = Batches(
        data,
        batch_size=run.batch_size,
        seed=run.seed,
        device=chosen.device,
        sampling=run.sampling,
        exponent=partial(exponent_at, run),
        total_steps=run.steps,
        policies=run.policies,
        own=None if ranks is None else ranks.own,
    )
    assert run.probe_points is not None
    probe = choose(data, points=run.probe_points, seed=run.seed, validation_share=run.validation_share)
    return SharedStart(run, chosen, data, probe, batches, encoder, head, feature_dim, loaded)


def _check_batch(size: int, images: int) -> None:
    """ConfigError for a batch that would hold the same few samples again and again: a mistake that costs hours, and
    memory by its square."""
    most = max(SMALL_BATCH, TIMES_IN_BATCH * images)
    if size > most:
        raise ConfigError(
            f"batch_size must be at most {most:,} with {images:,} training samples, or a batch holds each of them "
            f"{size / images:,.0f} times, got {size:,}; try {min(most, max(64, images // 4)):,}"
        )


def _in_double(encoder: nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """Images stay float32 until an encoder in float64 takes them."""
    return tuple(x.double() for x in given)


def _choose_points(
    run: RunSettings, chosen: engine.Engine, encoder: nn.Module, shape: tuple[int, ...]
) -> tuple[RunSettings, engine.Engine]:
    """The settings with a number of probe points, and the engine with a note where a CPU is given fewer than usual."""
    if chosen.device.type != "cpu":
        return controls.replace(run, "probe_points", POINTS), chosen
    each = multiply_adds(encoder, shape)
    points = affordable(each)
    if points < POINTS:
        note = (
            f"frames: they show at most {points:,} samples instead of {POINTS:,}, for {run.encoder} takes "
            f"{each / 1e6:,.0f} million multiply-adds a sample and would keep a CPU from training; --probe-points asks "
            "for more"
        )
        chosen = replace(chosen, notes=(*chosen.notes, note))
    return controls.replace(run, "probe_points", points), chosen


def multiply_adds(encoder: nn.Module, shape: tuple[int, ...]) -> float:
    """Of one sample of `shape`, (H, W), (H, W, 3) or (F,), on its way forward through products and convolutions."""
    was_training = encoder.training
    encoder.eval()
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counted:
            encoder(torch.zeros(1, *channels_first(shape)))
    finally:
        encoder.train(was_training)
    return counted.get_total_flops() / 2


def run_settings(recording: Recording) -> RunSettings:
    """The run settings that run.json holds.

    Raises:
        RecordingError: they are not valid.
    """
    try:
        return RunSettings.model_validate(recording.config["run"])
    except ValidationError as error:
        raise RecordingError(
            f"run.json must hold valid settings, but {sentence(error, RunSettings)}: {recording.path}"
        ) from error


def relocate(run: RunSettings) -> RunSettings:
    """The settings of a run that was made elsewhere: without its data folder and its file of weights where they are not
    here; a run that goes on from saved weights needs no others."""
    if run.weights and not typed_path(run.weights).is_file():
        run = run.model_copy(update={"weights": None})
    if data_registry.describe(run.data, **run.cut).missing:
        return run.model_copy(update={"data_dir": None})  # LTVIZ_DATA knows better
    return run


def check_labels(kinds: Iterable[type[Method]], data: str) -> None:
    """Refuses methods for one label a sample on data with several, and the other way round.

    Raises:
        ConfigError: such a method, or an unknown data set.
    """
    several = data_registry.source(data).several_labels
    for kind in kinds:
        if kind.several_labels != several:
            fitting = [name for name, other in method_registry.methods().items() if other.several_labels == several]
            words = ("several labels", "one label") if kind.several_labels else ("one label", "several labels")
            raise ConfigError(
                f"{kind.card.name} learns from samples with {words[0]}, but those of {data} have {words[1]}; "
                f"try one of {', '.join(fitting)}, or other data"
            )


def parse_settings(kind: type[Method], values: Mapping[str, Any]) -> Settings:
    """A method's settings from names and values.

    Raises:
        ConfigError: an unknown name, or a value outside its bounds.
    """
    try:
        return kind.Settings.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(f"{kind.card.name}: {sentence(error, kind.Settings)}") from error


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """torch's global generator starts from `seed` inside and is as before outside."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
