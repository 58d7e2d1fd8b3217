"""The foot of the walk-through: back, how far one is, and what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QWidget

from desktop.widgets.controls import Button, KeyCap, key_text
from desktop.widgets.focus_ring import focus_by_keyboard

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_BACK_KEYS: Final = "Alt+Left"
_NEXT_KEYS: Final = "Alt+Right"
_HEIGHT: Final = 60
_DOT: Final = 7
_GAP: Final = 5
_HERE: Final = 18
_APART: Final = 9
_CLEAR: Final = 12


class StepDots(QWidget):
    """A dot for each step; those behind are filled, the open one is long. Tells, takes no press.

    Args:
        theme: Colours.
        steps: Dots that belong together; chapters behind them stand a little apart.
    """

    def __init__(self, theme: Theme, steps: int) -> None:
        super().__init__()
        self._theme = theme
        self._steps = steps
        self._at, self._count = 0, steps
        self.setObjectName("walk_dots")
        self.setAccessibleName(self.tr("How far you are"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def show_step(self, at: int, count: int, words: str) -> None:
        """Mark one of ``count`` dots, counted from 0; ``words`` say the same."""
        self._at, self._count = at, count
        self.setToolTip(words)
        self.setAccessibleDescription(words)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the row."""
        dots = (self._count - 1) * (_DOT + _GAP) + _HERE
        return QSize(dots + (_APART if self._count > self._steps else 0), _DOT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint from the side where reading begins."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        left = 0
        for place in range(self._count):
            width = _HERE if place == self._at else _DOT
            if place == self._steps:
                left += _APART
            painter.setBrush(self._theme.accent if place <= self._at else self._theme.line_strong)
            x = self.width() - left - width if mirrored else left
            painter.drawRoundedRect(QRectF(x, 0, width, _DOT), _DOT / 2, _DOT / 2)
            left += width + _GAP
        painter.end()


class WalkFoot(QFrame):
    """Leads from step to step, by press, by arrow keys on its buttons, and by shortcut.

    Args:
        theme: The look at the start.
        walk: Where the shortcuts work.
        steps: How many steps there are, without chapters behind them.

    Signals:
        turned: -1 back, 1 on.
    """

    turned = Signal(int)

    def __init__(self, theme: Theme, walk: QWidget, steps: int) -> None:
        super().__init__()
        self.setObjectName("walk_foot")
        self.setProperty("ground", "side")
        self.setProperty("edge", "top")
        self.setFixedHeight(_HEIGHT)
        self._back = Button(self.tr("Back"), theme, name="walk_back", icon_name="arrow-left")
        self._forward = Button(
            "", theme, kind="main", name="walk_next", icon_name="arrow-right", icon_last=True
        )
        self._dots = StepDots(theme, steps)
        self._dots.setParent(self)
        self._caps = [KeyCap(keys, theme) for keys in (_BACK_KEYS, _NEXT_KEYS)]
        for keys, button, by in ((_BACK_KEYS, self._back, -1), (_NEXT_KEYS, self._forward, 1)):
            shortcut = QShortcut(QKeySequence(keys), walk)
            shortcut.activated.connect(lambda by=by: self.turned.emit(by))
            button.clicked.connect(lambda _on=False, by=by: self.turned.emit(by))
            button.setToolTip(key_text(keys))
            button.installEventFilter(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(24, 0, 24, 0)
        row.setSpacing(10)
        row.addWidget(self._back)
        row.addWidget(self._caps[0])
        row.addStretch(1)
        row.addWidget(self._caps[1])
        row.addWidget(self._forward)

    def show_step(self, at: int, count: int, words: str, following: str) -> None:
        """Show where one is: step ``at`` of ``count``, and the name of the one that follows."""
        self._dots.show_step(at, count, words)
        self._back.setEnabled(at > 0)
        self._forward.setVisible(bool(following))
        self._caps[1].setVisible(bool(following) and not self._caps[0].isHidden())
        if following:
            self._forward.setText(self.tr("Next: {0}").format(following))
            self._forward.setAccessibleName(self._forward.text())
        self._place_dots()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the dots in the middle."""
        super().resizeEvent(event)
        self._place_dots()

    def _place_dots(self) -> None:
        """Put the dots into the middle; where the buttons leave no room there, beside it."""
        row, size = self.layout(), self._dots.sizeHint()
        if row is None:
            return
        row.activate()
        shown = [
            part.geometry()
            for part in (self._back, *self._caps, self._forward)
            if not part.isHidden()
        ]
        middle = self.width() // 2
        starts = [part.left() for part in shown if part.center().x() >= middle]
        ends = [part.right() for part in shown if part.center().x() < middle]
        room = min(starts, default=self.width()) - _CLEAR - size.width()
        left = max(max(ends, default=0) + _CLEAR, min(room, middle - size.width() // 2))
        self._dots.setGeometry(left, (self.height() - size.height()) // 2, *size.toTuple())

    def describe(self, words: str) -> None:
        """Let what the keyboard is on tell the step."""
        for button in (self._back, self._forward):
            button.setAccessibleDescription(words)

    def set_narrow(self, *, narrow: bool) -> None:
        """Leave out the keys where there is little room; tooltips name them."""
        self._caps[0].setHidden(narrow)
        self._caps[1].setHidden(narrow or self._forward.isHidden())

    def has_keyboard(self) -> bool:
        """Whether one of its buttons has the focus."""
        return self._forward.hasFocus() or self._back.hasFocus()

    def take_keyboard(self) -> None:
        """Put the keyboard on what leads on, so that Space goes through all steps."""
        leads_on = self._back if self._forward.isHidden() else self._forward
        focus_by_keyboard(leads_on, Qt.FocusReason.TabFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys turn the steps on either button."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            by = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
            if by and not event.modifiers() & Qt.KeyboardModifier.AltModifier:
                mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
                self.turned.emit(-by if mirrored else by)
                return True
        return super().eventFilter(watched, event)
