"""LTML: two branches, uniform and re-balanced, that must agree (Guo and Wang, 2021)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz.methods.inputs import check_choice, check_shape, full_precision, reduce


@full_precision
def ltml_classification(
    logits: Tensor,
    labels: Tensor,
    counts: Tensor,
    num_samples: float,
    *,
    sigma_pos: Tensor,
    mu_pos: Tensor,
    sigma_neg: Tensor,
    mu_neg: Tensor,
    reduction: str = "mean",
) -> Tensor:
    r"""LTML's compensated and weighted binary cross-entropy for several labels per sample.

    .. math:: L = -\omega_{ik} \{ y_{ik} \log \varsigma(u_{ik} \sigma^p_k + \mu^p_k)
              + (1 - y_{ik}) \log(1 - \varsigma(u_{ik} \sigma^n_k + \mu^n_k)) \}, \quad
              \omega_{ik} = y_{ik} e^{1-\rho_k} + (1 - y_{ik}) e^{\rho_k}, \quad \rho_k = N_k / N

    Args:
        logits: (B, C).
        labels: (B, C), 0 or 1, any dtype.
        counts: (C,) training samples that carry each label; may be float.
        num_samples: N, training samples in all.
        sigma_pos, mu_pos, sigma_neg, mu_neg: (C,) compensation of positive and negative logits; 1 and 0 is none.
        reduction: "mean" over all B x C entries, or "none": the (B,) means over classes.

    Raises:
        ValueError: where shapes or values break these rules; the sentence names the sizes.

    Source: Guo and Wang 2021 (CVPR), the formula of L_cls. No official code exists; whether the paper learns sigma and
    mu or takes them from batch statistics is not settled, so they are arguments here.
    """
    check_shape("ltml_classification", "logits", logits, (None, None), "(samples, classes)")
    num_classes = logits.shape[1]
    check_shape("ltml_classification", "labels", labels, tuple(logits.shape), "like logits")
    named = {"counts": counts, "sigma_pos": sigma_pos, "mu_pos": mu_pos, "sigma_neg": sigma_neg, "mu_neg": mu_neg}
    for name, value in named.items():
        check_shape("ltml_classification", name, value, (num_classes,), f"for {num_classes} classes")
    check_choice("ltml_classification", "reduction", reduction, ("mean", "none"))
    if not 0 < num_samples < math.inf:
        raise ValueError(f"ltml_classification: num_samples must be positive and finite, but is {num_samples}")
    labels = labels.to(logits.dtype)
    frequency = counts.to(logits) / num_samples
    weight = labels * torch.exp(1 - frequency) + (1 - labels) * torch.exp(frequency)
    positive = F.logsigmoid(logits * sigma_pos + mu_pos)
    negative = F.logsigmoid(-(logits * sigma_neg + mu_neg))
    values = -weight * (labels * positive + (1 - labels) * negative)
    return reduce("ltml_classification", values.mean(1), reduction)


@full_precision
def ltml_consistency(a: Tensor, b: Tensor, *, reduction: str = "mean") -> Tensor:
    """Mean squared difference of two branches' logits for the same samples; gradients flow into both.

    Args:
        a, b: (B, C) logits.
        reduction: "mean" over all B x C entries, or "none": the (B,) means over classes.

    Raises:
        ValueError: where shapes differ; the sentence names the sizes.

    Source: Guo and Wang 2021 (CVPR), L_con; its reduction and gradient stops are not known, this is the plain reading.
    """
    check_shape("ltml_consistency", "a", a, (None, None), "(samples, classes)")
    check_shape("ltml_consistency", "b", b, tuple(a.shape), "like a")
    return reduce("ltml_consistency", (a - b).square().mean(1), reduction)
