"""What every method is: a card, its settings, and a module that can be trained and looked at.

A method lives in one file, `ltviz/methods/<paper>.py`: its loss as a pure function, its `Settings`, its `Method`
subclass with a `Card`. The registry finds it; the command line, the form in the app and the contract tests follow.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ltviz.bounds import Bounded
from ltviz.data.batch import Batch as Batch
from ltviz.geometry import Prediction
from ltviz.marks import Mark as Mark
from ltviz.marks import Reading as Reading
from ltviz.marks import Shown
from ltviz.methods.parts.inputs import unit
from ltviz.methods.parts.listing import Listing as Listing
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.step import Step as Step

NONE, FIRST = "none", "first"
"""Values of a setting `teacher`: go without one, or train one first."""
UNSAID = "it does not say what it computes on the host"
"""`Method.on_host` of a class that does not declare it."""
MOST_POINTS = 256
"""Points of a memory that a frame shows, at most."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a person reads about a method before and while watching it. Plain sentences, no HTML."""

    name: str
    """Short name on the command line and in links: "supcon"."""
    title: str
    """Name on panels and charts: "SupCon"."""
    year: int
    idea: str
    """One line: what the method does to the sphere."""
    formula: str
    """LaTeX of the loss, without dollar signs."""
    look_for: str
    """What to watch on the sphere."""
    sphere: str
    """Which vectors the sphere shows; says so where they are a read-out that does not steer training."""
    paper: str
    code: str | None
    """Address of the official code, or None where none exists."""
    terms: Mapping[str, str] = field(default_factory=dict)
    """Terms of the formula as they stand there, and what each is on the stage: "pull", "push", "targets" or "prior"."""
    symbols: Mapping[str, str] = field(default_factory=dict)
    """Symbols of the formula and where their values are: a setting, a reading, or "counts"."""
    differs: str = ""
    """What the code does differently from the paper, or from its official code."""

    def marked(self) -> str:
        r"""The formula with its terms as `\term{pull}{...}`; a term within another belongs to it alone.

        >>> card = dict(name="", title="", year=2020, idea="", look_for="", sphere="", paper="", code=None)
        >>> Card(formula=r"\frac{e^x}{\sum e^y}", terms={"e^x": "pull"}, **card).marked()
        '\\frac{\\term{pull}{e^x}}{\\sum e^y}'
        """
        if not self.terms:
            return self.formula
        longest = sorted(self.terms, key=len, reverse=True)
        found = re.compile("|".join(re.escape(term) for term in longest))
        return found.sub(lambda term: rf"\term{{{self.terms[term[0]]}}}{{{term[0]}}}", self.formula)


class Settings(Bounded):
    """Base of all settings: frozen, strict about unknown names; every field has bounds and a description.

    A field `<term>_weight` multiplies the loss term of that name; fields marked `live()` may change while a run trains.
    """


def live(default: Any, **constraints: Any) -> Any:
    """A settings field that may be changed while the run trains."""
    return Field(default, json_schema_extra={"live": True}, **constraints)


def weigh(terms: Mapping[str, Tensor], settings: BaseModel) -> Tensor:
    """The sum of terms, each times its `<term>_weight` among the settings, 1 where there is none."""
    known = vars(settings)  # of the fields: to ask a model for what it has not takes it longer than the sum
    weights = {name: known.get(f"{name}_weight", 1.0) for name in terms}
    weighed = [term if weights[name] == 1.0 else weights[name] * term for name, term in terms.items()]
    if len(weighed) == 2:  # the same sum in fewer operations, of which small networks have time for few
        return weighed[0] + weighed[1]
    return torch.stack(weighed).sum()


class LinearClassifier(NamedTuple):
    """Logits `features @ weight.T + bias`; `unit`: of the features put to length 1 first."""

    weight: Tensor
    """(C, feature_dim)."""
    bias: Tensor
    """(C,), zeros where there is none."""
    unit: bool = False


@dataclass(frozen=True)
class Setup:
    """What the trainer hands to a method when it builds it.

    `encoder` and `head` are the race's shared initial modules; a method takes copies, so all start alike.
    `generator` is the method's own random generator (CPU), saved and restored with the weights.
    """

    encoder: nn.Module
    """(B, 1, H, W) -> (B, feature_dim)."""
    head: nn.Module
    """(B, feature_dim) -> (B, dim), not yet normalised."""
    feature_dim: int
    dim: int
    counts: Tensor
    """(C,) float32, training samples per class; class 0 has most. A sample with several labels counts for each."""
    total_steps: int
    generator: torch.Generator
    teacher: Method | None = None
    """A trained method of the same data whose encoder gives the keys; methods that can do without take None."""
    num_samples: int | None = None
    """Training samples in all; None where each has one label, so that `counts` sum to it."""
    num_images: int | None = None
    """Training images, each once in an epoch; as many as samples where None, fewer where these are pixels."""

    @property
    def num_classes(self) -> int:
        return len(self.counts)

    @property
    def training_size(self) -> float:
        """Training samples in all."""
        return float(self.counts.sum()) if self.num_samples is None else float(self.num_samples)

    @property
    def epoch_size(self) -> float:
        """Training images in all."""
        return self.training_size if self.num_images is None else float(self.num_images)


