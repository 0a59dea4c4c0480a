"""Forces: the parts add up to the gradient of the loss itself, for every method, and looking changes nothing.

`python tests/methods/test_forces.py` writes the golden forces anew.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltviz import losses
from ltviz.methods.base import Batch, Card, Method, Settings, Setup, Step
from ltviz.methods.parts import similarities as similarities_module
from ltviz.methods.parts.forces import PARTS, TOTAL, act, imagine, offers_what_if
from ltviz.methods.parts.queue import QueuedStep
from ltviz.methods.parts.rehearsal import rehearsal
from ltviz.methods.parts.scene import Scene, place_targets
from ltviz.methods.registry import method, methods

torch.set_num_threads(1)

GOLDEN = Path(__file__).parents[1] / "golden" / "forces" / "forces.npz"
COUNTS = torch.tensor([40.0, 20.0, 10.0, 4.0])
LABEL_SETS = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1]])
SIDE, FEATURES, DIM, BATCH, STEPS = 5, 12, 3, 14, 8

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in methods()),
    ("supcon", {"form": "in"}),
    ("supcon", {"average": "class", "temperature": 0.5}),
    ("bcl", {"average": "class"}),
    ("bcl", {"prototypes": "free", "contrast_weight": 2.0}),
    ("kcl", {"order": "official", "k": 2}),
    ("kcl", {"k": 0}),
    ("tsc", {"warmup": 1.0}),
    ("tsc", {"normalize": "paper", "target_weight": 5.0}),
    ("gml", {"queue_floor": 2, "queue_size": 8, "contrast_weight": 0.3}),
    ("paco", {"alpha": 1.0}),
    ("logit_adjust", {"adjust": "post-hoc"}),
    ("logit_adjust", {"tau": 2.0, "classifier": "cosine"}),
    ("reweight", {"weighting": "effective"}),
    ("ltml", {"compensation": "none"}),
    ("etf", {"assignment": "matched", "average": "sample"}),
    ("nonl", {"negatives": "both"}),
    ("ldam", {"reweight_from": 0.0}),
    ("vmf", {"consistency_weight": 0.5}),
    ("align_uniform", {"spread": "wasserstein"}),
    ("align_uniform", {"spread": "mmd"}),
    ("supcon", {"mix": 0.4}),
    ("geometric_harmonization", {"warmup": 0.0, "targets": 3}),
    ("sbcl", {"smallest": 2, "warmup": 0.1}),
]
ALL = pytest.mark.parametrize(
    "name, settings",
    OPTIONS,
    ids=["-".join(map(str, [n, *(x for pair in s.items() for x in pair)])) for n, s in OPTIONS],
)
IMAGINED = [name for name, kind in methods().items() if offers_what_if(kind)]


def make(name: str, counts: Tensor = COUNTS, dropout: float = 0.0, **settings: Any) -> Method:
    """A method in float64."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, FEATURES), nn.BatchNorm1d(FEATURES), nn.Dropout(dropout))
    setup = Setup(
        encoder=encoder,
        head=nn.Sequential(nn.Linear(FEATURES, FEATURES), nn.ReLU(), nn.Linear(FEATURES, DIM)),
        feature_dim=FEATURES,
        dim=DIM,
        counts=counts,
        total_steps=STEPS,
        generator=torch.Generator().manual_seed(0),
    )
    kind = method(name)
    return kind(kind.Settings(**settings), setup).double()


def make_batch(step: int, y: Tensor | None = None) -> Batch:
    generator = torch.Generator().manual_seed(step)
    drawn = torch.multinomial(COUNTS, BATCH, replacement=True, generator=generator)
    y = drawn if y is None else y
    x = torch.randn(9, BATCH, 1, SIDE, SIDE, generator=generator, dtype=torch.float64) + y[:, None, None, None] / 2
    again = Batch(step, torch.arange(BATCH), y, lambda view: x[view] + 0.1, labels=LABEL_SETS[y])
    return Batch(
        step, torch.arange(BATCH), y, lambda view: x[view], labels=LABEL_SETS[y], make_rebalanced=lambda: again
    )


def train(made: Method, *steps: int) -> Method:
    optimizer = torch.optim.SGD([p for p in made.parameters() if p.requires_grad], lr=0.05)
    for step in steps:
        optimizer.zero_grad()
        found = Step.of(made.losses(make_batch(step)), make_batch(step))
        made.weigh(found).backward()
        optimizer.step()
        made.after_step(found)
    return made


