"""What is particular to a paper: who is trained by what, warm-up, matching, prototypes, the prior."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ltviz import geometry
from ltviz.errors import DataError
from ltviz.methods.base import Batch, Setup, Step
from ltviz.methods.parts.queue import QueuedStep
from ltviz.methods.registry import method

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
    x = torch.randn(9, size, 1, 4, 4, generator=generator)
    return Batch(step, torch.arange(size), y, lambda view: x[view])


def step(made, number: int) -> Step:
    found = Step.of(made.losses(batch_of(number)), batch_of(number))
    made.weigh(found).backward()
    made.after_step(found)
    return found


def drawn_for(made, y: torch.Tensor) -> torch.Tensor:
    """Positives in the queue for queries with labels (B,)."""
    nowhere = torch.zeros(len(y), 3)
    return made.draw(made.queries(nowhere, nowhere, y), made.settings, made.setup_.generator)


def gradient_reaches(term: torch.Tensor, module: nn.Module) -> bool:
    trained = [weights for weights in module.parameters() if weights.requires_grad]
    found = torch.autograd.grad(term, trained, retain_graph=True, allow_unused=True)
    return any(g is not None and bool(g.abs().sum() > 0) for g in found)


@pytest.mark.parametrize("name", ["ce", "logit_adjust"])
def test_the_sphere_of_a_classifier_is_a_read_out(name):
    made = make(name)
    terms = made.losses(batch_of(1))
    assert gradient_reaches(terms["classification"], made.encoder)
    assert not gradient_reaches(terms["classification"], made.head)
    assert gradient_reaches(terms["display"], made.head) and gradient_reaches(terms["display"], made.display)
    assert not gradient_reaches(terms["display"], made.encoder)
    assert "read-out" in made.card.sphere.lower()


@pytest.mark.parametrize("name", ["supcon", "moco", "kcl", "tsc"])
def test_the_probe_never_steers_the_encoder(name):
    made = make(name)
    step(made, 1)
    terms = made.losses(batch_of(2))
    assert not gradient_reaches(terms["probe"], made.encoder)
    assert gradient_reaches(terms["probe"], made.probe)
    assert gradient_reaches(terms["contrast"], made.encoder) and gradient_reaches(terms["contrast"], made.head)


def test_post_hoc_adjustment_trains_like_ce_and_shifts_the_logits():
    plain, adjusted = make("ce"), make("logit_adjust", adjust="post-hoc", tau=0.5)
    x = batch_of(1).view(0)
    torch.testing.assert_close(adjusted.losses(batch_of(1)), plain.losses(batch_of(1)))
    plain.eval(), adjusted.eval()
    shift = 0.5 * (COUNTS / COUNTS.sum()).log()
    torch.testing.assert_close(adjusted.predict(x), plain.predict(x) - shift)
    torch.testing.assert_close(adjusted.linear_classifier().bias, plain.linear_classifier().bias - shift)
    torch.testing.assert_close(make("logit_adjust", tau=0.5).prior_shift(shift), shift)


def test_bcl_prototypes_come_from_the_classifier_and_pull_on_it():
    made = make("bcl")
    term = made.losses(batch_of(1))["contrast"]
    assert gradient_reaches(term, made.classifier) and gradient_reaches(term, made.branch)
    before = made.prototypes()
    with torch.no_grad():
        made.classifier.weight *= torch.tensor([1.0, 2.0, 3.0, 4.0])[:, None]
    assert not torch.allclose(made.prototypes(), before), "the branch sees the weights before they are normalised"
    free = make("bcl", prototypes="free")
    assert not gradient_reaches(free.losses(batch_of(1))["contrast"], free.classifier)
    torch.testing.assert_close(free.landmarks()["prototypes"], F.normalize(free.free, dim=1))


def test_bcl_weighs_its_branches():
    made = make("bcl", classification_weight=2.0, contrast_weight=0.25)
    terms = made.losses(batch_of(1))
    torch.testing.assert_close(made.weigh(terms), 2 * terms["classification"] + 0.25 * terms["contrast"])


def test_moco_queue_takes_keys_after_the_step():
    made = make("moco", queue_size=20)
    made.losses(batch_of(1))
    assert len(made.queue) == 0
    step(made, 1)
    assert len(made.queue) == 16
    torch.testing.assert_close(made.queue.labels, batch_of(1).y)
    step(made, 2)
    assert len(made.queue) == 20


def test_kcl_draws_at_most_k_positives():
    made = make("kcl", k=2)
    for number in (1, 2):
        step(made, number)
    positives = drawn_for(made, batch_of(3).y)
    assert positives.shape == (16, 32)
    available = (batch_of(3).y[:, None] == made.queue.labels).sum(1)
    assert torch.equal(positives.sum(1), available.clamp_max(2))


def test_kcl_takes_the_same_slots_for_all_queries_of_a_class_in_the_official_order():
    made = make("kcl", k=2, order="official")
    for number in (1, 2):
        step(made, number)
    y = batch_of(3).y
    positives = drawn_for(made, y)
    assert torch.equal(positives, drawn_for(made, y))
    available = (y[:, None] == made.queue.labels).sum(1)
    assert torch.equal(positives.sum(1), available.clamp_max(2))
    for c in y.unique():
        assert len(positives[y == c].unique(dim=0)) == 1
    drawn = make("kcl", k=2)
    for number in (1, 2):
        step(drawn, number)
    assert len(drawn_for(drawn, y[:1].repeat(50)).unique(dim=0)) > 1, "drawn at random they differ"


def test_tsc_is_kcl_until_the_targets_come():
    kcl, tsc = make("kcl"), make("tsc", warmup=0.5)
    for number in range(1, 6):
        expected, found = step(kcl, number), step(tsc, number)
        assert found.keys() == expected.keys()
        torch.testing.assert_close(found["contrast"], expected["contrast"])
    assert "target" in tsc.losses(batch_of(6))
    assert "target" not in make("tsc", warmup=1.0).losses(batch_of(10))


def test_tsc_terms_add_up_to_the_published_loss():
    from ltviz import losses

    for normalize in ("code", "paper"):
        made = make("tsc", warmup=0.0, target_weight=0.7, normalize=normalize)
        for number in (1, 2):
            step(made, number)
        batch = batch_of(3)
        query, key = made.embed(batch.view(0)), made.key(batch.view(1))
        chance = made.setup_.generator.get_state()
        terms = made.contrast(made.queries(query, key, batch.y), batch)
        made.setup_.generator.set_state(chance)
        expected = losses.tsc(
            query,
            key,
            made.queue.keys,
            batch.y,
            made.queue.labels,
            made.targets[made.matched],
            temperature=0.1,
            target_weight=0.7,
            normalize=normalize,
            generator=made.setup_.generator,
        )
        torch.testing.assert_close(made.weigh(terms), expected)


@pytest.mark.parametrize("dim", [3, 5])
def test_tsc_targets_are_the_best_and_matched_to_the_centres(dim):
    made = make("tsc", dim=dim)
    expected = geometry.optimal_targets(4, dim, seed=0)
    np.testing.assert_allclose(made.landmarks()["targets"].numpy(), expected, atol=1e-6)
    for number in range(1, 4):
        step(made, number)
    np.testing.assert_array_equal(
        made.target_index().numpy(), geometry.match_targets(made.centres.numpy(), made.targets.numpy())
    )


def test_tsc_centres_run_during_the_warm_up_and_skip_absent_classes():
    made = make("tsc")
    query = F.normalize(torch.randn(4, 3, generator=torch.Generator().manual_seed(1)), dim=1)
    y = torch.tensor([1, 1, 2, 2])
    made.remember(QueuedStep({}, batch_of(1), made.queries(query, query, y)))
    first = F.normalize(torch.stack([query[:2].sum(0), query[2:].sum(0)]), dim=1)
    torch.testing.assert_close(made.centres[1:3], first)
    assert (made.centres[[0, 3]] == 0).all()
    other = -query.roll(2, 0)
    made.remember(QueuedStep({}, batch_of(2), made.queries(other, other, y)))
    second = F.normalize(torch.stack([other[:2].sum(0), other[2:].sum(0)]), dim=1)
    torch.testing.assert_close(made.centres[1:3], F.normalize(0.9 * first + 0.1 * second, dim=1))


def test_tsc_brings_the_class_means_to_their_targets():
    """Separable data with imbalance 10: every class ends within 18 degrees of the target it is matched with."""
    made = make("tsc", total_steps=200, warmup=0.2, queue_size=64)
    pattern = torch.randn(4, 1, 4, 4, generator=torch.Generator().manual_seed(3))
    optimizer = torch.optim.AdamW([p for p in made.parameters() if p.requires_grad], lr=1e-2)
    generator = torch.Generator().manual_seed(0)
    for number in range(1, 201):
        y = torch.multinomial(COUNTS, 32, replacement=True, generator=generator)
        noise = 0.1 * torch.randn(2, 32, 1, 4, 4, generator=generator)
        batch = Batch(number, y, y, lambda view, y=y, noise=noise: pattern[y] + noise[view])
        terms = made.losses(batch)
        optimizer.zero_grad()
        made.weigh(terms).backward()
        optimizer.step()
        made.after_step(terms)
    made.eval()
    with torch.no_grad():
        means = made.embed(pattern)
    cosine = (means * made.targets[made.target_index()]).sum(1)
    assert (cosine > 0.95).all(), cosine


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"weighting": "inverse"}, 1 / COUNTS),
        ({"weighting": "square-root"}, COUNTS**-0.5),
        ({"weighting": "effective", "beta": 0.9}, 0.1 / (1 - 0.9**COUNTS)),
        ({"weighting": "effective", "beta": 0.0}, torch.ones(4)),
    ],
)
def test_reweight_weighs_classes(options, expected):
    made, batch = make("reweight", **options), batch_of(1)
    logits = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))
    each = F.cross_entropy(logits, batch.y, reduction="none")
    weight = expected[batch.y]
    found = made.compare(logits, batch.y, made.counts, made.settings)
    torch.testing.assert_close(found, (each * weight).sum() / weight.sum())


def test_gml_takes_keys_from_a_frozen_teacher():
    teacher = make("logit_adjust")
    setup = replace(make("gml").setup_, teacher=teacher)
    made = method("gml")(method("gml").Settings(), setup).train()
    assert made.key_encoder is None and not made.teacher.training
    batch = batch_of(1)
    before = {name: value.clone() for name, value in made.teacher.state_dict().items()}
    optimizer = torch.optim.AdamW([p for p in made.parameters() if p.requires_grad], lr=0.01)
    terms = Step.of(made.losses(batch), batch)
    assert float(terms["distillation"].detach()) > 0
    made.weigh(terms).backward()
    optimizer.step()
    made.after_step(terms)
    assert all(torch.equal(value, before[name]) for name, value in made.teacher.state_dict().items())
    stored, _, images = made.queue.contents()
    expected = made.teacher.encoder(batch.view(2))
    torch.testing.assert_close(stored, expected[images])


def test_gml_learns_its_temperature_from_the_term_of_that_name_alone():
    made = make("gml", initial_temperature=0.2)
    step(made, 1)
    terms = made.losses(batch_of(2))
    reach = {
        name: torch.autograd.grad(term, made.log_temperature, retain_graph=True, allow_unused=True)[0]
        for name, term in terms.items()
        if term.requires_grad
    }
    assert reach["temperature"].abs() > 0
    assert all(gradient is None for name, gradient in reach.items() if name != "temperature")
    assert not gradient_reaches(terms["temperature"], made.key_head)
    assert gradient_reaches(terms["contrast"], made.key_head)


def test_simclr_does_not_read_labels_in_its_contrast():
    made, batch = make("simclr"), batch_of(1)
    other = Batch(1, batch.index, batch.y.roll(3), batch.view)
    torch.testing.assert_close(made.losses(other)["contrast"], made.losses(batch)["contrast"])


def test_terms_alone_become_a_step_and_a_step_stays_what_it_is() -> None:
    batch = batch_of(1)
    found = Step.of({"pull": torch.tensor(1.0)}, batch)
    assert dict(found) == {"pull": 1.0} and len(found) == 1 and found.batch is batch
    assert Step.of(found, batch) is found
    more = found | {"push": torch.tensor(2.0)}
    assert list(more) == ["pull", "push"] and list(found) == ["pull"]


def test_terms_are_weighed_alike_with_and_without_a_step() -> None:
    made = make("bcl", contrast_weight=0.5)
    terms = dict(made.losses(batch_of(1)))
    assert made.weigh(terms) == made.weigh(Step.of(terms, batch_of(1)))
    torch.testing.assert_close(made.weigh(terms), terms["classification"] + 0.5 * terms["contrast"])


def test_a_queue_says_what_a_step_without_its_keys_lacks() -> None:
    made, batch = make("kcl"), batch_of(1)
    found = made.losses(batch)
    kept = found | {"more": torch.tensor(0.0)}
    assert isinstance(kept, QueuedStep) and kept.positives is found.positives
    with pytest.raises(TypeError, match=r"kcl.after_step needs the keys.*let losses give a QueuedStep"):
        made.after_step(Step.of({**found}, batch))
    made.after_step(kept)
    assert len(made.queue) == len(batch.y)


@pytest.mark.parametrize("name", ["tsc", "etf"])
def test_targets_can_be_given_as_a_file(name, tmp_path):
    file = tmp_path / "mine.npy"
    rows = geometry.simplex(4, 3)[[2, 0, 3, 1]] @ np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1.0]])
    np.save(file, rows)
    made = make(name, targets=str(file))
    np.testing.assert_allclose(made.targets.numpy(), rows, atol=1e-6)
    assert made.theory(COUNTS.numpy()) is None, "what is given need not be the simplex"
    assert make(name).theory(COUNTS.numpy()) is not None
    for wrong, told in (
        (geometry.simplex(5, 4), "must be of the 4 classes of the run, but are of 5"),
        (np.eye(4), "must be of the 3 dimensions of the run, but are of 4"),
        (2 * rows, "must have length 1, but row 0 has 2"),
    ):
        np.save(file, wrong)
        with pytest.raises(DataError, match=told):
            make(name, targets=str(file))
    with pytest.raises(DataError, match="there is no file of targets"):
        make(name, targets=str(tmp_path / "none.npz"))
