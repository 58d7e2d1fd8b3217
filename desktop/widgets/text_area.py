"""A field of several lines of plain text with a fixed line height."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QTextBlockFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop.widgets.theme import FontRole, Theme


class TextArea(QTextEdit):
    """Plain text in lines as high as the type role says; Qt's own plain field knows no such thing.

    Args:
        theme: Font and line height.
        role: Type role.
        name: objectName.
        title: Accessible name.
    """

    def __init__(
        self,
        theme: Theme,
        role: FontRole = "body",
        *,
        name: str,
        title: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._line = theme.line_height(role)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setProperty("part", "field")
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setCursorWidth(2)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFont(theme.font(role))
        self.document().setDefaultFont(theme.font(role))
        self.document().setDocumentMargin(3)
        self.setPlainText("")

    def setPlainText(self, text: str) -> None:
        """Show a text; there is nothing to undo then."""
        super().setPlainText(text)
        form = QTextBlockFormat()
        form.setLineHeight(self._line, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.setBlockFormat(form)
        self.document().clearUndoRedoStacks()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Take text only, in this field's own format."""
        self.textCursor().insertText(source.text())
        self.ensureCursorVisible()
