from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ltviz.errors import ConfigError
from ltviz.figures import palette
from ltviz.figures.colour import contrast, lightness, mix, to_hex, to_linear, to_oklab

# Machado, Oliveira and Fernandes 2009, severity 1, on linear sRGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
JUST_SEEN = 0.02


def seen(colours: tuple[str, ...], deficiency: str) -> np.ndarray:
    """(K, 3) OKLab of the colours as somebody with this deficiency sees them."""
    matrix = DEFICIENCIES[deficiency]
    return np.array([to_oklab(to_hex(matrix @ to_linear(colour))) for colour in colours])


def distances(lab: np.ndarray) -> np.ndarray:
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return apart


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_any_two_of_ten_class_colours_can_be_told_apart(deficiency: str) -> None:
    assert distances(seen(palette.class_ramp(10), deficiency)).min() > JUST_SEEN


@pytest.mark.parametrize("num_classes", [2, 3, 10, 100])
def test_lightness_rises_in_equal_steps_within_what_both_papers_show(num_classes: int) -> None:
    values = np.array([lightness(colour) for colour in palette.class_ramp(num_classes)])
    expected = np.linspace(35, 73, num_classes)
    np.testing.assert_allclose(values, expected, atol=0.7)  # of 8-bit colours


def test_ramp_runs_from_blue_through_teal_and_gold_to_vermilion() -> None:
    hues = [np.degrees(np.arctan2(*to_oklab(c)[:0:-1])) % 360 for c in palette.class_ramp(51)]
    assert hues[0] == pytest.approx(265, abs=6) and hues[-1] == pytest.approx(42, abs=6)
    assert (np.diff(hues) < 3).all()
    assert min(abs(h - 191) for h in hues) < 3 and min(abs(h - 88) for h in hues) < 3


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_methods_can_be_told_from_each_other(deficiency: str) -> None:
    apart = distances(seen(tuple(palette.METHOD_COLOURS.values()), deficiency))
    assert apart.min() > 2 * JUST_SEEN
    assert apart[:5, :5].min() > 2.5 * JUST_SEEN  # those of the first race


def test_methods_are_apart_from_the_class_ramp_and_readable_on_both_papers() -> None:
    ramp = seen(palette.class_ramp(10), "none")
    for name, colour in palette.METHOD_COLOURS.items():
        assert np.linalg.norm(ramp - to_oklab(colour), axis=1).min() > 2 * JUST_SEEN, name
        for theme in palette.THEMES.values():
            assert contrast(colour, theme["paper"]) >= 3.0, name


def test_text_has_its_contrast_on_both_papers() -> None:
    for theme in palette.THEMES.values():
        assert contrast(theme["ink"], theme["paper"]) >= 4.5
        assert contrast(theme["muted"], theme["paper"]) >= 4.5
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)


def test_an_unknown_method_has_one_colour_always() -> None:
    assert palette.method_colour("bcl") == palette.METHOD_COLOURS["bcl"]
    made = palette.method_colour("my-own-loss")
    assert made == palette.method_colour("my-own-loss") != palette.method_colour("my-other-loss")
    assert all(contrast(made, theme["paper"]) >= 3.0 for theme in palette.THEMES.values())


def test_colour_conversions_agree_with_known_values() -> None:
    np.testing.assert_allclose(to_oklab("#ffffff"), [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(to_oklab("#ff0000"), [0.62796, 0.22486, 0.12585], atol=1e-4)
    assert lightness("#777777") == pytest.approx(50.03, abs=0.05)
    assert to_hex(to_linear("#3f8b48")) == "#3f8b48"
    assert lightness(mix(60, 0.4, 145)[0]) == pytest.approx(60, abs=0.5)  # cut back to what the screen can show
    assert mix([0, 100], 0, 0) == ["#000000", "#ffffff"]


def test_bad_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="theme"):
        palette.theme_colours("sepia")
    with pytest.raises(ConfigError):
        palette.class_ramp(0)


def test_categorical_colours_repeat_only_after_fifteen() -> None:
    assert len(set(palette.categorical(15))) == 15
    assert palette.categorical(16)[15] == palette.OKABE_ITO[0]


def test_the_palette_costs_no_plotly() -> None:
    code = "import sys; from ltviz.figures import palette; palette.class_ramp(10); sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
