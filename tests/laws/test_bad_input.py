"""Arguments that do not fit are refused in one sentence that names the sizes."""

from __future__ import annotations

import re

import pytest
import torch

from ltviz import losses

WRONG_SHAPES = [
    ("supcon", "z", (12, 4)),
    ("supcon", "y", (1,)),
    ("supcon", "y", (12, 1)),
    ("info_nce", "z", (12, 4)),
    ("bcl", "y", (24,)),
    ("bcl", "prototypes", (6, 1)),
    ("bcl", "prototypes", (6, 5)),
    ("bcl", "prototypes", (4,)),
    ("moco", "key", (1, 4)),
    ("moco", "query", (12, 2, 4)),
    ("moco", "queue", (20, 1)),
    ("kcl", "queue_y", (1,)),
    ("kcl", "y", (20,)),
    ("kcl", "positives", (1, 20)),
    ("kcl", "positives", (12, 1)),
    ("tsc", "targets", (6, 3)),
    ("tsc", "key", (12, 1)),
    ("gml", "keys_y", (1,)),
    ("gml", "counts", (6, 1)),
    ("gml exclude", "exclude", (1, 20)),
    ("gml", "keys", (20, 5)),
    ("ntce", "weights", (6, 3)),
    ("ntce", "y", (1,)),
    ("nonl", "features", (12, 2, 4)),
    ("mixed_supcon", "y", (24,)),
    ("sbcl", "clusters", (1,)),
    ("sbcl", "z", (12, 4)),
]


@pytest.mark.parametrize(("variant", "argument", "shape"), WRONG_SHAPES)
def test_shapes_must_match_without_broadcasting(problem, variant, argument, shape):
    p = problem(variant)
    kind = (
        torch.int64
        if argument in p.labels or argument == "clusters"
        else torch.bool
        if argument in ("positives", "exclude")
        else torch.float64
    )
    with pytest.raises(ValueError, match=re.escape(", ".join(map(str, shape)))) as error:
        p(**{argument: torch.zeros(shape, dtype=kind)})
    sentence = str(error.value)
    assert sentence.startswith(f"{p.loss}: {argument}") and "\n" not in sentence and not sentence.endswith(".")


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf"), torch.tensor([0.1]), torch.tensor(0.0)])
def test_temperature_must_be_positive(problem, variant, temperature):
    with pytest.raises(ValueError, match="temperature must be"):
        problem(variant)(temperature)


@pytest.mark.parametrize("variant", ["bcl", "tsc", "gml", "ntce", "nonl"])
@pytest.mark.parametrize("label", [-1, 6])
def test_labels_must_name_a_class(problem, variant, label):
    p = problem(variant)
    p.labels["y"][0] = label
    with pytest.raises(ValueError, match="y must hold labels from 0 to 5"):
        p()


@pytest.mark.parametrize(
    ("variant", "options", "sentence"),
    [
        ("supcon", {"form": "both"}, "form must be one of out, in, but is 'both'"),
        ("supcon", {"anchors": "second"}, "anchors must be one of"),
        ("bcl", {"average": "batch"}, "average must be one of sample, class"),
        ("kcl", {"reduction": "sum"}, "reduction must be one of mean, none"),
        ("kcl", {"k": -1, "positives": None}, "k must be 0 or more"),
        ("tsc", {"normalize": "none"}, "normalize must be one of code, paper"),
        ("tsc", {"target_weight": -1.0}, "target_weight must be 0 or more"),
        ("gml", {"counts": torch.zeros(6)}, "not all zero"),
        ("nonl", {"negatives": "none"}, "negatives must be one of class, instance, both"),
        ("mixed_supcon", {"alpha": 1.5}, "alpha must lie from 0 to 1"),
        ("sbcl", {"weight": -1.0}, "weight must be finite and 0 or more"),
        ("sbcl", {"class_temperatures": [0.1]}, "class_temperatures must be positive and of all classes"),
    ],
)
def test_options_must_be_known(problem, variant, options, sentence):
    p = problem(variant)
    with pytest.raises(ValueError, match=sentence):
        p(**options)


def test_float_labels_are_refused(problem):
    with pytest.raises(ValueError, match="integer class labels"):
        losses.supcon(**problem("supcon").rows, y=torch.zeros(12), temperature=0.1)


def test_logit_adjusted_names_the_sizes():
    with pytest.raises(ValueError, match=r"counts must have shape \(3\) for 3 classes, but has shape \(2,\)"):
        losses.logit_adjusted(torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64), torch.ones(2))


ROWS, LABELS = torch.eye(3), torch.arange(3)


@pytest.mark.parametrize(
    ("loss", "arguments", "options", "sentence"),
    [
        ("dot_regression", (ROWS, LABELS, ROWS[:, :2]), {}, r"classifier must have shape \(any, 3\)"),
        ("dot_regression", (ROWS, LABELS, ROWS), {"lengths": [1] * 3, "counts": [1] * 3}, "both given"),
        ("dot_regression", (ROWS, LABELS, ROWS), {"counts": [1] * 2}, r"counts must have shape \(3\)"),
        ("ldam", (ROWS, LABELS, [1, 2]), {}, r"counts must have shape \(3\) for 3 classes"),
        ("ldam", (ROWS, LABELS, [1, 2, 3]), {"scale": 0}, "scale must be finite and positive"),
        ("ldam", (ROWS, LABELS, [1, 2, 3]), {"max_margin": -1}, "max_margin must be finite and 0 or more"),
        ("arb", (ROWS, [0, 1, 3]), {}, "y must hold labels from 0 to 2"),
        ("vmf", (ROWS, LABELS, ROWS, [1.0, 1.0, 0.0], [1, 1, 1]), {}, "kappa must be positive and finite"),
        ("vmf_overlap", (ROWS, [1.0, 1.0]), {}, r"kappa must have shape \(3\) for 3 means"),
        ("vmf_consistency", (ROWS, LABELS, ROWS[:, :2], [1.0] * 3), {}, r"means must have shape \(any, 3\)"),
        ("geometric_harmonization", (ROWS[:, None], ROWS), {}, "z must hold 2 views"),
        ("geometric_harmonization", (ROWS[:, None].repeat(1, 2, 1), ROWS), {"prior": [0] * 3}, "not all zero"),
        ("geometric_harmonization", (ROWS[:, None].repeat(1, 2, 1), ROWS), {"iterations": 0}, "above 0"),
        ("align_uniform", (ROWS,), {}, "z must have 3 axes"),
        ("align_uniform", (ROWS[:, None],), {"spread": "even"}, "spread must be one of"),
        ("align_uniform", (ROWS[:, None],), {"t": 0}, "t must be finite and positive"),
        (
            "align_uniform",
            (ROWS[:, None],),
            {"spread": "sigreg", "directions": torch.ones(2, 5)},
            r"directions must have shape \(3, any\) for z of 3 dimensions, but has shape \(2, 5\)",
        ),
        ("cosine_temperature", (1,), {"low": 0}, "low must be positive"),
    ],
)
def test_what_does_not_fit_is_said(loss, arguments, options, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        getattr(losses, loss)(*arguments, **options)
    assert str(error.value).startswith(f"{loss}: ")


def test_public_names_are_sorted_and_complete():
    import ltviz.losses as module

    assert module.__all__ == sorted(module.__all__)
    found = {
        name
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", "").startswith("ltviz.methods")
    }
    assert found == set(module.__all__)
    assert all(getattr(module, name).__doc__ for name in found)
