"""The frame around every figure: heading, sentence, where its numbers come from, and a menu."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from desktop.widgets.charts.origin import OriginLabel
from desktop.widgets.controls import IconButton, label

if TYPE_CHECKING:
    from desktop.widgets.charts.figure import Figure
    from desktop.widgets.charts.origin import OriginKind
    from desktop.widgets.theme import Theme


class FigureFrame(QFrame):
    """Puts a figure under its heading.

    Args:
        figure: What is framed.
        title: The heading.
        sentence: What one sees, in a sentence; may be empty.
        origin: ``measured``, ``derived`` or ``illustration``.
        method: By what method it is derived, e.g. ``logit lens``; may be empty.
        legend: A widget between heading and figure, or none.

    Signals:
        said: A sentence for the person: what was saved, or why not.
    """

    said = Signal(str)

    def __init__(
        self,
        figure: Figure,
        theme: Theme,
        title: str,
        sentence: str = "",
        *,
        origin: OriginKind,
        method: str = "",
        legend: QWidget | None = None,
    ) -> None:
        super().__init__()
        self.figure = figure
        self._title = title
        self.setObjectName(f"{figure.objectName()}_frame")
        self.origin = OriginLabel(theme, origin, method)
        self._sentence = label(sentence, theme, "small", "text3", wrap=True)
        self._sentence.setVisible(bool(sentence))
        self._from_before = label("", theme, "small", "text2", wrap=True)
        self._from_before.setObjectName(f"{figure.objectName()}_from_before")
        self._from_before.hide()
        self._menu_button = IconButton(
            "ellipsis",
            self.tr("Copy or save this figure"),
            theme,
            name=f"{figure.objectName()}_menu",
            size=26,
        )
        self._menu_button.clicked.connect(self._open_menu)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(8)
        head.addWidget(label(title, theme, "heading"))
        head.addStretch(1)
        head.addWidget(self.origin)
        head.addWidget(self._menu_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._sentence)
        column.addWidget(self._from_before)
        if legend is not None:
            column.addWidget(legend)
        column.addWidget(figure, 1)

    def set_sentence(self, words: str) -> None:
        """Say something else below the heading."""
        self._sentence.setText(words)
        self._sentence.setVisible(bool(words))

    def set_answered(self, *, is_answered: bool) -> None:
        """Say of what is still shown that it is from before, where there was no answer since."""
        stale = not is_answered and self.figure.place_count() > 0
        why = self.tr("From before: there is no answer to what was asked last.") if stale else ""
        self._from_before.setText(why)
        self._from_before.setVisible(stale)
        self.figure.set_faded(why)

    def _open_menu(self) -> None:
        menu = QMenu(self)
        menu.setObjectName("figure_menu")
        for words, act in (
            (self.tr("Copy the picture"), self.figure.copy_picture),
            (self.tr("Save as PNG…"), lambda: self._save("png")),
            (self.tr("Save as SVG…"), lambda: self._save("svg")),
            (self.tr("Save the numbers as CSV…"), lambda: self._save("csv")),
            (self.tr("Save the numbers for NumPy…"), lambda: self._save("npy")),
        ):
            action = QAction(words, menu)
            action.triggered.connect(act)
            menu.addAction(action)
        menu.popup(self._menu_button.mapToGlobal(self._menu_button.rect().bottomLeft()))
        menu.aboutToHide.connect(menu.deleteLater)

    def _save(self, ending: str) -> None:
        stem = "-".join(re.findall(r"\w+", self._title.lower()))  # a name for any system
        name = f"{stem}.{ending}"
        chosen, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save the figure"), name, f"{ending.upper()} (*.{ending})"
        )
        if not chosen:
            return
        path = Path(chosen)
        if path.suffix.lower() != f".{ending}":
            path = path.with_name(f"{path.name}.{ending}")
        try:
            self.figure.save(path)
        except OSError as exc:
            reason = exc.strerror or str(exc)
            self.said.emit(self.tr("The figure was not saved: {0}.").format(reason))
        else:
            self.said.emit(self.tr("Saved {0}.").format(path.name))
