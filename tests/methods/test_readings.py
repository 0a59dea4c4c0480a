"""What methods say of themselves beside their points: readings, pairs and memories, against slow counting."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ltviz.geometry import sample_von_mises_fisher
from ltviz.methods.base import MOST_POINTS, Batch, Setup, Step
from ltviz.methods.parts.boundary import along, borders, boundary_shift, half_angles
from ltviz.methods.parts.class_queue import ClassQueue
from ltviz.methods.parts.memory import read_queue, thin
from ltviz.methods.parts.queue import KeyQueue, QueuedStep
from ltviz.methods.parts.running_mean import SLOWEST, RunningMean
from ltviz.methods.registry import method

COUNTS = torch.tensor([40.0, 20.0, 10.0, 4.0])


def make(name: str, counts: Tensor = COUNTS, dim: int = 3, **settings):
    torch.manual_seed(0)
    setup = Setup(
        encoder=nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU()),
        head=nn.Linear(8, dim),
        feature_dim=8,
        dim=dim,
        counts=counts,
        total_steps=10,
        generator=torch.Generator().manual_seed(0),
    )
    kind = method(name)
    return kind(kind.Settings(**settings), setup)


def batch_of(step: int, y: list[int]) -> Batch:
    x = torch.randn(9, len(y), 1, 4, 4, generator=torch.Generator().manual_seed(step))
    return Batch(step, torch.arange(len(y)), torch.tensor(y), lambda view: x[view])


def take_step(made, number: int, y: list[int]) -> None:
    batch = batch_of(number, y)
    made.after_step(Step.of(made.losses(batch), batch))


# ---------------------------------------------------------------- running means


def test_a_running_mean_is_the_mean_of_the_first_steps_and_fades_later():
    mean = RunningMean(2)
    assert mean.read().isnan().all()
    for value in (3.0, 5.0, 10.0):
        mean.take(torch.tensor([value - 1, value + 1]), torch.tensor([1, 1]))
    assert mean.read()[0].isnan() and float(mean.read()[1]) == pytest.approx(6.0)
    for _ in range(100):
        mean.take(torch.tensor([6.0]), torch.tensor([1]))
    mean.take(torch.tensor([16.0]), torch.tensor([1]))
    assert float(mean.read()[1]) == pytest.approx(6 + 10 * SLOWEST)


def test_supcon_counts_the_other_views_of_the_class():
    made = make("supcon")
    take_step(made, 1, [0, 0, 0, 1])
    found = made.read()["positives"]
    assert found[:2].tolist() == [5, 1] and found[2:].isnan().all()
    take_step(made, 2, [0, 2, 2, 2])
    assert made.read()["positives"][:3].tolist() == [3, 1, 5]


def test_kcl_counts_what_it_drew_from_the_queue():
    made = make("kcl", k=2)
    take_step(made, 1, [0, 0, 0, 1])
    assert made.read()["positives_found"][:2].tolist() == [0, 0], "the queue was empty"
    take_step(made, 2, [0, 1, 1, 2])
    assert made.read()["positives_found"][:3].tolist() == [1, 0.5, 0]
    assert made.read()["queue_length"].tolist() == [4, 3, 1, 0]


def test_paco_tells_how_much_the_centre_pulls():
    made = make("paco", alpha=0.5)
    take_step(made, 1, [0, 0, 1])
    # two samples: the other query and both keys; one: its own key alone
    assert made.read()["centre_share"][:2].tolist() == pytest.approx([1 / 2.5, 1 / 1.5])
    take_step(made, 2, [1])
    assert float(made.read()["centre_share"][1]) == pytest.approx((1 / 1.5 + 1 / 2) / 2), "one key waits in the queue"


@pytest.mark.parametrize("name", ["supcon", "moco", "kcl", "tsc", "paco"])
def test_a_step_that_is_refused_leaves_no_trace(name):
    made = make(name)
    take_step(made, 1, [0, 0, 1, 2])
    before = {key: value.clone() for key, value in made.state_dict().items()}
    made.losses(batch_of(2, [0, 1, 1, 1]))
    assert all(torch.equal(value, before[key]) for key, value in made.state_dict().items())


def test_tsc_counts_changes_of_target_and_not_the_first_matching():
    made = make("tsc")
    targets, labels = made.targets, torch.arange(4)

    def remember(order: list[int]) -> None:
        queries = made.queries(targets[order], targets, labels)
        made.remember(QueuedStep({}, batch_of(1, [0, 1, 2, 3]), queries))

    remember([1, 0, 2, 3])
    assert made.matched.tolist() == [1, 0, 2, 3] and made.read()["swaps"].tolist() == [0, 0, 0, 0]
    for _ in range(30):
        remember([1, 2, 0, 3])
    assert made.matched.tolist() == [1, 2, 0, 3] and made.read()["swaps"].tolist() == [0, 1, 1, 0]


# ---------------------------------------------------------------- memories


def test_the_key_queue_knows_when_each_key_came():
    queue = KeyQueue(5, 2)
    for step in range(1, 5):
        queue.push(torch.full((2, 2), float(step)), torch.tensor([step, step]))
    assert torch.equal(queue.ages, 4 - queue.labels), "labels are the steps here"
    assert sorted(queue.ages.tolist()) == [0, 0, 1, 1, 2]


def test_the_class_queue_knows_when_each_feature_came():
    queue = ClassQueue([3, 2], 1)
    for step, y in enumerate(([0, 0, 1], [0, 0], [1]), start=1):
        queue.push(torch.full((len(y), 1), float(step)), torch.tensor(y), torch.arange(len(y)))
    features, labels, _ = queue.contents()
    assert torch.equal(queue.ages, 3 - features[:, 0].long())
    found = read_queue(labels, queue.ages, 3)
    assert found["queue_length"].tolist() == [3, 2, 0]
    assert found["queue_age"][:2].tolist() == pytest.approx([(1 + 1 + 2) / 3, 1.0]) and found["queue_age"][2].isnan()


def test_a_large_memory_is_thinned_evenly_over_age():
    ages = torch.randperm(1000, generator=torch.Generator().manual_seed(0)) // 10
    y = torch.randint(4, (1000,), generator=torch.Generator().manual_seed(1))
    kept = thin(y, ages)
    assert len(kept) == len(kept.unique()) == MOST_POINTS
    by_age = torch.bincount(ages[kept], minlength=100)
    assert by_age.min() >= 2 and by_age.max() <= 3
    assert sorted(thin(y[:MOST_POINTS], ages[:MOST_POINTS]).tolist()) == list(range(MOST_POINTS))


def test_gml_shows_its_keys_through_the_key_head():
    made = make("gml", teacher="none")
    take_step(made, 1, [0, 1, 1, 2])
    with torch.no_grad():
        shown, temperature = made.show(batch_of(1, [0]))["queue"], made.read()["temperature"]
        stored, y, _ = made.queue.contents()
        torch.testing.assert_close(shown.places, F.normalize(made.key_head(stored), dim=1))
    assert torch.equal(shown.y, y) and float(temperature) == pytest.approx(0.1)


# ---------------------------------------------------------------- pairs


@torch.no_grad()
def test_pairs_are_what_their_names_say():
    batch = batch_of(3, [0, 1, 2, 3])
    simclr, moco, clip = make("simclr"), make("moco"), make("clip")
    views = simclr.show(batch)["views"]
    torch.testing.assert_close(views.a, simclr.embed(batch.view(0)))
    torch.testing.assert_close(views.b, simclr.embed(batch.view(1)))
    for p in moco.key_encoder.parameters():
        p += 0.1
    keys = moco.show(batch)["views"]
    torch.testing.assert_close(keys.b, moco.key(batch.view(1)))
    assert not torch.allclose(keys.b, moco.embed(batch.view(1)))
    told = clip.show(batch)["captions"]
    words = clip.captions.describe(batch.view(0), batch.y)
    torch.testing.assert_close(told.b, clip.embed_captions(words))
    assert all(torch.equal(pairs.y, batch.y) for pairs in (views, keys, told))


@torch.no_grad()
def test_the_branches_of_ltml_start_together_and_share_the_head():
    made, batch = make("ltml"), batch_of(3, [0, 1, 2, 3])
    pairs = made.show(batch)["branches"]
    torch.testing.assert_close(pairs.a, pairs.b)
    made.rebalanced.hidden[0].weight += 0.3
    pairs = made.show(batch)["branches"]
    torch.testing.assert_close(pairs.a, made.embed(batch.view(0)))
    assert not torch.allclose(pairs.a, pairs.b)
    assert made.show(batch).keys() == {"branches"} and not made.readings


# ---------------------------------------------------------------- densities


def test_proco_caps_hold_their_share_of_the_density():
    made = make("proco", dim=5)
    take_step(made, 1, [0] * 12 + [1] * 9 + [2] * 3)
    found = made.read()
    shown = made.show(batch_of(1, [0]))["means_cap"]
    torch.testing.assert_close(shown.angle, found["means_cap"], equal_nan=True)
    assert torch.equal(shown.places, made.landmarks()["means"]) and shown.y.tolist() == [0, 1, 2, 3]
    assert found["means_cap"][3].isnan() and found["kappa"][3].isnan(), "no image of it has been seen"
    for c in range(3):
        kappa, cap = float(found["kappa"][c]), float(found["means_cap"][c])
        mean = made.landmarks()["means"][c].numpy()
        cosines = sample_von_mises_fisher(mean, kappa, 20_000, seed=c) @ mean
        assert float((cosines >= math.cos(math.radians(cap))).mean()) == pytest.approx(0.95, abs=0.006)


# ---------------------------------------------------------------- boundaries


def adjusted(counts: Tensor = COUNTS, dim: int = 3, **settings):
    made = make("logit_adjust", counts=counts, dim=dim, **settings)
    with torch.no_grad():
        made.display.weight.copy_(torch.randn(len(counts), dim, generator=torch.Generator().manual_seed(4)))
    return made


@torch.no_grad()
@pytest.mark.parametrize("adjust", ["training", "post-hoc"])
@pytest.mark.parametrize("dim", [2, 3, 8])
def test_both_classes_are_equal_at_both_ends_of_a_boundarys_way(adjust, dim):
    made = adjusted(dim=dim, adjust=adjust, tau=0.5)
    pairs, half, shift = made.boundaries()
    rarest = pairs[:, 1].argsort(descending=True, stable=True)
    links = made.show(batch_of(1, [0]))["boundary"]
    assert torch.equal(links.y, pairs[rarest, 1])
    prior = 0.5 * (COUNTS / COUNTS.sum()).log() * (1 if adjust == "training" else -1)
    w, s = made.display.directions(), made.display.scale
    inside = 0
    for k, (first, second) in enumerate(pairs[rarest].tolist()):
        plain = s * w @ links.a[k]
        assert float(plain[first] - plain[second]) == pytest.approx(0, abs=1e-4)
        moved = s * w @ links.b[k] + prior
        if abs(float(shift[rarest[k]])) < float(half[rarest[k]]) - 1e-4:
            inside += 1
            assert float(moved[first] - moved[second]) == pytest.approx(0, abs=1e-4)
        else:
            end = first if torch.allclose(links.b[k], w[first], atol=1e-3) else second
            assert torch.allclose(links.b[k], w[end], atol=1e-3)
            assert moved[end] <= moved[first + second - end] + 1e-3, "the favoured class has the whole arc"
    assert inside > 0


@torch.no_grad()
def test_the_reading_is_the_mean_over_a_classs_borders_and_its_sign_says_who_gets_room():
    during, after = (adjusted(adjust=adjust, tau=0.5) for adjust in ("training", "post-hoc"))
    pairs, _, shift = during.boundaries()
    lost = during.read()["boundary_shift"]
    for c in range(4):
        ways = zip(pairs.tolist(), shift.tolist(), strict=True)
        own = [-way if first == c else way for (first, second), way in ways if c in (first, second)]
        assert float(lost[c]) == pytest.approx(math.degrees(sum(own) / len(own)), abs=1e-4)
    assert lost[3] < 0 < lost[0], "while training the rarest class has less room, the largest more"
    torch.testing.assert_close(after.read()["boundary_shift"], -lost)
    torch.testing.assert_close(adjusted(tau=0.0).read()["boundary_shift"], torch.zeros(4))


@torch.no_grad()
def test_of_many_classes_the_rarest_ones_boundaries_are_shown():
    made = adjusted(counts=torch.arange(100.0, 0, -1), dim=8)
    shown = made.show(batch_of(1, [0]))["boundary"].y
    assert len(shown) == 60 and int(shown.min()) >= int(borders(made.display.directions())[:, 1].sort().values[-60])
    assert made.read()["boundary_shift"].isfinite().all()


def test_a_boundary_between_equal_or_opposite_directions_is_finite():
    a = torch.tensor([[0.0, 0.0, 1.0]] * 3)
    b = torch.stack([a[0], -a[0], torch.tensor([0.0, 1.0, 0.0])])
    half = half_angles(a, b)
    torch.testing.assert_close(half, torch.tensor([0.0, math.pi / 2, math.pi / 4]))
    for advantage in (-9.0, 0.0, 0.3, 9.0):
        shift = boundary_shift(half, torch.full((3,), advantage))
        assert (shift.abs() <= half + 1e-6).all() and shift.isfinite().all()
        points = along(a, b, half - shift)
        torch.testing.assert_close(points.norm(dim=1), torch.ones(3))
        assert (points[2] @ a[2] - points[2] @ b[2] - max(-1.0, min(1.0, advantage))).abs() < 1e-5
    torch.testing.assert_close(boundary_shift(half, torch.tensor([9.0, 9.0, 9.0])), half)


def test_every_class_has_borders_with_its_nearest_and_no_border_is_there_twice():
    w = F.normalize(torch.randn(10, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    found = [tuple(pair) for pair in borders(w).tolist()]
    assert len(found) == len(set(found)) and all(first < second for first, second in found)
    for c in range(10):
        nearest = (w @ w[c]).argsort(descending=True)[1:4].tolist()
        assert all((min(c, other), max(c, other)) in found for other in nearest)
    assert borders(w[:2]).tolist() == [[0, 1]] and len(borders(w[:1])) == 0
