"""How a model to be found is drawn as a row: name and fit, then kinds, author, licence, size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QModelIndex, QPersistentModelIndex, QSize
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.itemmodels.found_models import FoundRole
from desktop.widgets import formatting
from desktop.widgets.fit_badge import FitLook, fit_look, fit_width, paint_fit
from desktop.widgets.icons import INLINE
from desktop.widgets.row_painting import RowPainter, paint_ground
from desktop.widgets.theme import rows

if TYPE_CHECKING:
    from PySide6.QtCore import QObject, QRect

    from desktop.discover_values import FoundKind, FoundModel
    from desktop.itemmodels.found_models import Note
    from desktop.widgets.theme import Theme

_EDGE = 12
_FIRST = 19  # middles of the two lines
_SECOND = 41


class FoundDelegate(QStyledItemDelegate):
    """Paints models and notes, 60 pixels high.

    Args:
        theme: Colours.
        parent: Qt owner.
    """

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme

    def sizeHint(
        self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the size of every row."""
        return QSize(200, rows("model"))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one row."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row = RowPainter(painter, option.rect, self._theme)
        note: Note | None = index.data(FoundRole.NOTE)
        if note is not None:
            if note.action:
                paint_ground(painter, option, self._theme)
            self._paint_note(row, option.rect, note)
        else:
            paint_ground(painter, option, self._theme)
            self._paint_model(row, option, index)
        painter.restore()

    def _paint_note(self, row: RowPainter, rect: QRect, note: Note) -> None:
        theme = self._theme
        room = rect.width() - 2 * _EDGE
        if note.action:
            font = theme.font("body_medium")
            width = QFontMetrics(font).horizontalAdvance(note.action) + 2
            place = row.place(rect.width() - _EDGE - width, _FIRST - 10, width, 20)
            row.words(place, note.action, font, theme.accent_text)
            room -= width + _EDGE
        role = "label_strong" if note.kind == "section" else "body_medium"
        ink = theme.text3 if note.kind == "section" else theme.text2
        middle = _FIRST if note.sentence else (_FIRST + _SECOND) // 2
        first = row.place(_EDGE, middle - 10, room, 20)
        row.words(first, note.title, theme.font(role), ink)  # type: ignore[arg-type]  # roles
        second = row.place(_EDGE, _SECOND - 10, rect.width() - 2 * _EDGE, 20)
        row.words(second, note.sentence, theme.font("small"), theme.text3)

    def _paint_model(
        self,
        row: RowPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        theme = self._theme
        model: FoundModel = index.data(FoundRole.MODEL)
        width = option.rect.width()
        look = self._look(model, index)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        font = theme.font("body_strong" if chosen else "body_medium")
        marks = ["lock"] if model.gated else []
        if index.data(FoundRole.INSTALLED):
            marks.append("check")
        if index.data(FoundRole.STARRED):
            marks.append("star")
        inside = width - 3 * _EDGE - len(marks) * (INLINE + 6)
        fit = fit_width(look, theme, inside - QFontMetrics(font).horizontalAdvance(model.name))
        fit = min(fit, round(inside * 0.6))
        paint_fit(row, width - _EDGE - fit, _FIRST, fit, look)
        name = row.place(_EDGE, _FIRST - 10, max(0, inside - fit), 20)
        ink = theme.text2 if model.problem else theme.text
        left = _EDGE + row.words(name, model.name, font, ink) + 8
        tints = {"check": theme.ok, "star": theme.accent_text, "lock": theme.text3}
        for mark in marks:
            tint = tints[mark]
            row.icon(row.place(left, _FIRST - INLINE // 2, INLINE, INLINE), mark, tint)
            left += INLINE + 6
        self._paint_second(row, width, model)

    def _paint_second(self, row: RowPainter, width: int, model: FoundModel) -> None:
        theme = self._theme
        small = theme.font("small", tabular=True)
        size = size_words(model)
        taken = QFontMetrics(small).horizontalAdvance(size) + 2 if size else 0
        place = row.place(width - _EDGE - taken, _SECOND - 10, taken, 20)
        row.words(place, size, small, theme.text2, at_end=True)
        left = _EDGE
        for kind in model.kinds:
            left += row.badge(left, _SECOND - 9, kind_words(kind), kind_tone(kind)) + 6
        if model.kinds:
            left += 2
        facts = model.problem or ", ".join(part for part in (model.author, model.license) if part)
        rest = row.place(left, _SECOND - 10, max(0, width - left - _EDGE - taken - 8), 20)
        row.words(rest, facts, theme.font("small"), theme.text3)

    def _look(self, model: FoundModel, index: QModelIndex | QPersistentModelIndex) -> FitLook:
        if model.problem:
            return FitLook("circle-x", "text3", _tr("Does not run here"))
        return fit_look(index.data(FoundRole.FIT))


def size_words(model: FoundModel) -> str:
    """Return the size of a row: exact where there is one download, else the smallest."""
    if not model.size_bytes:
        return ""
    amount = formatting.gigabytes(model.size_bytes)
    if not model.is_curated:
        return _tr("about {0}").format(amount)
    return _tr("from {0}").format(amount) if model.from_size else amount


def kind_words(kind: FoundKind) -> str:
    """Return a kind in one word."""
    words = {
        "base": _tr("Base"),
        "instruct": _tr("Instruct"),
        "thinking": _tr("Thinking"),
        "unknown": _tr("Kind not known"),
    }
    return words[kind]


def kind_tone(kind: FoundKind) -> str:
    """Return the tone of a kind's badge."""
    return {"instruct": "accent", "thinking": "info"}.get(kind, "")


def _tr(text: str) -> str:
    return QCoreApplication.translate("FoundDelegate", text)
