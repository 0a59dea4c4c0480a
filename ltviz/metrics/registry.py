"""One registry of all measures, for hover text, tables, charts and documentation."""

from __future__ import annotations

from dataclasses import replace

from ltviz.metrics.agreement import LENT, STAND_INS
from ltviz.metrics.described import COLLAPSE, FURTHER, NO_SIMPLEX, SHAPE, Measure

GROUPS = {"head": "head classes", "medium": "medium classes", "tail": "tail classes"}
SHOTS = {"all": "all classes", "many": "classes with many samples", "medium": "medium classes", "few": "rare classes"}
PAIRS = {
    "head_head": "two head classes",
    "head_tail": "a head and a tail class",
    "tail_tail": "two tail classes",
}

# What is measured of all points, and of training and test points apart, under the same key with _train and _test.
APART = {
    *("simplex_deviation_mean", "simplex_deviation_max", "centre_sum", "min_centre_angle", "nc1", "uniformity"),
    *(f"{key}_{group}" for key in ("spread", "kappa", "cap95") for group in GROUPS),
    *("minority_collapse", "tsc_alignment"),
}

# One entry for a whole family; `{}` is filled in for each member.
SPREAD = Measure(
    "spread_{}",
    "Spread, {}",
    "degrees",
    0,
    180,
    None,
    "Mean angle between a sample and its class centre, {}, over classes with two samples or more.",
    r"\operatorname{mean}_{i: y_i = c} \arccos(z_i \cdot m_c)",
    "ltviz",
    "Small is tight, not good: tight classes may lie on one another.",
)
KAPPA = Measure(
    "kappa_{}",
    "Concentration, {}",
    "",
    0,
    None,
    None,
    "Von Mises-Fisher concentration that fits best where all classes share one, {}: higher is tighter.",
    r"A_D(\kappa) = \operatorname{mean}_{c \in group} \| \operatorname{mean}_{i: y_i = c} z_i \|",
    "Banerjee et al. 2005, solved exactly; every class counts the same",
    "It grows with D, and is too high for classes with few samples: compare at the same D and the same probe.",
)
CAP95 = Measure(
    "cap95_{}",
    "95 % cap, {}",
    "degrees",
    0,
    180,
    None,
    "Angle around the class centre that holds 95 % of its samples, {}.",
    r"Q_{0.95}\{\arccos(z_i \cdot m_c) : y_i = c\}",
    "ltviz",
    "With fewer than 20 samples this is nearly the farthest one.",
)
ACCURACY = Measure(
    "accuracy_{}",
    "Accuracy, {}",
    "share",
    0,
    1,
    "higher",
    "Share of test points that the method's own classifier gets right, {}.",
    r"\operatorname{mean}_{c \in group} P[\hat y = c \mid y = c]",
    "Liu et al. 2019 (many, medium, few)",
)
VALIDATION = replace(
    ACCURACY,
    key="validation_{}",
    title="Validation accuracy, {}",
    short="Share of validation points that the method's own classifier gets right, {}.",
    caution="A step may be chosen by it; results are those of the test points.",
)
FITTED = (
    replace(
        ACCURACY,
        key="accuracy_ncm_{}",
        title="Nearest-mean accuracy, {}",
        short="Share of test points that lie nearest to the train centre of their own class, {}.",
        source="Kang et al. 2020 (NCM)",
    ),
    replace(
        ACCURACY,
        key="accuracy_knn_{}",
        title="Nearest-neighbour accuracy, {}",
        short="Share of test points that the 20 nearest train points classify correctly, {}.",
        source="Wu et al. 2018",
        caution="Head classes outvote rare ones among the neighbours.",
    ),
    replace(
        ACCURACY,
        key="accuracy_probe_{}",
        title="Balanced-probe accuracy, {}",
        short="Share of test points that a class-balanced linear read-out of the embeddings gets right, {}.",
        source="ridge regression, classes weighted equally",
    ),
)
PRECISION = Measure(
    "map_{}",
    "Mean average precision, {}",
    "share",
    0,
    1,
    "higher",
    "How well the scores rank the test points that carry a label before those that do not, {}.",
    r"\operatorname{mean}_{c \in group} \sum_n (R_n - R_{n-1}) P_n",
    "Wu et al. 2020 (DB-Loss)",
)
BY_GROUP = (
    SPREAD,
    KAPPA,
    CAP95,
    Measure(
        "territory_{}",
        "Territory, {}",
        "share",
        0,
        1,
        None,
        "Share of the sphere that lies nearest to the centres of {}.",
        r"|\{v : \arg\max_c v \cdot m_c \in group\}| / |S|",
        "spherical Voronoi cells",
        "Compare with the share of classes in the group, not of samples.",
    ),
    Measure(
        "uniformity_{}",
        "Uniformity, {}",
        "",
        -8,
        0,
        "lower",
        "How evenly the points of {} cover the sphere: lower is more even.",
        r"\log \operatorname{mean}_{i<j} e^{-2 \|z_i - z_j\|^2}",
        "Wang and Isola 2020, eq. (3)",
    ),
    Measure(
        "target_angle_{}",
        "Angle to targets, {}",
        "degrees",
        0,
        180,
        "lower",
        "Mean angle between a class centre and its target, {}.",
        r"\operatorname{mean}_{c \in group} \arccos(m_c \cdot t_c)",
        "Li et al. 2022 (TSC)",
    ),
)
BY_PAIR = (
    Measure(
        "simplex_deviation_{}",
        "Simplex deviation, {}",
        "",
        0,
        2,
        "lower",
        "How far the angles are from a regular simplex between {}, on average.",
        r"\operatorname{mean} |m_a \cdot m_b + 1/(C-1)|",
        "Papyan et al. 2020",
        NO_SIMPLEX,
    ),
    Measure(
        "min_centre_angle_{}",
        "Smallest angle, {}",
        "degrees",
        0,
        180,
        "higher",
        "The smallest angle between {}.",
        r"\min \arccos(m_a \cdot m_b)",
        "spherical codes; Fang et al. 2021",
    ),
)


