"""What the geometry lab must compute: values, gradients and ways of points, from `ltviz.losses` on explicitly repeated
samples, in float64, by autograd. Python is the truth; tests/stage_js/lab.test.mjs compares.

    python tests/stage_js/lab_cases.py     writes lab_cases.json anew
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ltviz import geometry, losses

FILE = Path(__file__).with_suffix(".json")
VIEWS = 2
STEPS = 200
OPTIONS: dict[str, Any] = {
    "temperature": 0.2, "average": "sample", "k": 3, "targetWeight": 1, "classAveraging": True, "complement": True,
    "tied": True, "negatives": "class", "lengths": False, "tau": 1, "decay": 0.01, "decayBy": "class", "spread": 2,
}  # fmt: skip
CLASSIFIER = ("ce", "logit-adjust", "reweight")
Case = dict[str, Any]


class Random:
    """The stream of app/stage/lab/random.js: mulberry32."""

    def __init__(self, seed: int):
        self.state = seed & 0xFFFFFFFF

    def uniform(self) -> float:
        self.state = (self.state + 0x6D2B79F5) & 0xFFFFFFFF
        t = self.state
        t = ((t ^ (t >> 15)) * (t | 1)) & 0xFFFFFFFF
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & 0xFFFFFFFF)) & 0xFFFFFFFF
        return (t ^ (t >> 14)) / 4294967296

    def normals(self, *shape: int) -> Tensor:
        each = lambda: math.sqrt(-2 * math.log(1 - self.uniform())) * math.cos(2 * math.pi * self.uniform())  # noqa: E731
        return torch.tensor([each() for _ in range(math.prod(shape))], dtype=torch.float64).view(shape)

    def pick(self, cumulative: np.ndarray) -> int:
        return int(np.searchsorted(cumulative, self.uniform() * cumulative[-1], side="right"))


class Problem:
    """Rows that stand for many samples, as the lab has them, and the loss of those samples."""

    def __init__(self, case: Case):
        self.case, self.loss = case, case["loss"]
        self.options = {**OPTIONS, **case.get("options", {})}
        self.counts, self.dim = case["counts"], case["dim"]
        each = [max(1, min(case.get("points", 1), n)) for n in self.counts]
        self.y = torch.tensor([c for c, many in enumerate(each) for _ in range(many)])
        self.stored = [self.counts[c] // each[c] for c in self.y.tolist()]
        assert all(self.counts[c] % many == 0 for c, many in enumerate(each)), "a row stands for whole samples"
        self.classes, self.sphere = len(self.counts), self.loss not in CLASSIFIER
        self.follows = len(self.y) > self.classes and not case.get("free", False)
        self.tied = self.loss == "bcl" and self.options["tied"]
        self.moving = self.loss in (*CLASSIFIER, "ntce", "nonl") or (self.loss == "bcl" and not self.tied)
        self.targets = (
            torch.from_numpy(geometry.simplex(self.classes, self.dim)) if self.dim >= self.classes - 1 else None
        )

    def rows(self, x: Tensor, noise: Tensor | None) -> Tensor:
        if not self.sphere:
            return x if not self.follows else x[self.y] + noise
        return F.normalize(F.normalize(x, dim=1)[self.y] + noise if self.follows else x, dim=1)

    def columns(self, u: Tensor, cx: Tensor, assigned: list[int]) -> Tensor:
        if self.tied:
            mass = torch.tensor(self.stored, dtype=u.dtype)[:, None]
            return F.normalize(torch.zeros(self.classes, self.dim, dtype=u.dtype).index_add(0, self.y, mass * u), dim=1)
        if self.loss in ("tsc", "etf"):
            assert self.targets is not None
            return self.targets[assigned]
        return F.normalize(cx, dim=1) if self.sphere else cx

    def value(self, x: Tensor, cx: Tensor, noise: Tensor | None, images: list[int], assigned: list[int]) -> Tensor:
        """The loss, its mean over anchors as `average` says. `images` are those of the batch at each row."""
        u = self.rows(x, noise)
        columns = self.columns(u, cx, assigned)
        here = torch.tensor([i for i, many in enumerate(images) for _ in range(many)])
        return FUNCTIONS[self.loss](self, u, columns, here)

    def class_means(self, x: Tensor) -> Tensor:
        """(C, D) unit directions, as targets are matched to them."""
        u = F.normalize(x.detach(), dim=1)
        if len(u) == self.classes:
            return u
        return F.normalize(torch.zeros(self.classes, self.dim, dtype=u.dtype).index_add(0, self.y, u), dim=1)

    def mean(self, values: Tensor, y: Tensor) -> Tensor:
        """Over anchors (R,) or, by class, over classes of the mean over theirs."""
        if self.options["average"] == "sample":
            return values.mean()
        return torch.stack([values[y == c].mean() for c in y.unique()]).mean()


def two_views(u: Tensor, here: Tensor) -> Tensor:
    return u[here][:, None].expand(-1, VIEWS, -1)


def classifier(kind: str) -> Callable[..., Tensor]:
    def value(p: Problem, u: Tensor, columns: Tensor, here: Tensor) -> Tensor:
        y, o = p.y[here], p.options
        tau = o["tau"] if kind == "logit-adjust" else 0.0
        values = losses.logit_adjusted(u[here] @ columns.T, y, p.counts, tau=tau, reduction="none")
        if kind == "reweight":
            weights = 1 / torch.tensor(p.counts, dtype=u.dtype)[y]
            fit = (weights * values).sum() / weights.sum()
        else:
            fit = p.mean(values, y)
        # every sample of the training set is charged for its feature
        everyone = torch.repeat_interleave(torch.arange(len(p.y)), torch.tensor(p.stored))
        counts = torch.tensor(p.counts, dtype=u.dtype)
        share = 1 / counts[p.y[everyone]] if o["decayBy"] == "class" else torch.full_like(everyone, 1.0, dtype=u.dtype)
        if o["decayBy"] == "sample":
            share = share * p.classes / counts.sum()
        return fit + o["decay"] / 2 * ((columns**2).sum() + (share * (u[everyone] ** 2).sum(1)).sum())

    return value


def supcon(form: str) -> Callable[..., Tensor]:
    def value(p: Problem, u: Tensor, _: Tensor, here: Tensor) -> Tensor:
        o = p.options
        return losses.supcon(
            two_views(u, here), p.y[here], temperature=o["temperature"], form=form, average=o["average"]
        )

    return value


def info_nce(p: Problem, u: Tensor, _: Tensor, here: Tensor) -> Tensor:
    values = losses.info_nce(two_views(u, here), temperature=p.options["temperature"], reduction="none")
    return p.mean(values.flatten(), p.y[here].repeat_interleave(VIEWS))


def queued(name: str) -> Callable[..., Tensor]:
    def value(p: Problem, u: Tensor, columns: Tensor, here: Tensor) -> Tensor:
        o, found = p.options, {}
        for i in here.unique().tolist():
            left = list(p.stored)
            left[i] -= 2  # the anchor, and its own key
            slots = torch.tensor([j for j, many in enumerate(left) for _ in range(many)])
            given = (u[i : i + 1], u[i : i + 1], u[slots], p.y[i : i + 1], p.y[slots])
            if name == "tsc":
                found[i] = losses.tsc(
                    *given, columns, temperature=o["temperature"], k=o["k"], target_weight=o["targetWeight"]
                )
            else:
                found[i] = losses.kcl(*given, temperature=o["temperature"], k=o["k"])
        return p.mean(torch.stack([found[i] for i in here.tolist()]), p.y[here])

    return value


def bcl(p: Problem, u: Tensor, columns: Tensor, here: Tensor) -> Tensor:
    o = p.options
    z, y = two_views(u, here), p.y[here]
    if o["classAveraging"] and o["complement"]:
        return losses.bcl(z, y, columns, temperature=o["temperature"], average=o["average"])
    # no paper has these: the definition, row by row
    rows, labels = z.reshape(-1, p.dim), y.repeat_interleave(VIEWS)
    others, of_others = (torch.cat([rows, columns]), torch.cat([labels, torch.arange(p.classes)]))
    if not o["complement"]:
        others, of_others = rows, labels
    values = []
    for i in range(len(rows)):
        keep = torch.arange(len(others)) != i
        s, c = others[keep] @ rows[i] / o["temperature"], of_others[keep]
        size = torch.bincount(c, minlength=p.classes)[c].to(s) if o["classAveraging"] else torch.ones_like(s)
        own = c == labels[i]
        values.append((s - size.log()).logsumexp(0) - s[own].mean() if own.any() else s.sum() * 0)
    return p.mean(torch.stack(values), labels)


def gml(p: Problem, u: Tensor, _: Tensor, here: Tensor) -> Tensor:
    keys = torch.repeat_interleave(torch.arange(len(p.y)), torch.tensor(p.stored))
    values = losses.gml(
        u[here], p.y[here], u[keys], p.y[keys], p.counts, temperature=p.options["temperature"], reduction="none"
    )
    return p.mean(values, p.y[here])


def by_weights(name: str) -> Callable[..., Tensor]:
    def value(p: Problem, u: Tensor, columns: Tensor, here: Tensor) -> Tensor:
        rows = here.repeat_interleave(VIEWS)
        more = {"negatives": p.options["negatives"]} if name == "nonl" else {}
        values = getattr(losses, name)(
            u[rows], p.y[rows], columns, temperature=p.options["temperature"], reduction="none", **more
        )
        return p.mean(values, p.y[rows])

    return value


def dot_regression(p: Problem, u: Tensor, columns: Tensor, here: Tensor) -> Tensor:
    counts = p.counts if p.options["lengths"] else None
    return p.mean(losses.dot_regression(u[here], p.y[here], columns, counts=counts, reduction="none"), p.y[here])


def align_uniform(p: Problem, u: Tensor, _: Tensor, here: Tensor) -> Tensor:
    return losses.align_uniform(two_views(u, here), t=p.options["spread"])


FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    **{name: classifier(name) for name in CLASSIFIER},
    "simclr": info_nce, "supcon": supcon("out"), "supcon-in": supcon("in"), "kcl": queued("kcl"), "tsc": queued("tsc"),
    "bcl": bcl, "gml": gml, "ntce": by_weights("ntce"), "nonl": by_weights("nonl"), "etf": dot_regression,
    "align-uniform": align_uniform,
}  # fmt: skip


def trajectory(p: Problem, x: Tensor, cx: Tensor, way: Case, seed: int) -> Case:
    """Points after `STEPS` steps: v <- normalise(v - rate * tangent gradient), or torch's own Adam."""
    random = Random(seed)
    batch, rate, noise_size = way.get("batch", 0), way["rate"], way.get("noise", 0.0)
    cumulative = np.cumsum(p.stored)
    x, cx = x.clone().requires_grad_(), cx.clone().requires_grad_()
    assigned, values = list(range(p.classes)), []
    adam = torch.optim.Adam([x, cx], lr=rate, betas=(0.9, 0.99), eps=1e-30)
    steps = way.get("steps", STEPS)
    for step in range(steps):
        if p.loss == "tsc" and step % 10 == 0:
            means = p.class_means(x)
            assert p.targets is not None
            assigned = geometry.match_targets(means.numpy(), p.targets.numpy()).tolist()
        images = list(p.stored)
        if batch:
            images = [0] * len(p.stored)
            for _ in range(batch):
                images[random.pick(cumulative)] += 1
        noise = random.normals(len(p.y), p.dim) * (noise_size / math.sqrt(p.dim)) if p.follows else None
        value = p.value(x, cx, noise, images, assigned)
        values.append(value.item())
        gradients = torch.autograd.grad(value, [x, cx], allow_unused=True, materialize_grads=True)
        with torch.no_grad():
            if way.get("mover") == "adam":
                x.grad, cx.grad = gradients[0], gradients[1] if p.moving else None
                cool = 0.5 * (1 + math.cos(math.pi * step / steps))
                adam.param_groups[0]["lr"] = rate * max(1e-5, cool)
                adam.step()
                continue
            for vectors, gradient in ((x, gradients[0]), (cx, gradients[1])):
                if vectors is cx and not p.moving:
                    continue
                if p.sphere:
                    gradient = gradient - (gradient * vectors).sum(1, keepdim=True) * vectors
                vectors -= rate * gradient
                if p.sphere:
                    vectors.copy_(F.normalize(vectors, dim=1))
    return {"x": flat(x), "columns": flat(cx), "values": [values[0], values[steps // 2], values[-1]], "steps": steps}


def flat(tensor: Tensor) -> list[float]:
    return tensor.detach().flatten().tolist()


def judge(case: Case, seed: int) -> Case:
    p, random = Problem(case), Random(1000 + seed)
    num = p.classes if p.follows or not case.get("free") else len(p.y)
    x, cx = random.normals(num, p.dim), random.normals(p.classes, p.dim)
    if p.sphere:
        x, cx = F.normalize(x, dim=1), F.normalize(cx, dim=1)
    noise = random.normals(len(p.y), p.dim) * 0.1 if p.follows else None
    images = case.get("images") or list(p.stored)
    assigned = list(reversed(range(p.classes))) if p.loss == "tsc" else list(range(p.classes))
    leaves = [x.clone().requires_grad_(), cx.clone().requires_grad_()]
    value = p.value(*leaves, noise, images, assigned)
    gradients = torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
    found = {
        **case, "options": p.options, "seed": seed, "x": flat(x), "columns": flat(cx), "images": images,
        "noise": None if noise is None else flat(noise), "assigned": assigned, "value": value.item(),
        "gradient": flat(gradients[0]), "gradientColumns": flat(gradients[1]) if p.moving else None,
        "targets": None if p.targets is None else flat(p.targets),
    }  # fmt: skip
    if way := case.get("way"):
        found["after"] = trajectory(p, x, cx, way, seed)
    return found


FEW = {"counts": [8, 4, 3, 2], "dim": 3}
FOLLOWING = {"counts": [12, 6, 3], "dim": 4, "points": 3}
FREE = {**FOLLOWING, "free": True}
DESCENT = {"rate": 0.02}
AVERAGED = [name for name in FUNCTIONS if name not in ("reweight", "align-uniform")]


def asked() -> list[Case]:
    """What is computed, without what comes of it."""
    given: list[Case] = []
    add = lambda loss, problem, **more: given.append({"loss": loss, **problem, **more})  # noqa: E731
    many = lambda loss: {"options": {"k": 50}} if loss in ("kcl", "tsc") else {}  # noqa: E731
    for loss in FUNCTIONS:
        add(loss, FEW, way=DESCENT)
        add(loss, FEW, images=[3, 1, 2, 0])
        if loss in AVERAGED:
            add(loss, FEW, options={"average": "class"}, images=[3, 1, 0, 0])
            add(loss, FEW, options={"average": "class"}, way=DESCENT)
        add(loss, FOLLOWING, **many(loss), way={**DESCENT, "noise": 0.3, "steps": 40})
        add(loss, FREE, **many(loss), way={**DESCENT, "steps": 100})
        add(loss, FREE, **many(loss), images=[2, 0, 1, 1, 1, 0, 0, 1, 0])
    for average in ("sample", "class"):
        for averaging, complement, tied in (
            (True, True, False), (False, True, True), (True, False, True), (False, False, True), (False, True, False),
        ):  # fmt: skip
            options = {"average": average, "classAveraging": averaging, "complement": complement, "tied": tied}
            add("bcl", FEW, options=options, images=[2, 1, 1, 0], way={**DESCENT, "steps": 50})
        add("bcl", FREE, options={"average": average, "tied": False}, way={**DESCENT, "steps": 50})
    for negatives in ("instance", "both"):
        add("nonl", FEW, options={"negatives": negatives}, images=[3, 1, 2, 0], way=DESCENT)
    for options in ({"decayBy": "sample"}, {"decayBy": "sample", "tau": 0.5}):
        for loss in CLASSIFIER:
            add(loss, FEW, options=options, way={"rate": 0.1})
    add("etf", FEW, options={"lengths": True}, way=DESCENT)
    add("tsc", FEW, options={"targetWeight": 0.2, "k": 1}, way=DESCENT)
    for loss in ("supcon", "bcl", "ce", "gml", "ntce"):
        add(loss, {**FEW, "counts": [40, 20, 10, 5]}, way={**DESCENT, "batch": 16})
        add(loss, FEW, way={"rate": 0.05, "mover": "adam"})
    add(
        "supcon", {"counts": [100, 60, 36, 22, 13, 8, 5, 3, 2, 2], "dim": 16}, options={"temperature": 0.1}, way=DESCENT
    )
    return given


if __name__ == "__main__":
    torch.manual_seed(0)
    cases = [judge(case, seed) for seed, case in enumerate(asked())]
    FILE.write_text(json.dumps(cases, separators=(",", ":")) + "\n", encoding="utf-8")
