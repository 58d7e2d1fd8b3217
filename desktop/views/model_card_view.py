"""A model's card: its authors' own words, as text; pictures stay out, links open on a click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.widgets import formatting
from desktop.widgets.controls import Button, IconButton, label, panel, scrolled
from desktop.widgets.markdown.blocks import BlockStream
from desktop.widgets.notice import Notice
from desktop.widgets.transcript.body import MARGIN, Body

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from desktop.discover_values import CardView
    from desktop.widgets.theme import Theme

_PIECE_CHARS: Final = 2_000
_GUTTER: Final = 24


class _CardText(QWidget):
    """Holds the words as wide as the measure; what is added is laid out piece by piece."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("part", "scrolled")
        self._theme = theme
        self._left = ""
        self._body: Body | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._feed)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme

    def show_words(self, markdown: str, name: str) -> None:
        """Show another card."""
        self._timer.stop()
        if self._body is not None:
            self._body.deleteLater()
        self._body = Body(BlockStream(), self._theme, self)
        self._body.setObjectName("card_text")
        self._body.setAccessibleName(name)
        self._body.height_changed.connect(self._place)
        self._body.show()
        self._left = markdown
        self._place()
        self._timer.start()

    def expose(self, top: int, height: int) -> None:
        """Know what is seen: code there gets its buttons."""
        if self._body is not None:
            self._body.expose(QRectF(0, top - self._body.y(), self.width(), height))

    def _feed(self) -> None:
        if self._body is None or not self._left:
            self._timer.stop()
            if self._body is not None:
                self._body.close_stream()
                self._body.setAccessibleDescription(self._body.words()[:_PIECE_CHARS])
            return
        piece, self._left = self._left[:_PIECE_CHARS], self._left[_PIECE_CHARS:]
        self._body.append(piece)

    def _place(self) -> None:
        body = self._body
        if body is None:
            return
        room = max(200, self.width() - 2 * (_GUTTER - MARGIN) - 2 * MARGIN)
        measure = min(room, self._theme.measure_px)
        body.set_width(measure, room)
        height = round(body.text_height())
        body.setGeometry(_GUTTER - MARGIN, 12, room + 2 * MARGIN, height)
        self.setMinimumHeight(height + 36)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place what depends on the size."""
        super().resizeEvent(event)
        self._place()


class ModelCardView(QFrame):
    """Shows a card, or why there is none.

    Args:
        theme: Colours.

    Signals:
        back_asked, again_asked: No argument.
    """

    back_asked = Signal()
    again_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card: CardView | None = None
        self.setObjectName("card_view")
        self.setAccessibleName(self.tr("Model card"))
        self.setProperty("ground", "page")
        self._back = IconButton(
            "arrow-left", self.tr("Back to the versions"), theme, name="card_back"
        )
        self._back.clicked.connect(self.back_asked)
        self._title = label("", theme, "heading", name="card_title")
        self._browser = Button(
            self.tr("Open in the browser"),
            theme,
            name="card_browser",
            icon_name="globe",
            small=True,
        )
        self._browser.clicked.connect(self._on_browser)
        self._trouble = Notice(
            theme, name="card_trouble", severity="bad", actions=(("again", self.tr("Try again")),)
        )
        self._trouble.acted.connect(lambda _action: self.again_asked.emit())
        self._left_out = label("", theme, "small", "text3", wrap=True, name="card_left_out")
        self._text = _CardText(theme)
        self._area = scrolled(self._text, "card_scroll", self.tr("The card's words"))
        self._area.verticalScrollBar().valueChanged.connect(self._expose)
        self._build()

    def show_card(self, card: CardView) -> None:
        """Show what is known of a card."""
        self._card = card
        self._title.setText(card.repo)
        problem = card.problem
        if problem is not None:
            self._trouble.say(problem.title, problem.hint)
        self._trouble.setVisible(problem is not None)
        self._browser.setVisible(bool(card.page))
        self._left_out.setText(self._words(card))
        self._left_out.setVisible(bool(self._left_out.text()))
        self._text.show_words(card.markdown, self.tr("Model card of {0}").format(card.repo))
        self._area.verticalScrollBar().setValue(0)
        QTimer.singleShot(100, self, self._expose)

    def repo(self) -> str:
        """Return whose card it is."""
        return self._card.repo if self._card is not None else ""

    def focus_back(self) -> None:
        """Put the keyboard on the way back."""
        self._back.setFocus(Qt.FocusReason.OtherFocusReason)

    def _words(self, card: CardView) -> str:
        if card.busy:
            return self.tr("Fetching the card from the hub.")
        if card.problem is not None:
            return ""
        if not card.markdown:
            return self.tr("Its authors wrote no card.")
        words = []
        if card.images == 1:
            words.append(self.tr("1 picture was left out; the browser shows it."))
        elif card.images:
            number = formatting.count(card.images)
            words.append(
                self.tr("{0} pictures were left out; the browser shows them.").format(number)
            )
        if card.shortened:
            words.append(self.tr("The card goes on; this is its beginning."))
        return " ".join(words)

    def _build(self) -> None:
        head = panel("page", "card_header", "bottom")
        row = QHBoxLayout(head)
        row.setContentsMargins(16, 10, 24, 10)
        row.setSpacing(10)
        row.addWidget(self._back)
        row.addWidget(self._title, 1)
        row.addWidget(self._browser)
        notes = QVBoxLayout()
        notes.setContentsMargins(_GUTTER, 12, _GUTTER, 0)
        notes.addWidget(self._trouble)
        notes.addWidget(self._left_out)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        column.addLayout(notes)
        column.addWidget(self._area, 1)

    def _expose(self) -> None:
        self._text.expose(self._area.verticalScrollBar().value(), self._area.viewport().height())

    def _on_browser(self) -> None:
        if self._card is not None and self._card.page:
            QDesktopServices.openUrl(QUrl(self._card.page))