def summed(parts: dict[str, Tensor]) -> Tensor:
    return torch.stack([parts[name] for name in PARTS if name in parts]).sum(0)


SIMILAR = ("positives", "head", "medium", "tail")
MOVES_ALONG = ("proco", "geometric_harmonization")
LABELS = (None, torch.zeros(BATCH, dtype=torch.int64), torch.tensor([0] * 8 + [1] * 5 + [3]))


@ALL
def test_the_parts_add_up_to_the_gradient(name: str, settings: dict[str, Any]) -> None:
    """The law: what a method's losses compare is all that they do to the embeddings."""
    made = train(make(name, **settings), *range(1, 6))
    for y in LABELS:
        batch = make_batch(6, y)
        parts = act(made, batch, by_class=True)
        assert parts.keys() >= {TOTAL, *SIMILAR}
        torch.testing.assert_close(summed(parts), parts[TOTAL], rtol=1e-9, atol=1e-11)
        # the same partners in another order
        of_classes = torch.stack([parts[similarities_module.of_class(c)] for c in range(len(made.counts))])
        similar = torch.stack([parts[part] for part in SIMILAR]).sum(0)
        torch.testing.assert_close(of_classes.sum(0), similar, rtol=1e-9, atol=1e-11)
        assert (parts[TOTAL].abs().sum(1) > 0).sum() <= len(batch.y.unique())
        if y is None:
            assert float(parts[TOTAL].abs().max()) > 1e-3


def keep_golden() -> None:
    """Writes the forces of all cases anew; do that only where a force is meant to change, and say so."""
    found = golden_forces()
    np.savez_compressed(GOLDEN, names=np.array(list(found)), forces=np.stack(list(found.values())))


def golden_forces() -> dict[str, np.ndarray]:
    """The forces (4, 3) of all cases, by method, settings, batch and part."""
    found = {}
    for name, settings in OPTIONS:
        made = train(make(name, **settings), *range(1, 6))
        case = "-".join(map(str, [name, *(x for pair in settings.items() for x in pair)]))
        for i, y in enumerate(LABELS):
            found |= {f"act/{case}/{i}/{part}": force for part, force in act(made, make_batch(6, y)).items()}
    for name in IMAGINED:
        found |= {f"imagine/{name}/{part}": force for part, force in imagine(method(name), make_scene()).items()}
    return {name: force.numpy() for name, force in found.items()}


def test_forces_are_those_of_gradients_derived_by_hand() -> None:
    """Which each loss once had beside it; the file holds what they gave, in float64."""
    with np.load(GOLDEN) as held:
        wanted = dict(zip(held["names"].tolist(), held["forces"], strict=True))
    found = golden_forces()
    assert found.keys() >= wanted.keys()
    for name, force in wanted.items():
        np.testing.assert_allclose(found[name], force, rtol=1e-9, atol=1e-9, err_msg=name)


