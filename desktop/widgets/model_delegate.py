"""How an installed model is drawn as a row: where it is, its name and facts, its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import (
    QCoreApplication,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from desktop.itemmodels.models import ModelRole
from desktop.values import IN_MEMORY
from desktop.widgets import formatting
from desktop.widgets.controls import badge_size, paint_badge
from desktop.widgets.icons import INLINE, paint_icon
from desktop.widgets.row_painting import paint_ground
from desktop.widgets.theme import rows

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from desktop.values import InstalledModel
    from desktop.widgets.theme import Theme
    from inference.types import ModelInfo, ModelKind

RowSize = Literal["picker", "page"]


class ModelDelegate(QStyledItemDelegate):
    """Paints groups and models.

    Args:
        theme: Colours.
        row_size: 46 pixels in the picker, 60 on the page.
        parent: Qt owner.
    """

    def __init__(self, theme: Theme, row_size: RowSize, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._height = 46 if row_size == "picker" else rows("model")

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme

    def sizeHint(
        self, _option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the size its words ask for."""
        return QSize(200, 26 if index.data(ModelRole.GROUP) else self._height)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one row."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        model: InstalledModel | None = index.data(ModelRole.MODEL)
        if model is None:
            self._paint_group(painter, option.rect, str(index.data(ModelRole.GROUP)))
        else:
            paint_ground(painter, option, self._theme)
            self._paint_model(painter, option.rect, model)
        painter.restore()

    def _paint_group(self, painter: QPainter, rect: QRect, words: str) -> None:
        painter.setFont(self._theme.font("label_strong"))
        painter.setPen(self._theme.text3)
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
        painter.drawText(rect.adjusted(10, 2, -10, 0), align, words)

    def _paint_model(self, painter: QPainter, rect: QRect, model: InstalledModel) -> None:
        theme = self._theme
        mirrored = painter.layoutDirection() == Qt.LayoutDirection.RightToLeft
        middle = self._height // 2
        dot = QRectF(rect.left() + 9, rect.top() + middle - 5, 9, 9)
        kind = kind_words(model.info)
        badge = badge_size(kind, theme)
        place = QRectF(
            rect.right() - 9 - badge.width(),
            rect.top() + middle - badge.height() / 2,
            badge.width(),
            badge.height(),
        )
        words = rect.adjusted(27, 0, -badge.width() - 18, 0)
        if mirrored:
            dot.moveLeft(rect.right() - 18)
            place.moveLeft(rect.left() + 9)
            words = rect.adjusted(badge.width() + 18, 0, -27, 0)
        words = self._paint_star(painter, rect, words, model)
        paint_dot(painter, dot, model, theme)
        paint_badge(painter, place, kind, kind_tone(model.info), theme)
        wrong = bool(model.info.problem)
        ink = theme.bad if wrong and not model.info.absent else theme.text3
        name_line = words.adjusted(0, middle - 20, 0, 0)
        name_line.setHeight(20)
        fact_line = name_line.translated(0, 20)
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
        for line, text, role, color in (
            (name_line, model.info.name, "body_medium", theme.text2 if wrong else theme.text),
            (fact_line, fact_words(model), "small", ink),
        ):
            font = theme.font("body_medium" if role == "body_medium" else "small")
            painter.setFont(font)
            painter.setPen(color)
            cut = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, align, cut)

    def _paint_star(
        self, painter: QPainter, rect: QRect, words: QRect, model: InstalledModel
    ) -> QRect:
        """Paint a star beside a favourite's badge; return what is left for its words."""
        if model.note is None or not model.note.favourite:
            return words
        mirrored = painter.layoutDirection() == Qt.LayoutDirection.RightToLeft
        left = words.left() if mirrored else words.right() - INLINE
        place = QRect(left, rect.top(), INLINE, self._height)
        paint_icon(painter, "star", self._theme.accent_text, place)
        shorter = INLINE + 6
        return words.adjusted(shorter if mirrored else 0, 0, 0 if mirrored else -shorter, 0)


def paint_dot(painter: QPainter, place: QRectF, model: InstalledModel | None, theme: Theme) -> None:
    """Paint where a model is: filled = in memory, ring = on disk, red square = stopped."""
    status = model.status if model is not None else "none"
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if status == "stopped":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.bad)
        painter.drawRect(place.adjusted(1, 1, -1, -1))
    elif status in IN_MEMORY:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.accent)
        painter.drawEllipse(place.adjusted(0.5, 0.5, -0.5, -0.5))
    else:
        painter.setPen(QPen(theme.control, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(place.adjusted(1.5, 1.5, -1.5, -1.5))


def kind_words(info: ModelInfo) -> str:
    """Return what kind of model it is, in one word."""
    return kind_word(info.kind)


def kind_word(kind: ModelKind) -> str:
    """Return the word for a kind of model."""
    words = {
        "base": _tr("Base"),
        "instruct": _tr("Instruct"),
        "thinking": _tr("Thinking"),
        "embedding": _tr("Embedding"),
        "unknown": _tr("Kind not known"),
    }
    return words[kind]


def kind_tone(info: ModelInfo) -> str:
    """Return the tone of a kind's badge."""
    return "accent" if info.kind in {"instruct", "thinking"} else ""


def engine_words(info: ModelInfo) -> str:
    """Return which engine runs it."""
    return _tr("GGUF engine") if info.engine == "gguf" else _tr("native engine")


def fact_words(model: InstalledModel) -> str:
    """Return the second line of a row: form, engine, and memory where it is loaded or size."""
    info = model.info
    if info.absent:
        return _tr("Its drive is not connected")
    if info.problem:
        return info.problem
    amount = formatting.size(info.size_bytes)
    if model.memory_bytes:
        amount = _tr("{0} in memory").format(formatting.size(model.memory_bytes))
    return ", ".join(part for part in (info.quantization, engine_words(info), amount) if part)


def _tr(text: str) -> str:
    return QCoreApplication.translate("ModelDelegate", text)
