"""Buttons, labels and badges in the sizes and roles of the design; they decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFontMetrics,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QToolButton,
    QWidget,
)

from desktop.widgets.direction import reads_right_to_left
from desktop.widgets.enter import PressedByEnter
from desktop.widgets.focus_ring import RING_PROPERTY
from desktop.widgets.icons import BUTTON, icon

if TYPE_CHECKING:
    from desktop.widgets.theme import FontRole, Theme

Tone = Literal["text", "text2", "text3", "accent", "ok", "info", "warn", "bad"]
ButtonKind = Literal["main", "secondary", "danger", "ghost", "link", "pill", "segment", "chip"]
Ground = Literal["rail", "side", "page", "sunken"]
Edge = Literal["left", "right", "top", "bottom", ""]
_ICON_GAP = 4
_KEY_SIGNS = (
    ("Return", "Enter"),
    ("Up", "↑"),
    ("Down", "↓"),
    ("Left", "←"),
    ("Right", "→"),
)


def label(
    text: str,
    theme: Theme,
    role: FontRole = "body",
    tone: Tone = "text",
    *,
    wrap: bool = False,
    name: str = "",
) -> QLabel:
    """Return a plain-text label of one type role and tone; colours follow the style sheet."""
    result = Paragraph(text, theme.line_height(role)) if wrap else QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setFont(theme.font(role))
    result.setProperty("tone", tone)
    if name:
        result.setObjectName(name)
    return result


def tell(where: QLabel, words: str) -> None:
    """Say something, or take no room."""
    where.setText(words)
    where.setVisible(bool(words))


def plain_tip(words: str) -> str:
    """Return words as a tooltip shows them unchanged: Qt takes ``<b>`` in a token for markup."""
    if "<" not in words:
        return words
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
    return f"<p>{escaped}</p>"


def set_tone(widget: QWidget, tone: Tone) -> None:
    """Give a label another tone; the style sheet is asked again for this one widget."""
    if widget.property("tone") == tone:
        return
    widget.setProperty("tone", tone)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class Paragraph(QLabel):
    """Wrapped plain text with the line height of its type role, which a plain label ignores."""

    def __init__(self, text: str, line_px: int) -> None:
        super().__init__(text)
        self._line_px = line_px
        self._known: dict[tuple[str, str, int], int] = {}
        self.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def _lines(self, width: int) -> int:
        # A layout asks many times with the same few widths; the font and words rarely change.
        key = (self.text(), self.font().key(), width)
        if key not in self._known:
            if len(self._known) > 16:
                self._known.clear()
            self._known[key] = self._laid_out(width).lineCount()
        return self._known[key]

    def _laid_out(self, width: int) -> QTextLayout:
        text = QTextLayout(self.text().replace("\n", "\u2028"), self.font())
        # As a plain label does: the words decide, not the window.
        direction = Qt.LayoutDirection.LeftToRight
        if reads_right_to_left(self.text()):
            direction = Qt.LayoutDirection.RightToLeft
        option = QTextOption(QStyle.visualAlignment(direction, self.alignment()))
        option.setTextDirection(direction)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)  # never cut
        text.setTextOption(option)
        text.beginLayout()
        top = 0
        while (line := text.createLine()).isValid():
            line.setLineWidth(max(1, width))
            line.setPosition(QPointF(0, top + (self._line_px - line.height()) / 2))
            top += self._line_px
        text.endLayout()
        return text

    def heightForWidth(self, width: int) -> int:
        """Return the height at a width."""
        return self._lines(width) * self._line_px

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        width = min(self.fontMetrics().horizontalAdvance(self.text()) + 2, 320)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Return the least size that still works."""
        return QSize(40, self._line_px)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        self._laid_out(self.width()).draw(painter, QPointF(0, 0))
        painter.end()


def panel(ground: Ground, name: str, edge: Edge = "") -> QFrame:
    """Return an empty ground with at most one hairline."""
    frame = QFrame()
    frame.setObjectName(name)
    frame.setProperty("ground", ground)
    if edge:
        frame.setProperty("edge", edge)
    return frame


def scrolled(body: QWidget, name: str, words: str) -> QScrollArea:
    """Return ``body`` scrolling up and down only, out of the way of the Tab key.

    Args:
        body: What is longer than its place.
        name: objectName.
        words: Accessible name.
    """
    area = QScrollArea()
    area.setObjectName(name)
    area.setAccessibleName(words)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(body)
    return area


def rule() -> QFrame:
    """Return a horizontal hairline."""
    line = QFrame()
    line.setProperty("part", "rule")
    return line


def key_text(keys: str | QKeySequence.StandardKey) -> str:
    """Return a shortcut as this system writes it, e.g. ``Ctrl+K``."""
    text = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
    for name, sign in _KEY_SIGNS:
        text = text.replace(name, sign)
    return text


