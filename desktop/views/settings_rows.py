"""The building blocks of the Settings page: cards by subject, and rows that apply at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.widgets.controls import Paragraph, label, rule
from desktop.widgets.theme import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.widgets.theme import Theme


class SettingsRow(QWidget):
    """Name, a sentence, and the control at the right; 58 pixels high at least."""

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


class SettingsCard(QWidget):
    """A heading over an outlined card of rows."""

    def __init__(self, title: str, parts: Sequence[QWidget], theme: Theme) -> None:
        super().__init__()
        card = QFrame()
        card.setProperty("part", "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(1, 1, 1, 1)
        inside.setSpacing(0)
        for number, part in enumerate(parts):
            if number:
                inside.addWidget(rule())
            inside.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label(title, theme, "heading"))
        column.addWidget(card)
