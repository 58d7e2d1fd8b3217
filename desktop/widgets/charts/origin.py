"""Says of every figure whether it was measured, derived from that, or only drawn to explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.widgets.icons import paint_icon

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

OriginKind = Literal["measured", "derived", "illustration"]
_ICONS: Final = {"measured": "ruler", "derived": "sigma", "illustration": "pencil"}
_ICON: Final = 12


class OriginLabel(QWidget):
    """An outlined word with an icon; its tooltip tells what was done."""

    def __init__(self, theme: Theme, kind: OriginKind, method: str = "") -> None:
        super().__init__()
        self._theme = theme
        self._kind: OriginKind = kind
        self._method = method
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._say()

    def set_origin(self, kind: OriginKind, method: str = "") -> None:
        """Say another origin."""
        self._kind, self._method = kind, method
        self._say()
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def _say(self) -> None:
        explained = {
            "measured": self.tr("Read from the loaded model or this computer in this run."),
            "derived": self.tr("Computed from what was measured, by a named method."),
            "illustration": self.tr("Drawn to explain; no number of this model."),
        }[self._kind]
        self.setToolTip(explained)
        self.setAccessibleName(self._words())
        self.setAccessibleDescription(explained)

    def _words(self) -> str:
        kinds = {
            "measured": self.tr("measured"),
            "derived": self.tr("derived"),
            "illustration": self.tr("illustration"),
        }
        return f"{kinds[self._kind]}, {self._method}" if self._method else kinds[self._kind]

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        metrics = QFontMetrics(self._theme.font("label"))
        return QSize(metrics.horizontalAdvance(self._words()) + _ICON + 20, 20)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theme.line_strong)
        if self._kind == "illustration":
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(theme.raised)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        paint_icon(painter, _ICONS[self._kind], theme.text2, QRect(7, 4, _ICON, _ICON))
        painter.setFont(theme.font("label"))
        painter.setPen(theme.text2)
        place = self.rect().adjusted(_ICON + 12, 0, -6, 0)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, self._words())
        painter.end()
