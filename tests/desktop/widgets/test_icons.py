"""Icons: tinted, sharp, and none missing or unused."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon

from desktop.widgets.icons import icon, icon_pixmap

if TYPE_CHECKING:
    from PySide6.QtGui import QPixmap

    from desktop.widgets.theme import Theme

REPO = Path(__file__).resolve().parents[3]
ICONS = {path.stem for path in (REPO / "resources" / "icons").glob("*.svg")}


def inks(pixmap: QPixmap) -> set[str]:
    image = pixmap.toImage()
    spots = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    return {spot.name() for spot in spots if spot.alpha() == 255}


def test_every_icon_that_is_shipped_is_used() -> None:
    words = {
        node.value
        for path in (REPO / "desktop").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert ICONS
    assert not ICONS - words


def test_every_icon_draws_something(theme: Theme) -> None:
    for name in ICONS:
        assert inks(icon_pixmap(name, theme.accent, 24, 2.0)), name


def test_an_icon_has_the_one_colour_it_is_asked_for(theme: Theme) -> None:
    assert inks(icon_pixmap("square", theme.bad, 24, 2.0)) == {theme.bad.name()}


def test_an_icon_has_as_many_pixels_as_the_screen(theme: Theme) -> None:
    pixmap = icon_pixmap("box", theme.text, 16, 1.5)
    assert pixmap.size() == QSize(24, 24)
    assert pixmap.devicePixelRatio() == 1.5


def test_a_checked_icon_takes_the_accent_and_a_disabled_one_the_off_colour(theme: Theme) -> None:
    shown = icon("square", theme)
    size = QSize(24, 24)
    on = shown.pixmap(size, QIcon.Mode.Normal, QIcon.State.On)
    off = shown.pixmap(size, QIcon.Mode.Disabled, QIcon.State.Off)
    assert theme.accent_text.name() in inks(on)
    assert theme.text_off.name() in inks(off)


def test_an_icon_survives_being_changed_by_qt(theme: Theme) -> None:
    shown = icon("box", theme)
    copy = QIcon(shown)
    copy.addPixmap(icon_pixmap("x", QColor(theme.text), 16, 1.0))
    assert not copy.pixmap(16, 16).isNull()
    assert not shown.pixmap(16, 16).isNull()


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_a_button_icon_has_the_screens_pixels_and_a_gap_to_its_words(
    theme: Theme, scale: float
) -> None:
    shown = icon("square", theme)
    pixmap = shown.pixmap(QSize(20, 16), scale)
    assert pixmap.size() == QSize(round(20 * scale), round(16 * scale))
    image = pixmap.toImage()
    right = range(round(17 * scale), image.width())
    assert all(image.pixelColor(x, y).alpha() == 0 for x in right for y in range(image.height()))
    assert inks(pixmap) <= {theme.text2.name()}
