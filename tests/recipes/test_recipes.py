"""Recipes: each says all that it fixes, fits its method, and a bad file is one sentence."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from ltviz import encoders, recipes
from ltviz.data import views
from ltviz.data.longtail import exponential_counts
from ltviz.errors import ConfigError
from ltviz.methods import registry
from ltviz.recipes import Recipe, cost, find, names
from ltviz.recipes.cost import MULTIPLY_ADDS
from ltviz.training import optimiser
from ltviz.training.schedules import parse_schedules
from ltviz.training.start import check_switches

ALL = list(recipes.recipes())
FIXED = {"data", "encoder", "policies", "batch_size", "epochs", "optimizer", "learning_rate", "momentum"} | {
    *("nesterov", "weight_decay", "schedule", "rate_every")
}
SETS = {"cifar10-lt", "cifar100-lt", "imagenet-lt", "places-lt", "inat18", "voc-mlt", "coco-mlt"}
GOOD = """
method = "ce"
title = "Mine"
follows = "my own taste"
[published]
source = "unknown: nobody has tried"
[run]
data = "digits-lt"
epochs = 2
"""


def file(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "mine.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def named(recipe: Recipe) -> str:
    return f"{recipe.method}/{recipe.name}"


def test_there_are_recipes_for_every_method_and_set_of_the_papers() -> None:
    assert len(ALL) >= 60
    assert {"ce", "logit_adjust", "supcon", "kcl", "tsc", "bcl", "gml", "proco", "paco", "ltml"} <= set(names())
    assert {"etf", "ntce", "nonl", "ldam", "vmf", "sbcl", "geometric_harmonization"} <= set(names())
    assert {recipe.run["data"] for recipe in ALL} == SETS
    assert len({recipe.sha256 for recipe in ALL}) == len(ALL)


@pytest.mark.parametrize("recipe", ALL, ids=named)
def test_a_recipe_says_all_that_it_fixes_and_its_method_takes_it(recipe: Recipe) -> None:
    run, kind = recipe.run_settings, registry.method(recipe.method)
    assert recipe.method in names() and recipe.name in names()[recipe.method]
    assert set(recipe.run) >= FIXED and run.epochs is not None
    assert run.schedule != "step" or {"milestones", "decay_factor"} <= set(recipe.run)
    settings = kind.Settings.model_validate(recipe.settings)
    check_switches(run, [settings])
    assert {name.strip() for name in run.policies.split(",")} <= set(views.policies())
    assert kind.several_labels == run.data.endswith("-mlt")
    size = recipe.extent
    assert size is not None and size.image_size == (32 if run.data.startswith("cifar") else 224)
    assert run.image_size == (None if size.image_size == 32 else 224), "the larger sets say how large images are"
    published = recipe.published
    assert (published.value is None) == published.source.startswith("unknown")
    assert published.measure == ("mean average precision" if kind.several_labels else "top-1 accuracy")
    assert recipe.follows.startswith(("code:", "paper:")) and recipe.notes


@pytest.mark.parametrize("recipe", [one for one in ALL if one.run["data"].startswith("cifar")], ids=named)  # type: ignore[union-attr]
def test_the_extent_of_cifar_is_that_of_its_counts_and_its_name(recipe: Recipe) -> None:
    run, size = recipe.run_settings, recipe.extent
    num_classes = 10 if run.data == "cifar10-lt" else 100
    assert size is not None
    assert size.samples == sum(exponential_counts(50_000 // num_classes, num_classes, run.imbalance_factor))
    assert recipe.name == f"{run.data}-if{run.imbalance_factor:g}"


def test_a_recipe_is_what_it_says_step_by_step() -> None:
    """GML's rates by epoch, as its code gives them but for the slip that the recipe tells of."""
    run = find("gml", "cifar100-lt-if100").run_settings
    run = run.model_copy(update={"steps": run.steps_over(10_847)})
    assert run.steps == 16_948
    epoch = 10_847 / 128
    rates = [optimiser.rate(run, math.ceil(e * epoch) + 1, 10_847) for e in range(200)]
    assert rates[:6] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1, 0.1])
    assert (rates[160], rates[161], rates[181]) == pytest.approx((0.1, 0.01, 0.001))


