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
    """How it looks.

    Attributes:
        icon_name: Lucide icon, ``pie``, or empty.
        tone: Colour of the theme.
        words: What it means.
        short: The same where there is little room; the icon says the rest.
        share: Filled part of a pie.
    """

    icon_name: str
    tone: str
    words: str
    short: str = ""
    share: float = 0.0


def fit_look(fit: Fit | None) -> FitLook:
    """Return how a fit is said; ``None`` while this computer was not looked at yet."""
    if fit is None:
        return FitLook("", "text3", "")
    looks = {
        "gpu": _gpu,
        "partly": _partly,
        "processor": _processor,
        "too_large": _too_large,
        "waiting": _waiting,
    }
    return looks.get(fit.verdict, _unknown)(fit)


def _gpu(_fit: Fit) -> FitLook:
    return FitLook("circle-check", "ok", _tr("Fits on the GPU"), _tr("GPU"))


def _partly(fit: Fit) -> FitLook:
    numbers = formatting.count(fit.gpu_layers), formatting.count(fit.layers)
    words, short = _tr("{0} of {1} layers on the GPU"), _tr("{0} of {1} layers")
    if fit.rough:
        words, short = _tr("Partly on the GPU"), _tr("Partly")
    share = fit.gpu_layers / max(1, fit.layers)
    return FitLook(_PIE, "info", words.format(*numbers), short.format(*numbers), share)


def _processor(fit: Fit) -> FitLook:
    speed = _speed_words(fit.tokens_per_s)
    if not speed:
        return FitLook("cpu", "text2", _tr("Runs on the processor"), _tr("Processor"))
    return FitLook("cpu", "text2", _tr("Processor, {0}").format(speed), speed)


def _too_large(fit: Fit) -> FitLook:
    amount = formatting.gigabytes(fit.over_bytes)
    return FitLook("circle-x", "bad", _tr("Too large by {0}").format(amount), amount)


def _waiting(_fit: Fit) -> FitLook:
    return FitLook("hourglass", "text3", _tr("Looking at this computer …"), _tr("Looking …"))


def _unknown(_fit: Fit) -> FitLook:
    return FitLook("circle-question-mark", "text3", _tr("Size not known yet"), _tr("Not known"))


def _speed_words(tokens_per_s: float) -> str:
    if not tokens_per_s:
        return ""
    if tokens_per_s > 100:  # then other things than memory bound it
        return _tr("over 100 tokens/s")
    digits = 1 if tokens_per_s < 1.95 else 0
    return _tr("about {0} tokens/s").format(formatting.decimal(max(0.1, tokens_per_s), digits))


def fit_width(look: FitLook, theme: Theme, room: int) -> int:
    """Return how wide a fit is drawn, in pixels: with its short words beyond ``room``."""
    metrics = QFontMetrics(theme.font("small_medium"))
    icon = INLINE + _GAP if look.icon_name else 0
    whole = metrics.horizontalAdvance(look.words) + icon + 2
    if whole <= room or not look.short:
        return whole
    return metrics.horizontalAdvance(look.short) + icon + 2


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
    font = theme.font("small_medium")
    room = max(0, width - skip)
    needed = QFontMetrics(font).horizontalAdvance(look.words)
    words = look.short if look.short and needed > room else look.words
    row.words(row.place(left + skip, middle - 9, room, 18), words, font, ink)


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
