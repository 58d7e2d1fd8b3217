"""Models on one text as a table: what was measured, and what each costs against the largest."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPen

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.model_cells import (
    COLUMNS,
    cells_of,
    place_words,
    raw_cells,
    state_words,
    value_of,
)
from desktop.widgets.charts.row_ground import paint_row_ground
from desktop.widgets.icons import INLINE, paint_icon
from inference.evaluation.families import beside_the_largest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter

    from desktop.evaluation import Row
    from desktop.widgets.theme import FontRole, Theme
    from inference.evaluation.families import Against

_HEAD: Final = 34
_ROW: Final = 46
_NAME: Final = 168
_LEAST_NAME: Final = 130
_NUMBER: Final = 84
_LEAST_NUMBER: Final = 58
_SMALL_BELOW: Final = 72
_BAR: Final = 4
_NOTHING: Final = "\N{EN DASH}"


class ModelTable(Figure):
    """Places are the rows, in the order shown; a click on a head sorts by it.

    Signals:
        sort_chosen: Id of the column whose head was clicked.
    """

    sort_chosen = Signal(str)

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._given: tuple[Row, ...] = ()
        self._rows: tuple[Row, ...] = ()
        self._beside: Mapping[str, Against] = {}
        self._sorted_by = ""

    def set_rows(self, rows: tuple[Row, ...]) -> None:
        """Show other rows."""
        self._given = rows
        results = [row.result for row in rows if row.result is not None]
        self._beside = beside_the_largest(results)
        self._arrange()

    def sort_by(self, column: str) -> None:
        """Sort by a column's id, the best first; empty for the order in which they were given."""
        self._sorted_by = column
        self._arrange()

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows in the order shown."""
        return self._rows

    @property
    def beside(self) -> Mapping[str, Against]:
        """How versions compare with the largest of their family, by model id."""
        return self._beside

    def _arrange(self) -> None:
        rows = list(self._given)
        if self._sorted_by:
            rows.sort(key=lambda row: value_of(row, self._sorted_by, self._beside))
        self._rows = tuple(rows)
        height = self.sizeHint().height()
        if self.minimumHeight() != height:
            self.setMinimumHeight(height)
        self.refresh()

    # --- what it says of itself --------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Return the size of all rows."""
        width = _NAME + len(COLUMNS) * _NUMBER
        return QSize(width, _HEAD + max(1, len(self._rows)) * _ROW)

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which numbers can be read."""
        return QSize(_LEAST_NAME + len(COLUMNS) * _LEAST_NUMBER, self.sizeHint().height())

    def sentence(self) -> str:
        """Return what a person would say of it."""
        done = [row.result for row in self._rows if row.result is not None]
        if not done:
            return self.tr("Nothing measured yet.")
        known = [one for one in done if not math.isnan(one.bits_per_byte)] or done
        best = min(known, key=lambda one: one.nats / max(1, one.scored_bytes))
        return self.tr("{0} of {1} models measured; {2} expects the text best.").format(
            len(done), len(self._rows), f"{best.info.name} {best.info.quantization}".strip()
        )

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers with full digits, for a spreadsheet."""
        return raw_cells(self._rows, self._beside)

    def place_count(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def place_at(self, spot: QPoint) -> int:
        """Return the row at a spot."""
        row = (spot.y() - _HEAD) // _ROW
        return row if spot.y() >= _HEAD and row < len(self._rows) else -1

    def place_words(self, place: int) -> str:
        """Return what is said of one row."""
        row = self._rows[place]
        return place_words(row, self._beside.get(row.info.id))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Sort by a head, or open a row."""
        spot = event.position().toPoint()
        if event.button() == Qt.MouseButton.LeftButton and spot.y() < _HEAD:
            each = _number_width(self.width())
            column = (spot.x() - self.width() + each * len(COLUMNS)) // each
            if 0 <= column < len(COLUMNS):
                self.sort_chosen.emit(COLUMNS[column])
            return
        super().mouseReleaseEvent(event)

    # --- how it looks --------------------------------------------------------------------------

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint heads and rows."""
        self._draw_heads(painter, size.width())
        for place, row in enumerate(self._rows):
            top = _HEAD + place * _ROW
            painter.setPen(self.theme.line)
            painter.drawLine(0, top, size.width(), top)
            paint_row_ground(painter, self, QRectF(0, top, size.width(), _ROW), place)
            self._draw_name(painter, row, top, _name_width(size.width()))
            self._draw_cells(painter, row, top, size.width())

    def _draw_heads(self, painter: QPainter, width: int) -> None:
        theme, each = self.theme, _number_width(width)
        for place, (column, words) in enumerate(zip(COLUMNS, head_words(), strict=True)):
            is_sorted = column == self._sorted_by
            painter.setFont(theme.font("label_strong" if is_sorted else "label"))
            painter.setPen(theme.text if is_sorted else theme.text3)
            left = _name_width(width) + place * each
            box = QRect(left + 10, 0, each - 16, _HEAD - 4)  # heads never touch
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
            painter.drawText(box, align | Qt.TextFlag.TextWordWrap, words)

    def _draw_name(self, painter: QPainter, row: Row, top: int, width: int) -> None:
        theme = self.theme
        painter.setFont(theme.font("body_medium"))
        painter.setPen(theme.text)
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        metrics = painter.fontMetrics()
        name = metrics.elidedText(row.info.name, Qt.TextElideMode.ElideRight, width - 12)
        painter.drawText(QRect(4, top + 4, width - 10, 20), align, name)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.text3)
        facts = f"{row.info.quantization} · {formatting.engine(row.info.engine)} · {row.info.kind}"
        facts = painter.fontMetrics().elidedText(facts, Qt.TextElideMode.ElideRight, width - 12)
        painter.drawText(QRect(4, top + 23, width - 10, 18), align, facts)

    def _draw_cells(self, painter: QPainter, row: Row, top: int, width: int) -> None:
        theme, each = self.theme, _number_width(width)
        left = _name_width(width)
        if row.result is None:
            self._draw_state(painter, row, QRect(left, top, width - left, _ROW))
            return
        cells = cells_of(row.result, self._beside.get(row.info.id))
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for place, words in enumerate(cells):
            role: FontRole = "body" if each >= _SMALL_BELOW else "small"
            if COLUMNS[place] == self._sorted_by:
                role = "body_medium" if role == "body" else "small_medium"
            painter.setFont(theme.font(role, tabular=True))
            painter.setPen(theme.text if words else theme.text3)
            painter.drawText(
                QRect(left + place * each, top, each - 6, _ROW), align, words or _NOTHING
            )

    def _draw_state(self, painter: QPainter, row: Row, box: QRect) -> None:
        """Say what is done now, or why there are no numbers."""
        theme = self.theme
        words, ink, left = state_words(row), theme.text3, box.left() + 8
        if row.trouble is not None:
            ink = theme.bad
            paint_icon(painter, "circle-alert", ink, QRect(left, box.top() + 8, INLINE, INLINE))
            left += INLINE + 6
        painter.setFont(theme.font("small"))
        painter.setPen(ink)
        room = QRect(left, box.top() + 4, box.right() - left - 4, _ROW - 8)
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        flags = align | Qt.TextFlag.TextWordWrap
        painter.drawText(room, flags, _cut_to_lines(painter.fontMetrics(), words, room.size()))
        if row.state == "running":
            painter.setPen(QPen(Qt.PenStyle.NoPen))
            bar = QRectF(left, box.bottom() - _BAR - 2, min(200, room.width()), _BAR)
            painter.setBrush(theme.line)
            painter.drawRoundedRect(bar, 2, 2)
            painter.setBrush(theme.accent)
            bar.setWidth(bar.width() * row.fraction)
            painter.drawRoundedRect(bar, 2, 2)


def _number_width(width: int) -> int:
    return max(_LEAST_NUMBER, min((width - _NAME) // len(COLUMNS), _NUMBER))


def _name_width(width: int) -> int:
    return width - len(COLUMNS) * _number_width(width)


def _cut_to_lines(metrics: QFontMetrics, words: str, room: QSize) -> str:
    """Return as many words as have room in wrapped lines, the last line never cut in height."""

    def is_too_high(text: str) -> bool:
        box = metrics.boundingRect(
            QRect(0, 0, room.width(), 10_000), Qt.TextFlag.TextWordWrap, text
        )
        return box.height() > room.height()

    if not is_too_high(words):
        return words
    parts = words.split(" ")
    kept = bisect_left(range(1, len(parts)), 1, key=lambda n: is_too_high(_first(parts, n)))
    return _first(parts, kept)


def _first(parts: list[str], count: int) -> str:
    return " ".join(parts[:count]) + "…"


def head_words() -> tuple[str, ...]:
    """Return the heads of the columns, for people."""
    return (
        _tr("perplexity"),
        _tr("increase"),
        _tr("bits per byte"),
        _tr("reads tokens/s"),
        _tr("writes tokens/s"),
        _tr("file"),
        _tr("memory"),
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("ModelTable", text)
