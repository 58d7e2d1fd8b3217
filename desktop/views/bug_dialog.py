"""What is shown when the app itself is at fault: a report to copy; the app goes on."""

from __future__ import annotations

import platform
import traceback
from importlib import metadata
from typing import TYPE_CHECKING

from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from desktop.widgets.controls import Button, label
from desktop.widgets.overlay import FloatFrame

if TYPE_CHECKING:
    from types import TracebackType

    from desktop.widgets.theme import Theme


class BugDialog(FloatFrame):
    """Title, what it means, and the technical text with Copy."""

    def __init__(self, report: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, name="bug_dialog", kind="dialog", parent=parent)
        title = self.tr("Something in Glasshouse went wrong.")
        self.setAccessibleName(title)
        self._report = QPlainTextEdit(report)
        self._report.setObjectName("bug_report")
        self._report.setAccessibleName(self.tr("Technical report"))
        self._report.setProperty("part", "field")
        self._report.setReadOnly(True)
        self._report.setTabChangesFocus(True)
        self._report.setFont(theme.font("code_small"))
        self._report.setFixedSize(500, 190)
        self._copy = Button(self.tr("Copy the report"), theme, name="bug_copy", icon_name="copy")
        self._copy.clicked.connect(self._on_copy)
        self.close_button = Button(self.tr("Go on"), theme, kind="main", name="bug_close")
        column = QVBoxLayout()
        column.setContentsMargins(20, 18, 20, 18)
        column.setSpacing(8)
        column.addWidget(label(title, theme, "heading", wrap=True))
        sentence = self.tr(
            "It is a mistake in the app, not yours. The window stays open and your chats are kept. "
            "The report below helps to mend it; read it before you pass it on."
        )
        column.addWidget(label(sentence, theme, "body", "text2", wrap=True))
        column.addWidget(self._report)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._copy)
        row.addWidget(self.close_button)
        column.addLayout(row)
        self.body.addLayout(column)
        self.setFocusProxy(self.close_button)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._report.toPlainText())
        self._copy.setText(self.tr("Copied"))


def report_text(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> str:
    """Return versions and traceback as text."""
    lines = [
        f"Glasshouse {_version('glasshouse')}",
        f"Python {platform.python_version()}",
        f"Qt {qVersion()}, PySide6 {_version('PySide6-Essentials')}",
        f"{platform.system()} {platform.release()} {platform.machine()}",
        "",
        *(line.rstrip() for line in traceback.format_exception(kind, error, trace)),
    ]
    return "\n".join(lines)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(not installed as a package)"
