"""What a measure is, in words: the entries that stand alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher", "near"]


@dataclass(frozen=True)
class Measure:
    """One key of `measure`."""

    key: str
    title: str
    """Label on charts and tables, sentence case."""
    unit: str
    """"degrees", "share" (0 to 1), "" for a plain number."""
    low: float | None
    """Smallest possible value; None where there is none."""
    high: float | None
    """Largest possible value; None where there is none."""
    better: Better | None
    """Which way is better; "near" means nearer to zero; None where neither way is."""
    short: str
    """One plain sentence for hover text."""
    formula: str
    source: str
    caution: str | None = None
    """When the number misleads, one sentence."""

    @property
    def arrow(self) -> str:
        """The better direction as heads of tables and charts mark it: up, down, about zero, or nothing."""
        return {"higher": "↑", "lower": "↓", "near": "≈"}.get(self.better or "", "")


NO_SIMPLEX = "Where C > D + 1 no simplex fits, and even the best arrangement deviates."

SHAPE = (
    Measure(
        "simplex_deviation_mean",
        "Simplex deviation, mean",
        "",
        0,
        2,
        "lower",
        "How far the angles between class centres are from a regular simplex, on average: 0 is a simplex.",
        r"\operatorname{mean}_{a<b} |m_a \cdot m_b + 1/(C-1)|",
        "Papyan et al. 2020",
        NO_SIMPLEX,
    ),
    Measure(
        "simplex_deviation_max",
        "Simplex deviation, worst pair",
        "",
        0,
        2,
        "lower",
        "How far the worst pair of class centres is from the angle of a regular simplex.",
        r"\max_{a<b} |m_a \cdot m_b + 1/(C-1)|",
        "Papyan et al. 2020",
        "A single pair decides it; in 3 dimensions it is large with many classes, however they lie. " + NO_SIMPLEX,
    ),
    Measure(
        "centre_sum",
        "Centre sum",
        "",
        0,
        1,
        "lower",
        "How far the classes are from balancing around the origin: 0 is balanced.",
        r"\|\sum_c m_c\| / C",
        "ltviz",
        "It is of class centres alone: how wide the classes are does not enter.",
    ),
    Measure(
        "min_centre_angle",
        "Smallest angle between centres",
        "degrees",
        0,
        180,
        "higher",
        "The angle between the two classes that lie closest together.",
        r"\min_{a<b} \arccos(m_a \cdot m_b)",
        "spherical codes; Tammes 1930",
    ),
    Measure(
        "uniformity",
        "Uniformity",
        "",
        -8,
        0,
        "lower",
        "How evenly the points cover the sphere: lower is more even.",
        r"\log \operatorname{mean}_{i<j} e^{-2 \|z_i - z_j\|^2}",
        "Wang and Isola 2020, eq. (3)",
        "Well separated tight classes are not uniform: compare runs with the same probe only.",
    ),
    Measure(
        "alignment",
        "Alignment",
        "",
        0,
        4,
        "lower",
        "How far apart two augmented views of the same training sample are, squared distance.",
        r"\operatorname{mean}_i \|f(x_i) - f(x_i')\|^2",
        "Wang and Isola 2020, eq. (2)",
        "A live frame takes the few samples whose pairs it links; points that all lie in one place are aligned too, so "
        "read it beside the uniformity.",
    ),
    Measure(
        "effective_rank",
        "Effective rank",
        "dimensions",
        1,
        None,
        "higher",
        "How many dimensions the points use.",
        r"\exp(-\sum_k p_k \log p_k), \; p_k = \sigma_k / \sum_j \sigma_j",
        "Roy and Vetterli 2007; RankMe 2023",
        "Full neural collapse to a simplex uses C - 1 dimensions: more is not better there.",
    ),
)

COLLAPSE = (
    Measure(
        "nc1",
        "NC1, within-class scatter",
        "",
        0,
        None,
        "lower",
        "How tight classes are against the distances between their means: 0 is collapsed. Of the features that the "
        "classifier reads where a frame was measured with them, else of the embeddings.",
        r"\operatorname{tr}(\Sigma_W \Sigma_B^+) / C",
        "Papyan et al. 2020; code of Zhu et al. 2021",
        "It divides by the smallest spread of the class means, so it jumps where they are nearly flat, as at D = 3; a "
        "class of one sample has no scatter to add.",
    ),
    Measure(
        "nc2",
        "NC2, classifier to simplex",
        "",
        0,
        2,
        "lower",
        "How far the classifier's weight vectors are from a regular simplex.",
        r"\| W W^\top / \|W W^\top\|_F - (I - 11^\top/C)/\sqrt{C-1} \|_F",
        "Papyan et al. 2020; code of Zhu et al. 2021",
        NO_SIMPLEX,
    ),
    Measure(
        "nc3",
        "NC3, classifier against class means",
        "",
        0,
        2,
        "lower",
        "How far the classifier's weight vectors are from pointing along the class means.",
        r"\| W H / \|W H\|_F - (I - 11^\top/C)/\sqrt{C-1} \|_F, \; H = [\mu_c - \mu_G]",
        "Papyan et al. 2020; code of Zhu et al. 2021",
        "The global mean is over samples, as in the official code; with imbalance it leans to the head.",
    ),
    Measure(
        "nc4",
        "NC4, disagreement with nearest mean",
        "share",
        0,
        1,
        "lower",
        "Share of points where the classifier and the nearest class mean of the features disagree.",
        r"P[\arg\max_c (W h + b)_c \ne \arg\min_c \|h - \mu_c\|]",
        "Papyan et al. 2020",
    ),
)

FURTHER = (
    Measure(
        "packing_gap",
        "Gap to the best packing",
        "degrees",
        0,
        180,
        "lower",
        "How much larger the smallest angle between centres could be.",
        r"\theta^*(C, D) - \min_{a<b} \arccos(m_a \cdot m_b)",
        "Tammes problem; Levenshtein 1979",
        "Where the best packing is not known, an upper bound stands for it, which nobody may reach.",
    ),
    Measure(
        "equinorm",
        "Equal norms",
        "",
        0,
        None,
        "lower",
        "How much the lengths of the class means of the features differ, seen from their middle: 0 is equal.",
        r"\operatorname{std}_c \|\mu_c - \mu_G\| / \operatorname{mean}_c \|\mu_c - \mu_G\|",
        "Papyan et al. 2020, fig. 2",
        "Where only unit embeddings are known it is of these, and tells how unevenly classes spread rather than norms.",
    ),
    Measure(
        "equiangularity",
        "Equal angles",
        "",
        0,
        1,
        "lower",
        "How much the angles between class means of the features differ, seen from their middle: 0 is equal.",
        r"\operatorname{std}_{a<b} \cos(\mu_a - \mu_G, \mu_b - \mu_G)",
        "Papyan et al. 2020, fig. 3",
        "Where only unit embeddings are known it is of these.",
    ),
    Measure(
        "uniformity_centres",
        "Uniformity of centres",
        "",
        -8,
        0,
        "lower",
        "How evenly the class centres cover the sphere: lower is more even.",
        r"\log \operatorname{mean}_{a<b} e^{-2 \|m_a - m_b\|^2}",
        "Wang and Isola 2020, on class centres",
    ),
    Measure(
        "tsc_alignment",
        "Distance within classes (A)",
        "",
        0,
        2,
        "lower",
        "Mean distance between two samples of a class, every class with two or more counting the same.",
        r"\frac1C \sum_c \frac1{|F_c|^2} \sum_{j,k \in F_c} \|z_j - z_k\|",
        "Li et al. 2022 (TSC), section 3.1",
    ),
    Measure(
        "tsc_uniformity",
        "Distance between classes (U)",
        "",
        0,
        2,
        "higher",
        "Mean distance between two class centres.",
        r"\frac1{C(C-1)} \sum_{a \ne b} \|m_a - m_b\|",
        "Li et al. 2022 (TSC), section 3.1",
    ),
    Measure(
        "tsc_neighbour_uniformity",
        "Distance to neighbouring classes (U_k)",
        "",
        0,
        2,
        "higher",
        "Mean distance from a class centre to its nearest ones: ten, or half of them all.",
        r"\frac1{Ck} \sum_a \min_{b_1 \ldots b_k} \sum_l \|m_a - m_{b_l}\|, \; k = \min(10, \lfloor (C-1)/2 \rfloor)",
        "Li et al. 2022 (TSC), section 3.1",
    ),
    Measure(
        "minority_collapse",
        "Room of the tail against the head",
        "",
        0,
        None,
        "higher",
        "Smallest angle between tail classes over smallest angle between head classes: 0 is minority collapse.",
        r"\min_{tail} \theta_{ab} / \min_{head} \theta_{ab}",
        "after Fang et al. 2021",
    ),
    Measure(
        "target_angle_mean",
        "Angle to targets",
        "degrees",
        0,
        180,
        "lower",
        "Mean angle between a class centre and the target set for it.",
        r"\operatorname{mean}_c \arccos(m_c \cdot t_c)",
        "Li et al. 2022 (TSC)",
    ),
    Measure(
        "calibration_error",
        "Calibration error",
        "share",
        0,
        1,
        "lower",
        "How far the classifier's confidence is from its accuracy, test points, 15 bins.",
        r"\sum_b \frac{|B_b|}{N} |acc_b - conf_b|",
        "Guo et al. 2017, eq. (3)",
    ),
)