# ProCo's means move along, and so do the assignments of Geometric Harmonization, which its gradient takes for fixed
@pytest.mark.parametrize("name, settings", [case for case in OPTIONS if case[0] not in MOVES_ALONG])
def test_the_total_is_what_the_loss_gives_way_to(name: str, settings: dict[str, Any]) -> None:
    """Turning the embeddings of a class a little changes the loss by the force times the way, up to second order."""
    made, batch = train(make(name, **settings), *range(1, 6)), make_batch(6)
    force = act(made, batch)[TOTAL]
    towards = F.normalize(torch.tensor([0.3, -1.0, 0.7], dtype=torch.float64), dim=0)

    def loss(way: float, c: int) -> tuple[float, int]:
        def turn(head: nn.Module, inputs: Any, h: Tensor) -> Tensor:
            labels = batch.y.repeat(len(h) // len(batch.y))
            rows.append(len(h))
            moved = F.normalize(F.normalize(h, dim=1) + way * (labels == c)[:, None] * towards, dim=1)
            return h.norm(dim=1, keepdim=True) * moved

        rows: list[int] = []
        with rehearsal(made) as double:
            double.head.register_forward_hook(turn)
            terms = dict(double.losses(batch))
            terms.pop("temperature", None)  # gml's looks at detached embeddings
            value = float(double.weigh(terms))
        return value * sum(rows), sum(rows) // BATCH

    for c in batch.y.unique().tolist():
        (ahead, num_views), (behind, _) = loss(1e-5, c), loss(-1e-5, c)
        num_rows, slope = num_views * int((batch.y == c).sum()), (ahead - behind) / 2e-5
        assert float(force[c] @ towards) * num_rows == pytest.approx(-slope, rel=1e-4, abs=1e-6)


@ALL
def test_looking_changes_nothing(name: str, settings: dict[str, Any]) -> None:
    """Neither weights, buffers and gradients nor what the method and torch draw next; and so it can be done again."""
    made = train(make(name, dropout=0.2, **settings), *range(1, 6))
    before = {key: value.clone() for key, value in made.state_dict().items()}
    gradients = {key: p.grad.clone() for key, p in made.named_parameters() if p.grad is not None}
    buffers = {key: id(value) for key, value in made.named_buffers()}
    attributes = {key: set(vars(part)) for key, part in made.named_modules()}
    torch.manual_seed(5)
    chance, own = torch.get_rng_state(), made.setup_.generator.get_state()
    first, second = act(made, make_batch(6)), act(made, make_batch(6))
    assert all(torch.equal(first[part], second[part]) for part in first) and first.keys() == second.keys()
    assert all(torch.equal(value, before[key]) for key, value in made.state_dict().items())
    assert all(torch.equal(p.grad, gradients[key]) for key, p in made.named_parameters() if p.grad is not None)
    assert {key: id(value) for key, value in made.named_buffers()} == buffers
    assert {key: set(vars(part)) for key, part in made.named_modules()} == attributes
    assert torch.equal(torch.get_rng_state(), chance) and torch.equal(made.setup_.generator.get_state(), own)
    assert made.training


@ALL
def test_it_is_the_very_force_of_the_step_that_follows(name: str, settings: dict[str, Any]) -> None:
    """With the same draws of positives and the same dropout."""
    made, batch = train(make(name, dropout=0.2, **settings), *range(1, 6)), make_batch(6)
    torch.manual_seed(5)
    told = act(made, batch)[TOTAL]
    given: list[Tensor] = []
    made.head.register_forward_hook(lambda head, inputs, h: h.retain_grad() or given.append(h))
    made.weigh(made.losses(batch)).backward()
    (h,) = given
    assert h.grad is not None
    h, gradient = h.detach(), h.grad
    force = -len(h) * h.norm(dim=1, keepdim=True) * gradient
    z = F.normalize(h, dim=1)
    assert float((force * z).sum(1).abs().max()) < 1e-9 * (1 + float(force.abs().max())), "not tangent"
    labels = batch.y.repeat(len(h) // BATCH)
    for c in labels.unique().tolist():
        torch.testing.assert_close(told[c], force[labels == c].mean(0))


@pytest.mark.parametrize("name", methods())
def test_with_equal_counts_there_is_no_prior(name: str) -> None:
    made = train(make(name, counts=torch.full_like(COUNTS, 20.0)), *range(1, 6))
    parts = act(made, make_batch(6))
    assert float(parts.get("prior", torch.zeros(1)).abs().max()) < 1e-6
    if name in ("logit_adjust", "reweight", "gml", "paco", "proco"):
        assert float(act(train(make(name), *range(1, 6)), make_batch(6))["prior"].abs().max()) > 1e-3


def test_only_targets_that_are_there_pull() -> None:
    cold, warm = (train(make("tsc", warmup=share), *range(1, 6)) for share in (1.0, 0.0))
    assert "targets" not in act(cold, make_batch(6))
    parts, index = act(warm, make_batch(6)), warm.target_index()
    assert index is not None
    z = unit_rows(warm, 6)
    for c in make_batch(6).y.unique().tolist():  # from where the class is, towards its own target
        centre = F.normalize(z[make_batch(6).y == c].mean(0), dim=0)
        assert float(parts["targets"][c] @ (warm.landmarks()["targets"][index[c]] - centre)) > 0


def unit_rows(made: Method, step: int) -> Tensor:
    with rehearsal(made) as double, torch.no_grad():
        return double.embed(make_batch(step).view(0))


@pytest.mark.parametrize("name", ["supcon", "bcl", "kcl", "tsc", "paco", "proco", "gml", "clip"])
def test_single_precision_adds_up_at_the_lowest_temperature(name: str) -> None:
    key = "initial_temperature" if name in ("gml", "clip") else "temperature"
    made = train(make(name, **{key: 0.01}), *range(1, 6)).float()
    batch = make_batch(6)
    single = Batch(6, batch.index, batch.y, lambda view: batch.view(view).float())
    parts = act(made, single)  # a warning would be an error
    torch.testing.assert_close(summed(parts), parts[TOTAL], rtol=1e-3, atol=1e-3 * float(parts[TOTAL].abs().max()))


# ---------------------------------------------------------------------- what-if


def random_views(num: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(num, 2, DIM, generator=generator, dtype=torch.float64), dim=2)


def make_scene(num: int = 10, seed: int = 0) -> Scene:
    generator = torch.Generator().manual_seed(seed)
    queue_y = torch.multinomial(COUNTS, 40, replacement=True, generator=generator)
    queue = F.normalize(torch.randn(40, DIM, generator=generator, dtype=torch.float64), dim=1)
    return Scene(
        z=random_views(num, seed),
        y=torch.arange(num) % 4,
        counts=COUNTS.double(),
        queue=queue,
        queue_y=queue_y,
        means=0.7 * F.normalize(torch.randn(4, DIM, generator=generator, dtype=torch.float64), dim=1),
        generator=torch.Generator().manual_seed(3),
    )


def test_what_can_be_imagined() -> None:
    assert {
        "ce",
        "logit_adjust",
        "reweight",
        "supcon",
        "simclr",
        "moco",
        "kcl",
        "tsc",
        "bcl",
        "gml",
        "paco",
        "proco",
    } <= set(IMAGINED)
    assert not {"clip", "bce", "focal", "ltml"} & set(IMAGINED)
    with pytest.raises(ValueError, match="clip has no what-if"):
        imagine(method("clip"), make_scene())


@pytest.mark.parametrize("name", IMAGINED)
def test_an_imagined_force_turns_with_everything(name: str) -> None:
    turn = torch.linalg.qr(torch.randn(DIM, DIM, generator=torch.Generator().manual_seed(2), dtype=torch.float64))[0]
    scene = make_scene()
    turned = replace(make_scene(), z=scene.z @ turn, queue=scene.queue @ turn, means=scene.means @ turn)
    vars(turned)["targets"] = scene.targets @ turn
    before, after = imagine(method(name), scene), imagine(method(name), turned)
    assert before.keys() == after.keys() and float(before[TOTAL].abs().max()) > 1e-3
    for part, force in before.items():
        torch.testing.assert_close(force @ turn, after[part])
    torch.testing.assert_close(summed(before), before[TOTAL])


@pytest.mark.parametrize("name", ["simclr", "supcon", "moco", "kcl", "tsc", "bcl", "ce", "logit_adjust", "reweight"])
def test_a_method_imagined_on_its_own_state_is_itself(name: str) -> None:
    settings = {"order": "official"} if name in ("kcl", "tsc") else {}
    made = train(make(name, **settings), *range(1, 6))
    batch = make_batch(6)
    own = act(made, batch)
    given: list[Tensor] = []
    with rehearsal(made) as double, torch.no_grad():
        double.head.register_forward_hook(lambda head, inputs, h: given.append(h))
        step = double.losses(batch)
    z = F.normalize(given[0], dim=1).view(-1, BATCH, DIM).transpose(0, 1)
    queue, queue_y = z[:, 0], batch.y
    if isinstance(step, QueuedStep):
        _, key, queue, _, queue_y = step.queries
        z = torch.stack([z[:, 0], key], dim=1)
    landmarks = {key: points.detach() for key, points in made.landmarks().items()}
    means = landmarks.get("prototypes", landmarks.get("classifier", torch.zeros(4, DIM, dtype=torch.float64)))
    scene = replace(make_scene(), z=z, y=batch.y, queue=queue, queue_y=queue_y, means=means)
    if name == "tsc":
        vars(scene)["targets"] = landmarks["targets"][made.target_index()]
    told = imagine(type(made), scene, made.settings)
    for part, force in own.items():
        torch.testing.assert_close(told[part], force, rtol=1e-4, atol=1e-6)


def test_stand_in_targets_lie_as_near_as_a_simplex_can() -> None:
    turn = torch.linalg.qr(torch.randn(DIM, DIM, generator=torch.Generator().manual_seed(4), dtype=torch.float64))[0]
    centres = make_scene().targets @ turn
    placed = torch.from_numpy(place_targets(centres[[2, 0, 3, 1]].numpy()))
    torch.testing.assert_close(placed, centres[[2, 0, 3, 1]])


# ---------------------------------------------------------------------- where a split is not to be had


class Plain(Method):
    """A stranger's method that meets the sphere otherwise than through similarities."""

    card = Card(
        name="plain", title="Plain", year=2026, idea="", formula="", look_for="", sphere="", paper="", code=None
    )
    Settings = Settings

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        return {"pull": -self.embed(batch.view(0))[:, 0].mean()}


class Own(Plain):
    """A stranger's method made of losses that others published."""

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        z = torch.stack([self.embed(batch.view(0)), self.embed(batch.view(1))], dim=1)
        keys, keys_y = z.detach().flatten(0, 1), batch.y.repeat_interleave(2)
        return {
            "contrast": losses.supcon(z, batch.y, temperature=0.2, average="class"),
            "mixture": losses.gml(z[:, 0], batch.y, keys, keys_y, self.counts, temperature=0.1),
            "views": losses.info_nce(z, temperature=0.5),
        }


class Mixed(Own):
    """With a term of its own beside them."""

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        return {**super().losses(batch), **Plain.losses(self, batch)}


class Blind(Plain):
    """It keeps a queue, and does not say of which classes its keys are."""

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        queue = F.normalize(torch.randn(30, DIM, generator=torch.Generator().manual_seed(1)), dim=1).double()
        z = self.embed(batch.view(0))
        return {"contrast": losses.moco(z, z.detach(), queue, temperature=0.2)}


class Headless(Plain):
    def losses(self, batch: Batch) -> dict[str, Tensor]:
        return {"pull": self.encoder(batch.view(0)).square().mean()}


def make_plain(kind: type[Method]) -> Method:
    setup = make("ce").setup_
    return kind(Settings(), setup).double()


def test_a_new_method_has_split_forces_for_nothing() -> None:
    made = make_plain(Own)
    parts = act(made, make_batch(6, torch.arange(BATCH) % 4))
    assert parts.keys() == {TOTAL, "positives", "head", "medium", "tail", "prior"}
    torch.testing.assert_close(summed(parts), parts[TOTAL], rtol=1e-9, atol=1e-11)
    assert all(float(part.abs().max()) > 1e-3 for part in parts.values())


def test_a_loss_that_is_no_similarity_leaves_a_total_alone() -> None:
    parts = act(make_plain(Plain), make_batch(1))
    assert parts.keys() == act(make_plain(Mixed), make_batch(1)).keys() == {TOTAL}
    z = unit_rows(made := make_plain(Plain), 1)
    east = torch.tensor([1.0, 0, 0], dtype=torch.float64)
    wanted = east - z[:, :1] * z  # the tangent part of a pull of 1 to the east, on every sample
    batch = make_batch(1)
    for c in batch.y.unique().tolist():
        torch.testing.assert_close(act(made, batch)[TOTAL][c], wanted[batch.y == c].mean(0))


def test_partners_of_no_known_class_leave_a_total_alone() -> None:
    assert act(make_plain(Blind), make_batch(1)).keys() == {TOTAL}


def test_a_loss_that_never_sees_the_sphere_exerts_no_force() -> None:
    assert act(make_plain(Headless), make_batch(1)) == {}


@pytest.mark.parametrize("name", ["supcon", "kcl", "ce"])
def test_a_batch_that_is_too_large_has_a_total_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = train(make(name), 1, 2)
    whole = act(made, make_batch(3))
    monkeypatch.setattr(similarities_module, "LARGEST", 30)
    assert act(made, make_batch(3)).keys() == {TOTAL}
    torch.testing.assert_close(act(made, make_batch(3))[TOTAL], whole[TOTAL])
    with pytest.raises(similarities_module.TooManyWeights, match="at most 30, but here are"):
        imagine(method(name), make_scene())


def test_a_rehearsal_leaves_no_trace_of_losses_nor_of_a_fault() -> None:
    made = train(make("kcl"), 1, 2)
    before = copy.deepcopy(made.state_dict())
    rng_state, chance = torch.get_rng_state(), made.setup_.generator.get_state()
    with pytest.raises(KeyError, match="midway"), rehearsal(made) as double:
        double.losses(make_batch(3))
        double.queue.push(torch.ones(2, DIM), torch.tensor([0, 1]))
        torch.rand(3)
        double.surprise = 1
        raise KeyError("midway")
    assert not hasattr(made, "surprise") and torch.equal(made.setup_.generator.get_state(), chance)
    assert torch.equal(torch.get_rng_state(), rng_state)
    for name, value in made.state_dict().items():
        assert torch.equal(value, before[name]), name


if __name__ == "__main__":
    keep_golden()
