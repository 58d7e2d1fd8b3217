"""The building blocks of the Settings page: cards by subject, and rows that apply at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from desktop.widgets.controls import Button, Paragraph, label, rule, scrolled
from desktop.widgets.theme import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.widgets.theme import Theme

_COLUMN: Final = 760


class SettingsRow(QWidget):
    """Name, a sentence, and the control at the right; 58 pixels high at least.

    Signals:
        reset_asked: The link behind "Changed from ..." was pressed.
    """

    reset_asked = Signal()

    def __init__(
        self, title: str, words: str, control: QWidget | None, theme: Theme, *, name: str
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setMinimumHeight(rows("setting"))
        self._help: Paragraph = Paragraph(words, theme.line_height("small"))
        self._help.setFont(theme.font("small"))
        self._help.setProperty("tone", "text3")
        self._help.setObjectName(f"{name}_help")
        texts = QVBoxLayout()
        texts.setSpacing(1)
        texts.addStretch(1)
        texts.addWidget(label(title, theme, "body_medium"))
        texts.addWidget(self._help)
        self._texts = texts
        self._changed: QWidget | None = None
        self._theme = theme
        texts.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(20)
        row.addLayout(texts, 1)
        if control is not None:
            control.setAccessibleDescription(words)
            row.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)

    def say(self, words: str) -> None:
        """Show another sentence."""
        self._help.setText(words)

    def say_changed(self, words: str) -> None:
        """Say from what it was changed, with a link that puts it back; empty = it was not."""
        if self._changed is None:
            if not words:
                return
            self._changed = self._changed_line()
            self._texts.insertWidget(3, self._changed)
        self._from.setText(words)
        self._changed.setVisible(bool(words))

    def _changed_line(self) -> QWidget:
        line = QWidget()
        self._from = label("", self._theme, "small", "text3", name=f"{self.objectName()}_changed")
        reset = Button(
            self.tr("reset"), self._theme, kind="link", name=f"{self.objectName()}_reset"
        )
        reset.setFont(self._theme.font("small"))
        reset.setAccessibleName(self.tr("Reset: {0}").format(self.accessibleName()))
        reset.clicked.connect(self.reset_asked)
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._from)
        row.addWidget(reset)
        row.addStretch(1)
        return line


class SettingsCard(QWidget):
    """A heading over an outlined card of rows."""

    def __init__(self, title: str, parts: Sequence[QWidget], theme: Theme) -> None:
        super().__init__()
        card = QFrame()
        card.setProperty("part", "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(1, 1, 1, 1)
        inside.setSpacing(0)
        self._lines: list[tuple[QWidget, QWidget]] = []
        for part in parts:
            line = rule()
            line.setVisible(bool(self._lines))
            self._lines.append((line, part))
            inside.addWidget(line)
            inside.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label(title, theme, "heading"))
        column.addWidget(card)

    def show_only(self, shown: Sequence[QWidget]) -> None:
        """Leave rows out that mean nothing now, with the hairlines above them."""
        first = True
        for line, part in self._lines:
            is_shown = part in shown
            part.setVisible(is_shown)
            line.setVisible(is_shown and not first)
            first = first and not is_shown


def settings_column(cards: Sequence[QWidget], name: str, words: str) -> QScrollArea:
    """Return cards below each other, as wide as they are easy to read, scrolling.

    Args:
        cards: From top to bottom.
        name: objectName of what scrolls.
        words: Its accessible name.
    """
    body = QWidget()
    body.setProperty("part", "scrolled")
    column = QVBoxLayout()
    column.setContentsMargins(24, 20, 24, 24)
    column.setSpacing(24)
    for card in cards:
        column.addWidget(card)
    column.addStretch(1)
    holder = QWidget()
    holder.setMaximumWidth(_COLUMN + 48)
    holder.setLayout(column)
    row = QHBoxLayout(body)
    row.setContentsMargins(0, 0, 0, 0)
    row.addStretch(1)
    row.addWidget(holder, 100)
    row.addStretch(1)
    return scrolled(body, name, words)
