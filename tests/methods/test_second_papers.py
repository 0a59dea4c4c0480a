"""What is particular to a paper of the second set: corners, margins, densities, subclasses, surrogate targets."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ltviz import encoders, losses
from ltviz.methods.base import Batch, Setup, Step
from ltviz.methods.parts.forces import act
from ltviz.methods.registry import method
from ltviz.methods.sbcl import class_warmth, part_by_cosine

COUNTS = torch.tensor([40.0, 20.0, 10.0, 4.0])


def make(name: str, total_steps: int = 10, dim: int = 3, **settings):
    torch.manual_seed(0)
    setup = Setup(
        encoder=nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.BatchNorm1d(8), nn.ReLU()),
        head=nn.Linear(8, dim),
        feature_dim=8,
        dim=dim,
        counts=COUNTS,
        total_steps=total_steps,
        generator=torch.Generator().manual_seed(0),
    )
    kind = method(name)
    return kind(kind.Settings(**settings), setup)


def batch_of(step: int, size: int = 16) -> Batch:
    generator = torch.Generator().manual_seed(step)
    y = torch.randint(4, (size,), generator=generator)
    x = torch.randn(9, size, 1, 4, 4, generator=generator) + y[:, None, None, None]
    return Batch(step, torch.arange(size), y, lambda view: x[view])


def step(made, number: int) -> Step:
    found = Step.of(made.losses(batch_of(number)), batch_of(number))
    made.weigh(found).backward()
    made.after_step(found)
    return found


# ---------------------------------------------------------------------- ETF


def test_corners_pull_and_nothing_pushes():
    forces = act(make("etf"), batch_of(1))
    assert {name for name, force in forces.items() if force.any()} == {"total", "targets"}


def test_random_corners_stay_and_matched_ones_follow_the_centres():
    drawn, matched = make("etf"), make("etf", assignment="matched")
    before = drawn.matched.clone()
    for number in range(1, 6):
        step(drawn, number), step(matched, number)
    assert torch.equal(drawn.matched, before) and not drawn.centres.any()
    own = F.cosine_similarity(matched.centres, matched.corners).sum()
    for order in (torch.roll(torch.arange(4), n) for n in range(1, 4)):
        assert own >= F.cosine_similarity(matched.centres, matched.corners[order]).sum() - 1e-6


def test_class_averaging_is_what_the_official_lengths_come_to():
    made, batch = make("etf"), batch_of(2)
    made.eval()
    with torch.no_grad():
        z = made.embed(batch.view(0))
        value = made.losses(batch)["regression"]
    cosines = (z * made.corners[batch.y]).sum(1)
    means = torch.stack([((cosines - 1) ** 2 / 2)[batch.y == c].mean() for c in batch.y.unique()])
    torch.testing.assert_close(value, means.mean())


# ---------------------------------------------------------------------- LDAM


def test_the_weights_come_late_and_are_read():
    made = make("ldam", reweight_from=0.5)
    for number in range(1, 6):
        step(made, number)
    assert (made.read()["class_weight"] == 1).all()
    batch = batch_of(6)
    made.eval()
    late = made.losses(batch)["classification"]
    logits = made.classifier(made.encoder(batch.view(0))) / made.settings.scale
    options = {"max_margin": 0.5, "scale": made.settings.scale}
    weighed = losses.ldam(logits, batch.y, COUNTS, class_weights=made.weights(), **options)
    torch.testing.assert_close(late, weighed)
    assert late != losses.ldam(logits, batch.y, COUNTS, **options)
    step(made, 6)
    weights = made.read()["class_weight"]
    assert (weights.diff() > 0).all() and float(weights.mean()) == pytest.approx(1)


def test_margins_grow_for_the_tail():
    caps = make("ldam").read()["margin_cap"]
    assert (caps.diff() > 0).all() and float(caps[-1]) == pytest.approx(60), "cos 60 = 1 - 0.5"


# ---------------------------------------------------------------------- NTCE, vMF, SupCon


def test_the_floor_of_ntce_is_the_log_of_the_class_in_the_batch():
    y = torch.tensor([0, 0, 0, 1])
    values = losses.ntce(torch.eye(3)[y], y, torch.eye(3), temperature=0.01, reduction="none")
    torch.testing.assert_close(values, torch.tensor([3.0, 3, 3, 1]).log())


def test_the_overlap_fades_and_predictions_leave_the_prior_out():
    made = make("vmf")
    made.eval()
    first, last = (made.losses(batch_of(number))["overlap"] for number in (1, 10))
    assert first > 0 and last == 0
    with torch.no_grad():
        features = made.encoder(batch_of(1).view(0))
        z, logits = made.project(features), made.classify(features)
    y, alike = torch.zeros(16, dtype=torch.int64), torch.ones(4)
    plain = losses.vmf(z, y, made.means.directions(), made.kappa, alike)
    torch.testing.assert_close(F.cross_entropy(logits, y), plain)


def test_mix_is_between_supcon_and_simclr():
    batch, found = batch_of(1), {}
    for mix in (0.0, 0.3, 1.0):
        found[mix] = make("supcon", mix=mix).losses(batch)["contrast"]
    torch.testing.assert_close(found[0.3], 0.3 * found[1.0] + 0.7 * found[0.0])
    simclr = make("simclr", temperature=0.1).losses(batch)["contrast"]
    torch.testing.assert_close(found[0.0], simclr)


# ---------------------------------------------------------------------- SBCL


def test_head_classes_are_parted_and_rare_ones_are_not():
    made = make("sbcl", smallest=4, warmup=0.3, recluster=0.2)
    assert made.parts == [10, 5, 2, 1]
    before = step(made, 1)["contrast"]
    torch.testing.assert_close(before, made.contrast(*_views(made, 1), made.settings), rtol=1e-3, atol=1e-3)
    assert not made.show(batch_of(1))["subcentres"].y.numel()
    for number in range(2, 8):
        step(made, number)
    shown = made.show(batch_of(1))["subcentres"]
    assert int(made.clustered) == 7 and (shown.age == 0).all() and len(shown.y) > 4
    assert int((shown.y == 3).sum()) == 1


def _views(made, number: int) -> tuple[torch.Tensor, torch.Tensor]:
    batch = batch_of(number)
    with torch.no_grad():
        z = made.project(made.encoder(batch.views(0, 1))).view(2, 16, -1).transpose(0, 1)
    return z, batch.y


def test_cosine_k_means_finds_the_clumps():
    generator = torch.Generator().manual_seed(0)
    rows = torch.eye(3).double().repeat_interleave(10, 0) + 0.05 * torch.randn(30, 3, generator=generator)
    best = max(
        (part_by_cosine(rows, 3, torch.Generator().manual_seed(seed)) for seed in range(5)),
        key=lambda found: len(found[0].unique()) - float((1 - (rows @ found[1].T).amax(1)).sum()),
    )
    assert all(len(best[0][start : start + 10].unique()) == 1 for start in (0, 10, 20))
    found, middles = part_by_cosine(rows[:2], 5, generator)
    assert len(middles) == 2 and len(found) == 2


def test_class_temperatures_follow_the_width_between_its_fifths():
    widths = torch.tensor([1.0, 2.0, 3.0, 4.0, torch.nan])
    found = class_warmth(widths, torch.tensor([3, 3, 3, 1, 3]))
    torch.testing.assert_close(found, torch.tensor([1.6 / 2.5, 2 / 2.5, 3 / 2.5, 1.0, 1.0]))
    assert (class_warmth(torch.full((3,), torch.nan), torch.ones(3)) == 1).all()


# ---------------------------------------------------------------------- Geometric Harmonization, ReLU head


def test_harmonization_comes_in_after_the_warm_up_and_moves_the_shares():
    made = make("geometric_harmonization", warmup=0.2, ramp=0.2)
    assert "harmonization" not in made.losses(batch_of(2))
    made.eval()
    with torch.no_grad():
        half, full = (made.losses(batch_of(number))["harmonization"] for number in (3, 4))
    assert 0 < float(half) < 0.8 * float(full)
    step(made, 5)
    assert float(made.shares.sum()) == pytest.approx(1) and float(made.read()["room"]) > 1


def test_a_head_with_relu_keeps_embeddings_in_one_octant_with_a_direction():
    head = encoders.build_head(8, 3, "relu")
    rows = torch.randn(200, 8, generator=torch.Generator().manual_seed(0))
    rows = torch.cat([rows, torch.zeros(1, 8)])
    with torch.no_grad():
        head[2].bias.fill_(-0.3)
        z = F.normalize(head(rows), dim=1)
    assert (z >= 0).all() and z.isfinite().all()
    torch.testing.assert_close(z.norm(dim=1), torch.ones(201))


def test_theory_is_said_where_it_is_known_alone():
    counts = COUNTS.double().numpy()
    assert make("etf").theory(counts) is not None and make("etf", dim=2).theory(counts) is None
    assert make("supcon").theory(counts) is not None and make("supcon", mix=0.5).theory(counts) is None
    assert all(make(name).theory(counts) is None for name in ("sbcl", "ldam", "ntce"))
