"""GML: a Gaussian-mixture view of contrast, class by class (Suh and Seo, 2023)."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ltviz.errors import ConfigError
from ltviz.geometry import Prediction
from ltviz.marks import QUEUE, Points, Reading, Shown
from ltviz.methods.base import FIRST, NONE, Batch, Card, LinearClassifier, Method, Settings, Setup, live
from ltviz.methods.kcl import EMPTY
from ltviz.methods.logit_adjust import logit_adjusted
from ltviz.methods.parts.anchors import class_sizes
from ltviz.methods.parts.class_queue import ClassQueue, slots_per_class
from ltviz.methods.parts.contrast import Contrast
from ltviz.methods.parts.cosine import SCALE, CosineClassifier, linear_classifier
from ltviz.methods.parts.inputs import (
    Labels,
    Mask,
    Numbers,
    check_choice,
    check_labels,
    check_mask,
    check_numbers,
    check_rows,
    check_temperature,
    log_prior,
    nothing,
    unit,
)
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.memory import QUEUE_READINGS, read_queue, thin
from ltviz.methods.parts.momentum import MomentumCopy
from ltviz.methods.parts.partition import weighted_sum
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.similarities import Partners
from ltviz.methods.parts.snippets import TEACHING, cosines, directions
from ltviz.methods.parts.step import Step
from ltviz.methods.parts.theory import contrast_ends
from ltviz.methods.parts.tracing import checks_values, sizes_are_fixed

SOFTENING = 4.0
"""Temperature of the distillation term."""


@loss("query", "keys")
def gml(
    query: Tensor,
    y: Labels,
    keys: Tensor,
    keys_y: Labels,
    counts: Numbers,
    *,
    temperature: float | Tensor,
    exclude: Mask | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""GML's contrastive term: a softmax over classes, each class scored by the mean over its keys, plus the prior.

    .. math:: S_{ic} = \log \frac{1}{|K_c|} \sum_{k \in K_c} e^{q_i \cdot k/\tau}, \qquad
              L_i = -\log \frac{\pi_{y_i} e^{S_{i y_i}}}{\sum_c \pi_c e^{S_{ic}}}

    Where the official code gives NaN this stays finite: a class without keys gives no evidence and is left out of the
    denominator, and a query whose own class has no keys counts as 0.

    Args:
        query: (B, D) unit rows, taken as given.
        y: (B,) labels from 0 to C - 1.
        keys: (K, D), usually a class-wise queue; gradients flow into them. They are copied: the queue may take in new
            ones before backward().
        keys_y: (K,) labels from 0 to C - 1; -1 marks an empty slot, which belongs to no class and is left out.
        counts: (C,) training samples per class, giving the prior pi; see `logit_adjusted` for empty classes.
        temperature: positive number or 0-d tensor. The paper learns it, in a second call on detached features.
        exclude: (B, K) bool, keys left out for that query (the same image's own); they leave the class mean too.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Suh and Seo 2023, Eq. 4 and 5; code: Long-tailed-recognition 1ff816c, `GMLLoss` (the terms L_con and, with
    `exclude`, L_conT).

    >>> query = torch.eye(3)[:2]
    >>> round(gml(query, [0, 1], torch.eye(3), [0, 1, 2], [100, 10, 1], temperature=0.5).item(), 3)
    0.438
    """
    check_rows("gml", "query", query, (None, None), "(samples, dimensions)")
    if not len(query):
        raise ValueError(f"gml: query must hold at least one sample, but has shape {tuple(query.shape)}")
    check_rows("gml", "keys", keys, (None, query.shape[1]), f"for queries of {query.shape[1]} dimensions")
    counts = check_numbers("gml", "counts", counts, (None,), "(classes)", query)
    check_choice("gml", "reduction", reduction, ("mean", "none"))
    num_classes = len(counts)
    y = check_labels("gml", "y", y, len(query), f"for {len(query)} queries", query, num_classes)
    keys_y = check_labels("gml", "keys_y", keys_y, len(keys), f"for {len(keys)} keys", query)
    if len(keys) and checks_values() and not EMPTY <= int(keys_y.min()) <= int(keys_y.max()) < num_classes:
        raise ValueError(
            f"gml: keys_y must hold labels from 0 to {num_classes - 1}, or -1 for an empty slot, "
            f"but holds {int(keys_y.min())} to {int(keys_y.max())}"
        )
    tau = check_temperature("gml", temperature, query)
    prior = log_prior("gml", counts, num_classes, query)
    if exclude is not None:
        exclude = check_mask("gml", "exclude", exclude, (len(query), len(keys)), "(queries, keys)", query)
    if sizes_are_fixed():
        return _gml_of_all(query, y, keys, keys_y, prior, tau, exclude, reduction)
    filled = keys_y != EMPTY
    keys, keys_y = keys[filled], keys_y[filled]
    exclude = None if exclude is None else exclude[:, filled]
    bias = _log_weights(prior, keys_y, exclude)
    own_keys = class_sizes(keys_y, num_classes)[y]
    if exclude is not None:
        own_keys = ((keys_y == y[:, None]) & ~exclude).sum(1)
    judged = own_keys > 0
    if not bool(judged.any()):
        return nothing(query, keys, tau) if reduction == "mean" else nothing(query, keys, tau).expand(len(query))

    query_y = y
    if not bool(judged.all()):
        # a query without evidence is not compared at all: neither value nor gradient
        query, query_y = query[judged], y[judged]
        bias = bias if bias.ndim == 1 else bias[judged]
    about = Partners(keys_y, query_y)
    contrast = Contrast(bias=bias, labels=(query_y, keys_y), against_own=True, about=about)
    if reduction == "mean":
        weights = query.new_full((len(query),), 1.0 / len(y))
        return weighted_sum(contrast, weights, query, keys, tau)
    values = contrast.log_partition(query, keys, tau)
    return query.new_zeros(len(y)).masked_scatter(judged, values)


