"""A button that opens a menu of choices and shows that some are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QActionGroup, QPainter
from PySide6.QtWidgets import QMenu

from desktop.widgets.controls import Button
from desktop.widgets.icons import INLINE, paint_icon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QWidget

    from desktop.widgets.controls import ButtonKind
    from desktop.widgets.theme import Theme

Group = tuple[str, tuple[tuple[str, str], ...]]
"""A heading, or nothing, and choices as value and words."""


class ChoiceButton(Button):
    """Several choices at once, or one of each group.

    Args:
        text: What is chosen.
        theme: Colours.
        name: objectName.
        one_each: One choice of each group instead of any number.
        kind: Its weight on the page.
        icon_name: Before the text, or none.

    Signals:
        chosen: With a tuple of all chosen values.
    """

    chosen = Signal(tuple)

    def __init__(
        self,
        text: str,
        theme: Theme,
        *,
        name: str,
        one_each: bool = False,
        kind: ButtonKind = "chip",
        icon_name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            text, theme, kind=kind, name=name, icon_name=icon_name, small=True, parent=parent
        )
        self._theme = theme
        self._one_each = one_each
        self._has_arrow = kind == "chip"
        self._groups: tuple[Group, ...] = ()
        self._values: tuple[str, ...] = ()
        self.setProperty("menu", self._has_arrow)
        self.setCheckable(self._has_arrow)
        self.clicked.connect(self._open)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        super().set_theme(theme)
        self._theme = theme
        self.update()

    def set_choices(self, groups: Sequence[Group]) -> None:
        """Offer these."""
        self._groups = tuple(groups)

    def set_values(self, values: tuple[str, ...]) -> None:
        """Show what is chosen; nothing is emitted."""
        self._values = values
        self._say()

    def _say(self) -> None:
        if self._has_arrow:
            self.setChecked(bool(self._values))
        words = [text for _, choices in self._groups for value, text in choices
                 if value in self._values]  # fmt: skip
        self.setAccessibleDescription(", ".join(words))

    def _open(self) -> None:
        self._say()  # a click has turned the check mark over
        menu = QMenu(self)
        menu.setObjectName(f"{self.objectName()}_menu")
        menu.setAccessibleName(self.accessibleName())
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for title, choices in self._groups:
            if title:
                menu.addSection(title).setEnabled(False)
            together = QActionGroup(menu)
            together.setExclusive(self._one_each)
            for value, words in choices:
                action = menu.addAction(words)
                action.setCheckable(True)
                action.setChecked(value in self._values)
                action.setObjectName(f"{self.objectName()}_{value}")
                action.triggered.connect(lambda checked, v=value: self._on_picked(v, checked))
                together.addAction(action)
        menu.popup(self.mapToGlobal(QPoint(0, self.height() + 2)))

    def _on_picked(self, value: str, checked: bool) -> None:
        kept = set(self._values)
        if self._one_each:
            mine = next(choices for _, choices in self._groups if value in dict(choices))
            kept -= {other for other, _ in mine}
            checked = True
        kept = kept | {value} if checked else kept - {value}
        every = [one for _, choices in self._groups for one, _ in choices]
        self.set_values(tuple(one for one in every if one in kept))
        self.chosen.emit(self._values)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        super().paintEvent(event)
        if not self._has_arrow:
            return
        painter = QPainter(self)
        left = self.width() - 10 - INLINE
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            left = 10
        ink = self._theme.accent_text if self.isChecked() else self._theme.text2
        paint_icon(painter, "chevron-down", ink, QRect(left, 0, INLINE, self.height()))
        painter.end()