class Method(nn.Module):
    """A way of shaping the sphere. Subclasses give `card`, `Settings`, `losses` and, mostly, `classify`.

    Attributes:
        settings: current values; the trainer replaces them when a person changes one while the run trains.
        encoder, head: the method's own copies of the shared initial modules.
    """

    card: ClassVar[Card]
    Settings: ClassVar[type[Settings]]
    several_labels: ClassVar[bool] = False
    """Whether the method learns from samples with several labels (`Batch.labels`) instead of from those with one."""
    on_host: ClassVar[str | None] = UNSAID
    """What a step computes on the host from numbers of the device, a clause that says so; None where it computes
    nothing there, so that it can be captured as a CUDA graph. Each class says it of itself, for a graph repeats the
    operations of the device alone: see `ltviz.methods.parts.captured`, and `sizes`."""
    sphere_is_readout: ClassVar[bool] = False
    """Whether the sphere is trained on detached features, beside a classifier that it does not steer: its geometry says
    nothing of the method then, and comparisons look at the features instead."""
    teacher_recipe: ClassVar[tuple[str, Mapping[str, Any]] | None] = None
    """Method and settings of the teacher that is trained first, for methods that learn from one. Such a method has a
    setting `teacher`, NONE, FIRST or the id of a finished run, and keeps its copy of `Setup.teacher` as `teacher`."""

    readings: ClassVar[tuple[Reading, ...]] = ()
    """What `read` gives, for people."""
    marks: ClassVar[tuple[Mark, ...]] = ()
    """What `show` and `landmarks` give, for people."""

    def __init__(self, settings: Settings, setup: Setup):
        super().__init__()
        self.settings = settings
        self.setup_ = setup
        self.encoder = copy.deepcopy(setup.encoder)
        self.head = copy.deepcopy(setup.head)
        self.register_buffer("counts", setup.counts.clone(), persistent=False)
        self.counts: Tensor

    def losses(self, batch: Batch) -> Mapping[str, Tensor]:
        """Named scalar terms, which `weigh` adds up: a dictionary, or a `Step` that keeps more for `after_step`.

        Whatever these losses do to an embedding through dot products is seen: forces fall apart by who pulls and pushes
        where all of them meet it through `ltviz.losses`, or through `ltviz.methods.parts.similarities`.
        """
        raise NotImplementedError

    def sizes(self) -> Hashable:
        """What decides now, beside settings and batch, which operations a step is made of and how large they are, such
        as how full a queue is: while it stays as it is, a step can be replayed."""
        return None

    def weigh(self, terms: Mapping[str, Tensor]) -> Tensor:
        """The scalar that is minimised: each term times its `<term>_weight` setting, 1 where there is none."""
        return weigh(terms, self.settings)

    def project(self, features: Tensor) -> Tensor:
        """Unit embeddings (B, dim) of features (B, feature_dim)."""
        return unit(self.head(features))

    def classify(self, features: Tensor) -> Tensor:
        """Logits (B, C) of the method's own classifier on features (B, feature_dim)."""
        raise NotImplementedError

    def linear_classifier(self) -> LinearClassifier | None:
        """`classify` as weights, for the measures of neural collapse; None where it is not linear in the features."""
        return None

    def embed(self, x: Tensor) -> Tensor:
        """Images (B, 1, H, W) -> unit embeddings (B, dim)."""
        return self.project(self.encoder(x))

    def predict(self, x: Tensor) -> Tensor:
        """Images (B, 1, H, W) -> logits (B, C) of the method's own classifier."""
        return self.classify(self.encoder(x))

    def observe(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`embed` and `predict` at the cost of one pass through the encoder."""
        features = self.encoder(x)
        return self.project(features), self.classify(features)

    def theory(self, counts: np.ndarray) -> Prediction | None:
        """Where theory says that this method ends, at its settings as they are; None where nobody knows.

        Of the sphere where the prediction has no `weights`, else of the features and the classifier on them.

        Args:
            counts: (C',) float64 above 0, how often each class is drawn, of the classes that have samples.
        """
        return None

    def landmarks(self) -> dict[str, Tensor]:
        """Points on the sphere that the method owns, each (K, dim) and unit: "targets", "prototypes", "classifier"."""
        return {}

    def target_index(self) -> Tensor | None:
        """(C,) int64: row of landmarks()["targets"] that each class is matched with; None without targets."""
        return None

    def read(self) -> dict[str, Tensor]:
        """Value of each of `readings` now: (C,) by class or a 0-d tensor; NaN where it is not known yet."""
        return {}

    def show(self, batch: Batch) -> dict[str, Shown]:
        """What there is to see of `marks` now, by key: points that the method remembers (`MOST_POINTS` at most), pairs
        that it holds together, how wide it believes a class to be, where a class is drawn.

        `batch` holds a few fixed samples, whose views are augmented alike at every call.
        """
        return {}

    @classmethod
    def what_if(cls, scene: Scene, settings: Any) -> Mapping[str, Tensor] | None:
        """The loss terms that act on the sphere, on the embeddings of another method's run: with the scene's stand-ins
        for the state of this one, and `settings` of this method. None where nothing can stand in."""
        return None

    @classmethod
    def listing(cls, settings: Any) -> Listing | None:
        """What a person is shown who asks for the code: this method's part of a program of about forty lines that
        trains as it does with these settings, in plain torch. None where the method does not say."""
        return None

    def happens(self, step: int) -> str:
        """What the timeline says of step `step`, in a few words: that weights come in, that clusters are made anew; ""
        for nothing. A function of the step and of settings that stand still."""
        return ""

    def after_step(self, step: Step) -> None:
        """Momentum, queues, matching: whatever follows the optimiser's step. `step` is what `losses` gave."""
