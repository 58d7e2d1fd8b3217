"""The part of a figure that stays while a pointer moves over it: painted once, and in slices."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPixmap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from PySide6.QtWidgets import QWidget

_T = TypeVar("_T")
_SLICE_S: Final = 0.004
_SHOWN_S: Final = 0.05


class SlowPicture(Generic[_T]):
    """Paints onto its figure in slices, and anywhere else (a file, the clipboard) at once.

    What is painted so far is shown; the rest follows while the window goes on.

    Args:
        figure: Whose picture it is.
        parts: Returns what is to be painted, the most important first.
        paint: Paints one of them.
    """

    def __init__(
        self,
        figure: QWidget,
        parts: Callable[[], Iterable[_T]],
        paint: Callable[[QPainter, QSize, _T], None],
    ) -> None:
        self._figure = figure
        self._parts = parts
        self._paint = paint
        self._picture = QPixmap()
        self._left: Iterator[_T] = iter(())
        self._size = QSize()
        self._shown_at = 0.0
        self._timer = QTimer(figure)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._on_turn)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to paint."""
        return not self._timer.isActive()

    def forget(self) -> None:
        """Paint anew the next time: something has changed."""
        self._timer.stop()
        self._picture = QPixmap()

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint it at the figure's place, as far as it has come."""
        if painter.device() is not self._figure:
            for part in self._parts():
                self._paint(painter, size, part)
            return
        ratio = self._figure.devicePixelRatioF()
        if self._picture.size() != size * ratio or self._picture.devicePixelRatioF() != ratio:
            self._picture = QPixmap(size * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(Qt.GlobalColor.transparent)
            self._left, self._size = iter(self._parts()), size
            self._timer.start()
            self._paint_slice()
        painter.drawPixmap(0, 0, self._picture)

    def _on_turn(self) -> None:
        self._paint_slice()
        now = time.perf_counter()
        if self.is_complete or now - self._shown_at > _SHOWN_S:
            self._shown_at = now
            self._figure.update()

    def _paint_slice(self) -> None:
        until = time.perf_counter() + _SLICE_S
        painter = QPainter(self._picture)
        for part in self._left:
            self._paint(painter, self._size, part)
            if time.perf_counter() > until:
                break
        else:
            self._timer.stop()
        painter.end()
