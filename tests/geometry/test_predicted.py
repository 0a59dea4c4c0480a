from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltviz import geometry
from ltviz.errors import ConfigError
from ltviz.geometry.predicted import angles_between, layer_peeled, predicted_ce, predicted_relu, predicted_supcon
from ltviz.geometry.predicted.supcon import value_and_slope

GOLDEN = Path(__file__).parents[1] / "golden" / "theory"
ANGLE, RATIO, VALUE = 0.05, 1e-3, 1e-6
"""Degrees; relative lengths; what is minimised."""


def cases(name: str) -> list[str]:
    return sorted(path.name for path in GOLDEN.glob(f"{name}_[0-9][0-9].npz"))


def load(file: str) -> tuple[dict[str, Any], dict[str, Any]]:
    with np.load(GOLDEN / file) as held:
        arrays = {name: held[name] for name in held.files}
    return arrays, json.loads(str(arrays["meta__json"]))


def step(heads: int, tails: int, ratio: float) -> list[float]:
    return [ratio] * heads + [1.0] * tails


def lengths(rows: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(rows, axis=1)
    return norms / norms[0]


@pytest.mark.parametrize("file", cases("predicted_ce") + cases("layer_peeled"))
def test_means_and_classifier_of_cross_entropy_are_the_stored_ones(file: str) -> None:
    held, meta = load(file)
    if meta["method"] == "predicted_ce":
        found = predicted_ce(held["input__counts"])
    else:
        energies = {name: float(held[f"param__{name}"]) for name in ("weight_energy", "feature_energy")}
        found = layer_peeled(held["input__counts"], **energies)
        assert found.value == pytest.approx(float(held["out__value"]), abs=VALUE)
        assert np.linalg.norm(found.weights) ** 2 == pytest.approx(len(found.means) * energies["weight_energy"])
        assert np.linalg.norm(found.means) ** 2 == pytest.approx(len(found.means) * energies["feature_energy"])
    assert found.gap is not None
    assert found.gap < VALUE
    np.testing.assert_allclose(found.weight_angles, held["out__weight_angles"], atol=ANGLE)
    np.testing.assert_allclose(found.mean_angles, held["out__mean_angles"], atol=ANGLE)
    np.testing.assert_allclose(lengths(found.weights), held["out__weight_norms"], atol=RATIO)  # pyright: ignore[reportArgumentType]
    np.testing.assert_allclose(lengths(found.means), held["out__mean_norms"], atol=RATIO)


@pytest.mark.parametrize("file", cases("predicted_supcon"))
def test_means_of_supcon_are_the_stored_ones(file: str) -> None:
    held, meta = load(file)
    options = {name: meta[name] for name in ("average", "denominator") if name in meta}
    found = predicted_supcon(held["input__counts"], temperature=float(held["param__temperature"]), **options)
    assert found.value == pytest.approx(float(held["out__value"]), abs=VALUE)
    assert found.gap is not None
    assert found.gap < 1e-9
    assert found.unique
    np.testing.assert_allclose(found.mean_angles, held["out__mean_angles"], atol=ANGLE)


@pytest.mark.parametrize("file", cases("predicted_supcon_dim"))
def test_in_too_few_dimensions_the_best_of_several_descents_is_found_and_marked_so(file: str) -> None:
    held, _ = load(file)
    options = {"temperature": float(held["param__temperature"]), "dim": int(held["param__dim"])}
    found = predicted_supcon(held["input__counts"], **options)
    assert found.value < float(held["out__value"]) + 1e-3
    assert (found.basis, found.unique, found.gap) == ("found", False, None)
    np.testing.assert_allclose(np.linalg.norm(found.means, axis=1), 1.0, atol=1e-12)
    assert found.means.shape == held["out__means"].shape
    np.testing.assert_array_equal(predicted_supcon(held["input__counts"], **options).means, found.means)


@pytest.mark.parametrize(
    ("ratio", "temperature", "average", "tails", "heads", "between"),
    [
        (1e4, 0.1, "sample", 57.3, 100.1, 101.2),
        (1e4, 0.2, "sample", 48.7, 104.5, 90.2),
        (1e3, 1.0, "sample", 75.2, 104.5, 90.0),
        (1e4, 0.2, "class", 26.5, 55.2, 140.9),
        (1e2, 0.5, "class", 0.0, 73.9, 130.5),
    ],
)
def test_supcon_stays_exact_where_rare_classes_feel_next_to_nothing(
    ratio: float, temperature: float, average: str, tails: float, heads: float, between: float
) -> None:
    """Descent alone leaves them degrees off at an imbalance of 10,000: what tails feel of tails is of order R^-2."""
    found = predicted_supcon(step(5, 5, ratio), temperature=temperature, average=average).mean_angles
    np.testing.assert_allclose([found[8, 9], found[0, 1], found[0, 9]], [tails, heads, between], atol=0.1)


def test_unequal_counts_are_solved_as_exactly() -> None:
    found = predicted_supcon(1000.0 ** (-np.arange(10) / 9), temperature=0.1)
    angles = found.mean_angles
    np.testing.assert_allclose([angles[0, 1], angles[8, 9], angles[0, 9]], [101.6, 77.2, 104.5], atol=0.05)
    assert found.gap is not None
    assert found.gap < 1e-9


def test_the_certificate_is_of_the_means_that_are_returned() -> None:
    """Written out here once more: the slope of f in G less its multiples of the constraints is positive semidefinite,
    and zero along the means, in which the conditions of Karush, Kuhn and Tucker say that nothing is better."""
    n = np.array([50.0, 20.0, 20.0, 3.0, 1.0])
    found = predicted_supcon(n, temperature=0.3)
    p = n / n.sum()
    gram = found.means @ found.means.T
    weighed = p * np.exp((gram - 1) / 0.3)
    slope = p[:, None] * weighed / weighed.sum(axis=1, keepdims=True) / 0.3
    np.fill_diagonal(slope, 0.0)
    slope = (slope + slope.T) / 2
    dual = slope - np.diag((slope * gram).sum(axis=1))
    assert np.linalg.eigvalsh(dual)[0] > -1e-12
    np.testing.assert_allclose(dual @ found.means, 0.0, atol=1e-11)
    np.testing.assert_allclose(np.diag(gram), 1.0, atol=1e-14)
    assert value_and_slope(gram, p, p, 0.3)[0] == found.value


def test_the_certificate_of_the_layer_peeled_model_bounds_the_gap() -> None:
    n = np.array([1.0, 0.4, 0.4, 0.1])
    found = layer_peeled(n, feature_energy=3.0)
    assert found.weights is not None
    logits = found.means @ found.weights.T
    soft = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    slope = n[:, None] * (soft - np.eye(4))
    bound = 4 * np.sqrt(3.0)
    assert np.linalg.norm(logits, "nuc") <= bound * (1 + 1e-9)
    assert float((slope * logits).sum()) + bound * np.linalg.norm(slope, 2) < 1e-9


def test_balanced_classes_end_in_the_simplex() -> None:
    ideal = np.degrees(np.arccos(-1 / 5)) * (1 - np.eye(6))
    for found in (predicted_ce([7] * 6), layer_peeled([7] * 6), predicted_supcon([7] * 6, temperature=0.1)):
        np.testing.assert_allclose(found.mean_angles, ideal, atol=1e-3)
    by_class = predicted_supcon([900, 300, 90, 30, 9, 3], temperature=0.1, average="class", denominator="classes")
    assert by_class.title == "BCL"
    np.testing.assert_allclose(by_class.mean_angles, ideal, atol=1e-3)


def test_weights_of_rare_classes_close_while_their_means_open() -> None:
    found = [predicted_ce(step(5, 5, ratio)) for ratio in (1, 10, 100, 1000)]
    weights = [one.weight_angles[8, 9] for one in found if one.weight_angles is not None]
    means = [one.mean_angles[8, 9] for one in found]
    np.testing.assert_allclose(weights, [96.38, 88.09, 70.24, 47.88], atol=0.01)
    np.testing.assert_allclose(means, [96.38, 100.76, 103.20, 104.07], atol=0.01)
    np.testing.assert_allclose(found[2].means @ found[2].weights.T, np.eye(10) - 0.1, atol=1e-12)  # pyright: ignore[reportOptionalMemberAccess]


def test_two_classes_are_opposite_and_one_is_anywhere() -> None:
    for counts in ([3, 3], [1e6, 1]):
        for found in (predicted_ce(counts), layer_peeled(counts), predicted_supcon(counts, temperature=0.05)):
            assert found.mean_angles[0, 1] == pytest.approx(180.0, abs=1e-6)
            assert found.means.shape == (2, 1)
    assert predicted_supcon([5], temperature=0.1).means.tolist() == [[1.0]]


def test_dimensions_beyond_the_least_are_zeros_and_too_few_are_named() -> None:
    for predict in (predicted_ce, layer_peeled):
        assert predict([4, 2, 1], dim=5).means.shape == (3, 5)
        with pytest.raises(ConfigError, match=r"from dim = 2 .* got dim = 1"):
            predict([4, 2, 1], dim=1)
    wide = predicted_supcon([4, 2, 1], temperature=0.1, dim=5)
    assert (wide.means.shape, wide.unique) == ((3, 5), True)


@pytest.mark.parametrize("counts", [[5, 0, 1], [5, -1], [5, np.nan], [], [[1, 2]], "ab", [5, np.inf]])
def test_counts_that_no_class_can_have_are_refused(counts: object) -> None:
    for predict in (predicted_ce, layer_peeled, lambda n: predicted_supcon(n, temperature=0.1)):
        with pytest.raises(ConfigError, match=r"counts|samples of each class"):
            predict(counts)


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0.0},
        {"temperature": np.nan},
        {"temperature": 0.1, "average": "both"},
        {"temperature": 0.1, "denominator": "class"},
        {"temperature": 0.1, "dim": 0},
    ],
)
def test_options_of_supcon_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"predicted_supcon"):
        predicted_supcon([3, 2, 1], **options)