def _gml_of_all(
    query: Tensor,
    y: Tensor,
    keys: Tensor,
    keys_y: Tensor,
    prior: Tensor,
    tau: Tensor,
    exclude: Tensor | None,
    reduction: str,
) -> Tensor:
    """`gml` with sizes that no value decides: what is left out there gets the weight 0 here."""
    if not len(keys):
        return nothing(query, keys, tau) if reduction == "mean" else nothing(query, keys, tau).expand(len(query))
    left_out = (keys_y == EMPTY).expand(len(query), -1)
    left_out = left_out if exclude is None else left_out | exclude
    bias = _log_weights(prior, keys_y.clamp_min(0), left_out)
    own = (keys_y == y[:, None]) & ~left_out
    judged = own.any(1)
    # what a query without evidence is given instead stays finite, and without a gradient
    logits = (query @ keys.T / tau + bias).masked_fill(~judged[:, None], 0.0)
    evidence = logits.masked_fill(~(own | ~judged[:, None]), -math.inf)
    values = (logits.logsumexp(1) - evidence.logsumexp(1)).masked_fill(~judged, 0.0)
    return values.mean() if reduction == "mean" else values


def _log_weights(prior: Tensor, keys_y: Tensor, exclude: Tensor | None) -> Tensor:
    """log(pi_c / |K_c|) of each key, (K,), or (B, K) with each query's own |K_c| and minus infinity where excluded."""
    if exclude is None:
        sizes = class_sizes(keys_y, len(prior)).to(prior)
        return (prior - sizes.log())[keys_y]
    sizes = prior.new_zeros(len(exclude), len(prior)).index_add_(1, keys_y, (~exclude).to(prior.dtype))
    return (prior - sizes.clamp_min(1).log())[:, keys_y].masked_fill(exclude, -math.inf)


class GmlSettings(Settings):
    scale: float = Field(
        SCALE, ge=1, le=64, description="Inverse temperature of the classifier's cosine logits; 30 in the paper."
    )
    teacher: str = Field(
        FIRST,
        pattern=r"^[a-z0-9][a-z0-9-]{2,63}$",
        description="Where keys and soft labels come from: first (a teacher is trained before, as a run of its own), "
        "none (a momentum copy gives the keys), or the id of a finished run.",
    )
    initial_temperature: float = Field(
        0.1, ge=0.01, le=2, description="Temperature of the contrast at the start; it is learned from there."
    )
    classification_weight: float = live(1.0, ge=0, le=10, description="Weight of the classifier's loss.")
    contrast_weight: float = live(1.0, ge=0, le=10, description="Weight of the contrast with the class-wise queue.")
    distillation_weight: float = live(
        1.0, ge=0, le=10, description="Weight of the teacher's soft labels; without a teacher that term is 0."
    )
    queue_size: int = Field(640, ge=2, le=65536, description="Keys in all; raised to what the floor needs.")
    queue_floor: int = Field(16, ge=2, le=1024, description="Keys that every class has; the rest go by frequency.")
    momentum: float = live(
        0.9, ge=0, le=1, description="How much of the key encoder stays at each step where there is no teacher."
    )


