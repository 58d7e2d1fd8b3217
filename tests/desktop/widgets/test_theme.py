"""The look: tokens become values, a palette and a style sheet, and nothing else has colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QFontInfo, QFontMetrics, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from desktop.widgets.theme import Theme, ThemeName, apply_theme, read_tokens
from desktop.widgets.theme_manager import Appearance, ThemeManager, palette, style_sheet

REPO = Path(__file__).resolve().parents[3]
NAMES: tuple[ThemeName, ...] = ("light", "dark")
_LITERAL = re.compile(r"#[0-9A-Fa-f]{3,8}\b|(?<![.\w])rgba?\(|GlobalColor\.(?!transparent)\w+")


def luminance(color: QColor) -> float:
    """Relative luminance, WCAG 2.2."""

    def linear(share: float) -> float:
        return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(c) for c in (color.redF(), color.greenF(), color.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: QColor, other: QColor) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", NAMES)
def test_every_token_is_an_attribute(name: ThemeName, dressed_app: QApplication) -> None:
    theme = Theme.load(name)
    for token, value in read_tokens()[name]["color"].items():
        assert getattr(theme, token) == QColor(value)


@pytest.mark.parametrize("name", NAMES)
def test_contrasts_are_what_the_tokens_claim(name: ThemeName, dressed_app: QApplication) -> None:
    theme = Theme.load(name)
    for ink, grounds in read_tokens()[name]["contrast"].items():
        for ground, claimed in grounds.items():
            measured = contrast(getattr(theme, ink), getattr(theme, ground))
            assert measured == pytest.approx(claimed, abs=0.02), (ink, ground)
            assert measured >= (3.0 if ink in {"focus", "control", "accent"} else 4.5)


def test_high_contrast_leaves_no_grey_text_and_no_soft_ground(dressed_app: QApplication) -> None:
    theme = Theme.load("light", high_contrast=True)
    assert theme.text2 == theme.text3 == theme.text
    assert theme.line == theme.line_strong == theme.control
    assert theme.accent_soft == theme.bad_soft == theme.page
    assert contrast(theme.bad_line, theme.page) >= 3


def test_no_colour_stands_outside_the_tokens() -> None:
    files = [*(REPO / "desktop").rglob("*.py"), *(REPO / "resources" / "themes").glob("*.qss")]
    files += (REPO / "resources" / "icons").glob("*.svg")
    assert len(files) > 30
    found = {
        str(path): _LITERAL.findall(path.read_text(encoding="utf-8"))
        for path in files
        if _LITERAL.search(path.read_text(encoding="utf-8"))
    }
    assert not found


@pytest.mark.parametrize("name", NAMES)
def test_the_style_sheet_has_no_name_left(name: ThemeName, dressed_app: QApplication) -> None:
    sheet = style_sheet(Theme.load(name))
    assert "$" not in sheet
    assert Theme.load(name).accent.name() in sheet


def test_the_palette_follows_its_map(theme: Theme) -> None:
    put = palette(theme)
    assert put.color(QPalette.ColorRole.Window) == theme.page
    disabled = put.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
    assert disabled == theme.text_off


def test_reading_text_and_its_measure_grow_together(dressed_app: QApplication) -> None:
    usual, large = Theme.load("light"), Theme.load("light", reading_px=20)
    assert (usual.type_style("reading").px, usual.measure_px) == (16, 640)
    assert (large.type_style("reading").px, large.measure_px) == (20, 800)
    assert large.line_height("reading") > usual.line_height("reading")
    assert large.type_style("body") == usual.type_style("body")


def test_weights_are_real_faces_and_code_is_monospaced(theme: Theme) -> None:
    strong = QFontInfo(theme.font("body_strong"))
    assert (strong.family(), strong.weight()) == ("Inter", 600)
    code = theme.font("code")
    assert QFontInfo(code).family() == "JetBrains Mono"
    assert QFontMetrics(code).horizontalAdvance("i") == QFontMetrics(code).horizontalAdvance("W")


def test_tabular_digits_share_a_width(theme: Theme) -> None:
    metrics = QFontMetrics(theme.font("small", tabular=True))
    assert metrics.horizontalAdvance("1" * 20) == metrics.horizontalAdvance("8" * 20)


def test_reduced_motion_has_no_durations(dressed_app: QApplication) -> None:
    assert Theme.load("light").duration("panel") == 180
    assert Theme.load("light", reduced_motion=True).duration("panel") == 0


def test_a_choice_changes_the_application_and_is_told_once(themes: ThemeManager) -> None:
    told: list[Theme] = []
    themes.theme_changed.connect(told.append)
    themes.set_appearance(Appearance(choice="dark"))
    themes.set_appearance(Appearance(choice="dark"))
    assert [theme.name for theme in told] == ["dark"]
    assert QApplication.palette().color(QPalette.ColorRole.Window) == told[0].page


def test_apply_theme_reaches_children_that_draw_themselves(
    theme: Theme, dressed_app: QApplication
) -> None:
    class Drawn(QWidget):
        seen: Theme | None = None

        def set_theme(self, theme: Theme) -> None:
            self.seen = theme

    root = QWidget()
    inner = Drawn(QWidget(root))
    apply_theme(root, theme)
    assert inner.seen is theme
