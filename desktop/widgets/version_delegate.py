"""How a version is drawn as a row of the table, and where its button is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.itemmodels.found_versions import COLUMNS, VersionRole, quality_words
from desktop.widgets import formatting
from desktop.widgets.controls import badge_size
from desktop.widgets.fit_badge import FitLook, fit_look, paint_fit
from desktop.widgets.icons import BUTTON
from desktop.widgets.row_painting import RowPainter

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from desktop.discover_values import FoundVersion
    from desktop.widgets.theme import Theme

_EDGE: Final = 13
_ACTION: Final = 32
_HEIGHTS: Final = {"version": 38, "group": 29, COLUMNS: 28}


@dataclass(frozen=True, slots=True)
class _Columns:
    """Left edges and widths in pixels; a width of 0 leaves a column out where it is narrow."""

    size_right: int
    quality: tuple[int, int]
    memory_right: int
    fit: tuple[int, int]
    action: int


def _columns(width: int) -> _Columns:
    action = width - _EDGE - _ACTION
    fit_left = width - 285 if width >= 560 else max(180, width - 190)
    shows_memory = width >= 640
    memory_right = fit_left - 18 if shows_memory else 0
    quality_end = memory_right - 56 if shows_memory else fit_left - 10
    quality = max(0, quality_end - 185)
    return _Columns(
        size_right=167,
        quality=(185, quality if quality >= 60 else 0),
        memory_right=memory_right,
        fit=(fit_left, action - fit_left - 8),
        action=action,
    )


class VersionDelegate(QStyledItemDelegate):
    """Paints column heads, groups and versions.

    Args:
        theme: Colours.
        parent: Qt owner.
    """

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.has_actions = False
        """Whether versions can be downloaded, and so have a button."""

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme

    def sizeHint(
        self, _option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the size of a row."""
        head = str(index.data(VersionRole.HEAD) or "")
        return QSize(200, _HEIGHTS["version" if not head else COLUMNS if head == COLUMNS else
                                   "group"])  # fmt: skip

    def action_place(self, row: QRect, *, mirrored: bool) -> QRect:
        """Return where a row's download button is."""
        left = _columns(row.width()).action
        if mirrored:
            left = row.width() - left - _ACTION
        return QRect(row.left() + left, row.top() + 5, _ACTION, 28)

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
        version: FoundVersion | None = index.data(VersionRole.VERSION)
        if version is None:
            self._paint_head(painter, row, option.rect, str(index.data(VersionRole.HEAD)))
        else:
            self._paint_version(painter, row, option, version)
            self._paint_action(painter, row, option, index)
        painter.restore()

    def _line(self, painter: QPainter, rect: QRect) -> None:
        pen = QPen(self._theme.line)
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())

    def _paint_head(self, painter: QPainter, row: RowPainter, rect: QRect, head: str) -> None:
        theme, height = self._theme, rect.height()
        font, ink = theme.font("label"), theme.text3
        if head != COLUMNS:
            ink = theme.text2
            row.words(row.place(_EDGE, 2, rect.width() - 26, height - 2), head, font, ink)
            return
        at = _columns(rect.width())
        names = [
            (_EDGE, 80, _tr("Version"), False),
            (at.size_right - 70, 70, _tr("Size"), True),
            (*at.quality, _tr("Quality"), False),
            (*at.fit, _tr("On this computer"), False),
        ]
        if at.memory_right:
            names.append((at.memory_right - 70, 70, _tr("Memory"), True))
        for left, width, words, at_end in names:
            row.words(row.place(left, 0, width, height), words, font, ink, at_end=at_end)
        self._line(painter, rect)

    def _paint_version(
        self,
        painter: QPainter,
        row: RowPainter,
        option: QStyleOptionViewItem,
        version: FoundVersion,
    ) -> None:
        theme, rect = self._theme, option.rect
        state = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        if chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.selected if chosen else theme.hover)
        self._line(painter, rect)
        at, height = _columns(rect.width()), rect.height()
        ink = theme.text2 if version.problem else theme.text
        mono = theme.font("code_small", bold=chosen)
        row.words(row.place(_EDGE, 0, at.size_right - 70 - _EDGE, height), version.label, mono, ink)
        body = theme.font("body", tabular=True)
        size = formatting.size(version.size_bytes) if version.size_bytes else ""
        row.words(row.place(at.size_right - 70, 0, 70, height), size, body, ink, at_end=True)
        self._paint_quality(row, at, version)
        memory = version.fit.memory
        if at.memory_right and memory is not None:
            place = row.place(at.memory_right - 70, 0, 70, height)
            words = formatting.gigabytes(memory.total_bytes)
            row.words(place, words, body, theme.text, at_end=True)
        look = fit_look(version.fit)
        if version.problem:
            look = FitLook("circle-x", "text3", version.problem)
        paint_fit(row, at.fit[0], height // 2, at.fit[1], look)
        focused = state & QStyle.StateFlag.State_HasFocus
        if focused and state & QStyle.StateFlag.State_KeyboardFocusChange:
            painter.setPen(QPen(theme.focus, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(rect).adjusted(1, 1, -1, -2))

    def _paint_quality(self, row: RowPainter, at: _Columns, version: FoundVersion) -> None:
        left, width = at.quality
        if not width:
            return
        theme = self._theme
        badge = _tr("Recommended")
        taken = badge_size(badge, theme).width() + 8
        words = quality_words(version)
        needed = QFontMetrics(theme.font("body")).horizontalAdvance(words) + taken
        has_badge = version.recommended and needed <= width
        place = row.place(left, 0, width, _HEIGHTS["version"])
        used = row.words(place, words, theme.font("body"), theme.text2)
        if has_badge:
            row.badge(left + used + 8, 10, badge, "accent")

    def _paint_action(
        self,
        painter: QPainter,
        row: RowPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        theme, width = self._theme, option.rect.width()
        version: FoundVersion = index.data(VersionRole.VERSION)
        at = _columns(width).action
        if version.installed_id:
            row.icon(row.place(at + _ACTION - BUTTON, 11, BUTTON, BUTTON), "check", theme.ok)
            return
        done = index.data(VersionRole.DONE)
        if done is not None:
            self._paint_progress(painter, row, at, float(done))
            return
        if version.problem or not self.has_actions:
            return
        box = QRectF(row.place(at, 5, _ACTION, 28)).adjusted(0.5, 0.5, -0.5, -0.5)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.setPen(theme.line_strong)
        painter.setBrush(theme.hover if hovered else theme.raised)
        painter.drawRoundedRect(box, 6, 6)
        row.icon(row.place(at + 8, 11, BUTTON, BUTTON), "download", theme.text)

    def _paint_progress(self, painter: QPainter, row: RowPainter, at: int, done: float) -> None:
        theme = self._theme
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.line_strong)
        painter.drawRoundedRect(QRectF(row.place(at, 17, _ACTION, 4)), 2, 2)
        painter.setBrush(theme.accent)
        filled = max(2, round(_ACTION * done))
        painter.drawRoundedRect(QRectF(row.place(at, 17, filled, 4)), 2, 2)


def _tr(text: str) -> str:
    return QCoreApplication.translate("VersionDelegate", text)