class Gml(Method):
    """A cosine classifier with logit adjustment, and a contrast with keys of a teacher in class-wise queues.

    Terms: `classification` (view 0), `contrast` (queries from view 1, keys from view 2; temperature fixed),
    `temperature` (the same on detached vectors without the image's own keys: it trains the temperature alone), and
    `distillation` (KL divergence to the teacher's logits at temperature 4).

    Queues hold un-projected features; all of them pass through the trainable key head at each step. Keys enter before
    they are used, as in the official code. Without `setup.teacher` the keys come from a momentum copy of the encoder,
    which the official code offers too. Weight decay reaches the temperature's logarithm here, there it does not.

    The teacher that is trained first is the official one, this loss without contrast: a cosine classifier with logit
    adjustment. It has the student's encoder and as many steps; the official scripts take a larger network.
    """

    card = Card(
        name="gml",
        title="GML",
        year=2023,
        idea="Each class is a mixture of its keys; a query must find its class among all, the prior known.",
        formula=r"L_i = -\log \frac{\pi_{y_i} \frac{1}{|K_{y_i}|} \sum_{k \in K_{y_i}} e^{q_i \cdot k/\tau}}"
        r"{\sum_c \pi_c \frac{1}{|K_c|} \sum_{k \in K_c} e^{q_i \cdot k/\tau}}",
        terms={
            r"\frac{1}{|K_{y_i}|} \sum_{k \in K_{y_i}} e^{q_i \cdot k/\tau}": "pull",
            r"\frac{1}{|K_c|} \sum_{k \in K_c} e^{q_i \cdot k/\tau}": "push",
            r"\pi_{y_i}": "prior",
            r"\pi_c": "prior",
        },
        symbols={r"\tau": "temperature", r"\pi_c": "counts"},
        look_for="Class centres that balance better than SupCon's. Tail classes find keys even if the batch has none.",
        differs="The teacher is as large as the student and trains as long; the official scripts take a larger "
        "network. Weight decay reaches the temperature's logarithm.",
        sphere="The queries' embeddings, which are contrasted; the classifier works on the features beside it.",
        paper="Suh and Seo, Long-Tailed Recognition by Mutual Information Maximization between Latent Features and "
        "Ground-Truth Labels, ICML 2023, arXiv:2305.01160",
        code="https://github.com/bluecdm/Long-tailed-recognition",
    )
    Settings = GmlSettings
    on_host = None
    settings: GmlSettings
    teacher_recipe = ("logit_adjust", {"classifier": "cosine"})
    readings = (
        *QUEUE_READINGS,
        Reading(
            key="temperature",
            title="Temperature",
            short="The temperature of the contrast that the method has learned by now: the lower it is, the more a "
            "query minds its nearest keys.",
        ),
    )
    marks = (QUEUE,)

    def __init__(self, settings: GmlSettings, setup: Setup):
        super().__init__(settings, setup)
        self.classifier = CosineClassifier(setup.feature_dim, setup.num_classes, settings.scale)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(settings.initial_temperature)))
        self.teacher = None if setup.teacher is None else copy.deepcopy(setup.teacher).requires_grad_(False).eval()
        self.key_encoder = MomentumCopy(self.encoder) if setup.teacher is None else None
        width = setup.feature_dim if setup.teacher is None else setup.teacher.setup_.feature_dim
        self.key_head = copy.deepcopy(setup.head)
        if width != setup.feature_dim:
            raise ConfigError(
                f"gml: a teacher's features must have as many dimensions as the student's, but have {width} instead of "
                f"{setup.feature_dim}; train the teacher with the same encoder"
            )
        total = max(settings.queue_size, setup.num_classes * settings.queue_floor)
        self.queue = ClassQueue(slots_per_class(setup.counts, total, settings.queue_floor), width)

    def train(self, mode: bool = True) -> Gml:
        super().train(mode)
        if self.teacher is not None:
            self.teacher.eval()
        return self

    def theory(self, counts: np.ndarray) -> Prediction | None:
        """SupCon's by sample, at the temperature learned by now, to 2 % (it moves from frame to frame): the keys of a
        class count as its prior says."""
        temperature = math.exp(round(float(self.log_temperature.detach()) / 0.02) * 0.02)
        return contrast_ends(counts, self.setup_.dim, temperature)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        features = self.encoder(batch.views(0, 1))
        logits, query = self.classifier(features[: len(batch.y)]), self.project(features[len(batch.y) :])
        self.queue.push(self.key_features(batch.view(2)), batch.y, batch.index)
        stored, keys_y, images = self.queue.contents()
        keys = unit(self.key_head(stored))
        tau = self.log_temperature.exp()
        same_image = batch.index[:, None] == images
        return {
            "classification": logit_adjusted(logits, batch.y, self.counts),
            "contrast": gml(query, batch.y, keys, keys_y, self.counts, temperature=tau.detach()),
            "temperature": gml(
                query.detach(), batch.y, keys.detach(), keys_y, self.counts, temperature=tau, exclude=same_image
            ),
            "distillation": self.distillation(logits, batch),
        }

    @classmethod
    def what_if(cls, scene: Scene, settings: GmlSettings) -> dict[str, Tensor]:
        query, key, queue, y, queue_y = scene.queries
        keys, keys_y = torch.cat([key, queue]), torch.cat([y, queue_y])  # current keys are in the contrast set
        return {"contrast": gml(query, y, keys, keys_y, scene.counts, temperature=settings.initial_temperature)}

    @torch.no_grad()
    def key_features(self, x: Tensor) -> Tensor:
        """Features (B, width) that enter the queue: of the teacher, or else of the momentum copy."""
        if self.teacher is not None:
            return self.teacher.encoder(x)
        assert self.key_encoder is not None
        return self.key_encoder(x)

    def distillation(self, logits: Tensor, batch: Batch) -> Tensor:
        """KL divergence of the student's softened softmax from the teacher's, times 16; 0 without a teacher."""
        if self.teacher is None:
            return self.log_temperature.new_zeros(())
        with torch.no_grad():
            soft = F.softmax(self.teacher.predict(batch.view(0)).float() / SOFTENING, dim=1)
        student = F.log_softmax(logits.float() / SOFTENING, dim=1)
        return F.kl_div(student, soft, reduction="batchmean") * SOFTENING**2

    def read(self) -> dict[str, Tensor]:
        _, y, _ = self.queue.contents()
        return {**read_queue(y, self.queue.ages, len(self.counts)), "temperature": self.log_temperature.exp()}

    def show(self, batch: Batch) -> dict[str, Shown]:
        """Under "queue" the keys, which are the stored features as the key head projects them now."""
        stored, y, _ = self.queue.contents()
        ages = self.queue.ages
        kept = thin(y, ages)
        return {"queue": Points(unit(self.key_head(stored[kept])), y[kept], ages[kept])}

    def after_step(self, step: Step) -> None:
        if self.key_encoder is not None:
            self.key_encoder.follow(self.encoder, self.settings.momentum)

    def classify(self, features: Tensor) -> Tensor:
        return self.classifier(features)

    def linear_classifier(self) -> LinearClassifier:
        return linear_classifier(self.classifier)

    @classmethod
    def listing(cls, settings: GmlSettings) -> Listing | None:
        """None with a run as the teacher: that run has a program of its own."""
        if settings.teacher not in (FIRST, NONE):
            return None
        taught = settings.teacher == FIRST
        soft = f"F.softmax({SCALE:g} * {cosines('teacher(batch.view(0))', 'guide')} / {SOFTENING:g}, dim=1)"
        return Listing(
            imports="from ltviz.methods.parts.class_queue import ClassQueue, slots_per_class  # a ring for each class",
            build=(TEACHING if taught else "")
            + f"""\
{directions("weight", "width")}
log_temperature = nn.Parameter(torch.tensor(math.log(initial_temperature)))
{"" if taught else "teacher = copy.deepcopy(encoder).requires_grad_(False)  # follows slowly"}
key_head = copy.deepcopy(head)
total = max(queue_size, num_classes * queue_floor)
queue = ClassQueue(slots_per_class(counts, total, queue_floor), width)
""",
            trains="weight, log_temperature, *key_head.parameters()",
            step=f"""\
num, features = len(batch.y), encoder(batch.views(0, 1))
logits = scale * {cosines("features[:num]", "weight")}
query = F.normalize(head(features[num:]), dim=1)
with torch.no_grad():
    queue.push(teacher(batch.view(2)), batch.y, batch.index)
stored, keys_y, images = queue.contents()
keys, tau = F.normalize(key_head(stored), dim=1), log_temperature.exp()
same = batch.index[:, None] == images
contrast = losses.gml(query, batch.y, keys, keys_y, counts, temperature=tau.detach())
held = query.detach(), batch.y, keys.detach(), keys_y, counts  # the temperature alone learns from these
loss = classification_weight * F.cross_entropy(logits + log_prior, batch.y) + contrast_weight * contrast
loss += losses.gml(*held, temperature=tau, exclude=same)
"""
            + (
                f"""\
with torch.no_grad():
    soft = {soft}
student = F.log_softmax(logits / {SOFTENING:g}, dim=1)
loss += distillation_weight * {SOFTENING**2:g} * F.kl_div(student, soft, reduction="batchmean")
"""
                if taught
                else ""
            ),
            after=""
            if taught
            else """\
for slow, fast in zip(teacher.parameters(), encoder.parameters()):
    slow.data.lerp_(fast.data, 1 - momentum)
""",
        )
