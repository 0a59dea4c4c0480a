"""Focal loss: answers that are right already stop counting (Lin et al., 2017)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ltviz.methods.base import Card, Settings, live
from ltviz.methods.bce import MIXTURE, BinaryCrossEntropy
from ltviz.methods.parts.inputs import full_precision


@full_precision
def focal_loss(logits: Tensor, labels: Tensor, *, gamma: float, alpha: float) -> Tensor:
    r"""Mean over all entries of :math:`-\alpha_t (1 - p_t)^\gamma \log p_t`.

    p_t is the probability given to the true answer, alpha_t is alpha for positives and 1 - alpha for negatives.

    Args:
        logits: (B, C).
        labels: (B, C), 0 or 1.
        gamma: >= 0; 0 leaves weighted binary cross-entropy.
        alpha: 0 to 1; 0.5 weighs both answers alike.

    Source: Lin et al. 2017 (RetinaNet), Eq. 5; the paper divides by the number of positive anchors instead.
    """
    labels = labels.to(logits.dtype)
    right = logits * (2 * labels - 1)  # logit of the true answer
    weight = alpha * labels + (1 - alpha) * (1 - labels)
    return -(weight * (-right).sigmoid() ** gamma * F.logsigmoid(right)).mean()


class FocalSettings(Settings):
    gamma: float = live(2.0, ge=0, le=10, description="How fast right answers stop counting; 0 is cross-entropy.")
    alpha: float = live(0.25, ge=0, le=1, description="Weight of positive answers; negatives have 1 - alpha.")


class Focal(BinaryCrossEntropy):
    """Focal loss on the features, class by class; the sphere is a read-out beside it.

    The paper's initial bias, which makes every class unlikely at first, is left out: labels are not that rare here.
    """

    card = Card(
        name="focal",
        title="Focal",
        year=2017,
        idea="Answers that are right already stop counting, so the many easy negatives weigh little.",
        formula=r"L_i = -\frac1C \sum_k \alpha_t (1 - p_t)^\gamma \log p_t",
        symbols={r"\gamma": "gamma", r"\alpha_t": "alpha"},
        look_for="Compare the images of rare labels, and the average precision of the tail, with those of BCE.",
        differs="The mean is over all samples and labels, where the paper divides by the positive anchors. Its "
        "initial bias, which makes every class unlikely at first, is left out.",
        sphere=MIXTURE,
        paper="Lin et al., Focal loss for dense object detection, ICCV 2017",
        code="https://github.com/facebookresearch/Detectron",
    )
    Settings = FocalSettings
    on_host = None
    settings: FocalSettings

    def compare(self, logits: Tensor, labels: Tensor) -> Tensor:
        return focal_loss(logits, labels, gamma=self.settings.gamma, alpha=self.settings.alpha)

    @staticmethod
    def criterion() -> str:
        return """\
right = logits * (2 * batch.labels - 1)  # the logit of the true answer
answers = alpha * batch.labels + (1 - alpha) * (1 - batch.labels)
loss = -(answers * (-right).sigmoid() ** gamma * F.logsigmoid(right)).mean()"""
