"""Below the first composer: models that fit this computer, one click from an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.views import download_words as words
from desktop.widgets import formatting
from desktop.widgets.controls import Badge, Button, IconButton, badge_size, label, panel
from desktop.widgets.download_charts import BAR, Look, paint_bar
from desktop.widgets.empty_state import Glyph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QResizeEvent

    from desktop.controllers.first_run import FirstRunView, Offer
    from desktop.download_values import DownloadRow
    from desktop.widgets.controls import Tone
    from desktop.widgets.theme import Theme

_STACK_BELOW: Final = 560
_LOW: Final = 760
_FITS: Final = {"gpu": ("circle-check", "ok"), "partly": ("info", "info")}


class Progress(QWidget):
    """A thin bar."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._fraction = 0.0
        self._is_moving = True
        self.setFixedHeight(BAR)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def set_fraction(self, fraction: float, *, is_moving: bool) -> None:
        """Show how far it is, from 0 to 1."""
        self._fraction, self._is_moving = fraction, is_moving
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        painter = QPainter(self)
        look: Look = "running" if self._is_moving else "idle"
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        place = QRectF(self.rect())
        paint_bar(painter, place, self._fraction, look, self._theme, mirrored=mirrored)
        painter.end()


class OfferCard(QFrame):
    """One model: what it is for, how it fits, and the one button.

    Signals:
        asked: ``download``, ``resume``, ``cancel`` or ``use``.
    """

    asked = Signal(str)

    def __init__(self, offer: Offer, theme: Theme, number: int) -> None:
        super().__init__()
        self._theme = theme
        self._offer = offer
        self._action = "download"
        self.setObjectName(f"offer_{number}")
        purposes = {
            "quick": self.tr("Quick answers"),
            "best": self.tr("Best answers"),
            "study": self.tr("To look inside"),
        }
        self._purpose = purposes[offer.purpose]
        self.setAccessibleName(f"{offer.name}: {self._purpose}")
        self.setProperty("part", "card")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        size = formatting.size(offer.wanted.size_bytes)
        self._button = Button(
            self.tr("Download, {0}").format(size),
            theme,
            kind="main" if offer.is_recommended else "secondary",
            name=f"offer_{number}_download",
            icon_name="download",
        )
        self._button.setAccessibleName(self.tr("Download {0}, {1}").format(offer.name, size))
        self._button.setAccessibleDescription(self.tr("It is loaded as soon as it is here."))
        self._button.clicked.connect(lambda: self.asked.emit(self._action))
        self._bar = Progress(theme)
        self._words = label("", theme, "small", "text2", wrap=True, name=f"offer_{number}_words")
        self._stop = IconButton(
            "x", self.tr("Do not download {0}").format(offer.name), theme,
            name=f"offer_{number}_cancel", size=26,
        )  # fmt: skip
        self._stop.clicked.connect(lambda: self.asked.emit("cancel"))
        self._build()
        self.show_row(None, is_ready=False)

    def _build(self) -> None:
        offer, theme = self._offer, self._theme
        purpose = QHBoxLayout()
        purpose.addWidget(label(self._purpose, theme, "label", "text3", wrap=True), 1)
        if offer.is_recommended:
            purpose.addWidget(Badge(self.tr("Recommended"), theme, "accent"))
        purpose.setContentsMargins(0, 0, 0, 0)
        self._head = QWidget()
        self._head.setLayout(purpose)
        self._head.setMinimumHeight(badge_size("", theme).height())  # names beside each other
        icon_name, tone = _FITS.get(offer.place, ("cpu", "text2"))
        fit = QHBoxLayout()
        fit.setSpacing(6)
        fit.addWidget(Glyph(icon_name, theme, tone, 14), 0, Qt.AlignmentFlag.AlignTop)
        ink: Tone = "ok" if tone == "ok" else "text2"
        fit.addWidget(label(offer.fit, theme, "small_medium", ink, wrap=True), 1)
        self._about = label(offer.about, theme, "small", "text2", wrap=True)
        texts = QVBoxLayout()
        texts.setSpacing(4)
        texts.addWidget(self._head)
        texts.addWidget(label(offer.name, theme, "heading"))
        texts.addWidget(self._about)
        texts.addSpacing(4)
        texts.addStretch(1)
        texts.addLayout(fit)
        moving = QHBoxLayout()
        moving.setSpacing(6)
        state = QVBoxLayout()
        state.setSpacing(6)
        state.addWidget(self._bar)
        state.addWidget(self._words)
        moving.addLayout(state, 1)
        moving.addWidget(self._stop, 0, Qt.AlignmentFlag.AlignTop)
        doing = QVBoxLayout()
        doing.setSpacing(6)
        doing.addLayout(moving)
        doing.addWidget(self._button)
        self._halves = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._halves.setContentsMargins(16, 12, 16, 14)
        self._halves.setSpacing(10)
        self._halves.addLayout(texts, 1)
        self._halves.addLayout(doing, 0)

    def set_room(self, *, is_wide: bool, is_low: bool) -> None:
        """Fit the place: as a column or as one row, with or without the sentence."""
        ways = QBoxLayout.Direction
        self._halves.setDirection(ways.TopToBottom if is_wide else ways.LeftToRight)
        self._about.setVisible(is_wide and not is_low)
        self._head.setVisible(is_wide or not is_low)
        side = 16 if is_wide else 12
        self._halves.setContentsMargins(16, side - 4, 16, side - 2)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def show_row(self, row: DownloadRow | None, *, is_ready: bool) -> None:
        """Show how far its download is; ``is_ready``: it answers now."""
        is_here = is_ready or (row is not None and row.state == "finished")
        under_way = row is not None and row.can_pause
        self._bar.setVisible(under_way)
        self._stop.setVisible(row is not None and not is_here)
        self._button.setVisible(not under_way and not is_here)
        text = ""
        if is_here:
            text = self.tr("Ready. It answers from now on.") if is_ready else self.tr("Loading")
        elif row is not None:
            self._bar.set_fraction(row.fraction, is_moving=row.state == "downloading")
            text = _row_words(row)
            self._action = "resume"
            again = self.tr("Go on") if row.state == "paused" else self.tr("Try again")
            self._button.setText(again)
        else:
            self._action = "download"
            size = formatting.size(self._offer.wanted.size_bytes)
            self._button.setText(self.tr("Download, {0}").format(size))
        self._words.setText(text)
        self._words.setVisible(bool(text))

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        return QSize(240, super().sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Frame the recommended one in the accent."""
        super().paintEvent(event)
        if self._offer.is_recommended:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._theme.accent, 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
            painter.end()


class FirstRun(QWidget):
    """The cards and, where other apps keep models here, one question.

    Signals:
        asked: Number of an offer, and ``download``, ``resume`` or ``cancel``.
        apps_answered: Whether their models are to be used here.
    """

    asked = Signal(int, str)
    apps_answered = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("first_run")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._title = label("", theme, "heading", name="first_run_title")
        self._machine = Badge("", theme)
        self._machine.setObjectName("first_run_machine")
        self._machine.setToolTip(
            self.tr("Worked out from each model's size and shape, and what this computer has free.")
        )
        self._cards: list[OfferCard] = []
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(12)
        self._apps_words = label("", theme, "small", "text2", wrap=True, name="first_run_apps")
        self._apps = self._make_apps()
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._machine)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 20, 0, 0)
        column.setSpacing(10)
        column.addLayout(head)
        column.addLayout(self._row)
        column.addWidget(self._apps)

    def set_theme(self, theme: Theme) -> None:
        """Make later cards with this theme."""
        self._theme = theme

    def set_view(self, view: FirstRunView) -> None:
        """Show what is offered."""
        if len(self._cards) != len(view.offers):
            self._make_cards(view.offers)
        titles = {
            1: self.tr("A better model that fits this computer"),
            2: self.tr("Two better models that fit this computer"),
        }
        title = titles.get(len(view.offers), self.tr("Three better models that fit this computer"))
        self._title.setText(title if view.offers else "")
        self._machine.set_text(self.tr("derived: {0}").format(view.machine))
        self._machine.setVisible(bool(view.offers))
        self._apps.setVisible(bool(view.apps))
        names = self.tr(" and ").join(filter(None, (", ".join(view.apps[:-1]), *view.apps[-1:])))
        self._apps_words.setText(
            self.tr("{0}. They can be used where they are; nothing is copied.").format(names)
        )
        self._turn()

    def set_rows(self, rows: Mapping[int, DownloadRow | None], ready: int | None) -> None:
        """Show the downloads of offers by number, and which one answers now."""
        for number, card in enumerate(self._cards):
            card.show_row(rows.get(number), is_ready=number == ready)

    def _make_cards(self, offers: tuple[Offer, ...]) -> None:
        for card in self._cards:
            card.hide()
            card.deleteLater()
        self._cards = []
        for number, offer in enumerate(offers):
            card = OfferCard(offer, self._theme, number)
            card.asked.connect(lambda action, n=number: self.asked.emit(n, action))
            self._row.addWidget(card, 1)
            self._cards.append(card)

    def _make_apps(self) -> QFrame:
        theme = self._theme
        box = panel("sunken", "first_run_apps_box")
        box.setProperty("part", "card")
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(label(self.tr("Models of other apps were found"), theme, "body_medium"))
        texts.addWidget(self._apps_words)
        use = Button(self.tr("Use them here"), theme, name="first_run_apps_use", small=True)
        use.clicked.connect(lambda: self.apps_answered.emit(True))
        later = Button(
            self.tr("Not now"), theme, kind="ghost", name="first_run_apps_not", small=True
        )
        later.clicked.connect(lambda: self.apps_answered.emit(False))
        row = QHBoxLayout(box)
        row.setContentsMargins(16, 10, 12, 10)
        row.setSpacing(10)
        row.addWidget(Glyph("folder-open", theme, "text2", 18))
        row.addLayout(texts, 1)
        row.addWidget(use)
        row.addWidget(later)
        return box

    def _turn(self) -> None:
        ways = QBoxLayout.Direction
        is_wide = self.width() >= _STACK_BELOW
        self._row.setDirection(ways.LeftToRight if is_wide else ways.TopToBottom)
        self._row.setSpacing(12 if is_wide else 6)
        is_low = self.window().height() < _LOW
        for card in self._cards:
            card.set_room(is_wide=is_wide, is_low=is_low)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stack the cards where there is little room."""
        super().resizeEvent(event)
        self._turn()


def _row_words(row: DownloadRow) -> str:
    """Return where a download stands, in a line or two."""
    if row.title:
        return " ".join(part for part in (row.message, row.hint) if part)
    return ", ".join(part for part in (words.amount_line(row), words.second_line(row)) if part)
