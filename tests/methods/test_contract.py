"""What every registered method must do, whoever wrote it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ltviz.marks import Caps, Points, Segments, Shown, primitive_of
from ltviz.methods.base import FIRST, MOST_POINTS, NONE, Batch, Card, Method, Setup, Step
from ltviz.methods.registry import methods

torch.set_num_threads(1)

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
MOST_PAIRS = 60
READ_ONLY = ("queue.all_steps", "queue.steps", "positives.", "found.", "centre_share.", "swaps")
"""Where the buffers that serve `read` and `show` alone begin; weights of older recordings lack them."""
COUNTS = torch.tensor([40.0, 20.0, 10.0, 4.0])
NOT_LINEAR = ("clip", "etf", "ltml", "nonl", "ntce", "vmf")
"""Methods whose logits are not linear in the features: all but LTML classify on the sphere."""
SIDE, FEATURES, DIM, BATCH = 6, 16, 3, 12


def make_setup(seed: int = 0, total_steps: int = 8) -> Setup:
    torch.manual_seed(seed)
    return Setup(
        encoder=nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, FEATURES), nn.BatchNorm1d(FEATURES), nn.ReLU()),
        head=nn.Sequential(nn.Linear(FEATURES, FEATURES), nn.ReLU(), nn.Linear(FEATURES, DIM)),
        feature_dim=FEATURES,
        dim=DIM,
        counts=COUNTS,
        total_steps=total_steps,
        generator=torch.Generator().manual_seed(seed),
    )


LABEL_SETS = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1]])
"""All labels of the images of each class, for methods that take several; the class is the rarest of them."""


def make_batch(step: int) -> Batch:
    """Images that tell their class and themselves, in several noisy views; the same for the same step."""
    return draw_batch(step, step, COUNTS, lambda: draw_batch(step, 1000 + step, torch.ones_like(COUNTS)))


def draw_batch(step: int, seed: int, frequency: Tensor, make_rebalanced: Callable[[], Batch] | None = None) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    y = torch.multinomial(frequency, BATCH, replacement=True, generator=generator)
    pattern = torch.randn(len(COUNTS), 1, SIDE, SIDE, generator=torch.Generator().manual_seed(99))
    image = pattern[y] + 0.7 * torch.randn(BATCH, 1, SIDE, SIDE, generator=generator)
    noise = torch.randn(9, BATCH, 1, SIDE, SIDE, generator=generator)
    return Batch(
        step,
        torch.arange(BATCH),
        y,
        lambda view: image + 0.2 * noise[view],
        labels=LABEL_SETS[y],
        make_rebalanced=make_rebalanced,
    )


def watched() -> Batch:
    """The sixty samples that marks are shown for: those of the first five batches."""
    parts = [make_batch(step) for step in range(1, 6)]
    y = torch.cat([part.y for part in parts])
    labels = torch.cat([part.labels for part in parts])
    return Batch(0, torch.arange(len(y)), y, lambda view: torch.cat([part.view(view) for part in parts]), labels=labels)


def moved(batch: Batch, device: str) -> Batch:
    """The same batch on another device."""
    return Batch(
        batch.step,
        batch.index.to(device),
        batch.y.to(device),
        lambda view: batch.view(view).to(device),
        labels=batch.labels.to(device),
        make_rebalanced=lambda: moved(batch.rebalanced, device),
    )


def build(kind: type[Method], **setup: int) -> Method:
    made = make_setup(**setup)
    torch.manual_seed(1)
    return kind(kind.Settings(), made)


def optimizer_of(method: Method) -> torch.optim.Optimizer:
    return torch.optim.AdamW([p for p in method.parameters() if p.requires_grad], lr=5e-3)


def train(method: Method, optimizer: torch.optim.Optimizer, *steps: int, device: str = "cpu") -> list[float]:
    values = []
    for step in steps:
        batch = moved(make_batch(step), device)
        found = Step.of(method.losses(batch), batch)
        loss = method.weigh(found)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        method.after_step(found)
        values.append(float(loss.detach()))
    return values


def images(num: int = 5) -> Tensor:
    return torch.randn(num, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(7))


@pytest.fixture(params=list(methods()))
def kind(request) -> type[Method]:
    return methods()[request.param]


def test_card_is_complete(kind):
    card = kind.card
    assert isinstance(card, Card)
    for name in ("name", "title", "idea", "formula", "look_for", "sphere", "paper"):
        text = getattr(card, name)
        assert text.strip() == text and text, f"{name} of {card.name} is empty"
        assert "<" not in text or name == "formula", f"{name} of {card.name} is no plain sentence"
    assert 1980 < card.year < 2100
    assert card.code is None or card.code.startswith("https://")
    assert "$" not in card.formula
    assert kind.__doc__ and kind.__doc__ != Method.__doc__


def test_the_terms_and_symbols_of_the_formula_stand_in_it(kind):
    card = kind.card
    for term, part in card.terms.items():
        assert term in card.formula, f"{card.name}: the formula has no {term}"
        assert part in ("pull", "push", "targets", "prior")
    assert card.marked().count(r"\term{") >= len(card.terms)
    places = {*kind.Settings.model_fields, *(reading.key for reading in kind.readings), "counts"}
    for symbol, place in card.symbols.items():
        assert symbol in card.formula, f"{card.name}: the formula has no {symbol}"
        assert place in places, f"{card.name}: nothing is called {place}"
    assert card.differs.endswith("."), f"{card.name} does not say what its code does differently"


def test_it_says_its_code(kind):
    """What `ltviz.training.program` makes of it is run in tests/training/test_program.py."""
    listing = kind.listing(kind.Settings())
    assert listing is not None, f"{kind.card.name} has no listing: give its class one, as its neighbours have"
    assert "loss = " in listing.step


def test_settings_have_bounds_and_descriptions(kind):
    schema = kind.Settings.model_json_schema()
    json.dumps(schema)
    for name, field in schema["properties"].items():
        assert field.get("description", "").endswith("."), f"{name} has no sentence"
        assert "default" in field
        if field.get("type") in ("number", "integer"):
            bounds = field.keys()
            assert bounds & {"minimum", "exclusiveMinimum"} and bounds & {"maximum", "exclusiveMaximum"}, name
        else:
            assert field.get("type") == "boolean" or {"enum", "const", "pattern", "maxLength"} & field.keys(), name
    with pytest.raises(ValueError):
        kind.Settings(no_such_setting=1)


def test_a_method_learns_from_one_label_a_sample_or_from_several(kind):
    """One for several labels never looks at the single one, and the other way round."""
    method, batch = build(kind), make_batch(8)
    if kind.several_labels:
        torch.manual_seed(2)
        wanted = method.losses(batch)
        torch.manual_seed(2)
        other = Batch(
            8, batch.index, 3 - batch.y, batch.view, labels=batch.labels, make_rebalanced=lambda: batch.rebalanced
        )
        assert all(torch.equal(term, wanted[name]) for name, term in method.losses(other).items())
    else:
        method.losses(Batch(8, batch.index, batch.y, batch.view))
    with pytest.raises(ValueError, match="one label a sample"):
        Batch(8, batch.index, batch.y, batch.view).labels  # noqa: B018 - the property raises


def test_a_method_with_a_teacher_can_be_told_to_go_without_and_keeps_its_own_copy(kind):
    if kind.teacher_recipe is None:
        assert "teacher" not in kind.Settings.model_fields
        return
    name, settings = kind.teacher_recipe
    setup = make_setup()
    taught = methods()[name]
    teacher = taught(taught.Settings(**settings), setup)
    assert kind.Settings().teacher == FIRST and kind.Settings(teacher=NONE).teacher == NONE
    student = kind(kind.Settings(), replace(setup, teacher=teacher))
    assert student.teacher is not teacher and not any(p.requires_grad for p in student.teacher.parameters())
    assert {f"teacher.{key}" for key in teacher.state_dict()} <= student.state_dict().keys()
    assert student.train().teacher.training is False


def test_temperature_and_weights_are_live_and_weigh_their_terms(kind):
    fields = kind.Settings.model_json_schema()["properties"]
    for name, field in fields.items():
        if name == "temperature" or name.endswith("_weight"):
            assert field.get("live") is True, f"{name} cannot be changed while the run trains"
    method = build(kind)
    optimizer = optimizer_of(method)
    terms: set[str] = set()
    for step in range(1, 9):
        terms |= set(method.losses(make_batch(step)))
        train(method, optimizer, step)
    weights = {name.removesuffix("_weight") for name in fields if name.endswith("_weight")}
    assert weights <= terms, "a weight without a term weighs nothing"


def test_every_term_is_a_finite_scalar_and_reaches_the_parameters(kind):
    method = build(kind)
    optimizer = optimizer_of(method)
    touched: set[str] = set()
    for step in range(1, 9):
        for name, term in method.losses(make_batch(step)).items():
            assert term.shape == () and torch.isfinite(term), name
        assert all(map(torch.isfinite, map(torch.tensor, train(method, optimizer, step))))
        touched |= {
            name for name, p in method.named_parameters() if p.grad is not None and bool(p.grad.abs().sum() > 0)
        }
    idle = {name for name, p in method.named_parameters() if p.requires_grad} - touched
    assert not idle, f"parameters that no term trains: {sorted(idle)}"


def test_training_brings_the_loss_down(kind):
    # all steps in one phase; a queue that fills makes the task harder for the first forty
    method = build(kind, total_steps=1000)
    values = train(method, optimizer_of(method), *range(1, 121))
    windows = [sum(values[i : i + 20]) for i in range(0, 120, 20)]
    assert windows[-1] < 0.95 * max(windows), "the loss does not fall"


def test_embeddings_are_unit_and_logits_have_a_column_a_class(kind):
    method = build(kind).eval()
    z, logits = method.observe(images())
    assert z.shape == (5, DIM) and logits.shape == (5, len(COUNTS))
    torch.testing.assert_close(z.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(method.embed(images()), z)
    torch.testing.assert_close(method.predict(images()), logits)


def test_a_linear_classifier_is_the_one_that_classifies(kind):
    method = build(kind)
    train(method, optimizer_of(method), 1, 2)
    with torch.no_grad():
        features = method.eval().encoder(images())
        logits, found = method.classify(features), method.linear_classifier()
        if found is None:
            assert kind.card.name in NOT_LINEAR, "its logits are not linear in the features"
            return
        seen = torch.nn.functional.normalize(features, dim=1) if found.unit else features
        torch.testing.assert_close(seen @ found.weight.T + found.bias, logits, rtol=1e-4, atol=1e-4)


def test_landmarks_are_unit_points_of_the_sphere(kind):
    method = build(kind)
    train(method, optimizer_of(method), 1, 2)
    for name, points in method.landmarks().items():
        assert points.ndim == 2 and points.shape[1] == DIM, name
        torch.testing.assert_close(points.norm(dim=1), torch.ones(len(points)))
    index = method.target_index()
    assert (index is None) == ("targets" not in method.landmarks())
    if index is not None:
        assert sorted(index.tolist()) == list(range(len(COUNTS)))


def test_observing_changes_nothing(kind):
    method = build(kind)
    optimizer = optimizer_of(method)
    train(method, optimizer, 1)
    before = {name: value.clone() for name, value in method.state_dict().items()}
    method.eval()
    with torch.no_grad():
        method.observe(images())
    method.train()
    method.landmarks()
    for name, value in method.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_the_shared_modules_are_copied(kind):
    setup = make_setup()
    before = [p.clone() for p in (*setup.encoder.parameters(), *setup.head.parameters())]
    torch.manual_seed(1)
    method = kind(kind.Settings(), setup)
    train(method, optimizer_of(method), 1, 2)
    for have, want in zip((*setup.encoder.parameters(), *setup.head.parameters()), before, strict=True):
        assert torch.equal(have, want)


def test_the_same_seed_trains_the_same(kind):
    runs = []
    for _ in range(2):
        method = build(kind)
        runs.append(train(method, optimizer_of(method), *range(1, 9)))
        torch.rand(3)
    assert runs[0] == runs[1]


def test_saved_state_goes_on_exactly(kind):
    """Weights, queues, centres and the generator are all there is: half, save, load, other half."""
    whole = build(kind)
    optimizer = optimizer_of(whole)
    train(whole, optimizer, 1, 2, 3, 4)
    state = {name: value.clone() for name, value in whole.state_dict().items()}
    chance = whole.setup_.generator.get_state()
    moments = copy.deepcopy(optimizer.state_dict())

    other = build(kind, seed=5)
    assert other.state_dict().keys() == state.keys()
    other.load_state_dict(state)
    other.setup_.generator.set_state(chance)
    resumed = optimizer_of(other)
    resumed.load_state_dict(moments)
    torch.manual_seed(3)
    expected = train(whole, optimizer, 5, 6, 7, 8)
    torch.manual_seed(3)
    assert train(other, resumed, 5, 6, 7, 8) == expected
    for name, value in whole.landmarks().items():
        assert torch.equal(value, other.landmarks()[name])


@pytest.mark.parametrize("device", DEVICES)
def test_runs_under_bf16_autocast(kind, device):
    method = build(kind).to(device)
    optimizer = optimizer_of(method)
    for step in (1, 2, 6, 7, 8):
        with torch.autocast(device, dtype=torch.bfloat16):
            batch = moved(make_batch(step), device)
            terms = Step.of(method.losses(batch), batch)
            loss = method.weigh(terms)
        assert all(torch.isfinite(term) and term.dtype == torch.float32 for term in terms.values()), terms
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        method.after_step(terms)
    assert all(torch.isfinite(value).all() for value in method.state_dict().values())
    with torch.no_grad():
        shown = method.show(moved(watched(), device))
    for remembered in (value for value in shown.values() if isinstance(value, Points)):
        torch.testing.assert_close(remembered.places.norm(dim=1), torch.ones(len(remembered.y), device=device))


@pytest.mark.parametrize("steps", [0, 1, 40])
def test_readings_are_those_declared(kind, steps):
    method = build(kind, total_steps=40)
    train(method, optimizer_of(method), *range(1, steps + 1))
    method.eval()
    with torch.no_grad():
        found = method.read()
    assert [reading.key for reading in kind.readings] == list(found)
    for reading in kind.readings:
        values = found[reading.key]
        assert values.shape in ((), (len(COUNTS),)) and values.is_floating_point(), reading.key
        assert not values.isinf().any(), reading.key
        if steps == 40:
            assert values.isfinite().all(), f"{reading.key} is not known after {steps} steps of all classes"
        assert reading.short.endswith(".") and "<" not in reading.short and reading.title


@pytest.mark.parametrize("steps", [0, 40])
def test_marks_are_those_declared_and_unit_places_of_classes(kind, steps):
    method = build(kind, total_steps=40)
    train(method, optimizer_of(method), *range(1, steps + 1))
    method.eval()
    with torch.no_grad():
        shown, landmarks = method.show(watched()), method.landmarks()
    given = dict.fromkeys(landmarks, "points") | {key: primitive_of(value) for key, value in shown.items()}
    assert given == {mark.key: mark.primitive for mark in kind.marks}
    assert not shown.keys() & landmarks.keys()
    for mark in kind.marks:
        assert mark.title and mark.short.endswith((".", "”).")) and "<" not in mark.short, mark.key
    for key, value in shown.items():
        if isinstance(value, Segments):
            assert len(value.y) <= MOST_PAIRS and value.a.shape == value.b.shape == (len(value.y), DIM), key
            check_points(value.a, value.y)
            check_points(value.b, value.y)
        elif isinstance(value, Points):
            assert len(value.y) <= MOST_POINTS and value.places.shape == (len(value.y), DIM), key
            check_points(value.places, value.y)
            assert value.age.shape == value.y.shape and value.age.dtype == torch.int64
            assert ((value.age >= 0) & (value.age < max(steps, 1))).all()
            assert (len(value.y) > 0) == (steps > 0)
        else:
            assert isinstance(value, Caps) and value.places.shape == (len(value.y), DIM), key
            check_points(value.places, value.y)
            angles = value.angle.nan_to_num(0)
            assert angles.shape == value.y.shape and ((angles >= 0) & (angles <= 180)).all()


def tensors_in(look: tuple[dict[str, Tensor], dict[str, Shown]]) -> dict[str, Tensor]:
    """Readings and columns of marks under names of their own."""
    readings, shown = look
    columns = {(key, name): column for key, value in shown.items() for name, column in value._asdict().items()}
    return {str(name): value for name, value in {**readings, **columns}.items() if value is not None}


def check_points(points: Tensor, y: Tensor) -> None:
    torch.testing.assert_close(points.norm(dim=1), torch.ones(len(points)))
    assert y.dtype == torch.int64 and ((y >= 0) & (y < len(COUNTS))).all()


@pytest.mark.parametrize("device", DEVICES)
def test_what_a_frame_asks_for_changes_nothing_and_is_the_same_twice(kind, device):
    method = build(kind).to(device)
    train(method, optimizer_of(method), *range(1, 7), device=device)
    method.eval()
    before = {name: value.clone() for name, value in method.state_dict().items()}
    chance, own = torch.get_rng_state(), method.setup_.generator.get_state()
    with torch.no_grad():
        looks = [(method.read(), method.show(moved(watched(), device))) for _ in range(2)]
    torch.testing.assert_close(*map(tensors_in, looks), rtol=0, atol=0, equal_nan=True)
    assert torch.equal(torch.get_rng_state(), chance) and torch.equal(method.setup_.generator.get_state(), own)
    for name, value in method.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_weights_from_before_the_readings_still_load(kind):
    """What only people read was not saved once; all that training needs must be there."""
    trained = build(kind)
    train(trained, optimizer_of(trained), *range(1, 7))
    state = trained.state_dict()
    old = {name: value for name, value in state.items() if not name.startswith(READ_ONLY)}
    other = build(kind, seed=5)
    other.load_state_dict(old)
    for name, value in other.state_dict().items():
        assert name not in old or torch.equal(value, state[name]), name
    other.eval()
    other.read()
    with torch.no_grad():
        other.show(watched())
    with pytest.raises(RuntimeError, match="Missing key"):
        build(kind).load_state_dict(dict(list(old.items())[1:]))


def test_works_where_a_class_has_one_sample_and_batches_lack_classes(kind):
    method = build(kind)
    optimizer = optimizer_of(method)
    batch = make_batch(1)
    for y in (torch.zeros(BATCH, dtype=torch.int64), torch.full((BATCH,), 3), batch.y):
        lone = Batch(8, batch.index, y, batch.view, labels=LABEL_SETS[y], make_rebalanced=lambda: batch.rebalanced)
        found = Step.of(method.losses(lone), lone)
        loss = method.weigh(found)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        method.after_step(found)
        assert torch.isfinite(loss)
    assert all(torch.isfinite(p).all() for p in method.parameters())