class Button(PressedByEnter, QPushButton):
    """A button with words and perhaps an icon.

    Args:
        text: Verb and object.
        theme: For the icon.
        kind: Its weight on the page; one ``main`` per view.
        name: objectName; the accessible name is the text.
        icon_name: Lucide icon before the text, or none.
        icon_last: The icon stands behind the text.
        small: 28 instead of 32 pixels high.
    """

    def __init__(
        self,
        text: str,
        theme: Theme,
        *,
        kind: ButtonKind = "secondary",
        name: str,
        icon_name: str = "",
        icon_last: bool = False,
        small: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        if icon_last:
            mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
            sides = Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft
            self.setLayoutDirection(sides[not mirrored])
        self._kind = kind
        self._icon_name = icon_name
        self._icon_last = icon_last
        self.setObjectName(name)
        self.setAccessibleName(text)
        self.setProperty("kind", kind)
        self.setProperty("small", small)
        self.setProperty(RING_PROPERTY, True)
        self.setFont(theme.font("body_strong" if kind == "main" else "body_medium"))
        self.setIconSize(QSize(BUTTON + _ICON_GAP, BUTTON))
        self.setCursor(
            Qt.CursorShape.PointingHandCursor if kind == "link" else Qt.CursorShape.ArrowCursor
        )
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Tint the icon."""
        if not self._icon_name:
            return
        colors = {"main": theme.on_accent, "danger": theme.bad, "ghost": theme.text2}
        color = colors.get(self._kind, theme.text)
        self.setIcon(icon(self._icon_name, theme, color, last=self._icon_last))

    def set_kind(self, kind: ButtonKind, theme: Theme) -> None:
        """Give the button another weight; the style sheet is asked again for this one widget."""
        if kind == self._kind:
            return
        self._kind = kind
        self.setProperty("kind", kind)
        self.setFont(theme.font("body_strong" if kind == "main" else "body_medium"))
        self.style().unpolish(self)
        self.style().polish(self)
        self.set_theme(theme)

    def set_icon(self, icon_name: str, theme: Theme) -> None:
        """Show another icon."""
        self._icon_name = icon_name
        self.set_theme(theme)

    def set_reason(self, reason: str) -> None:
        """Switch the button off with the reason why, or on again with an empty one."""
        self.setEnabled(not reason)
        self.setToolTip(reason)
        self.setAccessibleDescription(reason)


class IconButton(PressedByEnter, QToolButton):
    """A square button without words; name and key are its tooltip.

    Args:
        icon_name: Lucide icon.
        text: What it does; tooltip and accessible name.
        theme: For the icon.
        name: objectName.
        keys: Shortcut named in the tooltip.
        checkable: Stays down while what it shows is open.
        size: Edge of the square.
    """

    def __init__(
        self,
        icon_name: str,
        text: str,
        theme: Theme,
        *,
        name: str,
        keys: str = "",
        checkable: bool = False,
        size: int = 30,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._icon_name = icon_name
        self.setObjectName(name)
        self.setAccessibleName(text)
        self._tip = f"{text}  {key_text(keys)}" if keys else text
        self.setToolTip(self._tip)
        self.setProperty("kind", "icon")
        self.setProperty(RING_PROPERTY, True)
        self.setCheckable(checkable)
        self.setFixedSize(size, size)
        self.setIconSize(QSize(18, 18) if size >= 30 else QSize(BUTTON, BUTTON))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_theme(theme)

    def set_icon(self, icon_name: str, theme: Theme) -> None:
        """Show another icon."""
        self._icon_name = icon_name
        self.set_theme(theme)

    def set_reason(self, reason: str) -> None:
        """Switch the button off with the reason why, or on again with an empty one."""
        self.setEnabled(not reason)
        self.setToolTip(reason or self._tip)
        self.setAccessibleDescription(reason)

    def set_theme(self, theme: Theme) -> None:
        """Tint the icon."""
        self.setIcon(icon(self._icon_name, theme))


class Badge(QWidget):
    """A small outlined word, e.g. "Instruct"; its tone names the colour of text and outline."""

    def __init__(self, text: str, theme: Theme, tone: str = "") -> None:
        super().__init__()
        self._theme = theme
        self._text = text
        self._tone = tone
        self.setFont(theme.font("label"))
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def set_text(self, text: str, tone: str = "") -> None:
        """Show another word."""
        self._text = text
        self._tone = tone
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        return badge_size(self._text, self._theme)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        painter = QPainter(self)
        paint_badge(painter, QRectF(self.rect()), self._text, self._tone, self._theme)
        painter.end()


def badge_size(text: str, theme: Theme) -> QSize:
    """Return the size a badge needs, in device independent pixels."""
    return QSize(QFontMetrics(theme.font("label")).horizontalAdvance(text) + 14, 18)


def paint_badge(painter: QPainter, rect: QRectF, text: str, tone: str, theme: Theme) -> None:
    """Paint an outlined word; ``tone`` is a colour with a ``_line`` of its own, or empty."""
    outline = getattr(theme, f"{tone}_line") if tone else theme.line_strong
    ink = getattr(theme, "accent_text" if tone == "accent" else tone) if tone else theme.text2
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(outline)
    painter.setBrush(theme.raised)
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setFont(theme.font("label"))
    painter.setPen(ink)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)


class KeyCap(QWidget):
    """A key as an outlined box of 18 pixels."""

    def __init__(self, keys: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = key_text(keys).replace("+", " ")
        self.setAccessibleName(key_text(keys))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        return QSize(max(20, badge_size(self._text, self._theme).width() - 2), 18)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        painter = QPainter(self)
        paint_badge(painter, QRectF(self.rect()), self._text, "", self._theme)
        painter.end()
