"""A list beside the page of what is chosen in it; where it is narrow, a stack of the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

_LIST_WIDTH: Final = 404
_LEAST_LIST: Final = 300
_STACK_BELOW: Final = 820
_ANY_WIDTH: Final = 16_777_215


class SplitPage(QFrame):
    """Two parts; ``set_parts`` has to be called once.

    Signals:
        narrowed: Whether there is room for one part only, and so a way back is needed.
    """

    narrowed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_narrow = False
        self._list_part: QWidget | None = None
        self._page_part: QWidget | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether one part is seen at a time."""
        return self._is_narrow

    def set_parts(self, list_part: QWidget, page_part: QWidget) -> None:
        """Lay the parts out."""
        self._list_part, self._page_part = list_part, page_part
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(list_part)
        row.addWidget(page_part, 1)
        self._arrange()

    def show_list_part(self) -> None:
        """Go back to the list."""
        self._show(is_list=True)

    def show_page_part(self) -> None:
        """Go to the page where one part is seen at a time."""
        if self._is_narrow:
            self._show(is_list=False)

    def _show(self, *, is_list: bool) -> None:
        if self._list_part is not None and self._page_part is not None:
            self._list_part.setVisible(is_list)
            self._page_part.setVisible(not is_list or not self._is_narrow)

    def _arrange(self) -> None:
        if self._list_part is None:
            return
        self._show(is_list=True)
        if self._is_narrow:
            self._list_part.setMinimumWidth(0)
            self._list_part.setMaximumWidth(_ANY_WIDTH)
        else:
            self._list_part.setFixedWidth(min(_LIST_WIDTH, max(_LEAST_LIST, self.width() // 3)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give way where there is no room for both."""
        super().resizeEvent(event)
        narrow = self.width() < _STACK_BELOW
        if narrow != self._is_narrow:
            self._is_narrow = narrow
            self._arrange()
            self.narrowed.emit(narrow)
        elif not narrow:
            self._arrange()
