"""What happens to a model from elsewhere: three plain choices; and how far a copy is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop.widgets import formatting
from desktop.widgets.controls import Button, label
from desktop.widgets.inputs import Switch
from desktop.widgets.overlay import FloatFrame

if TYPE_CHECKING:
    from PySide6.QtWidgets import QLayout

    from desktop.controllers.arrivals import Offer
    from desktop.widgets.theme import Theme

_WIDTH: Final = 440
_STEPS: Final = 1000


class ArrivalDialog(FloatFrame):
    """Asks whether a model is linked, copied or moved.

    Signals:
        chosen: ``link``, ``copy`` or ``move``, and whether to remember it.
        cancelled: Nothing shall happen.
    """

    chosen = Signal(str, bool)
    cancelled = Signal()

    def __init__(self, offer: Offer, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, name="arrival_dialog", kind="dialog", parent=parent)
        self.offer = offer
        title = self.tr("Where shall “{0}” live?").format(offer.name)
        self.setAccessibleName(title)
        size = formatting.size(offer.size_bytes)
        column = _column(self)
        column.addWidget(label(title, theme, "heading", wrap=True, name="arrival_title"))
        column.addWidget(label(offer.path, theme, "code_small", "text2", wrap=True))
        column.addSpacing(8)
        link = self._choice(
            "link",
            self.tr("Leave it where it is"),
            self.tr("It is used from there, and nothing is copied. It must stay in that place."),
            theme,
        )
        copy = self._choice(
            "copy",
            self.tr("Copy it"),
            self.tr("Takes {0} more, in {1}. The original stays.").format(size, offer.target),
            theme,
            offer.no_copy,
        )
        move = self._choice(
            "move",
            self.tr("Move it"),
            self.tr("To {0}. Undo brings it back until the app closes.").format(offer.target),
            theme,
            offer.no_move,
        )
        for choice in (link, copy, move):
            column.addLayout(choice)
        self._remember = Switch(self.tr("Do the same from now on"), theme, name="arrival_remember")
        keep = QHBoxLayout()
        keep.setSpacing(10)
        keep.addWidget(self._remember)
        words = self.tr("Do the same from now on. It can be changed under Models, Folders.")
        keep.addWidget(label(words, theme, "small", "text2", wrap=True), 1)
        column.addSpacing(4)
        column.addLayout(keep)
        cancel = Button(self.tr("Cancel"), theme, name="arrival_cancel")
        cancel.clicked.connect(self.cancelled)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(cancel)
        column.addLayout(foot)
        self.setFocusProxy(self._first)

    def _choice(
        self, choice: str, words: str, help_words: str, theme: Theme, reason: str = ""
    ) -> QLayout:
        kind = "main" if choice == "link" else "secondary"
        button = Button(
            words,
            theme,
            kind="main" if kind == "main" else "secondary",
            name=f"arrival_{choice}",
        )
        button.setAccessibleDescription(help_words)
        button.setAutoDefault(True)
        if reason:
            button.set_reason(reason)
        button.clicked.connect(lambda: self.chosen.emit(choice, self._remember.isChecked()))
        if choice == "link":
            self._first = button
        text = label(
            reason or help_words, theme, "small", "text3", wrap=True, name=f"arrival_{choice}_help"
        )
        box = QVBoxLayout()
        box.setSpacing(3)
        box.addWidget(button)
        box.addWidget(text)
        box.addSpacing(8)
        return box


class CopyDialog(FloatFrame):
    """How far a copy or move is; it goes on when the dialog is closed.

    Signals:
        cancelled: It shall stop.
        hidden_asked: It shall go on without the dialog.
    """

    cancelled = Signal()
    hidden_asked = Signal()

    def __init__(self, name: str, way: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, name="copy_dialog", kind="dialog", parent=parent)
        words = self.tr("Copying “{0}”" if way == "copy" else "Moving “{0}”").format(name)
        self.setAccessibleName(words)
        self._bar = QProgressBar()
        self._bar.setObjectName("copy_progress")
        self._bar.setAccessibleName(words)
        self._bar.setTextVisible(False)
        self._bar.setRange(0, _STEPS)
        self._percent = label("", theme, "small", "text2", name="copy_percent")
        column = _column(self)
        column.addWidget(label(words, theme, "heading", wrap=True))
        column.addWidget(self._bar)
        column.addWidget(self._percent)
        cancel = Button(self.tr("Cancel"), theme, name="copy_cancel")
        cancel.clicked.connect(self.cancelled)
        hide = Button(self.tr("Go on in the background"), theme, kind="main", name="copy_hide")
        hide.clicked.connect(self.hidden_asked)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addStretch(1)
        foot.addWidget(cancel)
        foot.addWidget(hide)
        column.addLayout(foot)
        self.setFocusProxy(hide)
        self.set_fraction(0.0)

    def set_fraction(self, fraction: float) -> None:
        """Show how far it is, 0 to 1."""
        self._bar.setValue(round(fraction * _STEPS))
        self._percent.setText(formatting.percent(fraction))


def _column(dialog: FloatFrame) -> QVBoxLayout:
    inside = QWidget()
    inside.setFixedWidth(_WIDTH)
    column = QVBoxLayout(inside)
    column.setContentsMargins(20, 18, 20, 18)
    column.setSpacing(6)
    dialog.body.addWidget(inside)
    return column