def test_energies_are_checked_and_only_their_product_matters_for_angles() -> None:
    with pytest.raises(ConfigError, match="feature_energy must be a number above 0, got 0"):
        layer_peeled([3, 1], feature_energy=0)
    one, other = layer_peeled([9, 3, 1], feature_energy=8.0), layer_peeled([9, 3, 1], weight_energy=4, feature_energy=2)
    np.testing.assert_allclose(one.mean_angles, other.mean_angles, atol=1e-9)
    assert "energy 4 " in other.penalty


def test_many_classes_are_no_burden() -> None:
    many = predicted_ce(1000.0 ** (-np.arange(300) / 299))
    assert many.means.shape == (300, 299)
    grouped = predicted_supcon(step(150, 150, 100), temperature=0.1)
    assert grouped.gap is not None
    assert grouped.gap < 1e-9
    with pytest.raises(ConfigError, match="different counts, got 300"):
        predicted_supcon(np.arange(1, 301), temperature=0.1)


def test_a_relu_head_ends_in_an_orthogonal_frame() -> None:
    found = predicted_relu(4, dim=6)
    np.testing.assert_array_equal(found.mean_angles, 90 * (1 - np.eye(4)))
    with pytest.raises(ConfigError, match="dim >= C"):
        predicted_relu(4, dim=3)


