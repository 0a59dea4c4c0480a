"""SimCLR: two views of an image attract, everything else repels (Chen et al., 2020)."""

from __future__ import annotations

import torch
from torch import Tensor

from ltviz.marks import VIEWS, Segments, Shown
from ltviz.methods.base import Batch, Card, Settings, live
from ltviz.methods.parts.inputs import check_views
from ltviz.methods.parts.listing import Listing
from ltviz.methods.parts.loss import loss
from ltviz.methods.parts.probe import Probed
from ltviz.methods.parts.scene import Scene
from ltviz.methods.parts.snippets import PROBE, PROBE_TRAINS, TWO_VIEWS, probe_loss
from ltviz.methods.supcon import contrast_of_labels


@loss("z")
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

    >>> z = torch.eye(3)[[0, 0, 1, 1]].view(2, 2, 3)  # two images, both views of each on one point
    >>> round(info_nce(z, temperature=0.5).item(), 3)
    0.24
    """
    check_views("info_nce", z)
    return contrast_of_labels("info_nce", z, torch.arange(len(z), device=z.device), temperature, reduction=reduction)


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
        terms={r"e^{z_i \cdot z_{i'}/\tau}": "pull", r"\sum_{a \neq i} e^{z_i \cdot z_a/\tau}": "push"},
        symbols={r"\tau": "temperature"},
        look_for="A more even cover of the sphere than SupCon's, with far wider head classes.",
        differs="AdamW and small batches in place of LARS and batches of thousands.",
        sphere="The embeddings that are contrasted: this sphere is what training shapes.",
        paper="Chen et al., A Simple Framework for Contrastive Learning of Visual Representations, ICML 2020, "
        "arXiv:2002.05709",
        code="https://github.com/google-research/simclr",
    )
    Settings = SimClrSettings
    on_host = None
    settings: SimClrSettings
    marks = (VIEWS,)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        features = self.encoder(batch.views(0, 1))
        z = self.project(features).view(2, len(batch.y), -1).transpose(0, 1)
        return {
            "contrast": info_nce(z, temperature=self.settings.temperature),
            "probe": self.probe_loss(features, batch.y.repeat(2)),
        }

    @classmethod
    def what_if(cls, scene: Scene, settings: SimClrSettings) -> dict[str, Tensor]:
        return {"contrast": info_nce(scene.z, temperature=settings.temperature)}

    def show(self, batch: Batch) -> dict[str, Shown]:
        """Under "views" both views of each image."""
        return {"views": Segments(self.embed(batch.view(0)), self.embed(batch.view(1)), batch.y)}

    @classmethod
    def listing(cls, settings: SimClrSettings) -> Listing:
        return Listing(
            build=PROBE,
            trains=PROBE_TRAINS,
            step=f"""\
{TWO_VIEWS}
similar = (z @ z.T / temperature).fill_diagonal_(-torch.inf)
other_view = torch.arange(len(z)).roll(len(z) // 2)
loss = F.cross_entropy(similar, other_view)
loss += {probe_loss("y")}
""",
        )
