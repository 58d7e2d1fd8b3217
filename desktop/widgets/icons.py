"""Icons: Lucide drawings tinted to any colour and drawn sharply at any size and screen scale."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QByteArray, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

RAIL: Final = 20
BUTTON: Final = 16
INLINE: Final = 14
EMPTY: Final = 26


@cache
def _source(name: str) -> str:
    return files("resources").joinpath("icons", f"{name}.svg").read_text("utf-8")


@lru_cache(maxsize=256)
def _pixmap(name: str, rgba: int, size: int, ratio: float) -> QPixmap:
    color = QColor.fromRgba(rgba)
    stroke = "1.75" if size >= 18 else "1.9"  # thin lines need a little more body when small
    svg = _source(name).replace("currentColor", color.name())
    svg = svg.replace('stroke-width="2"', f'stroke-width="{stroke}"')
    pixels = max(1, round(size * ratio))
    pixmap = QPixmap(pixels, pixels)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def icon_pixmap(name: str, color: QColor, size: int, ratio: float) -> QPixmap:
    """Return one icon as a picture.

    Args:
        name: File name in ``resources/icons`` without its ending.
        color: The one colour of the drawing.
        size: Edge in device independent pixels.
        ratio: Device pixels per independent pixel.
    """
    return _pixmap(name, color.rgba(), size, ratio)


def paint_icon(painter: QPainter, name: str, color: QColor, rect: QRect) -> None:
    """Draw one icon centred in ``rect``, as large as its shorter edge."""
    size = min(rect.width(), rect.height())
    device = painter.device()
    ratio = device.devicePixelRatioF() if device is not None else 1.0
    left = rect.x() + (rect.width() - size) // 2
    top = rect.y() + (rect.height() - size) // 2
    painter.drawPixmap(left, top, icon_pixmap(name, color, size, ratio))


class _TintedEngine(QIconEngine):
    """Draws one Lucide icon at the size and scale it is asked for, each time anew."""

    def __init__(
        self, name: str, colors: tuple[QColor, QColor, QColor], *, last: bool = False
    ) -> None:
        super().__init__()
        self._name = name
        self._colors = colors
        self._last = last

    def _color(self, mode: QIcon.Mode, state: QIcon.State) -> QColor:
        normal, on, off = self._colors
        if mode == QIcon.Mode.Disabled:
            return off
        return on if state == QIcon.State.On else normal

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Paint one row."""
        paint_icon(painter, self._name, self._color(mode, state), rect)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return the icon."""
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(
        self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float
    ) -> QPixmap:
        """Return the icon for a screen scale."""
        # Sizes are device independent here (Qt 6.8 and later).
        logical = max(1, min(size.width(), size.height()))
        pixmap = icon_pixmap(self._name, self._color(mode, state), logical, scale)
        if size.width() == size.height():
            return pixmap
        return _with_gap(pixmap, size, scale, last=self._last)

    def clone(self) -> QIconEngine:
        """Return a copy for Qt."""
        copy = _TintedEngine(self._name, self._colors, last=self._last)
        # Qt owns the copy but holds no Python reference; without one it dies on return.
        _CLONES.append(copy)
        return copy


def _with_gap(pixmap: QPixmap, size: QSize, scale: float, *, last: bool) -> QPixmap:
    """Widen an icon on the side of the words beside it; Qt sets them too close."""
    wide = QPixmap(round(size.width() * scale), round(size.height() * scale))
    wide.fill(Qt.GlobalColor.transparent)
    wide.setDevicePixelRatio(scale)
    left = 0.0
    mirrored = QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft
    if mirrored != last:
        left = float(size.width() - size.height())
    painter = QPainter(wide)
    painter.drawPixmap(QPointF(left, 0), pixmap)
    painter.end()
    return wide


_CLONES: Final[list[QIconEngine]] = []


def icon(
    name: str,
    theme: Theme,
    color: QColor | None = None,
    on_color: QColor | None = None,
    *,
    last: bool = False,
) -> QIcon:
    """Return an icon for a button or an action.

    Args:
        name: File name in ``resources/icons`` without its ending.
        theme: Where the colours come from.
        color: Usual colour; ``text2`` without it.
        on_color: Colour while checked; ``accent_text`` without it.
        last: It stands behind the words of its button.
    """
    colors = (color or theme.text2, on_color or theme.accent_text, theme.text_off)
    return QIcon(_TintedEngine(name, colors, last=last))


def app_icon(theme: Theme) -> QIcon:
    """Return the mark for title bars and task switchers."""
    return icon("mark", theme, theme.accent)
