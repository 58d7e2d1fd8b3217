"""What a download looks like as a figure: its bar, the speed of the last minute, the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.widgets import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.widgets.theme import Theme

Look = Literal["running", "hatched", "idle", "bad"]
BAR: Final = 6
_STRIPE: Final = 5.0
_MINUTE: Final = 60


def paint_bar(
    painter: QPainter, place: QRectF, fraction: float, look: Look, theme: Theme, *, mirrored: bool
) -> None:
    """Paint how far something is; ``fraction`` from 0 to 1."""
    colors = {"running": theme.accent, "idle": theme.control, "bad": theme.bad}
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.line)
    radius = place.height() / 2
    painter.drawRoundedRect(place, radius, radius)
    width = place.width() * max(0.0, min(1.0, fraction))
    if width <= 0:
        return
    left = place.right() - width if mirrored else place.left()
    done = QRectF(left, place.top(), width, place.height())
    if look == "hatched":
        paint_hatched(painter, done, theme.categorical["blue"], theme.raised, radius)
        return
    painter.setBrush(colors[look])
    painter.drawRoundedRect(done, radius, radius)


def paint_hatched(
    painter: QPainter, place: QRectF, ink: QColor, ground: QColor, radius: float = 0.0
) -> None:
    """Paint a shape whose ground says that this is not final."""
    path = QPainterPath()
    path.addRoundedRect(place, radius, radius)
    painter.save()
    painter.setClipPath(path, Qt.ClipOperation.IntersectClip)
    painter.fillRect(place, ground)
    painter.setPen(QPen(ink, _STRIPE / 2))
    x = place.left() - place.height()
    while x < place.right() + place.height():
        painter.drawLine(QPointF(x, place.bottom()), QPointF(x + place.height(), place.top()))
        x += _STRIPE
    painter.restore()


class SpeedHistory(QWidget):
    """Bytes per second of the last minute, one thin bar a second, the newest at the end."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._values: tuple[float, ...] = ()
        self.setObjectName("downloads_history")
        self.setAccessibleName(self.tr("Speed of the last minute"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size it is made for."""
        return QSize(220, 38)

    def set_values(self, values: Sequence[float]) -> None:
        """Show these, oldest first."""
        self._values = tuple(values)[-_MINUTE:]
        newest, most = (round(max(one, default=0.0)) for one in (self._values[-1:], self._values))
        words = self.tr("{0} per second now, {1} at most")
        self.setAccessibleDescription(
            words.format(formatting.round_size(newest), formatting.round_size(most))
        )
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        painter = QPainter(self)
        theme = self._theme
        painter.fillRect(QRectF(0, self.height() - 1, self.width(), 1), theme.line_strong)
        top = max(self._values, default=0.0)
        if top <= 0:
            painter.end()
            return
        step = self.width() / _MINUTE
        first = _MINUTE - len(self._values)
        for number, value in enumerate(self._values):
            height = (self.height() - 1) * value / top
            x = (first + number) * step
            if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
                x = self.width() - x - step
            bar = QRectF(x, self.height() - 1 - height, max(1.0, step - 1), height)
            painter.fillRect(bar, theme.categorical["blue"])
        painter.end()


class DiskBar(QWidget):
    """A disk: other files, the models that are there, what is planned, and what stays free."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shares = (0.0, 0.0, 0.0)
        self.setObjectName("downloads_disk_bar")
        self.setAccessibleName(self.tr("Disk of the models folder"))
        self.setFixedHeight(8)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def set_shares(self, other: float, models: float, planned: float, words: str) -> None:
        """Show shares of the disk from 0 to 1; ``words`` is the sentence for a screen reader."""
        self._shares = (other, models, planned)
        self.setAccessibleDescription(words)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            painter.translate(self.width(), 0)
            painter.scale(-1, 1)
        clip = QPainterPath()
        clip.addRoundedRect(QRectF(self.rect()), 2, 2)
        painter.setClipPath(clip)
        painter.fillRect(self.rect(), theme.line_strong)
        x = 0.0
        looks = (theme.categorical["slate"], theme.categorical["blue"], None)
        for share, ink in zip(self._shares, looks, strict=True):
            width = min(share * self.width(), self.width() - x)
            if width > 0:
                width = max(width, 2.0)  # so that little is not nothing
                place = QRectF(x, 0, width, self.height())
                if ink is None:
                    paint_hatched(painter, place, theme.categorical["blue"], theme.raised)
                else:
                    painter.fillRect(place, ink)
                x += width
        painter.end()
