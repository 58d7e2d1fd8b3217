"""How a fit is said and drawn: an icon and words in the tone of what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen

from desktop.widgets import formatting
from desktop.widgets.icons import INLINE

if TYPE_CHECKING:
    from PySide6.QtCore import QRect
    from PySide6.QtGui import QColor

    from desktop.widgets.row_painting import RowPainter
    from desktop.widgets.theme import Theme
    from inference.library.fit import Fit

_GAP = 6
_PIE = "pie"


@dataclass(frozen=True, slots=True)
class FitLook:
    """An icon, a colour of the theme, and the words; ``share`` is the filled part of a pie."""

    icon_name: str
    tone: str
    words: str
    share: float = 0.0


def fit_look(fit: Fit | None) -> FitLook:
    """Return how a fit is said; ``None`` while this computer was not looked at yet."""
    if fit is None:
        return FitLook("", "text3", "")
    if fit.verdict == "gpu":
        return FitLook("circle-check", "ok", _tr("Fits on the GPU"))
    if fit.verdict == "partly":
        words = _tr("{0} of {1} layers on the GPU")
        words = words.format(formatting.count(fit.gpu_layers), formatting.count(fit.layers))
        if fit.rough:
            words = _tr("Partly on the GPU")
        return FitLook(_PIE, "info", words, fit.gpu_layers / max(1, fit.layers))
    if fit.verdict == "processor":
        return FitLook("cpu", "text2", _processor_words(fit.tokens_per_s))
    if fit.verdict == "too_large":
        words = _tr("Too large by {0}").format(formatting.gigabytes(fit.over_bytes))
        return FitLook("circle-x", "bad", words)
    return FitLook("circle-question-mark", "text3", _tr("Size not known yet"))


def _processor_words(tokens_per_s: float) -> str:
    if not tokens_per_s:
        return _tr("Runs on the processor")
    if tokens_per_s > 100:  # then other things than memory bound it
        return _tr("Processor, over 100 tokens/s")
    digits = 1 if tokens_per_s < 1.95 else 0
    number = formatting.decimal(max(0.1, tokens_per_s), digits)
    return _tr("Processor, about {0} tokens/s").format(number)


def fit_width(look: FitLook, theme: Theme) -> int:
    """Return how wide a fit is drawn, in pixels."""
    metrics = QFontMetrics(theme.font("small_medium"))
    return metrics.horizontalAdvance(look.words) + (INLINE + _GAP if look.icon_name else 0) + 2


def paint_fit(row: RowPainter, left: int, middle: int, width: int, look: FitLook) -> None:
    """Paint a fit into a row.

    Args:
        row: Where.
        left: Where the icon begins, from the row's left edge.
        middle: The line's middle, from the row's top.
        width: Room for icon and words.
        look: What to paint.
    """
    theme = row.theme
    ink: QColor = getattr(theme, look.tone)
    skip = 0
    if look.icon_name:
        place = row.place(left, middle - INLINE // 2, INLINE, INLINE)
        if look.icon_name == _PIE:
            _paint_pie(row.painter, place, look.share, ink)
        else:
            row.icon(place, look.icon_name, ink)
        skip = INLINE + _GAP
    words = row.place(left + skip, middle - 9, max(0, width - skip), 18)
    row.words(words, look.words, theme.font("small_medium"), ink)


def _paint_pie(painter: QPainter, place: QRect, share: float, ink: QColor) -> None:
    circle = QRectF(place).adjusted(1, 1, -1, -1)
    painter.setPen(QPen(ink, 1.4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(circle)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    painter.drawPie(circle, 90 * 16, -round(360 * 16 * min(1.0, share)))


def _tr(text: str) -> str:
    return QCoreApplication.translate("FitBadge", text)
