"""Says that the model is being asked, or that questions wait for its answer in a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLabel

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_PATIENCE_MS: Final = 400


class Asking(QLabel):
    """Empty while nothing is waited for, or not for long."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("inside_asking")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(theme.font("small"))
        self.setProperty("tone", "text3")
        self._busy = self._writing = False
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self._show)
        self._show()

    def set_busy(self, busy: bool) -> None:
        """Say so when a question takes long."""
        self._busy = busy
        if not busy:
            self._patience.stop()
            self._show()
        elif not self._patience.isActive():
            self._patience.start()

    def set_writing(self, *, writing: bool) -> None:
        """Say that an answer in a chat comes first."""
        self._writing = writing
        self._show()

    def _show(self) -> None:
        words = ""
        if self._writing:
            words = self.tr("after the answer in the chat")
        elif self._busy:
            words = self.tr("asking the model …")
        self.setText(words)
        self.setVisible(bool(words))
