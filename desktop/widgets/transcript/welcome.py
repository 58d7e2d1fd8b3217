"""What a chat shows before its first message: a heading, a sentence, suggestions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop.widgets.controls import Button, label
from desktop.widgets.empty_state import Glyph

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from desktop.values import EngineState
    from desktop.widgets.theme import Theme

_READY: Final = frozenset({"ready", "answering", "stopping"})


class Heading(QWidget):
    """The greeting above the composer."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self._had_model = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        row = QHBoxLayout()
        row.setSpacing(15)
        row.addWidget(Glyph("mark", theme, "accent", 36))
        self._title = label("", theme, "display", wrap=True, name="welcome_title")
        row.addWidget(self._title, 1)
        column.addLayout(row)
        self._text = label("", theme, "body", "text2", wrap=True, name="welcome_text")
        column.addWidget(self._text)

    def show_engine(self, state: EngineState) -> None:
        """Say which model is ready, and what it is good for."""
        model = state.model
        self._had_model = self._had_model or model is not None
        if model is None:
            # At the start the usual model is on its way.
            title = self.tr("Choose a model to begin.")
            if not self._had_model:
                title = self.tr("Ask something.")
            text = self.tr("What you write stays on this computer.")
        elif state.continues:
            title = self.tr("Begin a text. {0} continues it.").format(model.name)
            text = self.tr("A base model continues your text; it does not answer questions.")
        elif model.bundled:
            title = self.tr("Ask something.")
            if state.status in _READY:
                title = self.tr("Ask something. A small model is ready.")
            text = self.tr(
                "The starter model came with the app and needs no network. "
                "It is tiny: for trying out, not for facts."
            )
        else:
            title = self.tr("Ask something.")
            text = self.tr("{0} answers on this computer, without a network.").format(model.name)
        if model is not None and state.continues and model.bundled:
            text += " " + self.tr("This one is tiny: for trying out, not for facts.")
        self._title.setText(title)
        self._text.setText(text)


class Suggestions(QWidget):
    """Things the starter models can really do; a press writes one into the composer and sends it.

    Signals:
        chosen: With the text.
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("suggestions")
        self._theme = theme
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._row.setAlignment(Qt.AlignmentFlag.AlignLeft)
        # A narrow window stacks them instead of being held open by them.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._shown: tuple[str, ...] = ()
        self._buttons: list[Button] = []

    def show_engine(self, state: EngineState) -> None:
        """Offer what suits the model; a model of one's own gets none."""
        model = state.model
        texts: tuple[str, ...] = ()
        if model is not None and model.bundled:
            texts = self._beginnings() if state.continues else self._questions()
        if texts == self._shown:
            return
        self._shown = texts
        for old in self._buttons:
            self._row.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._buttons = []
        for index, text in enumerate(texts):
            button = Button(text, self._theme, kind="pill", name=f"suggestion_{index}")
            button.clicked.connect(lambda _checked=False, t=text: self.chosen.emit(t))
            self._row.addWidget(button)
            self._buttons.append(button)
        self._turn()

    def _turn(self) -> None:
        wanted = sum(button.sizeHint().width() + 8 for button in self._buttons)
        directions = QBoxLayout.Direction
        is_narrow = 0 < self.width() < wanted
        self._row.setDirection(directions.TopToBottom if is_narrow else directions.LeftToRight)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stack the suggestions where there is little room."""
        super().resizeEvent(event)
        self._turn()

    def _questions(self) -> tuple[str, ...]:
        return (
            self.tr("Why is the sky blue?"),
            self.tr("What is a token?"),
            self.tr("What can this app do?"),
        )

    def _beginnings(self) -> tuple[str, ...]:
        return (
            self.tr("Once upon a time"),
            self.tr("One day, a little girl"),
            self.tr("The sun was shining and"),
        )

    def set_theme(self, theme: Theme) -> None:
        """Build later buttons with this theme."""
        self._theme = theme