def test_tsc_begins_anew_in_its_second_half() -> None:
    recipe = find("tsc", "imagenet-lt")
    run = recipe.run_settings
    assert run.switches == "0.5: renew" and recipe.settings["warmup"] == 0.5
    run = run.model_copy(update={"steps": run.steps_over(115_846)})
    half = run.steps // 2
    assert optimiser.rate(run, half, 115_846) < 1e-5 and optimiser.rate(run, half + 1, 115_846) == 0.1


def rates(recipe: Recipe) -> Callable[[int], float]:
    """The rate of each epoch from 0, by the schedule and the curve of the recipe."""
    assert recipe.extent is not None
    samples = recipe.extent.samples
    run = recipe.run_settings.model_copy(update={"steps": recipe.run_settings.steps_over(samples)})
    curve = parse_schedules(run.schedules).get("learning_rate")

    def of(epoch: int) -> float:
        step = math.ceil(epoch * samples / run.batch_size) + 1
        largest = run.learning_rate if curve is None else curve.at(step - 1, run.steps)
        return optimiser.rate(run.model_copy(update={"learning_rate": largest}), step, samples)

    return of


def test_ldam_falls_and_reweights_at_the_epochs_of_its_code() -> None:
    recipe = find("ldam", "cifar100-lt-if100")
    of, run = rates(recipe), recipe.run_settings
    assert [of(epoch) for epoch in (0, 4, 160, 180)] == pytest.approx([0.02, 0.1, 0.001, 0.00001])
    assert run.epochs is not None and recipe.settings["reweight_from"] == 160 / run.epochs


def test_harmonization_follows_the_two_cosines_of_its_code() -> None:
    recipe = find("geometric_harmonization", "cifar100-lt-if100")
    of = rates(recipe)
    assert [of(epoch) for epoch in (0, 4, 9)] == pytest.approx([0.05, 0.25, 0.5])
    for epoch in range(10, 1000, 7):
        first = 0.3 + 0.1 * (1 + math.cos(math.pi * (epoch - 10) / 490))
        second = 0.15 * (1 + math.cos(math.pi * (epoch - 500) / 500))
        assert of(epoch) == pytest.approx(first if epoch < 500 else second, abs=0.003)
    assert recipe.settings["warmup"] == 500 / 1000 and recipe.settings["ramp"] == 10 / 1000


def test_sbcl_is_scaled_as_supcon_is_and_its_second_term_is_not() -> None:
    for name in names()["sbcl"]:
        recipe, plain = find("sbcl", name), find("supcon", name)
        assert {key: plain.run[key] for key in ("learning_rate", "weight_decay")}.items() <= recipe.run.items()
        assert recipe.settings["coupling"] == pytest.approx(0.25 * 0.07 / float(recipe.settings["temperature"]))


# ---------------------------------------------------------------------- cost


def test_the_cost_is_reckoned_from_what_the_recipe_says() -> None:
    recipe = find("proco", "cifar100-lt-if100")
    reckoned = cost(recipe)
    assert reckoned is not None and reckoned.flops is not None
    assert reckoned.steps == 8474 and reckoned.images == 8474 * 256 * 3
    assert reckoned.flops == pytest.approx(2 * 69.1e6 * 3 * reckoned.images)
    assert "an estimate" in reckoned.rests_on and "assumption" in reckoned.rests_on
    measured = cost(recipe, images_per_second=1000)
    assert measured is not None and measured.hours == pytest.approx(reckoned.images / 3.6e6)
    assert all(cost(one) is not None for one in ALL)


