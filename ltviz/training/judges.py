"""Judges: what a classifier reads from a trained encoder that is not changed any more, as the decoupling papers ask.

Source: Kang et al., Decoupling Representation and Classifier for Long-Tailed Recognition, ICLR 2020, Section 4; code:
classifier-balancing. There tau of `tau_norm` is chosen on a validation set; here too where the run has a validation
share, else on the training set, which the classifier has learned from. Never on the samples that are judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ltviz.data.inputs import Inputs
from ltviz.data.longtail import by_class
from ltviz.data.pixels import Pixels
from ltviz.data.tensors import Batches
from ltviz.errors import ConfigError, RecordingError
from ltviz.methods import registry as method_registry
from ltviz.methods.base import Method
from ltviz.metrics import shot_accuracy
from ltviz.metrics.judged import OWN
from ltviz.recording import Recording, load_weights
from ltviz.training import teachers, weights
from ltviz.training.probe_set import VALIDATION, quotas
from ltviz.training.shared_start import SharedStart, parse_settings, prepare, relocate, run_settings
from ltviz.training.teachers import TeacherSpec

AUTO = "auto"
"""In place of tau of `tau_norm`: the one that is best where it may be chosen."""
TAUS = tuple(round(0.05 * place, 2) for place in range(21))
CRT_EPOCHS, CRT_RATE = 10, 0.2
"""An epoch draws as many samples as all classes would have if each had as many as the largest."""
RIDGE = 1e-4
MOST_PIXELS = 20_000
"""Of the training set and of the test set each that judges read, where samples are pixels; images are all read."""
PIECE = 256
"""Inputs that are encoded between two words on how far that is."""
_LINEAR = 1e-3  # relative deviation from an affine function that rounding may cause


@dataclass(frozen=True)
class TrainedMethod:
    """A trained method and all it may be asked about: the training set, and the test set less the validation share.

    Where samples are pixels these are `MOST_PIXELS` of each: of the training set by class, as equally many as there are
    (what judges learn is the same for every number of a class), of the test set as many of each image as of any other.
    """

    method: Method
    shared: SharedStart
    tell: Callable[[str], None] = lambda doing: None
    """Called now and then with what is being done, such as "3,200 of 10,000 test images"; what it raises ends that."""

    @cached_property
    def held(self) -> NDArray[np.bool_]:
        """(M',) which samples of the whole test set are the run's validation share."""
        probe = self.shared.probe
        return np.isin(self.shared.data.test_ids, probe.sample_ids[probe.split == VALIDATION])

    @cached_property
    def judged(self) -> NDArray[np.int64]:
        """(M,) positions in the test set."""
        inputs = self.shared.data.test_inputs
        rows = inputs.spread(MOST_PIXELS) if isinstance(inputs, Pixels) else np.arange(len(inputs))
        return rows[~self.held[rows]]

    @cached_property
    def learned(self) -> NDArray[np.int64]:
        """(N,) positions in the training set."""
        data = self.shared.data
        if not isinstance(data.train_inputs, Pixels):
            return np.arange(len(data.train_labels))
        members = by_class(data.train_labels, data.num_classes)
        taken = quotas(data.counts, MOST_PIXELS)
        rows = [own[np.arange(n) * len(own) // max(n, 1)] for own, n in zip(members, taken.tolist(), strict=True)]
        found = np.concatenate(rows)
        return found[np.argsort(data.train_inputs.of[found], kind="stable")]

    @cached_property
    def test_labels(self) -> NDArray[np.int64]:
        """(M,)."""
        return self.shared.data.test_labels[self.judged]

    @cached_property
    def validation(self) -> tuple[Tensor, Tensor]:
        """Features (H, F) float64 and labels (H,) of the validation share; H is 0 in a run without one."""
        data = self.shared.data
        held = np.flatnonzero(self.held)
        return self._features(data.test_inputs.subset(held), "validation"), self._labels(data.test_labels[held])

    @cached_property
    def train(self) -> tuple[Tensor, Tensor]:
        """Features (N, F) float64 of the training images as they are, and labels (N,)."""
        data = self.shared.data
        pixels = isinstance(data.train_inputs, Pixels)
        inputs = self.shared.on_device(data.train_inputs.subset(self.learned)) if pixels else self.shared.batches.inputs
        features = encode(self.method, inputs.blocks(), self._count(inputs.inputs, "training"))
        return features, self._labels(data.train_labels[self.learned])

    @cached_property
    def test(self) -> Tensor:
        """Features (M, F) float64."""
        return self._features(self.shared.data.test_inputs.subset(self.judged), "test")

    @torch.no_grad()
    def own(self) -> Tensor:
        """(M,) classes by the method's own classifier."""
        return self.method.classify(self.test.float()).argmax(1)

    def _features(self, inputs: Inputs, part: str) -> Tensor:
        if not len(inputs):
            return torch.zeros(0, self.shared.feature_dim, dtype=torch.float64, device=self.shared.engine.device)
        return encode(self.method, self.shared.on_device(inputs).blocks(), self._count(inputs, part))

    def _count(self, inputs: Inputs, part: str) -> Callable[[int], None]:
        """Tells of so many more inputs of a part of the data at each call."""
        kind, total, done = "samples" if inputs.is_vectors else "images", inputs.num_images, 0

        def count(more: int) -> None:
            nonlocal done
            self.tell(f"{done:,} of {total:,} {part} {kind}")
            done += more

        return count

    def _labels(self, labels: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(labels).to(self.shared.engine.device)


@torch.no_grad()
def encode(method: Method, blocks: Iterable[Tensor], count: Callable[[int], None] = lambda more: None) -> Tensor:
    """Inputs, block by block, -> features (N, F) float64 of a method in evaluation mode.

    Args:
        count: called before each `PIECE` of a block with how many inputs it has.
    """
    found = []
    for piece in (piece for rows in blocks for piece in rows.split(PIECE)):
        count(len(piece))
        found.append(method.encoder(piece))
    return torch.cat(found).double()


def ncm(trained: TrainedMethod) -> Tensor:
    """(M,) class whose mean of unit training features has the largest cosine with each test feature."""
    features, y = trained.train
    sums = torch.zeros(trained.shared.data.num_classes, features.shape[1]).to(features)
    means = sums.index_add(0, y, F.normalize(features, dim=1))
    return (trained.test @ F.normalize(means, dim=1).T).argmax(1)


def linear(trained: TrainedMethod) -> Tensor:
    """(M,) classes by logistic regression on the standardised features, each class with the same weight.

    The minimum itself (L-BFGS in float64 on a strictly convex loss, `RIDGE` times the squared weights), so nothing
    depends on a seed, a rate or a number of steps.
    """
    features, y = trained.train
    mean, deviation = features.mean(0), features.std(0).clamp_min(1e-6)
    rows = (features - mean) / deviation
    present = torch.bincount(y, minlength=trained.shared.data.num_classes).to(rows)
    share = (1 / present.clamp_min(1))[y] / (present > 0).sum()
    layer = nn.Linear(rows.shape[1], len(present)).to(rows)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    solver = torch.optim.LBFGS(
        layer.parameters(), max_iter=500, tolerance_grad=1e-7, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        trained.tell(f"the linear probe of {len(rows):,} training samples")
        solver.zero_grad()
        value = (share * F.cross_entropy(layer(rows), y, reduction="none")).sum() + RIDGE * layer.weight.square().sum()
        value.backward()
        return value

    solver.step(loss)
    with torch.no_grad():
        return layer((trained.test - mean) / deviation).argmax(1)


def crt(trained: TrainedMethod) -> Tensor:
    """(M,) classes by a linear classifier trained anew on class-balanced batches of augmented images.

    SGD with momentum 0.9 and weight decay 5e-4, `CRT_RATE` falling along a cosine, `CRT_EPOCHS`, as in the official
    code; the batch size is the run's.
    """
    shared, run = trained.shared, trained.shared.run
    largest, num_classes = int(shared.data.counts.max()), shared.data.num_classes
    steps = max(1, CRT_EPOCHS * largest * num_classes // run.batch_size)
    batches = Batches(
        shared.data,
        batch_size=run.batch_size,
        seed=run.seed,
        device=shared.engine.device,
        sampling="class-balanced",
        total_steps=steps,
        policies=run.policies,
    )
    layer = nn.Linear(shared.feature_dim, num_classes)
    chance = torch.Generator().manual_seed(run.seed)
    bound = shared.feature_dim**-0.5
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=chance)
    layer = layer.double().to(shared.engine.device)
    optimizer = torch.optim.SGD(layer.parameters(), lr=CRT_RATE, momentum=0.9, weight_decay=5e-4)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(1, steps + 1):
        batch = batches.at(step)
        loss = F.cross_entropy(layer(encode(trained.method, [batch.view(0)])), batch.y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        falling.step()
    with torch.no_grad():
        return layer(trained.test).argmax(1)


@dataclass(frozen=True)
class Evened:
    """The method's own linear classifier, each weight vector over its length to the power tau.

    Attributes:
        weight: (C, F) float64, as trained. The bias, which holds the class frequencies, is left out.
    """

    weight: Tensor

    @classmethod
    def of(cls, trained: TrainedMethod) -> Evened:
        """That of a method.

        Raises:
            ConfigError: the classifier is not linear, so that its weights have no length of their own.
        """
        features = trained.test.float()
        with torch.no_grad():
            unit = torch.eye(features.shape[1], device=features.device)
            bias = trained.method.classify(torch.zeros_like(unit[:1]))
            weight = (trained.method.classify(unit) - bias).T.double()
            logits = trained.method.classify(features).double()
        deviation = (trained.test @ weight.T + bias.double() - logits).abs().max()
        if deviation > _LINEAR * logits.abs().max().clamp_min(1.0):
            raise ConfigError(
                f"tau_norm needs a linear classifier, but that of {trained.method.card.name} looks at directions alone;"
                " judge it by ncm, linear or crt"
            )
        return cls(weight)

    def predict(self, features: Tensor, tau: float) -> Tensor:
        """(N,) classes of features (N, F)."""
        length = self.weight.norm(dim=1, keepdim=True).clamp_min(1e-12)
        return (features @ (self.weight / length**tau).T).argmax(1)

    def best_tau(self, features: Tensor, y: Tensor) -> float:
        """Which of `TAUS` has the best mean accuracy over the classes of these samples; of equals the middle one."""
        sizes = torch.bincount(y, minlength=len(self.weight)).to(features)
        share = (1 / sizes.clamp_min(1))[y]
        scores = torch.stack([((self.predict(features, tau) == y) * share).sum() for tau in TAUS])
        best = (scores >= scores.max() - 1e-9).nonzero()[:, 0].tolist()
        return TAUS[best[len(best) // 2]]


def tau_norm(trained: TrainedMethod, tau: float | Literal["auto"] = AUTO) -> tuple[Tensor, dict[str, Any]]:
    """(M,) classes by the method's own linear classifier with lengths evened out, and {"tau", "chosen_on"}: "given", or
    the split that it was chosen on, "validation" or "train".

    Raises:
        ConfigError: the classifier is not linear.
    """
    evened = Evened.of(trained)
    if tau != AUTO:
        return evened.predict(trained.test, tau), {"tau": tau, "chosen_on": "given"}
    split = "validation" if trained.held.any() else "train"
    tau = evened.best_tau(*getattr(trained, split))
    return evened.predict(trained.test, tau), {"tau": tau, "chosen_on": split}


JUDGES: Mapping[str, Callable[[TrainedMethod], Tensor]] = {"ncm": ncm, "linear": linear, "crt": crt}
"""Those that ask for nothing else."""
NAMES = (*JUDGES, "tau_norm")


def judge(recording: Recording, by: Sequence[str] = NAMES, *, tau: float | Literal["auto"] = AUTO) -> dict[str, Any]:
    """What judges say of a run's last saved weights on its whole test set, less the validation share where it has one.

    Args:
        recording: of a run that ltviz trained.
        by: some of `NAMES`.
        tau: of `tau_norm`, 0 to 1, or "auto": the best on the validation share, or on the training set without one.

    Returns:
        {"step", "judges": {"own" or name: {"all", "many", "medium", "few"}}, "refused": {name: why},
        "judged_on": {"split": "test", "samples", "validation_samples" that were left out}}; accuracies from 0 to 1,
        without groups that are empty. Where tau_norm judged, also "tau_norm": {"tau", "chosen_on"}, the latter "given",
        "validation" or "train". Equal on every call.

    Raises:
        ConfigError: an unknown judge, or a method whose samples have several labels.
        RecordingError: no run of `ltviz train`, no weights, or data that are not those it was trained on.
    """
    if unknown := [name for name in by if name not in NAMES]:
        raise ConfigError(f"a judge must be one of {', '.join(NAMES)}, got {unknown[0]!r}")
    if tau != AUTO and not 0 <= tau <= 1:
        raise ConfigError(f"tau must be a number from 0 to 1, or auto, got {tau:g}; try auto")
    step, trained = _load(recording)
    judged = {"split": "test", "samples": len(trained.test_labels), "validation_samples": int(trained.held.sum())}
    found, refused, chosen = {OWN: accuracies(trained, trained.own())}, {}, {}
    for name in by:
        try:
            if name in JUDGES:
                predictions = JUDGES[name](trained)
            else:
                predictions, chosen[name] = tau_norm(trained, tau)
        except ConfigError as error:
            refused[name] = str(error)
        else:
            found[name] = accuracies(trained, predictions)
    return {"step": step, "judges": found, "refused": refused, "judged_on": judged, **chosen}


def _load(recording: Recording) -> tuple[int, TrainedMethod]:
    """The step of the last weights, and the method as it was then."""
    info = recording.info
    if info.method is None or "run" not in info.config:
        raise RecordingError(f"only a run that `ltviz train` made has an encoder to judge: {recording.path}")
    kind = method_registry.method(info.method)
    if kind.several_labels:
        raise ConfigError(
            f"judges read one label from each sample, but {info.method} learns several; its frames hold the average "
            f"precision instead: {recording.path}"
        )
    saved = load_weights(recording.path)
    shared = prepare(relocate(run_settings(recording)))
    if not np.array_equal(recording.probe.sample_ids, shared.probe.sample_ids):
        raise RecordingError(
            f"a run is judged on the data it was trained with, but this data folder gives others; "
            f"set LTVIZ_DATA to the old one: {recording.path}"
        )
    settings = parse_settings(kind, saved.state["settings"])
    method = teachers.build(kind, settings, shared, TeacherSpec.of(info))
    weights.unpack_module(method, saved.tensors["model"])
    return saved.step, TrainedMethod(method.eval(), shared)


def accuracies(trained: TrainedMethod, predictions: Tensor) -> dict[str, float]:
    """By group, of (M,) predicted classes of the test set; without groups that are empty."""
    found = shot_accuracy(predictions.cpu().numpy(), trained.test_labels, trained.shared.data.counts)
    accuracies = {"all": found.all, "many": found.many, "medium": found.medium, "few": found.few}
    return {name: value for name, value in accuracies.items() if value is not None}
