"""MoCo: a momentum encoder and a queue of keys (He et al., 2020)."""

from __future__ import annotations

import torch
from torch import Tensor

from ltviz.marks import VIEWS, Segments, Shown
from ltviz.methods.base import Batch, Card
from ltviz.methods.parts.contrast import Contrast
from ltviz.methods.parts.inputs import Labels, check_choice, check_labels, check_rows, check_temperature
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.partition import weighted_sum
from ltviz.methods.parts.probe import Probed
from ltviz.methods.parts.queue import Queued, QueuedSettings, QueuedStep
from ltviz.methods.parts.scene import Queries, Scene
from ltviz.methods.parts.similarities import Partners, own_similarities
from ltviz.methods.parts.snippets import ENQUEUE, PROBE, PROBE_TRAINS, QUERIES, QUEUE, probe_loss

UNKNOWN = -1


def check_queries(loss: str, query: Tensor, key: Tensor, queue: Tensor) -> None:
    """query and key must be (B, D), queue (K, D)."""
    check_rows(loss, "query", query, (None, None), "(samples, dimensions)")
    if not len(query):
        raise ValueError(f"{loss}: query must hold at least one sample, but has shape {tuple(query.shape)}")
    check_rows(loss, "key", key, tuple(query.shape), "like query")
    check_rows(loss, "queue", queue, (None, query.shape[1]), f"for queries of {query.shape[1]} dimensions")


@loss("query", "key", "queue", still=("key", "queue"))
def moco(
    query: Tensor,
    key: Tensor,
    queue: Tensor,
    *,
    temperature: float | Tensor,
    queue_y: Labels | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""InfoNCE with a queue: each query must pick out its own key among the keys of earlier batches.

    .. math:: L_i = -\log \frac{e^{q_i \cdot k_i/\tau}}{e^{q_i \cdot k_i/\tau} + \sum_j e^{q_i \cdot Q_j/\tau}}

    Args:
        query: (B, D) unit rows, taken as given.
        key: (B, D), row i is query i's own key (another view through the momentum encoder).
        queue: (K, D) negatives, K may be 0. It is not copied: take in new keys after backward(), or give queue.clone().
        temperature: positive number or 0-d tensor; 0.07 in v1, 0.2 in v2.
        queue_y: (K,) integer labels of the queue where they are known. The loss is the same with any; whoever looks at
            its forces sees by them who pushes.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.
        RuntimeError: in the backward pass, where key or queue was changed in place since.

    Source: He et al. 2020, Eq. 1; code: moco 90e244a. As there, gradients flow wherever the arguments carry them;
    key and queue usually do not.

    >>> query = key = torch.eye(3)[:2]
    >>> round(moco(query, key, torch.eye(3)[2:], temperature=0.5).item(), 3)
    0.127
    """
    check_queries("moco", query, key, queue)
    check_choice("moco", "reduction", reduction, ("mean", "none"))
    tau = check_temperature("moco", temperature, query)
    if queue_y is None:
        classes = torch.full((len(queue),), UNKNOWN, device=queue.device)
    else:
        classes = check_labels("moco", "queue_y", queue_y, len(queue), f"for {len(queue)} queue slots", query)
    nowhere = lambda: torch.zeros(len(query), len(queue), dtype=torch.bool, device=queue.device)  # noqa: E731
    contrast, own = Contrast(about=Partners(classes, positives=nowhere)), own_similarities(query, key) / tau
    if reduction == "none":
        return contrast.log_partition(query, queue, tau, own) - own
    weights = own.new_full((len(own),), 1.0 / len(own))
    return weighted_sum(contrast, weights, query, queue, tau, own) - own.mean()


class Moco(Queued, Probed):
    """Queries from view 0 against keys of view 1 and of earlier batches, through a momentum encoder.

    Terms `contrast` and `probe`. Keys enter the queue after the step, as in the official code; the queue begins empty
    where the official one begins with random vectors.
    """

    card = Card(
        name="moco",
        title="MoCo",
        year=2020,
        idea="Each image must know its own other view among many stored ones; labels play no part.",
        formula=r"L_i = -\log \frac{e^{q_i \cdot k_i/\tau}}{e^{q_i \cdot k_i/\tau} + \sum_j e^{q_i \cdot Q_j/\tau}}",
        terms={r"e^{q_i \cdot k_i/\tau}": "pull", r"\sum_j e^{q_i \cdot Q_j/\tau}": "push"},
        symbols={r"\tau": "temperature", r"Q_j": "queue_size"},
        look_for="How evenly points cover the sphere; classes form only as far as their images look alike.",
        differs="The queue begins empty, where the official one begins with random vectors. Batch norm is not "
        "shuffled between devices.",
        sphere="The embeddings that are contrasted: this sphere is what training shapes.",
        paper="He et al., Momentum Contrast for Unsupervised Visual Representation Learning, CVPR 2020, "
        "arXiv:1911.05722",
        code="https://github.com/facebookresearch/moco",
    )
    Settings = QueuedSettings
    on_host = None
    settings: QueuedSettings
    marks = (*Queued.marks, VIEWS)

    def losses(self, batch: Batch) -> QueuedStep:
        features = self.encoder(batch.view(0))
        queries = self.queries(self.project(features), self.key(batch.view(1)), batch.y)
        return self.contrast(queries, batch) | {"probe": self.probe_loss(features, batch.y)}

    def contrast(self, queries: Queries, batch: Batch) -> QueuedStep:
        """The step with its contrastive terms."""
        return QueuedStep(self.compare(queries, self.settings), batch, queries)

    @staticmethod
    def compare(queries: Queries, settings: QueuedSettings) -> dict[str, Tensor]:
        """The contrastive terms."""
        query, key, queue, _, queue_y = queries
        return {"contrast": moco(query, key, queue, temperature=settings.temperature, queue_y=queue_y)}

    @classmethod
    def what_if(cls, scene: Scene, settings: QueuedSettings) -> dict[str, Tensor]:
        return cls.compare(scene.queries, settings)

    def show(self, batch: Batch) -> dict[str, Shown]:
        """Beside the queue, under "views" the query of view 0 and the key of view 1, through the momentum encoder."""
        views = Segments(self.embed(batch.view(0)), self.key(batch.view(1)), batch.y)
        return {**super().show(batch), "views": views}

    @classmethod
    def listing(cls, settings: QueuedSettings) -> Listing:
        return Listing(
            build=f"{QUEUE}{PROBE}",
            trains=PROBE_TRAINS,
            step=f"""\
{QUERIES}
similar = torch.cat([(query * key).sum(1, keepdim=True), query @ keys.T], dim=1) / temperature
loss = F.cross_entropy(similar, torch.zeros_like(batch.y))  # the own key stands first
loss += {probe_loss("batch.y")}
""",
            after=ENQUEUE,
        )
