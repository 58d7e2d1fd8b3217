"""One laid out text of several styles with fixed line heights: words of a block or of a cell.

It paints grounds of inline code, tints and the selection itself, under the words. It knows neither
widgets nor scrolling.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QPainter,
    QPen,
    QTextCharFormat,
    QTextFormat,
    QTextLayout,
    QTextLine,
    QTextOption,
)

from desktop.widgets.direction import reads_right_to_left
from desktop.widgets.markdown.inline import LINE_BREAK, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtGui import QColor

    from desktop.widgets.theme import FontRole, Theme

_HUGE: Final = 1e6
_CODE_ROOM: Final = 4.0  # pixels between the letters of inline code and the edge of its ground
_FAMILIES: Final = QTextFormat.Property.FontFamilies.value


@dataclass(frozen=True, slots=True)
class Look:
    """How a text is set; ``px`` and ``line`` override the role's size and line height."""

    role: FontRole = "reading"
    weight: int = 0
    px: int = 0
    line: int = 0
    tone: str = "text"
    align: str = ""
    wraps: bool = True


class RichText:
    """A text with styles, laid out once for a width.

    Args:
        runs: What it says.
        look: How it is set.
        theme: Fonts now, and colours until ``set_theme``.
    """

    def __init__(self, runs: tuple[Run, ...], look: Look, theme: Theme) -> None:
        self.runs = runs
        self.look = look
        self.text = "".join(run.text for run in runs)
        self.length = units(self.text)
        self.height = 0.0
        self.width = 0.0
        self.used_width = 0.0
        self._theme = theme
        self._font = _font(look, theme)
        metrics = QFontMetricsF(self._font)
        self._line = float(look.line or theme.line_height(look.role))
        self._base = (self._line - metrics.height()) / 2 + metrics.ascent()
        self._layout = QTextLayout(self.text, self._font)
        self._layout.setCacheEnabled(True)
        self._layout.setTextOption(text_option(look, is_rtl=reads_right_to_left(self.text)))
        self._format()

    @property
    def line_height(self) -> float:
        """Height of a line in pixels."""
        return self._line

    def set_theme(self, theme: Theme) -> None:
        """Take other colours; sizes stay, so the lines do."""
        if theme is self._theme:
            return
        self._theme = theme
        if any(run.href for run in self.runs):
            self._format()
            self.lay_out(self.width)

    def lay_out(self, width: float) -> float:
        """Break the lines.

        Args:
            width: Where lines end, in pixels.

        Returns:
            The height in pixels.
        """
        self.width = width
        layout, count, used = self._layout, 0, 0.0
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            line.setPosition(QPointF(0, count * self._line + self._base - line.ascent()))
            used = max(used, line.naturalTextWidth())
            count += 1
        layout.endLayout()
        self.used_width = used
        self.height = max(1, count) * self._line
        return self.height

    def natural_width(self) -> float:
        """Return the width in pixels without any line break but the text's own."""
        self.lay_out(_HUGE)
        return self.used_width

    def same_height(self, before: RichText) -> float:
        """Return down to which height this looks as ``before``, a shorter form of it."""
        *same, last = before.runs or (Run(""),)
        here = self.runs[len(same)] if len(self.runs) > len(same) else Run("")
        if tuple(same) != self.runs[: len(same)] or not here.text.startswith(last.text):
            return 0.0
        if replace(here, text="") != replace(last, text=""):
            return 0.0
        return max(0.0, before.height - before.line_height)

    # -- painting ---------------------------------------------------------------------------

    def draw(
        self,
        painter: QPainter,
        at: QPointF,
        theme: Theme,
        selection: tuple[int, int] | None = None,
        tint_from: int = -1,
    ) -> None:
        """Paint the text.

        Args:
            painter: Where.
            at: Top left corner.
            theme: Colours in force.
            selection: Chosen characters, first and behind the last.
            tint_from: Characters from here on stand on the soft ground; -1 for none.
        """
        self.set_theme(theme)
        if 0 <= tint_from < self.length:
            for rect in self.rects(tint_from, self.length):
                painter.fillRect(rect.translated(at).adjusted(0, 2, 0, -2), theme.accent_soft)
        self._draw_code_grounds(painter, at, theme)
        painter.setPen(getattr(theme, self.look.tone))
        ranges = []
        if selection and selection[0] < selection[1]:
            chosen = QTextLayout.FormatRange()
            chosen.start, chosen.length = selection[0], selection[1] - selection[0]
            chosen.format.setBackground(theme.selected)
            ranges.append(chosen)
        self._layout.draw(painter, at, ranges)

    def _draw_code_grounds(self, painter: QPainter, at: QPointF, theme: Theme) -> None:
        spans = [span for span in self._spans() if span[2].code]
        if not spans:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.line, 1))
        painter.setBrush(theme.sunken)
        for start, end, _run in spans:
            for rect in self.rects(start, end):
                box = rect.translated(at).adjusted(0.5 - _CODE_ROOM, 3.5, -0.5, -3.5)
                painter.drawRoundedRect(box, 4, 4)
        painter.restore()

    def draw_caret(self, painter: QPainter, at: QPointF, color: QColor) -> None:
        """Paint the caret behind the last character."""
        count = self._layout.lineCount()
        if not count:
            return
        line = self._layout.lineAt(count - 1)
        x = line_x(line, line.textStart() + line.textLength())
        rect = QRectF(x + 1, (count - 1) * self._line + 3, 2, self._line - 6)
        painter.fillRect(rect.translated(at), color)

    # -- places -----------------------------------------------------------------------------

    def rects(self, start: int, end: int) -> Iterator[QRectF]:
        """Give the boxes, a line high, that characters ``start`` to ``end`` cover."""
        for index in range(self._layout.lineCount()):
            line = self._layout.lineAt(index)
            first = max(start, line.textStart())
            last = min(end, line.textStart() + line.textLength())
            if first >= last:
                continue
            left, right = sorted((line_x(line, first), line_x(line, last)))
            yield QRectF(left, index * self._line, right - left, self._line)

    def position_at(self, x: float, y: float) -> int:
        """Return the place between characters nearest to a point."""
        count = self._layout.lineCount()
        if not count or y < 0:
            return 0
        if y >= self.height:
            return self.length
        line = self._layout.lineAt(min(count - 1, int(y / self._line)))
        return int(line.xToCursor(x))

    def link_at(self, x: float, y: float) -> str:
        """Return the address under a point, or an empty text."""
        for start, end, run in self._spans():
            if run.href and any(rect.contains(x, y) for rect in self.rects(start, end)):
                return run.href
        return ""

    def links(self) -> tuple[str, ...]:
        """Return the addresses in it, in order."""
        return tuple(run.href for run in self.runs if run.href)

    def _spans(self) -> Iterator[tuple[int, int, Run]]:
        place = 0
        for run in self.runs:
            end = place + units(run.text)
            yield place, end, run
            place = end

    def _format(self) -> None:
        ranges: list[QTextLayout.FormatRange] = []
        spans = tuple(self._spans())
        followers: tuple[Run | None, ...] = (*(run for _start, _end, run in spans), None)[1:]
        for (start, end, run), follower in zip(spans, followers, strict=True):
            style = self._run_format(run)
            # The ground of inline code is wider than its letters: its last one, and the one
            # before it, take more room.
            spaced = run.code or (follower is not None and follower.code)
            last = end - units(run.text[-1:]) if spaced else end
            if style is not None and start < last:
                ranges.append(_range(start, last, style))
            if last < end:
                style = style or QTextCharFormat()
                font = style.font() if style.hasProperty(_FAMILIES) else QFont(self._font)
                font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, _CODE_ROOM)
                style = QTextCharFormat(style)
                style.setFont(font)
                ranges.append(_range(last, end, style))
        if ranges:
            self._layout.setFormats(ranges)

    def _run_format(self, run: Run) -> QTextCharFormat | None:
        if not (run.bold or run.italic or run.code or run.strike or run.href):
            return None
        style = QTextCharFormat()
        if run.code:
            font = self._theme.font("code", bold=run.bold, italic=run.italic)
            font.setPixelSize(max(11, round(self._font.pixelSize() * 0.875)))
            style.setFont(font)
        elif run.bold or run.italic:
            font = self._theme.font(self.look.role, bold=run.bold, italic=run.italic)
            font.setPixelSize(self._font.pixelSize())
            if run.italic and self.look.weight and not run.bold:
                font.setWeight(QFont.Weight(self.look.weight))
            style.setFont(font)
        if run.strike:
            style.setFontStrikeOut(True)
        if run.href:
            style.setForeground(self._theme.accent_text)
            style.setFontUnderline(True)
        return style