def test_operations_of_resnet32_are_those_of_its_layers() -> None:
    net, _ = encoders.build("resnet32", (32, 32))
    found = 0

    def count(layer: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal found
        assert isinstance(layer, nn.Conv2d)
        found += output[0].numel() * layer.in_channels * math.prod(layer.kernel_size)

    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        net.eval()(torch.zeros(1, next(net.parameters()).shape[1], 32, 32))
    assert found == pytest.approx(MULTIPLY_ADDS["resnet32", 32], rel=0.01)


def test_a_network_that_is_not_known_has_no_made_up_cost(tmp_path: Path) -> None:
    text = GOOD + "[extent]\nsamples = 100\nimage_size = 8\nviews = 1\n"
    reckoned = cost(find("ce", file(tmp_path, text)))
    assert reckoned is not None and (reckoned.flops, reckoned.hours) == (None, None)
    assert cost(find("ce", file(tmp_path, GOOD))) is None


# ---------------------------------------------------------------------- names and files


def test_a_file_of_ones_own_is_a_recipe_too(tmp_path: Path) -> None:
    recipe = find("ce", file(tmp_path, GOOD + "[[switch]]\nat = 0.5\nset = { weight_decay = 0 }\n"))
    assert recipe.name == "mine" and recipe.run_values["switches"] == "0.5: weight_decay=0"
    assert len(recipe.sha256) == 64 and recipe.run_settings.epochs == 2


@pytest.mark.parametrize(
    "method, text, said",
    [
        ("bcl", "cifar100-lt-if20", "got 'cifar100-lt-if20'; try cifar100-lt-if"),
        ("bcl", "imagnet", "try imagenet-lt"),
        ("clip", "imagenet-lt", "must name a TOML file for clip, for which there is no recipe"),
        ("bcl", "../ce/imagenet-lt", "recipe must be one of"),
        ("bcl", "/nowhere/x.toml", "there is none: /nowhere/x.toml"),
        ("bcl", "x" * 5000, "recipe must be one of"),
    ],
)
def test_an_unknown_recipe_is_one_sentence_with_near_names(method: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find(method, text)
    assert said in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "a recipe's method field required"),
        ("x" * 70_000, "holds at most 65,536 bytes"),
        (b"\xff\xfe", "a recipe must be TOML in UTF-8"),
        ("a = [", "a recipe must be TOML in UTF-8"),
        ("a = " + "[" * 20_000, "a recipe must be TOML in UTF-8"),
        (GOOD.replace('"ce"', '"bcl"'), "this one is for bcl and ce is to be trained"),
        ("colour = 1\n" + GOOD, "a recipe's colour is not a setting"),
        ('sha256 = "0"\n' + GOOD, "a recipe's sha256 follows from its file"),
        (GOOD + "batch = 3\n", "a recipe's run.batch is not a setting; try batch_size"),
        (GOOD + "batch_size = 1\n", "a recipe's run.batch_size must be greater than or equal to 2, got 1"),
        (GOOD + "dim = [3]\n", "a recipe's run.dim"),
        (GOOD + "learning_rate = nan\n", "a recipe's run.learning_rate must be less than or equal to 10, got nan"),
        (GOOD + 'switches = "0.5"\n', "a recipe's run.switches must say renew or NAME=VALUE"),
        (GOOD + '[[switch]]\nat = 0.5\nset = { x = "1; 0.7: renew" }\n', "a recipe's switch must"),
        (GOOD + "[[switch]]\nat = 1.5\n", "a recipe's switch.0.at must be less than 1"),
        (GOOD + "[[switch]]\nat = 0.5\n", "a recipe's switch must say renew or NAME=VALUE"),
        (GOOD + 'switches = "0.5: renew"\n[[switch]]\nat = 0.5\nrenew = true\n', "not in both"),
        (GOOD.replace("source", "value = 101\nsource"), "a recipe's published.value must be less than"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find("ce", file(tmp_path, text))
    message = str(caught.value)
    assert said.lower() in message.lower() and "\n" not in message and len(message) < 1200


def test_what_is_no_plain_file_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be a TOML file"):
        find("ce", str(tmp_path / ".toml"))
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ConfigError, match="must be a TOML file"):
        find("ce", str(tmp_path / "folder.toml"))


def test_recipes_need_no_torch() -> None:
    code = "import sys, ltviz.recipes as r; assert len(list(r.recipes())) > 15; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


@pytest.mark.parametrize("recipe", [recipe for recipe in ALL if "image_size" in recipe.run], ids=named)
def test_what_random_crops_of_image_files_miss_is_said(recipe: Recipe) -> None:
    size = recipe.run["image_size"]
    assert any(f"cut to {size} x {size} around their centre before views are drawn" in note for note in recipe.notes)


def test_what_is_our_own_choice_is_said() -> None:
    places = find("paco", "places-lt")
    assert f"The warm-up of {places.run['warmup']} epochs is our choice." in places.notes
    for name in names()["bcl"]:
        if name.startswith("cifar"):
            recipe = find("bcl", name)
            assert str(recipe.run["policies"]).startswith("autoaugment-cutout")
            assert any("the view for the classifier, AutoAugment and cutout, are ProCo's" in n for n in recipe.notes)