def test_angles_keep_their_digits_near_zero_and_near_opposite() -> None:
    rows = np.array([[1.0, 0.0], [1.0, 1e-9], [-1.0, 1e-9], [0.0, 0.0]])
    found = angles_between(rows)
    assert found[0, 1] == pytest.approx(np.degrees(1e-9), rel=1e-6)
    assert 180 - found[0, 2] == pytest.approx(np.degrees(1e-9), rel=1e-3)
    assert np.isnan(found[3]).all()


def test_every_prediction_says_under_which_penalty_and_how_sure_it_is() -> None:
    found = [
        predicted_ce([2, 1]),
        layer_peeled([2, 1]),
        predicted_supcon([2, 1], temperature=0.1),
        predicted_relu(2),
        geometry.predicted_simplex(2),
    ]
    assert [one.basis for one in found] == ["proven", "proven", "derived", "proven", "proven"]
    assert all(one.penalty and one.source for one in found)
    assert "by samples" in found[0].penalty
    assert "paying alike" in found[1].penalty


@pytest.mark.parametrize(
    "options", [{}, {"pays": "sample"}, {"average": "class", "tau": 0.5}, {"pays": "sample", "tau": 1}]
)
def test_cross_entropy_under_weight_decay_is_certified_and_at_rest(options: dict[str, Any]) -> None:
    counts, decay = np.array([60.0, 20, 20, 5, 1]), 0.003
    found = geometry.predicted_decay(counts, decay=decay, **options)
    assert found.gap is not None and found.gap < 1e-7
    p, means, rows = counts / counts.sum(), found.means, found.weights
    weights = p if options.get("average") != "class" else np.full(5, 0.2)
    charge = np.ones(5) if options.get("pays") != "sample" else 5 * p
    logits = means @ rows.T + options.get("tau", 0) * np.log(p)
    shares = np.exp(logits - logits.max(1, keepdims=True))
    slope = weights[:, None] * (shares / shares.sum(1, keepdims=True) - np.eye(5))
    np.testing.assert_allclose(slope @ rows + decay * charge[:, None] * means, 0, atol=1e-6)
    np.testing.assert_allclose(slope.T @ means + decay * rows, 0, atol=1e-6)


