"""What all figures share: a marker that keys move, a sentence, a table, and their export."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from desktop.widgets.charts.accessible import announce_charts
from desktop.widgets.controls import plain_tip

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent

    from desktop.widgets.theme import Theme

_EXPORT_SCALE = 2
_FADED = 0.6


class Figure(QWidget):
    """Paints itself with ``draw``; a place is whatever its arrow keys step through.

    Signals:
        place_chosen: Enter or a click on a place.
    """

    place_chosen = Signal(int)

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__()
        self._theme = theme
        self._mark = -1
        self._pressed = -1
        self._said: str | None = None
        self._faded_for = ""
        self._exposed: QRect | None = None
        announce_charts()
        self.setObjectName(name)
        self.setAccessibleName(words)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)

    # --- what a figure says of itself ------------------------------------------------------

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint the figure."""
        raise NotImplementedError

    def sentence(self) -> str:
        """Return what a person would say of it."""
        raise NotImplementedError

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers, heads first."""
        raise NotImplementedError

    def place_count(self) -> int:
        """Return how many places the keys step through."""
        return 0

    def place_at(self, spot: QPoint) -> int:
        """Return the place at a spot, -1 for none."""
        del spot
        return -1

    def place_rect(self, place: int) -> QRect:
        """Return what changes its looks with a place that is marked: here the whole figure."""
        del place
        return self.rect()

    def place_words(self, place: int) -> str:
        """Return what is said of one place."""
        del place
        return ""

    # --- looks -----------------------------------------------------------------------------

    @property
    def theme(self) -> Theme:
        """The theme in force."""
        return self._theme

    @property
    def mark(self) -> int:
        """The marked place, -1 for none."""
        return self._mark

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def refresh(self) -> None:
        """Say and paint what has changed."""
        self._said = None
        if self._mark >= self.place_count():
            self._mark = -1
        self._describe()
        self.updateGeometry()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint with the theme in force, what is exposed at the least."""
        painter = QPainter(self)
        if self._faded_for:
            painter.setOpacity(_FADED)
        self._exposed = event.rect()
        try:
            self.draw(painter, self.size())
        finally:
            self._exposed = None
        painter.end()

    def exposed(self) -> QRectF:
        """Return what has to be painted: of a picture or a drawing that is saved everything."""
        return QRectF(self.rect() if self._exposed is None else self._exposed)

    def set_faded(self, why: str) -> None:
        """Paint it faintly and say why before all else; empty = paint it in full again."""
        if why != self._faded_for:
            self._faded_for = why
            self._describe()
            self.update()

    def _describe(self) -> None:
        words = self.place_words(self._mark) if self._mark >= 0 else ""
        if not words and self._said is None:  # once: to find it may take a look at every number
            self._said = self.sentence()
        self.setAccessibleDescription(f"{self._faded_for} {words or self._said}".strip())
        self.setToolTip(plain_tip(words))

    # --- keys and pointer ------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the marker; Enter opens its place."""
        keys = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_PageUp: -10,
            Qt.Key.Key_PageDown: 10,
        }
        last = self.place_count() - 1
        key = Qt.Key(event.key())
        if last < 0:
            super().keyPressEvent(event)
        elif key in keys:
            self.set_mark(max(0, min(self._mark + keys[key], last)))
        elif key in {Qt.Key.Key_Home, Qt.Key.Key_End}:
            self.set_mark(0 if key == Qt.Key.Key_Home else last)
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space} and self._mark >= 0:
            self.place_chosen.emit(self._mark)
        else:
            super().keyPressEvent(event)

    def set_mark(self, place: int) -> None:
        """Mark a place, -1 for none."""
        if place == self._mark:
            return
        before, self._mark = self._mark, place
        self._describe()
        for one in (before, place):
            if one in range(self.place_count()):
                self.update(self.place_rect(one))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark what is under the pointer."""
        self.set_mark(self._known_place_at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        """Take away the marker that came with the pointer; the keys keep theirs."""
        super().leaveEvent(event)
        if not self.hasFocus():
            self.set_mark(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Note what is pressed."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = self._known_place_at(event.position().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open what was clicked; a press that was drawn away opens nothing."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        place, pressed = self._known_place_at(event.position().toPoint()), self._pressed
        self._pressed = -1
        if place >= 0 and place == pressed:
            self.place_chosen.emit(place)

    def _known_place_at(self, spot: QPoint) -> int:
        """Return the place at a spot, -1 where its numbers have not come yet."""
        place = self.place_at(spot)
        return place if place < self.place_count() else -1

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keys are."""
        super().focusInEvent(event)
        by_tab = event.reason() in {
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
        }
        if by_tab and self._mark < 0 and self.place_count():
            self.set_mark(0)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the marker away."""
        super().focusOutEvent(event)
        self.set_mark(-1)
        self.update()

    # --- ways out --------------------------------------------------------------------------

    def picture(self) -> QPixmap:
        """Return the figure as a picture, twice as sharp as on a plain screen."""
        pixmap = QPixmap(self.size() * _EXPORT_SCALE)
        pixmap.setDevicePixelRatio(_EXPORT_SCALE)
        pixmap.fill(self._theme.page)
        painter = QPainter(pixmap)
        self._unmarked(painter)
        painter.end()
        return pixmap

    def copy_picture(self) -> None:
        """Put the picture on the clipboard."""
        QGuiApplication.clipboard().setPixmap(self.picture())

    def csv_text(self) -> str:
        """Return the numbers as CSV."""
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(self.table())
        return out.getvalue()

    def save(self, path: Path) -> None:
        """Save as PNG, SVG, CSV or NPY, by the name's ending.

        Raises:
            OSError: The file cannot be written.
        """
        ending = path.suffix.lower()
        if ending == ".csv":
            path.write_text(self.csv_text(), encoding="utf-8", newline="")
        elif ending == ".svg":
            self._save_svg(path)
        elif ending == ".npy":
            path.write_bytes(self.npy_bytes())
        elif not self.picture().save(str(path), "PNG"):
            raise OSError(None, "the picture could not be written", str(path))

    def npy_bytes(self) -> bytes:
        """Return the numbers of the table as a NumPy file; words become NaN."""
        import numpy as np  # noqa: PLC0415  only for this

        rows = [[_number(cell) for cell in row] for row in self.table()[1:]]
        return npy(np.array(rows, np.float64))

    def _save_svg(self, path: Path) -> None:
        from PySide6.QtSvg import QSvgGenerator  # noqa: PLC0415  only for this

        path.open("ab").close()  # says why, which the generator does not
        generator = QSvgGenerator()
        generator.setFileName(str(path))
        generator.setSize(self.size())
        generator.setViewBox(self.rect())
        generator.setTitle(self.accessibleName())
        generator.setDescription(self.sentence())
        painter = QPainter(generator)
        painter.fillRect(self.rect(), self._theme.page)
        self._unmarked(painter)
        painter.end()

    def _unmarked(self, painter: QPainter) -> None:
        mark, self._mark = self._mark, -1
        try:
            self.draw(painter, self.size())
        finally:
            self._mark = mark


def npy(numbers: npt.NDArray[np.generic]) -> bytes:
    """Return an array as the bytes of a NumPy file."""
    import numpy as np  # noqa: PLC0415  only for this

    out = io.BytesIO()
    np.save(out, numbers, allow_pickle=False)
    return out.getvalue()


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")