def _range(start: int, end: int, style: QTextCharFormat) -> QTextLayout.FormatRange:
    part = QTextLayout.FormatRange()
    part.start, part.length, part.format = start, end - start, style
    return part


def units(text: str) -> int:
    """Return how long Qt counts a text: in UTF-16 units, of which an emoji has two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, start: int, end: int) -> str:
    """Return a part of a text, ``start`` and ``end`` counted as Qt does."""
    if text.isascii():
        return text[start:end]
    raw = text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end]
    return raw.decode("utf-16-le", "replace")


def plain_runs(text: str) -> tuple[Run, ...]:
    """Return text without markup as runs; its line ends stay."""
    return (Run(text.replace("\n", LINE_BREAK)),) if text else ()


def _font(look: Look, theme: Theme) -> QFont:
    font = theme.font(look.role, tabular=look.role in {"body", "small"})
    if look.px:
        font.setPixelSize(look.px)
    if look.weight:
        font.setWeight(QFont.Weight(look.weight))
    return font


def text_option(look: Look, *, is_rtl: bool = False) -> QTextOption:
    """Return how lines break and where they stand."""
    wrap = QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere
    option = QTextOption()
    option.setWrapMode(wrap if look.wraps else QTextOption.WrapMode.NoWrap)
    option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
    flags = {
        "right": Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute,
        "center": Qt.AlignmentFlag.AlignHCenter,
    }
    side = "right" if is_rtl and not look.align else look.align
    option.setAlignment(flags.get(side, Qt.AlignmentFlag.AlignLeft))
    return option


def line_x(line: QTextLine, place: int) -> float:
    """Return where in a line a place between characters is, in pixels."""
    found: Any = line.cursorToX(place)  # a pair, whatever the stub says
    return float(found[0])
