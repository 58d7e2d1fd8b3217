"""The map of amounts can be read with any colour vision, in light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

from desktop.widgets.charts.colour_map import colour_of, image_of, ink_on
from desktop.widgets.theme import Theme

if TYPE_CHECKING:
    import numpy.typing as npt
    from PySide6.QtGui import QColor

# Machado, Oliveira & Fernandes 2009, table 1, severity 1.0; they act on linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def _linear(theme: Theme) -> npt.NDArray[np.float64]:
    """Return 64 steps of the map as linear RGB, (64, 3)."""
    colours = [colour_of(theme, (step / 63) ** 2) for step in range(64)]
    encoded = np.array([[one.redF(), one.greenF(), one.blueF()] for one in colours])
    linear: npt.NDArray[np.float64] = np.where(
        encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4
    )
    return linear


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.usefixtures("theme")
def test_more_is_always_further_from_the_paper_for_every_colour_vision(
    vision: str, name: Literal["light", "dark"]
) -> None:
    seen = np.clip(_linear(Theme.load(name)) @ VISIONS[vision].T, 0, 1)
    luminance = seen @ np.array([0.2126, 0.7152, 0.0722])
    lightness = np.where(
        luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance
    )  # CIE L*
    steps = np.diff(lightness) * (1 if name == "dark" else -1)
    assert steps.min() > 0
    assert abs(lightness[-1] - lightness[0]) > 70


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.usefixtures("theme")
def test_words_can_be_read_on_every_colour_of_the_map(name: Literal["light", "dark"]) -> None:
    theme = Theme.load(name)
    grounds = [colour_of(theme, step / 63) for step in range(64)] + list(theme.diverging)
    for ground in grounds:
        lights = sorted((_luminance(ink_on(ground, theme)), _luminance(ground)))
        assert (lights[1] + 0.05) / (lights[0] + 0.05) > 4.5


def _luminance(color: QColor) -> float:
    encoded = np.array([color.redF(), color.greenF(), color.blueF()])
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


@pytest.mark.usefixtures("theme")
def test_what_is_not_seen_stays_open_for_the_hatching() -> None:
    seen = np.array([[True, False]])
    picture = image_of(Theme.load("light"), np.ones((1, 2), np.float32), seen)
    assert picture.pixelColor(0, 0).alpha() == 255
    assert picture.pixelColor(1, 0).alpha() == 0
