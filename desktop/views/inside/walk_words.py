"""The first figure of the walk-through: the words that go in, and who wrote each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from desktop.prompt_parts import parts_before
from desktop.widgets.charts.pieces import shown
from desktop.widgets.controls import label

if TYPE_CHECKING:
    from desktop.inside import Subject
    from desktop.prompt_parts import PromptPart, Speaker
    from desktop.widgets.theme import Theme

_MOST: Final = 14
_LONGEST: Final = 600
_NAMES: Final = 104


class WalkWords(QWidget):
    """A text as it is; a chat part by part, each beside the name of whoever wrote it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("walk_parts")
        self._text = label("", theme, "reading", wrap=True, name="walk_text")
        self._rows: list[QLabel] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnMinimumWidth(0, _NAMES)
        self._grid.setColumnStretch(1, 1)
        self._grid.addWidget(self._text, 0, 0, 1, 2)

    def show_subject(self, subject: Subject) -> None:
        """Show what stands before the place looked at."""
        for row in self._rows:
            self._grid.removeWidget(row)
            row.deleteLater()
        self._rows = []
        parts = parts_before(subject)
        is_chat = subject.source.request.messages is not None
        self._text.setVisible(not is_chat)
        self._text.setText("" if is_chat else subject.words_before)
        if not is_chat:
            return
        left_out = max(0, len(parts) - _MOST)
        if left_out:
            words = self.tr("{0} parts of this chat stand before.").format(left_out)
            self._add(1, "", label(words, self._theme, "small", "text3", wrap=True))
        for place, part in enumerate(parts[left_out:], 2):
            self._add(place, self._name(part.speaker), self._words(subject, part))

    def _add(self, row: int, name: str, words: QLabel) -> None:
        named = label(name, self._theme, "small", "text3")
        named.setFixedHeight(words.minimumSizeHint().height())  # level with the first line
        words.setAccessibleName(f"{name}: {words.text()}" if name else words.text())
        for column, one in enumerate((named, words)):
            self._grid.addWidget(one, row, column, Qt.AlignmentFlag.AlignTop)
            self._rows.append(one)

    def _words(self, subject: Subject, part: PromptPart) -> QLabel:
        if part.speaker in {"template", "prompt"}:
            pieces = (subject.tokens[place] for place in part.pieces)
            return label(
                "".join(map(shown, pieces)),
                self._theme,
                "code",
                "text2",
                wrap=True,
                name="walk_marks",
            )
        text = part.text
        if len(text) > _LONGEST:
            text = f"{text[: _LONGEST // 2].rstrip()} … {text[-_LONGEST // 2 :].lstrip()}"
        return label(text, self._theme, "reading", wrap=True, name="walk_said")

    def _name(self, speaker: Speaker) -> str:
        names: dict[Speaker, str] = {
            "template": self.tr("Chat template"),
            "system": self.tr("System prompt"),
            "user": self.tr("You"),
            "assistant": self.tr("The model"),
            "prompt": self.tr("Whole prompt"),
            "text": self.tr("Your text"),
        }
        return names[speaker]