def test_weight_decay_that_vanishes_leads_to_seli_or_to_the_simplex_slowly() -> None:
    counts = step(3, 2, 10)
    goal = predicted_ce(counts)
    off = [
        np.abs(geometry.predicted_decay(counts, decay=decay, pays="sample").weight_angles - goal.weight_angles).max()
        for decay in (1e-2, 1e-4, 1e-8, 1e-12)
    ]
    assert off == sorted(off, reverse=True) and off[-1] < 1 < off[1]
    even = geometry.predicted_decay(counts, decay=1e-10).mean_angles[np.triu_indices(5, 1)]
    np.testing.assert_allclose(even, np.degrees(np.arccos(-0.25)), atol=0.8)


def test_weight_decay_that_pays_by_class_is_the_layer_peeled_model_of_the_energy_it_leaves() -> None:
    counts = [10.0] * 5 + [1.0] * 5
    found = geometry.predicted_decay(counts, decay=0.01)
    energy = float((found.weights**2).sum()) / 10
    assert energy == pytest.approx(float((found.means**2).sum()) / 10)
    peeled = layer_peeled(counts, weight_energy=energy, feature_energy=energy)
    np.testing.assert_allclose(found.weight_angles, peeled.weight_angles, atol=1e-4)
    np.testing.assert_allclose(found.mean_angles, peeled.mean_angles, atol=1e-4)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"decay": 0}, "decay must be a number above 0"),
        ({"decay": 5.0}, "leaves no logits at all; give less than"),
        ({"decay": 0.01, "pays": "batch"}, "pays must be"),
        ({"decay": 0.01, "tau": -1}, "tau must be"),
        ({"decay": 0.01, "dim": 1}, "known from dim = 2"),
    ],
)
def test_weight_decay_says_what_it_cannot_take(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        geometry.predicted_decay([5, 2, 1], **given)
