"""SimCLR: two views of an image attract, everything else repels (Chen et al., 2020)."""

from __future__ import annotations

import torch
from torch import Tensor

from ltviz.methods.base import Batch, Card, Links, Settings, live
from ltviz.methods.parts.inputs import check_views, full_precision
from ltviz.methods.parts.probe import Probed
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.tug import Tug
from ltviz.methods.parts.watch import watched
from ltviz.methods.supcon import contrast_of_labels, supcon_tug


@full_precision
@watched("z")
def info_nce(z: Tensor, *, temperature: float | Tensor, reduction: str = "mean") -> Tensor:
    r"""SimCLR's NT-Xent: each view must pick out the other views of its image among all rows of the batch.

    .. math:: L_i = -\frac{1}{V-1} \sum_{p \in P(i)} \log
              \frac{\exp(z_i \cdot z_p / \tau)}{\sum_{a \neq i} \exp(z_i \cdot z_a / \tau)}

    where P(i) are the other V - 1 views of i's image: SupCon with every image a class of its own.

    Args:
        z: (B, V, D) unit rows, taken as given. With one view there are no positives and the loss is 0.
        temperature: positive number or 0-d tensor; 0.5 in the paper for small images, 0.1 in most later work.
        reduction: "mean" gives a scalar, "none" the (B, V) values of the anchors.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Chen et al. 2020, Eq. 1; code: SupContrast 66a8fe5 without labels, whose factor
    temperature / base_temperature is left out here.
    """
    check_views("info_nce", z)
    return contrast_of_labels("info_nce", z, torch.arange(len(z), device=z.device), temperature, reduction=reduction)


def info_nce_tug(z: Tensor, y: Tensor, *, temperature: float) -> Tug:
    """Who pulls and pushes whom under `info_nce`; the labels y (B,) only say whom: other images of the own class push
    like all others."""
    return supcon_tug(z, torch.arange(len(z), device=z.device), temperature=temperature, classes=y)


class SimClrSettings(Settings):
    temperature: float = live(0.2, ge=0.01, le=2, description="Temperature of the similarities; low is sharp.")


class SimClr(Probed):
    """Contrast of two views without labels; terms `contrast` (trains encoder and head) and `probe` (reads features)."""

    card = Card(
        name="simclr",
        title="SimCLR",
        year=2020,
        idea="Two views of an image attract, all other images repel; nobody knows a class.",
        formula=r"L_i = -\log \frac{e^{z_i \cdot z_{i'}/\tau}}{\sum_{a \neq i} e^{z_i \cdot z_a/\tau}}",
        look_for="A more even cover of the sphere than SupCon's, with far wider head classes.",
        sphere="The embeddings that are contrasted: this sphere is what training shapes.",
        paper="Chen et al., A Simple Framework for Contrastive Learning of Visual Representations, ICML 2020, "
        "arXiv:2002.05709",
        code="https://github.com/google-research/simclr",
    )
    Settings = SimClrSettings
    settings: SimClrSettings

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        features = self.encoder(batch.views(0, 1))
        z = self.project(features).view(2, len(batch.y), -1).transpose(0, 1)
        return {
            "contrast": info_nce(z, temperature=self.settings.temperature),
            "probe": self.probe_loss(features, batch.y.repeat(2)),
        }

    def tugs(self, z: Tensor, batch: Batch) -> dict[str, Tug]:
        return {"contrast": info_nce_tug(z, batch.y, temperature=self.settings.temperature)}

    @classmethod
    def what_if(cls, scene: Scene, settings: SimClrSettings) -> dict[str, Tug]:
        return {"contrast": info_nce_tug(scene.z, scene.y, temperature=settings.temperature)}

    def links(self, batch: Batch) -> dict[str, Links]:
        """Under "views" both views of each image."""
        return {"views": Links(self.embed(batch.view(0)), self.embed(batch.view(1)), batch.y)}
