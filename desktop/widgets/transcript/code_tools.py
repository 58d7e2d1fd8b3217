"""The real widgets of a code block in sight: Copy, Save, fold, and its horizontal scroll bar.

They live only while the block is in sight; the block itself is painted.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QScrollBar, QWidget

from desktop.widgets.controls import Button
from desktop.widgets.formatting import count
from desktop.widgets.icons import icon
from desktop.widgets.markdown.highlight import suffix
from desktop.widgets.transcript.code_piece import BAR, PAD

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme
    from desktop.widgets.transcript.code_piece import CodePiece

_COPIED_MS: Final = 2_000


class CodeTools(QObject):
    """The controls of one code block.

    Signals:
        fold_requested: Fold or unfold.
        scrolled: The lines moved sideways.
        save_refused: Why the code could not be saved, a sentence.
    """

    fold_requested = Signal()
    scrolled = Signal()
    save_refused = Signal(str)

    def __init__(self, piece: CodePiece, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.piece = piece
        self._theme = theme
        self._body = parent
        self._at = QPointF()
        self._copy = self._button(self.tr("Copy"), "code_copy", "copy")
        self._save = self._button(self.tr("Save"), "code_save", "save")
        self._fold: Button | None = None
        self._bar: QScrollBar | None = None
        language = piece.language or self.tr("text")
        self._copy.setAccessibleName(self.tr("Copy {0} code").format(language))
        self._save.setAccessibleName(self.tr("Save {0} code").format(language))
        self._copy.clicked.connect(self._on_copy)
        self._save.clicked.connect(self._on_save)

    def _button(self, text: str, name: str, icon_name: str = "") -> Button:
        button = Button(
            text,
            self._theme,
            kind="ghost",
            name=name,
            icon_name=icon_name,
            small=True,
            parent=self._body,
        )
        button.show()
        return button

    def remove(self) -> None:
        """Take the widgets away."""
        for widget in self.widgets():
            widget.hide()
            widget.deleteLater()
        self.deleteLater()

    def widgets(self) -> tuple[QWidget, ...]:
        """Return the live widgets."""
        return tuple(w for w in (self._copy, self._save, self._fold, self._bar) if w is not None)

    def focus_order(self) -> tuple[QWidget, ...]:
        """Return what Tab goes through here."""
        return tuple(w for w in (self._copy, self._save, self._fold) if w is not None)

    def has_focus(self) -> bool:
        """Whether one of them has the keyboard."""
        return any(widget.hasFocus() for widget in self.widgets())

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme

    def place(self, at: QPointF) -> None:
        """Put the widgets where the block is now; ``at`` is its top left corner."""
        self._at, piece = at, self.piece
        right = round(at.x() + piece.width) - 5
        for button in (self._save, self._copy):
            width = button.sizeHint().width()
            button.setGeometry(right - width, round(at.y()) + 2, width, BAR - 4)
            right -= width + 2
        self._place_fold(at)
        self._place_bar(at)

    def _place_fold(self, at: QPointF) -> None:
        piece = self.piece
        if not piece.can_fold:
            return
        if self._fold is None:
            self._fold = self._button("", "code_fold")
            self._fold.clicked.connect(self.fold_requested)
        text = (
            self.tr("Show all {0} lines").format(count(piece.line_count))
            if piece.is_folded
            else self.tr("Show fewer lines")
        )
        self._fold.setText(text)
        self._fold.setAccessibleName(text)
        size = self._fold.sizeHint()
        top = round(at.y() + piece.height) - size.height() - 4
        self._fold.setGeometry(round(at.x() + piece.box.left()) + 5, top, size.width(), 28)

    def _place_bar(self, at: QPointF) -> None:
        piece = self.piece
        if piece.hidden_width <= 0:
            if self._bar is not None:
                self._bar.hide()
            return
        if self._bar is None:
            self._bar = QScrollBar(Qt.Orientation.Horizontal, self._body)
            self._bar.setObjectName("code_scroll")
            self._bar.setAccessibleName(self.tr("Scroll the code sideways"))
            self._bar.valueChanged.connect(self._on_scrolled)
            self._bar.show()
        self._bar.setRange(0, round(piece.hidden_width) + PAD)
        self._bar.setPageStep(round(piece.inner_width))
        self._bar.setSingleStep(24)
        height = self._bar.sizeHint().height()
        fold = 34 if piece.can_fold else 0
        top = round(at.y() + piece.height) - height - 2 - fold
        left = round(at.x() + piece.box.left()) + 6
        self._bar.setGeometry(left, top, round(piece.box.width()) - 12, height)

    def scroll_by(self, pixels: int) -> bool:
        """Move the lines sideways; ``False`` where everything is in sight."""
        if self._bar is None:
            return False
        self._bar.setValue(self._bar.value() + pixels)
        return True

    def _on_scrolled(self, value: int) -> None:
        self.piece.scroll_x = float(value)
        self.scrolled.emit()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.piece.block.text)
        self._copy.setText(self.tr("Copied"))
        self._copy.setIcon(icon("check", self._theme, self._theme.ok))
        self.place(self._at)  # the word is longer
        QTimer.singleShot(_COPIED_MS, self._copy, self._on_copy_shown)

    def _on_copy_shown(self) -> None:
        self._copy.setText(self.tr("Copy"))
        self._copy.set_theme(self._theme)
        self.place(self._at)

    def _on_save(self) -> None:
        name = f"code{suffix(self.piece.block.info)}"
        path, _ = QFileDialog.getSaveFileName(self._body, self.tr("Save the code"), name)
        if not path:
            return
        try:
            Path(path).write_text(self.piece.block.text + "\n", encoding="utf-8")
        except OSError as exc:
            reason = exc.strerror or str(exc)
            self.save_refused.emit(self.tr("The code was not saved: {0}.").format(reason))
