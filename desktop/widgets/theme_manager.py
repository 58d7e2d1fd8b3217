"""Which theme is in force: follows the system and the person's settings, and tells the window."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyle

from desktop.widgets.theme import Theme, read_tokens

if TYPE_CHECKING:
    from PySide6.QtGui import QStyleHints

ThemeChoice = Literal["system", "light", "dark"]


@dataclass(frozen=True, slots=True)
class Appearance:
    """What a person chose about the look.

    Attributes:
        choice: ``system`` follows the desktop.
        reading_px: Size of message text, 13 to 22.
        narrow_measure: Shorter lines of reading text.
        reduced_motion: ``True`` reduces always, ``False`` does as the system.
    """

    choice: ThemeChoice = "system"
    reading_px: int = 16
    narrow_measure: bool = False
    reduced_motion: bool = False


class ThemeManager(QObject):
    """Holds the theme in force and puts it on the application.

    Signals:
        theme_changed: With the new ``Theme``, after palette and style sheet are set.
    """

    theme_changed = Signal(object)

    def __init__(self, app: QApplication, appearance: Appearance | None = None) -> None:
        super().__init__(app)
        self._app = app
        self._appearance = appearance or Appearance()
        hints = app.styleHints()
        hints.colorSchemeChanged.connect(self._on_system_changed)
        hints.accessibility().contrastPreferenceChanged.connect(self._on_system_changed)
        self._theme = self._wanted()
        self._put_on()

    @property
    def theme(self) -> Theme:
        """The theme in force."""
        return self._theme

    def set_appearance(self, appearance: Appearance) -> None:
        """Follow other choices; nothing happens where they are the same."""
        if appearance == self._appearance:
            return
        self._appearance = appearance
        self._refresh()

    def _on_system_changed(self) -> None:
        self._refresh()

    def _refresh(self) -> None:
        wanted = self._wanted()
        if wanted == self._theme:
            return
        self._theme = wanted
        self._put_on()
        self.theme_changed.emit(wanted)

    def _wanted(self) -> Theme:
        hints = self._app.styleHints()
        choice = self._appearance.choice
        if choice == "system":
            choice = "dark" if hints.colorScheme() == Qt.ColorScheme.Dark else "light"
        return Theme.load(
            choice,
            high_contrast=_wants_contrast(hints),
            reading_px=self._appearance.reading_px,
            narrow_measure=self._appearance.narrow_measure,
            reduced_motion=self._appearance.reduced_motion or _system_reduces_motion(),
        )

    def _put_on(self) -> None:
        self._app.setPalette(palette(self._theme))
        self._app.setFont(self._theme.font("body"))
        self._app.setStyleSheet(style_sheet(self._theme))


def palette(theme: Theme) -> QPalette:
    """Return the palette of a theme after the ``qpalette`` map of the tokens."""
    result = QPalette()
    for name, token in read_tokens()["qpalette"].items():
        group, _, role = name.rpartition("_")
        color: QColor = getattr(theme, token)
        if group:
            result.setColor(QPalette.ColorGroup[group], QPalette.ColorRole[role], color)
        else:
            result.setColor(QPalette.ColorRole[role], color)
    return result


def style_sheet(theme: Theme) -> str:
    """Return the window's style sheet with every ``$name`` replaced.

    Raises:
        KeyError: The template names a colour that the theme has not.
    """
    template = files("resources").joinpath("themes", "window.qss").read_text("utf-8")
    names = read_tokens()[theme.name]["color"]
    return Template(template).substitute({name: getattr(theme, name).name() for name in names})


def _wants_contrast(hints: QStyleHints) -> bool:
    preference = hints.accessibility().contrastPreference()
    return preference == Qt.ContrastPreference.HighContrast


def _system_reduces_motion() -> bool:
    style = QApplication.style()
    still = style.styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) == 0
    return still or not QApplication.isEffectEnabled(Qt.UIEffect.UI_General)
