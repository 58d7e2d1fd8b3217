"""What the window looks like: colours, type, spacing and motion read from ``tokens.json``.

A ``Theme`` is one frozen value. It is handed to the palette, the style sheet and to everything
that paints; a change of theme is a new value (``ThemeManager``). Colour literals live in the
tokens file only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, runtime_checkable

from PySide6.QtCore import QObject
from PySide6.QtGui import QColor, QFont

from desktop.widgets import fonts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtWidgets import QWidget

ThemeName = Literal["light", "dark"]
FontRole = Literal[
    "display",
    "title",
    "heading",
    "reading",
    "notebook",
    "body",
    "body_medium",
    "body_strong",
    "small",
    "small_medium",
    "label",
    "label_strong",
    "code",
    "code_small",
]
_READING_PX: Final = 16
# Roles the tokens describe in words ("500 for names"): where they come from, and their weight.
_DERIVED: Final = {
    "body_medium": ("body", 500),
    "small_medium": ("small", 500),
    "label_strong": ("label", 600),
}


@runtime_checkable
class Themed(Protocol):
    """A widget that draws with a theme; ``apply_theme`` finds it, so it need not forward it."""

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        ...


@dataclass(frozen=True, slots=True)
class TypeStyle:
    """One step of the type scale; pixels are device independent."""

    px: int
    line: int
    weight: int
    tracking: float
    mono: bool


@dataclass(frozen=True, slots=True)
class Theme:
    """One complete look. Colours are attributes; type, space and motion are asked by role.

    Attributes:
        name: ``light`` or ``dark``.
        reading_px: Size of message text, 13 to 22 pixels.
        measure_px: Widest line of reading text; it grows with ``reading_px``.
        reduced_motion: All durations are 0.
        confidence_tints: Grounds for words of chance >= .9 (none), >= .5, >= .2 and below.
        confidence_lines: The 2 px lines under them.
        categorical: Data colours by name, in their fixed order.
        inks: Black and white: words on a data colour take the one that contrasts more.
        sequential: 11 stops of the map for amounts; the first is the paper.
        diverging: 11 stops of the map for differences.
        token_chips: Four soft grounds that only part neighbours.
    """

    name: ThemeName
    reading_px: int
    measure_px: int
    reduced_motion: bool
    high_contrast: bool
    rail: QColor
    side: QColor
    page: QColor
    raised: QColor
    sunken: QColor
    hover: QColor
    pressed: QColor
    selected: QColor
    scrim: QColor
    line: QColor
    line_strong: QColor
    control: QColor
    text: QColor
    text2: QColor
    text3: QColor
    text_off: QColor
    accent: QColor
    accent_hover: QColor
    accent_pressed: QColor
    on_accent: QColor
    accent_text: QColor
    accent_soft: QColor
    accent_line: QColor
    focus: QColor
    ok: QColor
    ok_soft: QColor
    ok_line: QColor
    info: QColor
    info_soft: QColor
    info_line: QColor
    warn: QColor
    warn_soft: QColor
    warn_line: QColor
    bad: QColor
    bad_soft: QColor
    bad_line: QColor
    on_bad: QColor
    code_text: QColor
    code_key: QColor
    code_str: QColor
    code_num: QColor
    code_fn: QColor
    code_com: QColor
    confidence_tints: tuple[QColor | None, ...]
    confidence_lines: tuple[QColor | None, ...]
    categorical: Mapping[str, QColor]
    inks: tuple[QColor, ...]
    sequential: tuple[QColor, ...]
    diverging: tuple[QColor, ...]
    token_chips: tuple[QColor, ...]

    @classmethod
    def load(
        cls,
        name: ThemeName,
        *,
        high_contrast: bool = False,
        reading_px: int = _READING_PX,
        narrow_measure: bool = False,
        reduced_motion: bool = False,
    ) -> Theme:
        """Read one look from the tokens.

        Args:
            name: Which of the two.
            high_contrast: Replace hairlines, greys and soft grounds by their strong counterparts.
            reading_px: Size of message text, 13 to 22.
            narrow_measure: 560 instead of 640 pixels at the usual reading size.
            reduced_motion: Make all durations 0.
        """
        tokens = read_tokens()[name]
        hexes = dict(tokens["color"])
        if high_contrast:
            _strengthen(hexes)
        data = tokens["data"]
        measure = 560 if narrow_measure else int(layout("measure"))
        return cls(
            name=name,
            reading_px=reading_px,
            measure_px=round(measure * reading_px / _READING_PX),
            reduced_motion=reduced_motion,
            high_contrast=high_contrast,
            **{key: QColor(value) for key, value in hexes.items()},
            confidence_tints=_colors(data["confidence"]["tint"]),
            confidence_lines=_colors(data["confidence"]["line"]),
            categorical={
                key: QColor(data["categorical"][key]) for key in data["categorical_order"]
            },
            inks=tuple(QColor(ink) for ink in data["inks"]),
            sequential=tuple(QColor(stop) for stop in data["sequential"]),
            diverging=tuple(QColor(stop) for stop in data["diverging"]),
            token_chips=tuple(QColor(chip) for chip in data["token_chips"]),
        )

    @property
    def is_dark(self) -> bool:
        """Whether light text stands on dark ground."""
        return self.name == "dark"

    def type_style(self, role: FontRole) -> TypeStyle:
        """Return size, line height, weight and tracking of a role, in pixels.

        The roles ``reading`` and ``notebook`` follow the person's reading size.
        """
        return _type_style(role, self.reading_px)

    def line_height(self, role: FontRole) -> int:
        """Return the height of one line of a role in pixels."""
        return self.type_style(role).line

    def font(
        self,
        role: FontRole,
        *,
        tabular: bool = False,
        bold: bool = False,
        italic: bool = False,
    ) -> QFont:
        """Return a font of a role; its faces are loaded on the way.

        Args:
            role: Step of the type scale.
            tabular: Digits of equal width, for meters and tables.
            bold: Weight 700 instead of the role's.
            italic: Slanted.
        """
        style = self.type_style(role)
        if style.mono:
            fonts.load_code_faces()
        elif bold or italic:
            fonts.load_reading_faces()
        if bold:
            style = replace(style, weight=700)
        return QFont(_font(style, tabular=tabular, italic=italic))

    def duration(self, kind: str) -> int:
        """Return milliseconds of ``hover``, ``fold``, ``panel`` or ``overlay``; 0 if reduced."""
        return 0 if self.reduced_motion else int(read_tokens()["motion"][f"{kind}_ms"])

    @property
    def scrim_alpha(self) -> float:
        """How dark the ground under an overlay becomes, 0 to 1."""
        return float(read_tokens()["elevation"]["dialog"]["scrim"][self.name])

    @property
    def shadow_alpha(self) -> float:
        """Strength of the shadow under pop-ups, 0 to 1."""
        return 0.45 if self.is_dark else 0.14


@cache
def read_tokens() -> dict[str, Any]:
    """Return the tokens file as parsed."""
    text = files("resources").joinpath("themes", "tokens.json").read_text("utf-8")
    tokens: dict[str, Any] = json.loads(text)
    return tokens


def layout(name: str) -> int:
    """Return one size of the layout in device independent pixels, e.g. ``layout("header")``."""
    return int(read_tokens()["layout"][name])


def rows(name: str) -> int:
    """Return the height of a kind of row in device independent pixels, e.g. ``rows("chat")``."""
    return int(read_tokens()["layout"]["rows"][name])


def apply_theme(root: QWidget, theme: Theme) -> None:
    """Hand a theme to everything ``Themed`` below ``root``, delegates too, and to ``root``."""
    for child in (root, *root.findChildren(QObject)):
        if isinstance(child, Themed):
            child.set_theme(theme)
    root.update()


def _colors(values: list[str | None]) -> tuple[QColor | None, ...]:
    return tuple(None if value is None else QColor(value) for value in values)


def _strengthen(hexes: dict[str, str]) -> None:
    hexes["line"] = hexes["line_strong"] = hexes["control"]
    hexes["text2"] = hexes["text3"] = hexes["text"]
    for tone in ("accent", "ok", "info", "warn", "bad"):
        # The outline alone now says what the ground said.
        hexes[f"{tone}_soft"], hexes[f"{tone}_line"] = hexes["page"], hexes[tone]


@cache
def _type_style(role: FontRole, reading_px: int) -> TypeStyle:
    base, weight = _DERIVED.get(role, (role, None))
    step = read_tokens()["type"]["scale"][base]
    scale = reading_px / _READING_PX if role in {"reading", "notebook"} else 1.0
    return TypeStyle(
        px=round(step["px"] * scale),
        line=round(step["line"] * scale),
        weight=weight or step["weight"],
        tracking=step["tracking"],
        mono=step.get("family") == "mono",
    )


@cache
def _font(style: TypeStyle, *, tabular: bool, italic: bool) -> QFont:
    families = read_tokens()["type"]["families"]["mono" if style.mono else "ui"]
    font = QFont(families)
    font.setPixelSize(style.px)
    font.setWeight(QFont.Weight(style.weight))
    font.setItalic(italic)
    if style.tracking:
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, style.tracking)
    if tabular:
        font.setFeature(QFont.Tag("tnum"), 1)
    if style.mono:
        font.setFeature(QFont.Tag("calt"), 0)
        font.setFeature(QFont.Tag("liga"), 0)
    # Widths in logical pixels, so that a line breaks at the same word at every scale.
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font
