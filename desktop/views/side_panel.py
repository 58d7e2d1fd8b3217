"""The panel beside a chat; its content is made when it is first seen, not at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent

    from desktop.values import ChatDetail
    from desktop.views.chat_settings import ChatSettings
    from desktop.widgets.theme import Theme


class SidePanel(QFrame):
    """The place of ``ChatSettings``, which is made when the panel is first shown.

    Signals: those of ``ChatSettings``, handed on.
    """

    system_prompt_changed = Signal(str)
    sampling_changed = Signal(object)
    close_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._chat: ChatDetail | None = None
        self._is_base = False
        self._form: ChatSettings | None = None
        self.setObjectName("side_panel")
        self.setAccessibleName(self.tr("Chat settings"))
        self.setProperty("ground", "side")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    def set_theme(self, theme: Theme) -> None:
        """Make what is not made yet with this theme."""
        self._theme = theme

    def set_chat(self, chat: ChatDetail) -> None:
        """Show the settings of a chat; nothing is emitted."""
        self._chat = chat
        if self._form is not None:
            self._form.set_chat(chat)

    def set_base_model(self, *, is_base: bool) -> None:
        """Say where a system prompt has no effect."""
        self._is_base = is_base
        if self._form is not None:
            self._form.set_base_model(is_base=is_base)

    def flush(self) -> None:
        """Hand on what was typed and not yet handed on."""
        if self._form is not None:
            self._form.flush()

    def showEvent(self, event: QShowEvent) -> None:
        """Make the content."""
        if self._form is None:
            self._form = self._made()
        super().showEvent(event)

    def _made(self) -> ChatSettings:
        from desktop.views.chat_settings import ChatSettings  # noqa: PLC0415  see the module

        form = ChatSettings(self._theme)
        form.system_prompt_changed.connect(self.system_prompt_changed)
        form.sampling_changed.connect(self.sampling_changed)
        form.close_asked.connect(self.close_asked)
        form.set_base_model(is_base=self._is_base)
        if self._chat is not None:
            form.set_chat(self._chat)
        self._column.addWidget(form)
        form.show()  # what joins a parent during its showEvent stays hidden otherwise
        self.setFocusProxy(form)
        return form
