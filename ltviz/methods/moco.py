"""MoCo: a momentum encoder and a queue of keys (He et al., 2020)."""

from __future__ import annotations

import torch
from torch import Tensor

from ltviz.methods.base import Batch, Card, Links
from ltviz.methods.parts.inputs import check_choice, check_rows, check_temperature, full_precision
from ltviz.methods.parts.partition import Contrast
from ltviz.methods.parts.probe import Probed
from ltviz.methods.parts.queue import Queued, QueuedSettings
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.tug import Tug, own_column, shares, similarities
from ltviz.methods.parts.watch import watched


def check_queries(loss: str, query: Tensor, key: Tensor, queue: Tensor) -> None:
    """query and key must be (B, D), queue (K, D)."""
    check_rows(loss, "query", query, (None, None), "(samples, dimensions)")
    if not len(query):
        raise ValueError(f"{loss}: query must hold at least one sample, but has shape {tuple(query.shape)}")
    check_rows(loss, "key", key, tuple(query.shape), "like query")
    check_rows(loss, "queue", queue, (None, query.shape[1]), f"for queries of {query.shape[1]} dimensions")


@full_precision
@watched("query", "key", "queue", still=("key", "queue"))
def moco(query: Tensor, key: Tensor, queue: Tensor, *, temperature: float | Tensor, reduction: str = "mean") -> Tensor:
    r"""InfoNCE with a queue: each query must pick out its own key among the keys of earlier batches.

    .. math:: L_i = -\log \frac{e^{q_i \cdot k_i/\tau}}{e^{q_i \cdot k_i/\tau} + \sum_j e^{q_i \cdot Q_j/\tau}}

    Args:
        query: (B, D) unit rows, taken as given.
        key: (B, D), row i is query i's own key (another view through the momentum encoder).
        queue: (K, D) negatives, K may be 0. It is not copied: take in new keys after backward(), or give queue.clone().
        temperature: positive number or 0-d tensor; 0.07 in v1, 0.2 in v2.
        reduction: "mean" gives a scalar, "none" the (B,) values.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.
        RuntimeError: in the backward pass, where key or queue was changed in place since.

    Source: He et al. 2020, Eq. 1; code: moco 90e244a. As there, gradients flow wherever the arguments carry them;
    key and queue usually do not.
    """
    check_queries("moco", query, key, queue)
    check_choice("moco", "reduction", reduction, ("mean", "none"))
    tau = check_temperature("moco", temperature, query)
    own = (query * key).sum(1) / tau
    if reduction == "none":
        return Contrast().log_partition(query, queue, tau, own) - own
    weights = own.new_full((len(own),), 1.0 / len(own))
    return Contrast().weighted_sum(weights, query, queue, tau, own) - own.mean()


def queue_tug(
    query: Tensor,
    key: Tensor,
    queue: Tensor,
    y: Tensor,
    queue_y: Tensor,
    *,
    temperature: float,
    positives: Tensor | None = None,
) -> Tug:
    """Who pulls and pushes each query (B, D) under `moco`, or under `kcl` where `positives` (B, K) bool are given.

    A key feels (1[positive] / (1 + k_i) - p_ik) / (B temperature), with p the softmax over the own key and the queue.
    """
    if positives is None:
        positives = torch.zeros(len(query), len(queue), dtype=torch.bool, device=query.device)
    itself = own_column(len(query), query)
    own = (query * key).sum(1, keepdim=True)
    p = shares(torch.cat([own, similarities(query, queue)], dim=1) / temperature)
    wanted = 1 / (1 + positives.sum(1, keepdim=True).to(p.dtype))
    of_queue = wanted * positives - p[:, 1:]
    return Tug(
        partners=torch.cat([key, queue]),
        classes=torch.cat([y, queue_y]),
        weights=torch.cat([itself * (wanted - p[:, :1]), of_queue], dim=1) / (len(query) * temperature),
        positives=torch.cat([itself, positives], dim=1),
    )


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
        look_for="How evenly points cover the sphere; classes form only as far as their images look alike.",
        sphere="The embeddings that are contrasted: this sphere is what training shapes.",
        paper="He et al., Momentum Contrast for Unsupervised Visual Representation Learning, CVPR 2020, "
        "arXiv:1911.05722",
        code="https://github.com/facebookresearch/moco",
    )
    Settings = QueuedSettings
    settings: QueuedSettings

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        features = self.encoder(batch.view(0))
        query, key = self.project(features), self.key(batch.view(1))
        self.note(query, key, batch.y)
        return {**self.contrast(query, key, batch), "probe": self.probe_loss(features, batch.y)}

    def tugs(self, z: Tensor, batch: Batch) -> dict[str, Tug]:
        return {"contrast": queue_tug(*self.met(), temperature=self.settings.temperature)}

    @classmethod
    def what_if(cls, scene: Scene, settings: QueuedSettings) -> dict[str, Tug]:
        return {"contrast": queue_tug(*scene.met(), temperature=settings.temperature)}

    def contrast(self, query: Tensor, key: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The contrastive terms of queries (B, dim) and their own keys (B, dim)."""
        return {"contrast": moco(query, key, self.queue.keys, temperature=self.settings.temperature)}

    def links(self, batch: Batch) -> dict[str, Links]:
        """Under "views" the query of view 0 and the key of view 1, through the momentum encoder."""
        return {"views": Links(self.embed(batch.view(0)), self.key(batch.view(1)), batch.y)}
