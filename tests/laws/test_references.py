"""Each loss against the formula of its docstring, written as double loops over float64 numbers."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ltviz import losses

TAU = 0.3


def similarity(a: Tensor, b: Tensor) -> float:
    return float(a @ b) / TAU


def slow_supcon(z, y, form="out", anchors="all", average="sample"):
    rows = [(i, v) for i in range(z.shape[0]) for v in range(z.shape[1])]
    values = {}
    for i, v in rows:
        if anchors == "first" and v > 0:
            continue
        others = [(j, w) for j, w in rows if (j, w) != (i, v)]
        denominator = sum(math.exp(similarity(z[i, v], z[j, w])) for j, w in others)
        positive = [similarity(z[i, v], z[j, w]) for j, w in others if y[j] == y[i]]
        if not positive:
            values[i, v] = 0.0
        elif form == "out":
            values[i, v] = sum(math.log(denominator) - s for s in positive) / len(positive)
        else:
            values[i, v] = math.log(denominator) - math.log(sum(map(math.exp, positive)) / len(positive))
    return average_anchors(values, y, average)


def average_anchors(values, y, average):
    if average == "sample":
        return sum(values.values()) / len(values)
    by_class = {}
    for (i, _), value in values.items():
        by_class.setdefault(int(y[i]), []).append(value)
    return sum(sum(v) / len(v) for v in by_class.values()) / len(by_class)


def slow_info_nce(z):
    return slow_supcon(z, torch.arange(len(z)))


def slow_bcl(z, y, prototypes, average="sample"):
    members = [(z[i, v], int(y[i]), (i, v)) for i in range(z.shape[0]) for v in range(z.shape[1])]
    members += [(prototypes[c], c, None) for c in range(len(prototypes))]
    values = {}
    for row, c_own, name in members:
        if name is None:
            continue
        denominator = 0.0
        for c in range(len(prototypes)):
            of_class = [m for m, c_m, name_m in members if c_m == c and name_m != name]
            denominator += sum(math.exp(similarity(row, m)) for m in of_class) / len(of_class)
        positive = [similarity(row, m) for m, c_m, name_m in members if c_m == c_own and name_m != name]
        values[name] = math.log(denominator) - sum(positive) / len(positive)
    return average_anchors(values, y, average)


def slow_moco(query, key, queue):
    return slow_kcl(query, key, queue, None, None, torch.zeros(len(query), len(queue), dtype=torch.bool))


def slow_kcl(query, key, queue, y, queue_y, positives):
    total = 0.0
    for i in range(len(query)):
        logits = [similarity(query[i], key[i])] + [similarity(query[i], q) for q in queue]
        log_z = math.log(sum(map(math.exp, logits)))
        chosen = [0] + [1 + j for j in range(len(queue)) if positives[i, j]]
        total += sum(log_z - logits[j] for j in chosen) / len(chosen)
    return total / len(query)


def slow_tsc(query, key, queue, y, queue_y, targets, positives, target_weight=0.2, normalize="code"):
    total = 0.0
    for i in range(len(query)):
        logits = [similarity(query[i], key[i])] + [similarity(query[i], q) for q in queue]
        pulls = [similarity(query[i], t) for t in targets]
        log_z = math.log(sum(map(math.exp, logits + pulls)))
        chosen = [0] + [1 + j for j in range(len(queue)) if positives[i, j]]
        n, m = (len(chosen) + 1, len(chosen) + 1) if normalize == "code" else (len(chosen), 1)
        total += sum(log_z - logits[j] for j in chosen) / n + target_weight * (log_z - pulls[y[i]]) / m
    return total / len(query)


def slow_gml(query, y, keys, keys_y, counts, exclude=None):
    total, prior = 0.0, counts / counts.sum()
    for i in range(len(query)):
        scores = {}
        for c in range(len(counts)):
            kept = [j for j in range(len(keys)) if keys_y[j] == c and (exclude is None or not exclude[i, j])]
            if kept:
                scores[c] = float(prior[c]) * sum(math.exp(similarity(query[i], keys[j])) for j in kept) / len(kept)
        if int(y[i]) in scores:
            total -= math.log(scores[int(y[i])] / sum(scores.values()))
    return total / len(query)


def slow_ntce(features, y, weights):
    total = 0.0
    for i in range(len(y)):
        scores = [similarity(weights[y[i]], h) for h in features]
        total += math.log(sum(map(math.exp, scores))) - scores[i]
    return total / len(y)


def slow_nonl(features, y, weights, negatives="class"):
    total = 0.0
    for i in range(len(y)):
        of_class = [similarity(weights[y[i]], features[j]) for j in range(len(y)) if y[j] != y[i]]
        of_instance = [similarity(weights[c], features[i]) for c in range(len(weights)) if c != y[i]]
        taken = {"class": of_class, "instance": of_instance, "both": of_class + of_instance}[negatives]
        if taken:
            total += math.log(sum(map(math.exp, taken))) - similarity(weights[y[i]], features[i])
    return total / len(y)


def slow_mixed_supcon(z, y, alpha):
    return alpha * slow_supcon(z, y) + (1 - alpha) * slow_info_nce(z)


def slow_sbcl(z, y, clusters, class_temperatures=None, weight=0.25):
    first = slow_supcon(z, 2 * y + clusters)
    rows = [(i, v) for i in range(z.shape[0]) for v in range(z.shape[1])]
    total = 0.0
    for i, v in rows:
        phi = TAU if class_temperatures is None else float(class_temperatures[y[i]])
        score = {(j, w): float(z[i, v] @ z[j, w]) / phi for j, w in rows if (j, w) != (i, v)}
        other = {k for k in score if (y[k[0]], clusters[k[0]]) != (y[i], clusters[i])}
        own = {k for k in score if k[0] == i}
        positive = own | {k for k in other if y[k[0]] == y[i]}
        if positive:
            log_z = math.log(sum(math.exp(score[k]) for k in own | other))
            total += sum(log_z - score[k] for k in positive) / len(positive)
    return first + weight * total / len(rows)


SLOW = {
    "ntce": slow_ntce,
    "nonl": slow_nonl,
    "mixed_supcon": slow_mixed_supcon,
    "sbcl": slow_sbcl,
    "supcon": slow_supcon,
    "info_nce": slow_info_nce,
    "bcl": slow_bcl,
    "moco": slow_moco,
    "kcl": slow_kcl,
    "tsc": slow_tsc,
    "gml": slow_gml,
}


@pytest.mark.parametrize("views", [1, 2, 3])
def test_value_is_that_of_the_double_loop(problem, variant, path, views):
    p = problem(variant, seed=views, views=views)
    expected = SLOW[p.loss](**p.arguments)
    assert float(p(TAU)) == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_gradients_are_those_of_finite_differences(problem, variant, path):
    p = problem(variant, seed=3, batch=5, num_keys=8, dim=3).with_gradients()
    tau = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    names = [*p.rows, *p.class_rows]

    def value(tau: Tensor, *leaves: Tensor) -> Tensor:
        return p(tau, **dict(zip(names, leaves, strict=True)))

    torch.autograd.gradcheck(value, (tau, *p.leaves))
    torch.autograd.gradgradcheck(value, (tau, *p.leaves))


def test_logit_adjusted_is_cross_entropy_with_the_prior():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    y, counts = torch.tensor([0, 1, 2, 2, 0]), torch.tensor([50.0, 5.0, 0.5])
    share = (counts.double() / counts.double().sum()).tolist()
    expected = 0.0
    for i in range(5):
        scores = [math.exp(float(logits[i, c])) * share[c] ** 1.5 for c in range(3)]
        expected -= math.log(scores[int(y[i])] / sum(scores)) / 5
    assert float(losses.logit_adjusted(logits, y, counts, tau=1.5)) == pytest.approx(expected, rel=1e-12)


def test_ltml_is_weighted_compensated_cross_entropy():
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    u, labels, counts = draw(4, 3), (draw(4, 3) > 0).long(), torch.tensor([60, 20, 5])
    names = ("sigma_pos", "mu_pos", "sigma_neg", "mu_neg")
    sp, mp, sn, mn = parameters = [draw(3) for _ in names]
    expected = torch.zeros(4, dtype=torch.float64)
    for i in range(4):
        for k in range(3):
            rho = float(counts[k]) / 80
            if labels[i, k]:
                probability, weight = torch.sigmoid(u[i, k] * sp[k] + mp[k]), math.exp(1 - rho)
            else:
                probability, weight = 1 - torch.sigmoid(u[i, k] * sn[k] + mn[k]), math.exp(rho)
            expected[i] -= weight * torch.log(probability) / 3
    options = dict(zip(names, parameters, strict=True))
    values = losses.ltml_classification(u, labels, counts, 80, reduction="none", **options)
    torch.testing.assert_close(values, expected)
    torch.testing.assert_close(losses.ltml_classification(u, labels, counts, 80, **options), expected.mean())