def _family(entry: Measure, members: dict[str, str]) -> list[Measure]:
    return [
        replace(
            entry,
            key=entry.key.format(member),
            title=entry.title.format(words),
            short=entry.short.format(words),
        )
        for member, words in members.items()
    ]


def _parts(entry: Measure) -> list[Measure]:
    """The entry itself, which says that it is of all points, and the same of training and of test points alone."""
    of_all = "Training and test samples together, where a run shows both."
    parts = [
        replace(
            entry,
            key=f"{entry.key}_{part}",
            title=f"{entry.title} ({part} samples)",
            short=f"{entry.short} Of {words} samples alone.",
        )
        for part, words in (("train", "training"), ("test", "test"))
    ]
    return [replace(entry, short=f"{entry.short} {of_all}"), *parts]


def _registry() -> dict[str, Measure]:
    entries = [*SHAPE, *COLLAPSE]
    for family in (ACCURACY, VALIDATION, *FITTED, PRECISION):
        entries += _family(family, SHOTS)
    for family in BY_GROUP:
        entries += _family(family, GROUPS)
    entries += FURTHER
    for family in BY_PAIR:
        entries += _family(family, PAIRS)
    apart = [part for entry in entries for part in (_parts(entry) if entry.key in APART else [entry])]
    return {entry.key: entry for entry in apart}


def _behind() -> dict[str, Measure]:
    """What measures rest on; `better` is None throughout, and no table compares them."""

    def entry(key: str, title: str, unit: str, short: str, formula: str, source: str = "ltviz") -> Measure:
        return Measure(key, title, unit, 0, None, None, short, formula, source)

    classes = [
        entry(
            "centre_classes",
            "Classes with a centre",
            "classes",
            "How many classes have a centre, where not all have: measures of centres are of these alone.",
            r"|\{c : m_c \text{ exists}\}|",
        ),
        entry(
            "centre_singles",
            "Centres of one sample",
            "classes",
            "How many class centres are a single sample, where there are any.",
            r"|\{c : n_c = 1\}|",
        ),
        entry(
            "nc1_classes",
            "Classes behind NC1",
            "classes",
            "How many classes have two samples or more and so a scatter, where not all have.",
            r"|\{c : n_c \ge 2\}|",
        ),
        *_family(
            entry(
                "spread_{}_classes",
                "Classes behind the spread, {}",
                "classes",
                "How many classes are behind spread, concentration and cap, {}, where not all are: those with two "
                "samples or more.",
                r"|\{c \in group : n_c \ge 2\}|",
            ),
            GROUPS,
        ),
    ]
    entries = [part for one in classes for part in _parts(one)]
    entries += [
        Measure(
            key,
            title,
            "",
            -1,
            1,
            None,
            f"How far this method's what-if on its own run is its own force, {how}: 1 is the same direction.",
            r"\frac{\sum_c f_c \cdot g_c}{\|f\| \, \|g\|}",
            "ltviz",
        )
        for key, title, how in (
            (STAND_INS, "What-if against force", "with stand-ins for all that it keeps"),
            (LENT, "What-if against force, own directions", "at the class directions that this run keeps"),
        )
    ]
    for family in (ACCURACY, VALIDATION, *FITTED):
        judged = replace(
            family,
            key=f"{family.key}_n",
            title=f"{family.title}: samples",
            unit="samples",
            high=None,
            better=None,
            short="How many samples were judged, {}.",
            formula=r"n",
            caution=None,
        )
        error = replace(
            family,
            key=f"{family.key}_error",
            title=f"{family.title}: standard error",
            better=None,
            short="Binomial standard error that the number of judged samples leaves, {}.",
            formula=r"\sqrt{\sum_c \tilde p_c (1 - \tilde p_c) / n_c} / C, \; \tilde p = (n p + 1) / (n + 2)",
            source="Laplace's rule of succession: all right on few samples leaves a doubt",
            caution=None,
        )
        entries += _family(judged, SHOTS) + _family(error, SHOTS)
    entries.append(
        entry("alignment_n", "Samples behind the alignment", "samples", "How many samples were seen in two views.", "n")
    )
    return {one.key: one for one in entries}


MEASURES: dict[str, Measure] = _registry()
"""Every measure that `measure` can return, in the order of tables."""
BEHIND: dict[str, Measure] = _behind()
"""Every other key that `measure` can return: how many samples or classes a measure rests on, and its error. Tables of
measures leave them out; who shows a measure can say them beside it."""
